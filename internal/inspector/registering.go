package inspector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"devhook/internal/register"
	"devhook/recorder"
	"devhook/verify"
)

// How long a provider's API may take, and a test that it sends, if nothing is said.
const (
	longestPlan = time.Minute
	usualTest   = 30 * time.Second
)

// registrations lists what is registered at providers, by who lives and by who is gone.
func (in *Inspector) registrations(r *http.Request) (any, error) {
	type entry struct {
		register.Ledger
		Running bool `json:"running"` // the devhook that has made it
	}
	all, err := register.List(in.o.Store)
	if err != nil {
		return nil, err
	}
	list := struct {
		Registrations []entry `json:"registrations"`
	}{[]entry{}}
	for _, l := range all {
		if id := r.URL.Query().Get("provider"); id == "" || l.Provider == id {
			list.Registrations = append(list.Registrations, entry{l, l.Alive})
		}
	}
	return list, nil
}

// A Registrar registers at providers for the devhook that runs. Errors are told as they are.
type Registrar struct {
	// Open opens a registration, with the callback. It calls nothing.
	Open func(register.Provider, Registering) (reg *register.Registration, callback string, err error)
	// Hold registers what Open has opened, and keeps it where webhooks go until it is
	// released, or devhook ends. It returns when the provider has answered; after an error
	// nothing is held.
	Hold func(ctx context.Context, reg *register.Registration, callback string, p register.Provider, asked Registering) (*register.Held, error)
	// Held returns what Hold holds by that mark, nil if nothing is.
	Held func(mark string) (*register.Held, error)
	// CleanUp takes back what dead processes have left at the provider and API of l.
	CleanUp func(ctx context.Context, p register.Provider, l register.Ledger) ([]register.Step, error)
	// TakeSecret has a secret used, in memory only, that webhooks are signed with from now on.
	TakeSecret func(provider string, s verify.Secret)
}

// A Registering says how a provider is to send its webhooks here.
type Registering struct {
	Params map[string][]string `json:"params"` // what the provider is told, by name; no secrets
	Path   string              `json:"path"`   // of the callback; "" for that of the provider's route
	Keep   bool                `json:"keep"`   // leaves it registered at the end
	Force  bool                `json:"force"`  // also a URL that the provider cannot reach
	DryRun bool                `json:"dry_run"`
}

// A registerRequest asks that, or what it takes.
type registerRequest struct {
	Provider string `json:"provider"`
	Registering
	Test    bool   `json:"test"`    // has a test sent, waits for it, and takes all back
	Timeout string `json:"timeout"` // of the test
}

// A call is one that a registration would make, without what is secret in it.
type call struct {
	About  string `json:"about"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
}

// registered is what was done, or what it takes: calls of an API, and what is done by hand.
type registered struct {
	Provider string           `json:"provider"`
	URL      string           `json:"url"` // that webhooks are to go to
	Account  string           `json:"account,omitempty"`
	Mark     string           `json:"mark,omitempty"` // of what is held
	Calls    []call           `json:"calls,omitzero"` // of a dry run
	Done     []register.Facts `json:"done,omitzero"`
	Steps    []string         `json:"steps,omitempty"`
	Test     *tested          `json:"test,omitempty"`
}

// tested is what became of a test that the provider was to send.
type tested struct {
	Said     string             `json:"said"` // by the provider
	Exchange *recorder.Exchange `json:"exchange,omitempty"`
	TimedOut bool               `json:"timed_out"`
}

// register does what devhook register does, until it is told to take it back, or says what
// that would be. As it goes with the user's credentials, the API of the provider has to be
// an address that may be sent to, also only to look what is there.
func (in *Inspector) register(r *http.Request, req registerRequest) (any, error) {
	known, err := in.lookup(req.Provider)
	if err != nil {
		return nil, err
	}
	if in.o.Registrar.Open == nil {
		return nil, errLooksOnly
	}
	patience, err := duration("timeout", req.Timeout, usualTest, longestTrial)
	if err == nil && req.Path != "" && !strings.HasPrefix(req.Path, "/") {
		err = &Error{http.StatusBadRequest, "path is no path behind the URL of devhook up", "write it as in /webhook"}
	}
	if err != nil {
		return nil, err
	}
	p, ok := register.Lookup(known.ID)
	if !ok {
		at := in.o.URL(known.ID)
		return registered{Provider: known.ID, URL: at, Calls: []call{}, Steps: known.Steps(at)}, nil
	}
	reg, callback, err := in.o.Registrar.Open(p, req.Registering)
	if err == nil {
		err = in.reachAPI(r, reg.API())
	}
	if err != nil {
		return nil, err
	}
	answer := registered{Provider: known.ID, URL: callback, Account: reg.Account()}
	if p.URLByHand {
		answer.Steps = known.Steps(callback)
	}
	ctx, end, err := in.long(r, longestPlan+patience)
	if err != nil {
		return nil, err
	}
	defer end()
	if req.DryRun {
		answer.Calls, err = planned(ctx, reg, callback)
		return answer, refusedBy(err)
	}
	held, err := in.o.Registrar.Hold(ctx, reg, callback, p, req.Registering)
	if err != nil {
		return nil, refusedBy(err)
	}
	if req.Test {
		answer.Test, err = in.awaitTest(ctx, held, answer, patience)
		err = cmp.Or(err, released(held))
	} else {
		answer.Mark = held.Mark()
	}
	answer.Done = factsOf(held.Steps())
	return answer, refusedBy(err)
}

// planned returns what a registration would call.
func planned(ctx context.Context, reg *register.Registration, callback string) ([]call, error) {
	plan, err := reg.Plan(ctx, callback)
	calls := []call{}
	for _, ch := range plan {
		method, url, body := reg.Show(ch.Call)
		calls = append(calls, call{ch.About, method, url, body})
	}
	return calls, err
}

// awaitTest has the provider send a test, and waits until it is recorded.
func (in *Inspector) awaitTest(ctx context.Context, held *register.Held, at registered, patience time.Duration) (*tested, error) {
	from, err := in.o.Store.End()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	said, ok, err := held.Test(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		return nil, err
	case err == nil && !ok:
		return nil, &Error{http.StatusUnprocessableEntity, at.Provider + " has no way to send a test", "leave test out"}
	}
	for ex, err := range in.o.Store.Follow(ctx, from) {
		if err == nil && ex.Origin == recorder.Live && (ex.Provider == at.Provider || ex.Request.URL == at.URL) {
			return &tested{Said: said, Exchange: ex}, nil
		}
	}
	return &tested{Said: said, TimedOut: true}, nil
}

// released takes back what is held, and waits for it.
func released(held *register.Held) error {
	held.Release()
	<-held.Done()
	if err := held.Err(); err != nil {
		return &Error{http.StatusBadGateway, err.Error(), "POST /devhook/v1/register/cleanup tries once more"}
	}
	return nil
}

// unregister takes back what register has registered.
func (in *Inspector) unregister(r *http.Request) (any, error) {
	mark := r.PathValue("mark")
	if in.o.Registrar.Held == nil {
		return nil, errLooksOnly
	}
	held, err := in.o.Registrar.Held(mark)
	if err != nil {
		return nil, err
	}
	if held == nil {
		return nil, in.notHeld(mark)
	}
	before := len(held.Steps())
	err = released(held)
	return struct {
		Done []register.Facts `json:"done"`
	}{factsOf(held.Steps()[before:])}, err
}

// notHeld tells why a registration cannot be taken back here.
func (in *Inspector) notHeld(mark string) error {
	all, err := register.List(in.o.Store)
	if err != nil {
		return err
	}
	for _, l := range all {
		switch {
		case l.Mark != mark:
		case l.Alive:
			return &Error{http.StatusConflict, fmt.Sprintf("process %d holds it", l.PID), "it takes it back when it ends"}
		default:
			return &Error{http.StatusConflict, "its devhook is gone", "POST /devhook/v1/register/cleanup takes it back"}
		}
	}
	return &Error{http.StatusNotFound, "nothing is registered by that mark", "GET /devhook/v1/register lists what is"}
}

// cleanUp takes back what devhooks have left that are gone, also what was kept.
func (in *Inspector) cleanUp(r *http.Request, req struct {
	Provider string `json:"provider"` // "" for all
}) (any, error) {
	if in.o.Registrar.CleanUp == nil {
		return nil, errLooksOnly
	}
	if req.Provider != "" {
		known, err := in.lookup(req.Provider)
		if err != nil {
			return nil, err
		}
		req.Provider = known.ID
	}
	all, err := register.List(in.o.Store)
	if err != nil {
		return nil, err
	}
	ctx, end, err := in.long(r, longestPlan)
	if err != nil {
		return nil, err
	}
	defer end()
	var steps []register.Step
	var failed error
	seen := map[string]bool{}
	for _, l := range all {
		p, ok := register.Lookup(l.Provider)
		if !ok || l.Alive || req.Provider != "" && l.Provider != req.Provider || seen[l.Provider+" "+l.API] {
			continue
		}
		seen[l.Provider+" "+l.API] = true
		err := in.reachAPI(r, l.API)
		if err == nil {
			var some []register.Step
			some, err = in.o.Registrar.CleanUp(ctx, p, l)
			steps = append(steps, some...)
		}
		failed = cmp.Or(failed, err)
	}
	return struct {
		Done []register.Facts `json:"done"`
	}{factsOf(steps)}, refusedBy(failed)
}

// takeSecret is told what a provider signs with by a devhook register beside this devhook up.
// A secret of somebody else would have his webhooks pass: only who has the token in hand is
// heard.
func (in *Inspector) takeSecret(r *http.Request, req struct {
	Provider string `json:"provider"`
	Secret   string `json:"secret"`
}) (any, error) {
	known, err := in.lookup(req.Provider)
	switch {
	case err != nil:
		return nil, err
	case in.o.Registrar.TakeSecret == nil:
		return nil, errLooksOnly
	case !in.guard.bears(r):
		return nil, &Error{http.StatusForbidden, "no secret is taken from who does not send the token of this devhook up", "give it devhook up as secrets: in devhook.yaml, or in its environment"}
	case req.Secret == "":
		return nil, &Error{http.StatusBadRequest, "there is no secret", ""}
	}
	in.o.Registrar.TakeSecret(known.ID, verify.NewSecret(req.Secret))
	return struct {
		Provider string `json:"provider"`
	}{known.ID}, nil
}

// reachAPI refuses to have credentials sent to where r may not send.
func (in *Inspector) reachAPI(r *http.Request, at string) error {
	api, err := url.Parse(at)
	if err != nil {
		return err
	}
	return in.reach(api, in.mayAim(r))
}

func factsOf(steps []register.Step) []register.Facts {
	facts := []register.Facts{}
	for _, s := range steps {
		facts = append(facts, s.Facts())
	}
	return facts
}

// errLooksOnly is why a devhook registers nothing that does not run.
var errLooksOnly = &Error{http.StatusConflict, "this devhook only looks", "devhook up registers"}

// refusedBy tells what a provider's API has answered; nil for nil.
func refusedBy(err error) error {
	if err == nil || errors.As(err, new(*Error)) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{http.StatusBadGateway, "its API has not answered in time", "what was begun there is taken back"}
	}
	var no *register.Refusal
	if errors.As(err, &no) {
		return &Error{http.StatusUnprocessableEntity, no.Text, no.Hint}
	}
	hint := ""
	if status := register.StatusOf(err); status == http.StatusUnauthorized || status == http.StatusForbidden {
		hint = "are the credentials right, and of this account?"
	}
	return &Error{http.StatusBadGateway, err.Error(), hint}
}
