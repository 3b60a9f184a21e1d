package inspector

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"devhook/internal/register"
)

// longestPlan bounds how long a provider's API may take to tell what is there.
const longestPlan = time.Minute

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

// A registerRequest asks what it takes to have a provider send its webhooks here.
type registerRequest struct {
	Provider string              `json:"provider"`
	Params   map[string][]string `json:"params"` // what the provider is told, by name
	DryRun   bool                `json:"dry_run"`
}

// A call is one that a registration would make, without what is secret in it.
type call struct {
	About  string `json:"about"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
}

// planned is what it takes: calls of an API, or what is done by hand.
type planned struct {
	Provider string   `json:"provider"`
	URL      string   `json:"url"` // that webhooks are to go to
	Account  string   `json:"account,omitempty"`
	Calls    []call   `json:"calls"`
	Steps    []string `json:"steps,omitempty"`
}

// register answers what devhook register would do, and does nothing of it: what is
// registered has to be taken back, and that is the work of a command that stays, or of
// devhook up. To look what is there, it asks the API of the provider with the user's
// credentials: only if that is an address that may be sent to.
func (in *Inspector) register(r *http.Request, req registerRequest) (any, error) {
	known, err := in.lookup(req.Provider)
	if err != nil {
		return nil, err
	}
	if !req.DryRun {
		return nil, &Error{http.StatusForbidden, "the API changes nothing at a provider; dry_run tells what would be done", "devhook register " + known.ID + " does it, or register: in devhook.yaml"}
	}
	p, ok := register.Lookup(known.ID)
	if !ok {
		at := in.o.URL(known.ID)
		return planned{Provider: known.ID, URL: at, Calls: []call{}, Steps: known.Steps(at)}, nil
	}
	reg, callback, err := in.o.Register(p, req.Params)
	if err != nil {
		return nil, err
	}
	answer := planned{Provider: known.ID, URL: callback, Account: reg.Account(), Calls: []call{}}
	api, err := url.Parse(reg.API())
	if err == nil {
		err = in.reach(api, in.mayAim(r))
	}
	if err != nil {
		return nil, err
	}
	ctx, end, err := in.long(r, longestPlan)
	if err != nil {
		return nil, err
	}
	defer end()
	plan, err := reg.Plan(ctx, callback)
	if err != nil {
		return nil, refusedBy(err)
	}
	for _, ch := range plan {
		method, url, body := reg.Show(ch.Call)
		answer.Calls = append(answer.Calls, call{ch.About, method, url, body})
	}
	if p.URLByHand {
		answer.Steps = known.Steps(callback)
	}
	return answer, nil
}

// refusedBy tells what a provider's API has answered.
func refusedBy(err error) error {
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
