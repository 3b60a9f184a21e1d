package registertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Telegram is the webhook of one bot, of https://core.telegram.org/bots/api#getting-updates.
type Telegram struct {
	o     Options
	token string

	mu      sync.Mutex
	webhook TelegramWebhook // guarded by mu
	secret  string          // guarded by mu
}

// A TelegramWebhook is what getWebhookInfo tells.
type TelegramWebhook struct {
	URL         string   `json:"url"`
	Certificate bool     `json:"has_custom_certificate"`
	Pending     int      `json:"pending_update_count"`
	Connections int      `json:"max_connections,omitempty"`
	Updates     []string `json:"allowed_updates,omitempty"`
}

// NewTelegram returns an API for one bot, without a webhook.
func NewTelegram(o Options, token string) *Telegram { return &Telegram{o: o, token: token} }

func (t *Telegram) fail(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"ok": false, "error_code": status, "description": text})
}

var telegramSecret = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// ServeHTTP answers a call: GET or POST; a query, a form or JSON.
func (t *Telegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	rest, ok := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, _ := strings.Cut(rest, "/")
	switch {
	case !ok || !strings.Contains(token, ":"):
		t.fail(w, 404, "Not Found")
		return
	case token != t.token:
		t.fail(w, 401, "Unauthorized")
		return
	}
	var in struct {
		URL         *string   `json:"url"`
		Secret      string    `json:"secret_token"`
		Updates     *[]string `json:"allowed_updates"`
		Connections int       `json:"max_connections"`
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			t.fail(w, 400, "Bad Request: the body is not JSON")
			return
		}
	} else if r.FormValue("url") != "" {
		to := r.FormValue("url")
		in.URL, in.Secret = &to, r.FormValue("secret_token")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch strings.ToLower(method) {
	case "getme":
		reply(w, 200, map[string]any{"ok": true, "result": map[string]any{"id": 123456, "is_bot": true, "first_name": "Test", "username": "test_bot"}})
	case "getwebhookinfo":
		reply(w, 200, map[string]any{"ok": true, "result": t.webhook})
	case "deletewebhook":
		t.webhook, t.secret = TelegramWebhook{Updates: t.webhook.Updates}, ""
		reply(w, 200, map[string]any{"ok": true, "result": true, "description": "Webhook was deleted"})
	case "setwebhook":
		if in.URL == nil || *in.URL == "" {
			t.webhook, t.secret = TelegramWebhook{}, ""
			reply(w, 200, map[string]any{"ok": true, "result": true})
			return
		}
		u, err := url.Parse(*in.URL)
		switch {
		case err != nil || !t.o.takes(*in.URL, true):
			t.fail(w, 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
			return
		case !local(u) && !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()):
			t.fail(w, 400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
			return
		case in.Secret != "" && !telegramSecret.MatchString(in.Secret):
			t.fail(w, 400, "Bad Request: secret token contains unallowed characters")
			return
		case in.Connections < 0 || in.Connections > 100:
			t.fail(w, 400, "Bad Request: max_connections is 1 to 100")
			return
		}
		t.webhook.URL, t.webhook.Connections, t.secret = *in.URL, 40, in.Secret
		if in.Connections > 0 {
			t.webhook.Connections = in.Connections
		}
		if in.Updates != nil { // else as they were
			t.webhook.Updates = *in.Updates
		}
		reply(w, 200, map[string]any{"ok": true, "result": true, "description": "Webhook was set"})
	default:
		t.fail(w, 404, "Not Found: method not found")
	}
}

// Set sets the webhook by hand.
func (t *Telegram) Set(webhook TelegramWebhook, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.webhook, t.secret = webhook, secret
}

// Change has somebody else change the webhook to a URL.
func (t *Telegram) Change(from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.webhook.URL == from {
		t.webhook.URL = to
	}
}

// State is what there is.
func (t *Telegram) State() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	secret := t.secret
	if !strings.HasPrefix(secret, "by-hand") { // another each time
		secret = ""
	}
	return fmt.Sprint(t.webhook.URL, " ", t.webhook.Connections, " ", t.webhook.Updates, " ", secret)
}

// Secrets are what updates come with.
func (t *Telegram) Secrets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return []string{t.secret}
}
