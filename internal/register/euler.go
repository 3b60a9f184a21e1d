package register

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"devhook/verify"
)

// euler is Euler Stream's alerts on TikTok LIVE: an alert is for one creator,
// and has targets, which are URLs. Paths and shapes are those of the vendor's
// OpenAPI file and of @eulerstream/euler-api-sdk 0.3.0. There is no call that
// changes a target.
var euler = Provider{
	ID: "euler", API: "https://tiktok.eulerstream.com", Docs: "https://www.eulerstream.com/docs/sign-server/live-alerts",
	Params: []Param{
		{Name: "account", About: "the `ID` of the Euler account, a number", Env: "EULER_ACCOUNT_ID", Required: true, Check: checkEulerAccount},
		{Name: "creator", About: "the `@NAME` at TikTok of whose streams are alerted of; several have an alert each", Kind: Many, Required: true, Check: checkEulerCreator},
		{Name: "key", About: "`REF` to the API key: env:NAME, file:PATH or -", Env: "EULER_API_KEY", Kind: Secret, Required: true},
		{Name: "fetch-secret", About: "ask Euler for the webhook secret, and keep it in memory only", Kind: Flag},
	},
	Tells: func(s Settings) bool { return s.Has("fetch-secret") },
	Open: func(s Settings, c *Client) (Registrar, error) {
		c.Hidden = map[string]string{"key": s.Get("key")}
		c.Header = map[string]string{"X-Api-Key": "{key}"} // never apiKey in the query, which logs have
		c.Answer = eulerAnswer
		e := &eulerAccount{c: c, s: s}
		for _, name := range s.Values["creator"] {
			e.creators = append(e.creators, strings.ToLower(strings.TrimPrefix(name, "@")))
		}
		return e, nil
	},
}

var (
	checkEulerAccount = number(63, "is not the number of an account")
	checkEulerCreator = form(`^@?[A-Za-z0-9._]{1,64}$`, "is not the name of a TikTok account")
)

// eulerAnswer reads the code in the body: Euler's API can answer HTTP 200 with
// another one.
func eulerAnswer(status int, body []byte) (int, string) {
	var a struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &a) != nil || a.Code == 0 {
		return usualAnswer(status, body)
	}
	return a.Code, a.Message
}

type eulerAccount struct {
	c        *Client
	s        Settings
	creators []string // without @, in lower case
	asked    bool     // the secret was asked for
}

type eulerAlert struct {
	ID       json.Number `json:"id"`
	Username string      `json:"alert_creator_username"`
	Created  string      `json:"created_at"` // RFC 3339
}

type eulerTarget struct {
	ID       json.Number     `json:"id"`
	URL      string          `json:"url"`
	Metadata json.RawMessage `json:"metadata"`
}

// mark returns what devhook has written into a target, "" if it is none of
// devhook's.
func (t eulerTarget) mark() string { return eulerMark(t.Metadata) }

func eulerMark(metadata []byte) string {
	var m struct {
		Devhook string `json:"devhook"`
	}
	if json.Unmarshal(metadata, &m) != nil { // the API could give it back as text
		var text string
		if json.Unmarshal(metadata, &text) != nil || json.Unmarshal([]byte(text), &m) != nil {
			return ""
		}
	}
	return m.Devhook
}

func (e *eulerAccount) Account() string { return e.s.Get("account") }

func (e *eulerAccount) path(format string, a ...any) string {
	return "/accounts/" + e.s.Get("account") + "/alerts" + fmt.Sprintf(format, a...)
}

// maxEulerPages bounds what a list that never ends costs.
const maxEulerPages = 200

func (e *eulerAccount) alerts(ctx context.Context) ([]eulerAlert, error) {
	var all []eulerAlert
	seen := map[json.Number]bool{}
	for page := range maxEulerPages {
		var a struct {
			Alerts  []eulerAlert `json:"alerts"`
			HasMore bool         `json:"hasMore"`
		}
		if err := e.c.Do(ctx, Call{Method: http.MethodGet, Path: e.path("/list?page=%d", page)}, &a); err != nil {
			return nil, err
		}
		fresh := false
		for _, one := range a.Alerts {
			if !seen[one.ID] {
				seen[one.ID], fresh = true, true
				all = append(all, one)
			}
		}
		if !a.HasMore || !fresh {
			break
		}
	}
	return all, nil
}

func findEulerAlert(all []eulerAlert, creator string) (eulerAlert, bool) {
	for _, one := range all {
		if strings.EqualFold(strings.TrimPrefix(one.Username, "@"), creator) {
			return one, true
		}
	}
	return eulerAlert{}, false
}

func (e *eulerAccount) targets(ctx context.Context, alert string) ([]eulerTarget, error) {
	var a struct {
		Targets []eulerTarget `json:"targets"`
	}
	err := e.c.Do(ctx, Call{Method: http.MethodGet, Path: e.path("/%s/targets/list", alert)}, &a)
	return a.Targets, err
}

func (e *eulerAccount) Plan(ctx context.Context, callback string, done []Change) ([]Change, error) {
	if e.s.Has("fetch-secret") && !e.asked {
		if err := e.fetchSecret(ctx); err != nil {
			return nil, err
		}
		e.asked = true
	}
	all, err := e.alerts(ctx)
	if err != nil {
		return nil, err
	}
	var plan []Change
	for _, creator := range e.creators {
		alert := ""
		if one, ok := findEulerAlert(all, creator); ok {
			alert = one.ID.String()
			targets, err := e.targets(ctx, alert)
			if err != nil {
				return nil, err
			}
			if _, ok := e.ours(targets, callback); ok {
				continue
			}
		} else {
			plan = append(plan, Change{
				Key: "alert @" + creator, About: "create the alert for @" + creator,
				Data: map[string]string{"creator": creator, "existing": strconv.Itoa(len(all))},
				Call: Call{Method: http.MethodPut, Path: e.path("/create"), Body: map[string]string{"unique_id": creator}},
			})
		}
		ch := Change{
			Key: "target @" + creator + " " + callback, About: "have the alerts of @" + creator + " sent to " + callback, URL: callback,
			Data: map[string]string{"creator": creator},
		}
		if alert != "" {
			ch.Data["alert"] = alert
		}
		ch.Call = e.createTarget(ch, `ID`)
		plan = append(plan, ch)
	}
	return plan, nil
}

func (e *eulerAccount) createTarget(ch Change, unknown string) Call {
	alert := cmp.Or(ch.Data["alert"], unknown)
	return Call{Method: http.MethodPut, Path: e.path("/%s/targets/create", alert), Body: map[string]any{
		"url": ch.URL, "metadata": map[string]string{"devhook": e.s.Mark},
	}}
}

// ours returns the target that this registration made for the callback.
func (e *eulerAccount) ours(targets []eulerTarget, callback string) (eulerTarget, bool) {
	for _, t := range targets {
		if t.mark() == e.s.Mark && t.URL == callback {
			return t, true
		}
	}
	return eulerTarget{}, false
}

func (e *eulerAccount) fetchSecret(ctx context.Context) error {
	var a struct {
		Account struct {
			ID     int64  `json:"id"`
			Secret string `json:"webhook_secret"`
		} `json:"account"`
	}
	if err := e.c.Do(ctx, Call{Method: http.MethodGet, Path: "/accounts/me"}, &a); err != nil {
		return err
	}
	if id := strconv.FormatInt(a.Account.ID, 10); a.Account.ID != 0 && id != e.Account() {
		return fmt.Errorf("the API key is of account %s, not of %s", id, e.Account())
	}
	if a.Account.Secret == "" {
		return errors.New("the account has no webhook_secret")
	}
	e.s.TakeSecret(verify.NewSecret(a.Account.Secret))
	return nil
}

func (e *eulerAccount) Apply(ctx context.Context, ch *Change, done []Change) error {
	if ch.URL == "" {
		return e.applyAlert(ctx, ch)
	}
	if ch.Data["alert"] == "" {
		for _, d := range done {
			if d.Key == "alert @"+ch.Data["creator"] {
				ch.Data["alert"] = d.Data["alert"]
			}
		}
	}
	if ch.Again {
		targets, err := e.targets(ctx, ch.Data["alert"])
		if err != nil {
			return err
		}
		if t, ok := e.ours(targets, ch.URL); ok {
			ch.Data["target"] = t.ID.String()
			return nil
		}
	}
	var a struct {
		Target eulerTarget `json:"target"`
	}
	if err := e.c.Do(ctx, e.createTarget(*ch, ""), &a); err != nil {
		return err
	}
	if a.Target.ID == "" {
		return errors.New("the API created a target and did not say which")
	}
	ch.Data["target"] = a.Target.ID.String()
	return nil
}

// freeAlerts is how many alerts the free plan has.
const freeAlerts = 5

func (e *eulerAccount) applyAlert(ctx context.Context, ch *Change) error {
	if ch.Again {
		all, err := e.alerts(ctx)
		if err != nil {
			return err
		}
		if one, ok := findEulerAlert(all, ch.Data["creator"]); ok {
			ch.Data["alert"] = one.ID.String()
			return nil
		}
	}
	var a struct {
		Alert eulerAlert `json:"alert"`
	}
	err := e.c.Do(ctx, ch.Call, &a)
	if n, _ := strconv.Atoi(ch.Data["existing"]); err != nil && StatusOf(err) < 500 && n >= freeAlerts {
		return fmt.Errorf("%w (the account has %d alerts, and the free plan allows %d: name a creator who has one already, or delete one in Euler's dashboard)", err, n, freeAlerts)
	}
	if err != nil {
		return err
	}
	if a.Alert.ID == "" {
		return errors.New("the API created an alert and did not say which")
	}
	ch.Data["alert"] = a.Alert.ID.String()
	return nil
}

func (e *eulerAccount) Revert(ctx context.Context, ch Change) (Undo, error) {
	all, err := e.alerts(ctx)
	if err != nil {
		return Undo{}, err
	}
	alert, ok := eulerAlert{}, false
	if id := ch.Data["alert"]; id == "" {
		alert, ok = findEulerAlert(all, ch.Data["creator"])
	} else {
		for _, one := range all {
			if one.ID.String() == id {
				alert, ok = one, true
			}
		}
	}
	if !ok {
		return Undo{Result: Gone}, nil
	}
	id := alert.ID.String()
	targets, err := e.targets(ctx, id)
	if err != nil {
		return Undo{}, err
	}
	if ch.URL != "" {
		return e.deleteTargets(ctx, ch, id, targets)
	}
	return e.deleteAlert(ctx, ch, alert, targets)
}

// deleteTargets deletes what bears the mark and is for the URL, which is one
// target, or none.
func (e *eulerAccount) deleteTargets(ctx context.Context, ch Change, alert string, targets []eulerTarget) (Undo, error) {
	undo := Undo{Result: Gone}
	for _, t := range targets {
		known := t.ID.String() == ch.Data["target"]
		if t.mark() != e.s.Mark || t.URL != ch.URL {
			if known {
				return Undo{Left, "it was changed by somebody else"}, nil
			}
			continue
		}
		err := e.c.Do(ctx, Call{Method: http.MethodDelete, Path: e.path("/%s/targets/%s/delete", alert, t.ID)}, nil)
		if err != nil && StatusOf(err) != http.StatusNotFound {
			return Undo{}, err
		}
		undo.Result = Reverted
	}
	return undo, nil
}

// aroundCreation is how far the clocks of Euler and of this machine may be
// apart, for what may have been created by a call whose answer is not known.
const aroundCreation = 10 * time.Minute

func (e *eulerAccount) deleteAlert(ctx context.Context, ch Change, alert eulerAlert, targets []eulerTarget) (Undo, error) {
	for _, t := range targets {
		if t.mark() != "" {
			return Undo{Later, "another devhook has a target there"}, nil
		}
	}
	if len(targets) > 0 {
		return Undo{Left, "it has targets that are not devhook's"}, nil
	}
	created, err := time.Parse(time.RFC3339, alert.Created)
	if ch.State == Intended && (err != nil || created.Sub(ch.At).Abs() > aroundCreation) {
		return Undo{Left, "it is not known whether devhook made it"}, nil
	}
	err = e.c.Do(ctx, Call{Method: http.MethodDelete, Path: e.path("/%s/delete", alert.ID)}, nil)
	if StatusOf(err) == http.StatusNotFound {
		return Undo{Result: Gone}, nil
	}
	return Undo{Result: Reverted}, err
}

// Test has Euler send its test alert to each target.
func (e *eulerAccount) Test(ctx context.Context, done []Change) (string, error) {
	var said []string
	for _, ch := range done {
		if ch.Data["target"] == "" {
			continue
		}
		var a struct {
			Status int    `json:"status"`
			Label  string `json:"statusLabel"`
		}
		path := e.path("/%s/targets/%s/test", url.PathEscape(ch.Data["alert"]), url.PathEscape(ch.Data["target"]))
		if err := e.c.Do(ctx, Call{Method: http.MethodPost, Path: path}, &a); err != nil {
			return "", err
		}
		said = append(said, fmt.Sprintf("@%s: status %d %s", ch.Data["creator"], a.Status, quote(a.Label)))
	}
	return strings.Join(said, ", "), nil
}
