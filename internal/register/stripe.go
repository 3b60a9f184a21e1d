package register

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"devhook/verify"
)

// stripe is Stripe's webhook endpoints, which bear the mark in their metadata.
// The mode, live or test, is the key's. The secret is in the answer to the
// creation only, so that an endpoint whose answer was lost is made anew.
var stripe = Provider{
	ID: "stripe", API: "https://api.stripe.com", Docs: "https://docs.stripe.com/api/webhook_endpoints",
	Params: []Param{
		{Name: "key", About: "`REF` to a secret or restricted key; the endpoint is of its mode", Env: "STRIPE_API_KEY", OtherEnv: "STRIPE_SECRET_KEY", Kind: Secret, Required: true, Check: checkStripeKey},
		{Name: "event", About: "the `NAME` of an event, as in invoice.paid; several may be said (default: all)", Kind: Many, Check: checkEventName},
		{Name: "connect", About: "the events of connected accounts, in the place of those of one's own", Kind: Flag},
		{Name: "live", About: "take a key of the live mode", Kind: Flag},
		webhookSecretParam("STRIPE_WEBHOOK_SECRET", "the secret of an endpoint that is at the URL already"),
	},
	Tells: func(Settings) bool { return true },
	Open: func(s Settings, c *Client) (Registrar, error) {
		e := &stripeEndpoints{c: c, s: s, mode: "test"}
		if strings.Contains(s.Get("key"), "_live_") {
			e.mode = "live"
		}
		if e.mode == "live" && !s.Has("live") {
			return nil, errors.New("the key is of the live mode: take one of a sandbox, or insist with --live")
		}
		c.Hidden = map[string]string{"key": s.Get("key")}
		c.Header = map[string]string{"Authorization": "Bearer {key}"}
		e.things = things{s: s, name: "webhook endpoint", marked: true, secret: true, list: e.list, create: e.create, move: e.move, delete: e.remove}
		return e, nil
	},
}

// checkStripeKey refuses what no server may call with; see
// https://docs.stripe.com/keys.
func checkStripeKey(v string) error {
	if strings.HasPrefix(v, "pk_") {
		return errors.New("it is a publishable key: webhook endpoints need a secret or restricted one (sk_… or rk_…)")
	}
	return nil
}

type stripeEndpoints struct {
	things
	c       *Client
	s       Settings
	mode    string
	account string // whose key it is; "" if that was not asked for yet, or may not be known
	asked   bool
}

// Account is the mode: whose key it is, only a call can tell.
func (e *stripeEndpoints) Account() string { return e.mode }

// whose asks for the account, which a restricted key need not be allowed to.
func (e *stripeEndpoints) whose(ctx context.Context) error {
	if e.asked {
		return nil
	}
	var a struct{ ID string }
	err := e.c.Do(ctx, Call{Method: http.MethodGet, Path: "/v1/account"}, &a)
	if err != nil && StatusOf(err) != http.StatusForbidden {
		return err
	}
	e.account, e.asked = a.ID, true
	return nil
}

func (e *stripeEndpoints) Plan(ctx context.Context, callback string, done []Change) (plan []Change, err error) {
	if err := e.whose(ctx); err != nil {
		return nil, err
	}
	ch := Change{
		Key: "webhook endpoint", About: "have Stripe's events of the " + e.mode + " mode sent to " + callback, URL: callback,
		Data: map[string]string{"account": e.account},
	}
	if plan, err = e.plan(ctx, nil, ch, done); err != nil || len(plan) == 0 {
		return nil, err
	}
	plan[0].Call = e.call(plan[0])
	return plan, nil
}

func (e *stripeEndpoints) call(ch Change) Call {
	const path = "/v1/webhook_endpoints"
	if id := ch.Data["id"]; id != "" {
		return Call{Method: http.MethodPost, Path: path + "/" + url.PathEscape(id), Body: url.Values{"url": {ch.URL}}, Idempotent: true}
	}
	events := e.s.Values["event"]
	if len(events) == 0 {
		events = []string{"*"}
	}
	form := url.Values{"url": {ch.URL}, "enabled_events[]": events, "metadata[devhook]": {e.s.Mark}, "description": {"devhook, for development"}}
	if e.s.Has("connect") {
		form.Set("connect", "true")
	}
	return Call{Method: http.MethodPost, Path: path, Body: form}
}

func (e *stripeEndpoints) list(ctx context.Context, ch Change) ([]thing, error) {
	if was := ch.Data["account"]; was != "" {
		if err := e.whose(ctx); err != nil {
			return nil, err
		}
		if e.account != "" && e.account != was {
			return nil, fmt.Errorf("the key is of the account %s, and what is to be taken back is in %s", quote(e.account), quote(was))
		}
	}
	var all []thing
	after := ""
	for range maxPages {
		var page struct {
			Data []struct {
				ID, URL, Status string
				Created         int64
				Metadata        map[string]string
			}
			More bool `json:"has_more"`
		}
		if err := e.c.Do(ctx, Call{Method: http.MethodGet, Path: "/v1/webhook_endpoints?limit=100" + after}, &page); err != nil {
			return nil, stripeAdvice(err)
		}
		for _, one := range page.Data {
			all = append(all, thing{ID: one.ID, URL: one.URL, Mark: one.Metadata["devhook"], Created: time.Unix(one.Created, 0), Works: one.Status != "disabled"})
			after = "&starting_after=" + url.QueryEscape(one.ID)
		}
		if !page.More || len(page.Data) == 0 {
			break
		}
	}
	return all, nil
}

func stripeAdvice(err error) error {
	return advised(err, "a restricted key needs the permission Webhook Endpoints: Write", 403)
}

func (e *stripeEndpoints) create(ctx context.Context, ch *Change) (string, error) {
	var a struct{ ID, Secret string }
	err := e.c.Do(ctx, e.call(*ch), &a)
	if err != nil {
		// https://docs.stripe.com/development/dashboard/webhooks
		return "", advised(stripeAdvice(err), "an account has at most 16 webhook endpoints, and Stripe takes URLs only that it can reach: https in the live mode", 400)
	}
	if a.Secret == "" {
		return a.ID, errors.New("the API did not tell the endpoint's secret")
	}
	e.s.TakeSecret(verify.NewSecret(a.Secret))
	return a.ID, nil
}

func (e *stripeEndpoints) move(ctx context.Context, ch Change) error {
	return stripeAdvice(e.c.Do(ctx, e.call(ch), nil))
}

func (e *stripeEndpoints) remove(ctx context.Context, _ Change, id string) error {
	return e.c.Do(ctx, Call{Method: http.MethodDelete, Path: "/v1/webhook_endpoints/" + url.PathEscape(id)}, nil)
}
