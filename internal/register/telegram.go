package register

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// telegram is the one webhook of a bot of Telegram. Calls have the bot's token
// in their path. The API does not tell the secret_token of a webhook, so that
// one is put back without it, unless the user says it.
var telegram = Provider{
	ID: "telegram", API: "https://api.telegram.org", Docs: "https://core.telegram.org/bots/api#setwebhook",
	Params: []Param{
		{Name: "token", About: "`REF` to the token of the bot", Env: "TELEGRAM_BOT_TOKEN", Kind: Secret, Required: true, Check: checkTelegramToken},
		{Name: "update", About: "the `KIND` of updates that are wanted, as in message; several may be said (default: as it is)", Kind: Many, Check: checkEventName},
		takeover,
		{Name: "former-secret", About: "`REF` to the secret_token of the webhook whose place is taken, to put it back with", Kind: Secret, Check: checkTelegramSecret},
		{Name: webhookSecretName, About: "`REF` to the secret_token that updates are to come with (default: one is made up, and kept in memory only)", Env: "TELEGRAM_WEBHOOK_SECRET", Kind: Secret, Check: checkTelegramSecret},
	},
	Tells: func(Settings) bool { return true },
	Open: func(s Settings, c *Client) (Registrar, error) {
		bot, _, _ := strings.Cut(s.Get("token"), ":")
		c.Hidden = map[string]string{"token": s.Get("token"), "former-secret": s.Get("former-secret")}
		return &telegramBot{c: c, s: s, bot: bot, signing: newSigning(s, c)}, nil
	},
}

var (
	checkTelegramToken  = secretForm(`^[0-9]{1,20}:[A-Za-z0-9_-]{10,100}$`, "it is not the token of a bot, which is like 123456:ABC…")
	checkTelegramSecret = secretForm(`^[A-Za-z0-9_-]{1,256}$`, "it is not of 1 to 256 letters, digits, _ and -")
)

type telegramBot struct {
	c       *Client
	s       Settings
	bot     string // its number, which the token begins with
	signing *signing
}

// A telegramWebhook is what getWebhookInfo tells.
type telegramWebhook struct {
	URL         string   `json:"url"`
	Certificate bool     `json:"has_custom_certificate"`
	Connections int      `json:"max_connections"`
	Updates     []string `json:"allowed_updates"`
}

func (t *telegramBot) Account() string { return t.bot }

// Paths of webhooks often hold the token of the bot, which is no ledger's
// business: these stand for it, as it is and as a query has it.
const telegramMark, telegramEscapedMark = "<token>", "<token, escaped>"

func (t *telegramBot) mask(address string) string {
	token := t.s.Get("token")
	return strings.NewReplacer(token, telegramMark, url.QueryEscape(token), telegramEscapedMark).Replace(address)
}

func (t *telegramBot) unmask(address string) string {
	token := t.s.Get("token")
	return strings.NewReplacer(telegramMark, token, telegramEscapedMark, url.QueryEscape(token)).Replace(address)
}

// info returns what is there, with a URL that is masked.
func (t *telegramBot) info(ctx context.Context) (telegramWebhook, error) {
	var a struct{ Result telegramWebhook }
	err := t.c.Do(ctx, Call{Method: http.MethodGet, Path: "/bot{token}/getWebhookInfo"}, &a)
	a.Result.URL = t.mask(a.Result.URL)
	return a.Result, telegramAdvice(err)
}

func telegramAdvice(err error) error {
	return advised(err, "is the token right? @BotFather tells it", 401, 404)
}

// telegramPorts: https://core.telegram.org/bots/api#setwebhook
var telegramPorts = []string{"", "443", "80", "88", "8443"}

func (t *telegramBot) Plan(ctx context.Context, callback string, done []Change) ([]Change, error) {
	if u, err := url.Parse(callback); err != nil || !t.c.Local() && (u.Scheme != "https" || !slices.Contains(telegramPorts, u.Port())) {
		return nil, &Refusal{Text: "Telegram sends to https URLs on the ports 443, 80, 88 and 8443 only, not to " + callback, Hint: "start devhook up with an ngrok authtoken"}
	}
	now, err := t.info(ctx)
	if err != nil {
		return nil, err
	}
	ch := Change{Key: "webhook", About: "have the updates of the bot " + t.bot + " sent to " + callback, URL: callback}
	mine := changeOf(done, ch.Key)
	switch {
	case now.URL == callback && mine != nil && mine.State == Done:
		return nil, nil
	case now.URL == callback && mine == nil && len(t.s.Values[webhookSecretName]) > 0:
		t.signing.tell()
		return nil, nil // somebody has seen to it
	case now.URL == callback && mine == nil && !t.s.Has(takeover.Name):
		return nil, &Refusal{
			Text: "the bot's webhook goes to " + callback + " already, and its secret_token cannot be read",
			Hint: "say what it is: --" + webhookSecretName + " REF; or --takeover sets another",
		}
	}
	before, err := t.s.claim("the bot "+t.bot, now.URL, callback, mine)
	if err != nil {
		return nil, err
	}
	if mine != nil && mine.Data["before"] == before {
		ch.Data = maps.Clone(mine.Data)
	} else {
		if now.Certificate {
			return nil, &Refusal{Text: "the bot's webhook has a certificate of its own, which could not be put back", Hint: "delete it first: it is yours to set again"}
		}
		updates, _ := json.Marshal(now.Updates)
		ch.Data = map[string]string{"bot": t.bot, "before": before, "updates": string(updates), "connections": strconv.Itoa(now.Connections)}
	}
	if before != "" {
		ch.About += ", in the place of " + before
		if t.s.Get("former-secret") == "" {
			ch.About += ", which is put back without its secret_token: Telegram does not tell it (--former-secret does)"
		}
	}
	ch.Call = t.set(ch.URL, "{"+webhookSecretName+"}", t.s.Values["update"], 0)
	return []Change{ch}, nil
}

func (t *telegramBot) set(to, secret string, updates []string, connections int) Call {
	body := map[string]any{"url": to}
	if secret != "" {
		body["secret_token"] = secret
	}
	if updates != nil {
		body["allowed_updates"] = updates
	}
	if connections > 0 {
		body["max_connections"] = connections
	}
	return Call{Method: http.MethodPost, Path: "/bot{token}/setWebhook", Body: body, Idempotent: true}
}

func (t *telegramBot) Apply(ctx context.Context, ch *Change, _ []Change) error {
	t.signing.tell()
	return advised(telegramAdvice(t.c.Do(ctx, ch.Call, nil)), "Telegram takes URLs only that it can reach over https", 400)
}

func (t *telegramBot) Revert(ctx context.Context, ch Change) (Undo, error) {
	if was := ch.Data["bot"]; was != t.bot {
		return Undo{}, fmt.Errorf("the token is of the bot %s, and what is to be taken back is of %s", t.bot, quote(was))
	}
	now, err := t.info(ctx)
	if err != nil {
		return Undo{}, err
	}
	if undo := t.s.release(ch, now.URL); undo.Result != "" {
		return undo, nil
	}
	call := Call{Method: http.MethodPost, Path: "/bot{token}/deleteWebhook", Body: map[string]any{"drop_pending_updates": false}, Idempotent: true}
	if before := ch.Data["before"]; before != "" {
		updates := []string{} // all but a few kinds, as if none were ever said
		json.Unmarshal([]byte(ch.Data["updates"]), &updates)
		if updates == nil {
			updates = []string{}
		}
		connections, _ := strconv.Atoi(ch.Data["connections"])
		secret := ""
		if t.s.Get("former-secret") != "" {
			secret = "{former-secret}"
		}
		call = t.set(t.unmask(before), secret, updates, connections)
	}
	return Undo{Result: Reverted}, telegramAdvice(t.c.Do(ctx, call, nil))
}
