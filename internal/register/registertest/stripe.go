package registertest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Stripe is the webhook endpoints of
// https://docs.stripe.com/api/webhook_endpoints, of one account.
type Stripe struct {
	api
	o       Options
	key     string
	account string

	last int
	all  []*StripeEndpoint // guarded by mu; the newest first
}

// A StripeEndpoint is a webhook endpoint.
type StripeEndpoint struct {
	ID       string            `json:"id"`
	Object   string            `json:"object"`
	URL      string            `json:"url"`
	Events   []string          `json:"enabled_events"`
	Status   string            `json:"status"`
	Live     bool              `json:"livemode"`
	Created  int64             `json:"created"`
	Metadata map[string]string `json:"metadata"`
	About    string            `json:"description"`

	secret string
}

// NewStripe returns an API that takes the key, whose mode it has.
func NewStripe(o Options, key, account string) *Stripe {
	s := &Stripe{o: o, key: key, account: account}
	s.o.PageSize = cmp.Or(o.PageSize, 100)
	const base = "/v1/webhook_endpoints"
	s.serve(map[string]http.HandlerFunc{
		"GET /v1/account": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"id": account, "object": "account"})
		},
		"GET " + base: s.list, "POST " + base: s.create, "GET " + base + "/{id}": s.get, "POST " + base + "/{id}": s.update, "DELETE " + base + "/{id}": s.delete,
	}, s.admit, func(w http.ResponseWriter, r *http.Request) {
		stripeError(w, 404, "Unrecognized request URL ("+r.Method+": "+r.URL.Path+")")
	})
	return s
}

func stripeError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"error": map[string]string{"type": "invalid_request_error", "message": text}})
}

func (s *Stripe) admit(w http.ResponseWriter, r *http.Request) bool {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user, _, basic := r.BasicAuth(); basic {
		key, ok = user, true
	}
	switch isForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"); {
	case !ok || key != s.key:
		stripeError(w, 401, "Invalid API Key provided")
	case r.Method == http.MethodPost && !isForm && r.ContentLength != 0:
		stripeError(w, 400, "Invalid request: the body is to be a form")
	case r.ParseForm() != nil:
		stripeError(w, 400, "Invalid request")
	default:
		return true
	}
	return false
}

func (s *Stripe) list(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		limit = 10
	}
	if limit < 1 || limit > 100 {
		stripeError(w, 400, "Invalid integer: limit is 1 to 100")
		return
	}
	rest := s.all
	if after := r.URL.Query().Get("starting_after"); after != "" {
		i := slices.IndexFunc(rest, func(e *StripeEndpoint) bool { return e.ID == after })
		if i < 0 {
			stripeError(w, 404, "No such webhook endpoint: '"+after+"'")
			return
		}
		rest = rest[i+1:]
	}
	n := min(len(rest), limit, s.o.PageSize)
	reply(w, 200, map[string]any{"object": "list", "url": "/v1/webhook_endpoints", "data": append([]*StripeEndpoint{}, rest[:n]...), "has_more": n < len(rest)})
}

// values are the elements of a list in a form, with or without their numbers.
func values(form url.Values, name string) (all []string) {
	all = append(all, form[name+"[]"]...)
	for i := 0; form.Has(fmt.Sprintf("%s[%d]", name, i)); i++ {
		all = append(all, form.Get(fmt.Sprintf("%s[%d]", name, i)))
	}
	return all
}

func (s *Stripe) live() bool { return strings.Contains(s.key, "_live_") }

// maxStripeEndpoints: https://docs.stripe.com/development/dashboard/webhooks
const maxStripeEndpoints = 16

func (s *Stripe) create(w http.ResponseWriter, r *http.Request) {
	to, events := r.PostForm.Get("url"), values(r.PostForm, "enabled_events")
	switch {
	case to == "":
		stripeError(w, 400, "Missing required param: url.")
	case len(events) == 0:
		stripeError(w, 400, "Missing required param: enabled_events.")
	case !s.o.takes(to, s.live()):
		stripeError(w, 400, "Invalid URL: URL must be publicly accessible, and start with https:// in the live mode.")
	case len(s.all) >= maxStripeEndpoints:
		stripeError(w, 400, fmt.Sprintf("You have reached the maximum of %d webhook endpoints.", maxStripeEndpoints))
	default:
		e := s.add(to, events)
		e.About = r.PostForm.Get("description")
		for name := range r.PostForm {
			if key, ok := strings.CutPrefix(name, "metadata["); ok {
				e.Metadata[strings.TrimSuffix(key, "]")] = r.PostForm.Get(name)
			}
		}
		reply(w, 200, struct { // the secret is told this once
			*StripeEndpoint
			Secret string `json:"secret"`
		}{e, e.secret})
	}
}

func (s *Stripe) add(to string, events []string) *StripeEndpoint {
	s.last++
	e := &StripeEndpoint{
		ID: fmt.Sprintf("we_1Mr5jULkdIwHu7ix%08d", s.last), Object: "webhook_endpoint", URL: to, Events: events, Status: "enabled", Live: s.live(),
		Created: time.Now().Unix(), Metadata: map[string]string{}, secret: fmt.Sprintf("whsec_%032d", s.last),
	}
	s.all = append([]*StripeEndpoint{e}, s.all...)
	return e
}

// find returns the endpoint that is meant, nil if it has said that there is none.
func (s *Stripe) find(w http.ResponseWriter, r *http.Request) *StripeEndpoint {
	for _, e := range s.all {
		if e.ID == r.PathValue("id") {
			return e
		}
	}
	stripeError(w, 404, "No such webhook endpoint: '"+r.PathValue("id")+"'")
	return nil
}

func (s *Stripe) get(w http.ResponseWriter, r *http.Request) {
	if e := s.find(w, r); e != nil {
		reply(w, 200, e)
	}
}

func (s *Stripe) update(w http.ResponseWriter, r *http.Request) {
	e := s.find(w, r)
	if e == nil {
		return
	}
	if to := r.PostForm.Get("url"); to != "" {
		if !s.o.takes(to, s.live()) {
			stripeError(w, 400, "Invalid URL: URL must be publicly accessible.")
			return
		}
		e.URL = to
	}
	reply(w, 200, e)
}

func (s *Stripe) delete(w http.ResponseWriter, r *http.Request) {
	if e := s.find(w, r); e != nil {
		s.all = slices.DeleteFunc(s.all, func(one *StripeEndpoint) bool { return one == e })
		reply(w, 200, map[string]any{"id": e.ID, "object": "webhook_endpoint", "deleted": true})
	}
}

// Add makes an endpoint by hand.
func (s *Stripe) Add(to string, events ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(to, events)
}

// Change has somebody else change the endpoints to a URL.
func (s *Stripe) Change(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all {
		if e.URL == from {
			e.URL = to
		}
	}
}

// State is what there is, a line each.
func (s *Stripe) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return state(func(add func(string)) {
		for _, e := range s.all {
			add(fmt.Sprint(e.Events, " ", e.Status, " ", e.URL))
		}
	})
}

// Secrets are what webhooks are signed with.
func (s *Stripe) Secrets() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all {
		all = append(all, e.secret)
	}
	return all
}
