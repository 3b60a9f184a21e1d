package register

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const kickAPI = "https://api.kick.com"

// kick is Kick's subscriptions to events, which an app token makes. The URL that
// they are sent to is a setting of the app in Kick's dashboard, and no call sets
// it (https://docs.kick.com/events/introduction). Kick documents no limits, no
// errors but their shape, and not what happens when an event is subscribed to
// twice, so it is not. Paths and shapes are those of
// https://api.kick.com/swagger/v1/doc.json.
var kick = Provider{
	ID: "kick", API: kickAPI, Docs: "https://docs.kick.com/events/subscribe-to-events", URLByHand: true,
	Params: []Param{
		{Name: "client-id", About: "the `ID` of the app", Env: "KICK_CLIENT_ID", Required: true, Check: checkClientID},
		{Name: "client-secret", About: "`REF` to the app's secret", Env: "KICK_CLIENT_SECRET", Kind: Secret, Required: true},
		{Name: "broadcaster", About: "the `ID` of the broadcaster's user, a number; several may be said", Kind: Many, Required: true, Check: checkKickBroadcaster},
		{Name: "event", About: "the `NAME[@VERSION]` of an event, as in chat.message.sent; several may be said", Kind: Many, Required: true, Check: checkKickEvent},
	},
	Open: func(s Settings, c *Client) (Registrar, error) {
		c.Hidden = map[string]string{"client-secret": s.Get("client-secret")}
		c.Header = map[string]string{"Authorization": "Bearer {access}"}
		k := &kickSubscriptions{
			s: s, app: &appToken{c: c, usual: kickAPI, host: "https://id.kick.com", path: "/oauth/token", id: s.Get("client-id")},
		}
		k.things = things{s: s, name: "subscription", list: k.list, create: k.create, delete: k.remove}
		return k, nil
	},
}

var (
	checkKickBroadcaster = number(63, "is not the number of a user")
	checkKickEvent       = form(`^[a-z][a-z0-9_.]{0,99}(@[0-9]{1,4})?$`, "is not the name of an event, as in chat.message.sent")
)

type kickSubscriptions struct {
	things
	app *appToken
	s   Settings
}

func (k *kickSubscriptions) Account() string { return k.s.Get("client-id") }

func (k *kickSubscriptions) Plan(ctx context.Context, _ string, done []Change) (plan []Change, err error) {
	for _, broadcaster := range k.s.Values["broadcaster"] {
		for _, event := range k.s.Values["event"] {
			ch := Change{
				Key: "subscription " + event + " of " + broadcaster, About: "subscribe to " + event + " of the broadcaster " + broadcaster,
				Data: map[string]string{"broadcaster": broadcaster, "event": event},
			}
			ch.Call = k.call(ch)
			if plan, err = k.plan(ctx, plan, ch, done); err != nil {
				return nil, err
			}
		}
	}
	return plan, nil
}

const kickPath = "/public/v1/events/subscriptions"

func (k *kickSubscriptions) call(ch Change) Call {
	name, version := splitVersion(ch.Data["event"])
	user, _ := strconv.ParseInt(ch.Data["broadcaster"], 10, 64) // were checked
	n, _ := strconv.Atoi(version)
	return Call{Method: http.MethodPost, Path: kickPath, Body: map[string]any{
		"broadcaster_user_id": user, "method": "webhook", "events": []map[string]any{{"name": name, "version": n}},
	}}
}

func (k *kickSubscriptions) list(ctx context.Context, ch Change) ([]thing, error) {
	var a struct {
		Data []struct {
			ID, Event, Method string
			Version           int
			User              int64  `json:"broadcaster_user_id"`
			Created           string `json:"created_at"`
		}
	}
	err := k.app.Do(ctx, Call{Method: http.MethodGet, Path: kickPath + "?broadcaster_user_id=" + url.QueryEscape(ch.Data["broadcaster"])}, &a)
	name, version := splitVersion(ch.Data["event"])
	var list []thing
	for _, one := range a.Data {
		if one.Event == name && strconv.Itoa(one.Version) == version && strconv.FormatInt(one.User, 10) == ch.Data["broadcaster"] && one.Method == "webhook" {
			list = append(list, thing{ID: one.ID, Created: instant(one.Created), Works: true})
		}
	}
	return list, kickAdvice(err)
}

func kickAdvice(err error) error {
	return advised(err, "does the app have the scope events:subscribe?", 401, 403)
}

func (k *kickSubscriptions) create(ctx context.Context, ch *Change) (string, error) {
	var a struct {
		Data []struct {
			ID    string `json:"subscription_id"`
			Error string
		}
	}
	if err := k.app.Do(ctx, k.call(*ch), &a); err != nil {
		return "", kickAdvice(err)
	}
	if len(a.Data) > 0 && strings.TrimSpace(a.Data[0].Error) != "" {
		return "", &Refusal{Text: "Kick refuses " + ch.Data["event"] + ": " + quote(a.Data[0].Error), Hint: "its events are at https://docs.kick.com/events/event-types"}
	}
	if len(a.Data) == 0 {
		return "", nil
	}
	return a.Data[0].ID, nil
}

func (k *kickSubscriptions) remove(ctx context.Context, _ Change, id string) error {
	return k.app.Do(ctx, Call{Method: http.MethodDelete, Path: kickPath + "?id=" + url.QueryEscape(id)}, nil)
}
