package register

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const twitchAPI = "https://api.twitch.tv"

// twitch is Twitch's EventSub subscriptions for webhooks, which an app token
// makes (https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/#client-credentials-grant-flow).
// There is no call that changes one, and no room for a mark: one is known by its
// type, condition, callback and time. Twitch asks the callback with a challenge
// before it sends anything, which devhook up answers.
var twitch = Provider{
	ID: "twitch", API: twitchAPI, Docs: "https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription",
	Params: []Param{
		{Name: "client-id", About: "the `ID` of the app", Env: "TWITCH_CLIENT_ID", Required: true, Check: checkClientID},
		{Name: "client-secret", About: "`REF` to the app's secret", Env: "TWITCH_CLIENT_SECRET", Kind: Secret, Required: true},
		{Name: "subscription", About: "`TYPE[@VERSION]:KEY=VALUE,…`, a type of subscription and its condition, as in stream.online:broadcaster_user_id=1234; several may be said", Kind: Many, Required: true, Check: checkTwitchSubscription},
		{Name: webhookSecretName, About: "`REF` to what webhooks are to be signed with, 10 to 100 ASCII characters (default: one is made up, and kept in memory only)", Kind: Secret, Check: checkTwitchSecret},
	},
	Tells: func(Settings) bool { return true },
	Open: func(s Settings, c *Client) (Registrar, error) {
		c.Hidden = map[string]string{"client-secret": s.Get("client-secret")}
		c.Header = map[string]string{"Authorization": "Bearer {access}", "Client-Id": s.Get("client-id")}
		t := &twitchSubscriptions{
			c: c, s: s, signing: newSigning(s, c),
			app: &appToken{c: c, usual: twitchAPI, host: "https://id.twitch.tv", path: "/oauth2/token", id: s.Get("client-id")},
		}
		t.things = things{s: s, name: "subscription", secret: true, list: t.list, create: t.create, delete: t.remove}
		return t, nil
	},
}

var (
	checkClientID = form(`^[A-Za-z0-9_-]{1,100}$`, "is not the id of an app")
	// https://dev.twitch.tv/docs/eventsub/handling-webhook-events
	checkTwitchSecret = secretForm(`^[ -~]{10,100}$`, "it is not of 10 to 100 ASCII characters")
	twitchType        = form(`^[a-z][a-z0-9_.]{0,99}(@[a-z0-9]{1,20})?$`, "is not a type")
	twitchCondition   = form(`^[a-z_]{1,50}=[A-Za-z0-9_-]{1,100}$`, "is not a condition")
)

func checkTwitchSubscription(v string) error {
	name, condition, _ := strings.Cut(v, ":")
	if twitchType(name) != nil {
		return fmt.Errorf("%q is not like stream.online:broadcaster_user_id=1234", v)
	}
	for one := range strings.SplitSeq(condition, ",") {
		if twitchCondition(one) != nil {
			return fmt.Errorf("%q: the condition is not like broadcaster_user_id=1234", v)
		}
	}
	return nil
}

type twitchSubscriptions struct {
	things
	c       *Client
	app     *appToken
	s       Settings
	signing *signing
}

// A twitchSubscription is one as Twitch lists it.
type twitchSubscription struct {
	ID, Status, Type, Version string
	Condition                 map[string]any
	Created                   string `json:"created_at"`
	Transport                 struct{ Method, Callback string }
}

// wanted reads TYPE[@VERSION]:KEY=VALUE,…
func (t *twitchSubscriptions) wanted(text string) (kind, version string, condition map[string]string) {
	name, rest, _ := strings.Cut(text, ":")
	kind, version = splitVersion(name)
	condition = map[string]string{}
	for one := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(one, "=")
		condition[k] = v
	}
	return kind, version, condition
}

func (t *twitchSubscriptions) Account() string { return t.s.Get("client-id") }

func (t *twitchSubscriptions) Plan(ctx context.Context, callback string, done []Change) (plan []Change, err error) {
	if u, err := url.Parse(callback); err != nil || !t.c.Local() && (u.Scheme != "https" || u.Port() != "" && u.Port() != "443") {
		return nil, &Refusal{Text: "Twitch sends to https URLs on port 443 only, not to " + callback, Hint: "start devhook up with an ngrok authtoken"}
	}
	for _, text := range t.s.Values["subscription"] {
		ch := Change{
			Key: "subscription " + text + " " + callback, About: "have " + text + " sent to " + callback, URL: callback,
			Data: map[string]string{"subscription": text},
		}
		ch.Call = t.call(ch)
		if plan, err = t.plan(ctx, plan, ch, done); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

func (t *twitchSubscriptions) call(ch Change) Call {
	kind, version, condition := t.wanted(ch.Data["subscription"])
	return Call{Method: http.MethodPost, Path: "/helix/eventsub/subscriptions", Body: map[string]any{
		"type": kind, "version": version, "condition": condition,
		"transport": map[string]string{"method": "webhook", "callback": ch.URL, "secret": "{" + webhookSecretName + "}"},
	}}
}

// all lists the subscriptions to one type.
func (t *twitchSubscriptions) all(ctx context.Context, kind string) ([]twitchSubscription, error) {
	var all []twitchSubscription
	after := ""
	for range maxPages {
		var page struct {
			Data       []twitchSubscription
			Pagination struct{ Cursor string }
		}
		// One filter only may be used at once.
		if err := t.app.Do(ctx, Call{Method: http.MethodGet, Path: "/helix/eventsub/subscriptions?type=" + url.QueryEscape(kind) + after}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Pagination.Cursor == "" {
			break
		}
		after = "&after=" + url.QueryEscape(page.Pagination.Cursor)
	}
	return all, nil
}

func (t *twitchSubscriptions) list(ctx context.Context, ch Change) ([]thing, error) {
	kind, version, condition := t.wanted(ch.Data["subscription"])
	all, err := t.all(ctx, kind)
	var list []thing
	for _, one := range all {
		there := map[string]string{}
		for k, v := range one.Condition {
			if text := fmt.Sprint(v); text != "" { // what was not said is listed empty
				there[k] = text
			}
		}
		if one.Transport.Method == "webhook" && one.Version == version && maps.Equal(there, condition) {
			list = append(list, thing{ID: one.ID, URL: one.Transport.Callback, Created: instant(one.Created), Works: one.Status == "enabled" || one.Status == twitchPending})
		}
	}
	return list, err
}

const (
	twitchPending  = "webhook_callback_verification_pending"
	twitchLooks    = 20                     // how often it is looked whether the challenge was answered
	twitchLookWait = 500 * time.Millisecond // Twitch waits a few seconds for the answer
)

func (t *twitchSubscriptions) create(ctx context.Context, ch *Change) (string, error) {
	t.signing.tell()
	var a struct{ Data []twitchSubscription }
	if err := t.app.Do(ctx, t.call(*ch), &a); err != nil {
		err = advised(err, "the type needs a scope that the broadcaster has not granted this app: he authorises it once, in a browser", 403)
		err = advised(err, "an app has at most three subscriptions of one type and condition", 429)
		return "", advised(err, "is there such a type with this version and condition?", 400)
	}
	if len(a.Data) == 0 {
		return "", nil
	}
	made := a.Data[0]
	kind, _, _ := t.wanted(ch.Data["subscription"])
	for look := 0; made.Status == twitchPending && look < twitchLooks; look++ {
		if t.c.pause(ctx, twitchLookWait) != nil {
			return made.ID, ctx.Err()
		}
		all, err := t.all(ctx, kind)
		if err != nil {
			return made.ID, err
		}
		i := slices.IndexFunc(all, func(one twitchSubscription) bool { return one.ID == made.ID })
		if i < 0 {
			return made.ID, errors.New("the subscription is not there any more")
		}
		made.Status = all[i].Status
	}
	if made.Status != "enabled" {
		return made.ID, &Refusal{
			Text: fmt.Sprintf("Twitch has asked %s with a challenge, and the subscription is %s", ch.URL, quote(made.Status)),
			Hint: "devhook up answers it, at a route for twitch that knows the secret: put this under register: in devhook.yaml, or give both the same secret",
		}
	}
	return made.ID, nil
}

func (t *twitchSubscriptions) remove(ctx context.Context, _ Change, id string) error {
	return t.app.Do(ctx, Call{Method: http.MethodDelete, Path: "/helix/eventsub/subscriptions?id=" + url.QueryEscape(id)}, nil)
}
