package registertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Twitch is EventSub, of https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription,
// and what gives app tokens, which is id.twitch.tv at the vendor's.
type Twitch struct {
	api
	o          Options
	id, secret string

	last int
	all  []*TwitchSubscription // guarded by mu; the oldest first
	// tokens are those that are good.
	tokens map[string]bool // guarded by mu
}

// A TwitchSubscription is one to events of a type.
type TwitchSubscription struct {
	ID        string            `json:"id"`
	Status    string            `json:"status"`
	Type      string            `json:"type"`
	Version   string            `json:"version"`
	Condition map[string]string `json:"condition"`
	Created   string            `json:"created_at"`
	Transport map[string]string `json:"transport"`
	Cost      int               `json:"cost"`

	secret string
}

// twitchTypes are some types, with their version and what their condition must
// have: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types
var twitchTypes = map[string][]string{
	"stream.online": {"1", "broadcaster_user_id"}, "stream.offline": {"1", "broadcaster_user_id"}, "channel.update": {"2", "broadcaster_user_id"},
	"channel.follow": {"2", "broadcaster_user_id", "moderator_user_id"}, "user.update": {"1", "user_id"}, "channel.raid": {"1"},
}

// scoped need a scope that the broadcaster grants; here nobody has.
var scoped = []string{"channel.follow"}

// NewTwitch returns an API for one app.
func NewTwitch(o Options, id, secret string) *Twitch {
	t := &Twitch{o: o, id: id, secret: secret, tokens: map[string]bool{}}
	t.o.PageSize = cmp.Or(o.PageSize, 100)
	const base = "/helix/eventsub/subscriptions"
	t.serve(map[string]http.HandlerFunc{"GET " + base: t.list, "POST " + base: t.create, "DELETE " + base: t.delete},
		t.admit, func(w http.ResponseWriter, r *http.Request) { twitchError(w, 404, "not found") })
	t.mux.HandleFunc("POST /oauth2/token", t.token)
	return t
}

func twitchError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"error": http.StatusText(status), "status": status, "message": text})
}

func (t *Twitch) token(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.FormValue("client_id") != t.id:
		reply(w, 400, map[string]any{"status": 400, "message": "invalid client"})
	case r.FormValue("client_secret") != t.secret:
		reply(w, 403, map[string]any{"status": 403, "message": "invalid client secret"})
	case r.FormValue("grant_type") != "client_credentials":
		reply(w, 400, map[string]any{"status": 400, "message": "missing grant type"})
	default:
		token := fmt.Sprintf("app-token-%020d", len(t.tokens)+1)
		t.tokens[token] = true
		reply(w, 200, map[string]any{"access_token": token, "expires_in": 5011271, "token_type": "bearer"})
	}
}

// Expire ends all tokens.
func (t *Twitch) Expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for token := range t.tokens {
		t.tokens[token] = false
	}
}

func (t *Twitch) admit(w http.ResponseWriter, r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		twitchError(w, 401, "OAuth token is missing")
	case !t.tokens[token]:
		twitchError(w, 401, "Invalid OAuth token")
	case r.Header.Get("Client-Id") != t.id:
		twitchError(w, 401, "Client ID and OAuth token do not match")
	default:
		return true
	}
	return false
}

func (t *Twitch) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	filters := 0
	for _, f := range []string{"status", "type", "user_id", "subscription_id"} {
		if q.Has(f) {
			filters++
		}
	}
	if filters > 1 {
		twitchError(w, 400, "only one filter may be used")
		return
	}
	list := []TwitchSubscription{}
	for _, s := range t.all {
		if (!q.Has("type") || s.Type == q.Get("type")) && (!q.Has("status") || s.Status == q.Get("status")) && (!q.Has("subscription_id") || s.ID == q.Get("subscription_id")) {
			list = append(list, *s)
		}
	}
	total := len(list)
	from, _ := strconv.Atoi(q.Get("after"))
	list = list[min(from, total):]
	page := map[string]string{}
	if len(list) > t.o.PageSize {
		list = list[:t.o.PageSize]
		page["cursor"] = strconv.Itoa(from + t.o.PageSize)
	}
	reply(w, 200, map[string]any{"data": list, "total": total, "total_cost": len(t.all), "max_total_cost": 10000, "pagination": page})
	for _, s := range t.all { // whose challenge has been answered by the next look
		if s.Status == "webhook_callback_verification_pending" {
			s.Status = "enabled"
		}
	}
}

func (t *Twitch) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Type, Version string
		Condition     map[string]string
		Transport     struct{ Method, Callback, Secret string }
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		twitchError(w, 400, "the body is not JSON")
		return
	}
	maps.DeleteFunc(in.Condition, func(_, v string) bool { return v == "" })
	need, ok := twitchTypes[in.Type]
	same, here := 0, false
	for _, s := range t.all {
		if s.Type == in.Type && s.Version == in.Version && maps.Equal(s.Condition, in.Condition) {
			same++
			here = here || s.Transport["callback"] == in.Transport.Callback
		}
	}
	u, err := url.Parse(in.Transport.Callback)
	switch {
	case !ok || need[0] != in.Version:
		twitchError(w, 400, "invalid subscription type and version")
	case slices.ContainsFunc(need[1:], func(k string) bool { return in.Condition[k] == "" }):
		twitchError(w, 400, "the condition is missing a field")
	case in.Transport.Method != "webhook":
		twitchError(w, 400, "invalid transport method")
	case len(in.Transport.Secret) < 10 || len(in.Transport.Secret) > 100:
		twitchError(w, 400, "the secret must be of 10 to 100 characters")
	case err != nil || !t.o.takes(in.Transport.Callback, true) || u.Port() != "" && u.Port() != "443" && !local(u):
		twitchError(w, 400, "the callback must be https on port 443")
	case slices.Contains(scoped, in.Type):
		twitchError(w, 403, "subscription missing proper authorization")
	case here:
		twitchError(w, 409, "subscription already exists")
	case same >= 3:
		twitchError(w, 429, "number of subscriptions with this type and condition exceeded")
	default:
		s := t.add(in.Type, in.Version, in.Condition, in.Transport.Callback, in.Transport.Secret)
		s.Status = "webhook_callback_verification_pending"
		answer := *s
		if local(u) {
			t.challenge(r, s)
		}
		reply(w, 202, map[string]any{"data": []TwitchSubscription{answer}, "total": len(t.all), "total_cost": len(t.all), "max_total_cost": 10000})
	}
}

// challenge asks the callback: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request
func (t *Twitch) challenge(r *http.Request, s *TwitchSubscription) {
	challenge := "pogchamp-kappa-360noscope-" + s.ID
	body, _ := json.Marshal(map[string]any{"challenge": challenge, "subscription": s}) // has nothing that cannot be
	status, text := t.o.send(r.Context(), "twitch", s.secret, s.Transport["callback"], http.Header{
		"Twitch-Eventsub-Message-Id": {"e76c6bd4-55c9-4987-8304-da1588d8988b"}, "Twitch-Eventsub-Message-Retry": {"0"},
		"Twitch-Eventsub-Message-Type": {"webhook_callback_verification"}, "Twitch-Eventsub-Subscription-Type": {s.Type}, "Twitch-Eventsub-Subscription-Version": {s.Version},
		"Twitch-Eventsub-Message-Timestamp": {time.Now().UTC().Format(time.RFC3339Nano)},
	}, body)
	s.Status = "webhook_callback_verification_failed"
	if status == 200 && text == challenge {
		s.Status = "enabled"
	}
}

func (t *Twitch) add(kind, version string, condition map[string]string, callback, secret string) *TwitchSubscription {
	t.last++
	s := &TwitchSubscription{
		ID: fmt.Sprintf("26b1c993-bfcf-44d9-b876-%012d", t.last), Status: "enabled", Type: kind, Version: version, Condition: condition,
		Created: time.Now().UTC().Format(time.RFC3339Nano), Transport: map[string]string{"method": "webhook", "callback": callback}, Cost: 1, secret: secret,
	}
	t.all = append(t.all, s)
	return s
}

func (t *Twitch) delete(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(t.all, func(s *TwitchSubscription) bool { return s.ID == r.URL.Query().Get("id") })
	if i < 0 {
		twitchError(w, 404, "the subscription was not found")
		return
	}
	t.all = slices.Delete(t.all, i, i+1)
	reply(w, 204, nil)
}

// Add makes a subscription as another would who uses the app.
func (t *Twitch) Add(kind, version string, condition map[string]string, callback string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(kind, version, condition, callback, "by-hand-0123")
}

// State is what there is, a line each.
func (t *Twitch) State() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return state(func(add func(string)) {
		for _, s := range t.all {
			add(fmt.Sprint(s.Type, " ", s.Version, " ", s.Condition, " ", s.Transport["callback"]))
		}
	})
}

// Secrets are what webhooks are signed with, and the tokens that were given.
func (t *Twitch) Secrets() (all []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.all {
		all = append(all, s.secret)
	}
	return slices.AppendSeq(all, maps.Keys(t.tokens))
}
