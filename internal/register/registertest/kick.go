package registertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kick is the subscriptions to events, of https://docs.kick.com/events/subscribe-to-events,
// and what gives app tokens, which is id.kick.com at the vendor's. That an event
// may be subscribed to twice is assumed.
type Kick struct {
	api
	id, secret string

	last   int
	all    []*KickSubscription // guarded by mu; the oldest first
	tokens []string            // guarded by mu
}

// A KickSubscription is one to an event of a broadcaster.
type KickSubscription struct {
	ID      string `json:"id"`
	App     string `json:"app_id"`
	User    int64  `json:"broadcaster_user_id"`
	Event   string `json:"event"`
	Version int    `json:"version"`
	Method  string `json:"method"`
	Created string `json:"created_at"`
	Updated string `json:"updated_at"`
}

// kickEvents: https://docs.kick.com/events/event-types
var kickEvents = []string{
	"chat.message.sent", "channel.followed", "channel.subscription.renewal", "channel.subscription.gifts", "channel.subscription.new",
	"livestream.status.updated", "livestream.metadata.updated", "moderation.banned", "kicks.gifted", "channel.reward.redemption.updated",
}

// NewKick returns an API for one app.
func NewKick(id, secret string) *Kick {
	k := &Kick{id: id, secret: secret}
	const base = "/public/v1/events/subscriptions"
	k.serve(map[string]http.HandlerFunc{"GET " + base: k.list, "POST " + base: k.create, "DELETE " + base: k.delete},
		k.admit, func(w http.ResponseWriter, r *http.Request) { kickError(w, 404, "Not found") })
	k.mux.HandleFunc("POST /oauth/token", k.token)
	return k
}

func (k *Kick) admit(w http.ResponseWriter, r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !slices.Contains(k.tokens, token) {
		kickError(w, 401, "Unauthorized")
		return false
	}
	return true
}

func kickError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"data": map[string]any{}, "message": text})
}

func (k *Kick) token(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.PostFormValue("client_id") != k.id || r.PostFormValue("client_secret") != k.secret || r.PostFormValue("grant_type") != "client_credentials" {
		reply(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	token := fmt.Sprintf("kick-token-%020d", len(k.tokens)+1)
	k.tokens = append(k.tokens, token)
	reply(w, 200, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 5184000})
}

func (k *Kick) list(w http.ResponseWriter, r *http.Request) {
	list := []*KickSubscription{}
	for _, s := range k.all {
		if user := r.URL.Query().Get("broadcaster_user_id"); user == "" || user == strconv.FormatInt(s.User, 10) {
			list = append(list, s)
		}
	}
	reply(w, 200, map[string]any{"data": list, "message": "OK"})
}

func (k *Kick) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		User   int64 `json:"broadcaster_user_id"`
		Method string
		Events []struct {
			Name    string
			Version int
		}
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.User <= 0 || in.Method != "webhook" || len(in.Events) == 0 {
		kickError(w, 400, "Invalid request")
		return
	}
	var made []map[string]any
	for _, e := range in.Events {
		one := map[string]any{"name": e.Name, "version": e.Version}
		if slices.Contains(kickEvents, e.Name) && e.Version == 1 {
			one["subscription_id"] = k.add(in.User, e.Name).ID
		} else {
			one["error"] = "unknown event"
		}
		made = append(made, one)
	}
	reply(w, 200, map[string]any{"data": made, "message": "OK"})
}

func (k *Kick) add(user int64, event string) *KickSubscription {
	k.last++
	now := time.Now().UTC().Format(time.RFC3339)
	s := &KickSubscription{ID: fmt.Sprintf("01JSUB%020d", k.last), App: k.id, User: user, Event: event, Version: 1, Method: "webhook", Created: now, Updated: now}
	k.all = append(k.all, s)
	return s
}

func (k *Kick) delete(w http.ResponseWriter, r *http.Request) {
	ids := r.URL.Query()["id"]
	n := len(k.all)
	k.all = slices.DeleteFunc(k.all, func(s *KickSubscription) bool { return slices.Contains(ids, s.ID) })
	if len(k.all) == n {
		kickError(w, 404, "Not found")
		return
	}
	reply(w, 204, nil)
}

// Add makes a subscription as another would who uses the app.
func (k *Kick) Add(user int64, event string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(user, event)
}

// State is what there is, a line each.
func (k *Kick) State() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return state(func(add func(string)) {
		for _, s := range k.all {
			add(fmt.Sprint(s.User, " ", s.Event))
		}
	})
}

// Secrets are the tokens that were given.
func (k *Kick) Secrets() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.tokens)
}
