package inspector

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"devhook/fixtures"
	"devhook/internal/similar"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A sendRequest is what is to be sent, and how it is changed. The source is one of
// Ref, Exchange and Message, or a Fixture.
type sendRequest struct {
	source
	Fixture string `json:"fixture"` // PROVIDER/EVENT; for trigger

	To      string          `json:"to"`      // an app: 3000, HOST:PORT or a URL
	Changes []string        `json:"changes"` // in words that replay.Parse reads
	Body    *octets         `json:"body"`    // in the place of the whole; the changes come behind it
	Sign    replay.SignMode `json:"sign"`
	At      string          `json:"at"` // the time of the signature
	FreshID bool            `json:"fresh_id"`
	DryRun  bool            `json:"dry_run"` // sends nothing
}

func (in *Inspector) replay(r *http.Request, req sendRequest) (any, error) {
	return in.sendAs(r, req, recorder.Replay)
}

func (in *Inspector) trigger(r *http.Request, req sendRequest) (any, error) {
	return in.sendAs(r, req, recorder.Trigger)
}

// sent is the answer to replay and trigger.
type sent struct {
	Exchange *recorder.Exchange `json:"exchange"`
	// Unsigned is why it is not signed anew, though it could be wanted.
	Unsigned string `json:"unsigned,omitempty"`
	// Differences are those to the source, of a dry run.
	Differences []replay.Difference `json:"differences,omitempty"`
}

// sendAs sends a webhook, or says in a dry run what would be sent.
func (in *Inspector) sendAs(r *http.Request, req sendRequest, origin recorder.Origin) (any, error) {
	plan, err := in.plan(req, origin)
	if err == nil {
		err = in.aim(&plan, in.mayAim(r))
	}
	if err != nil {
		return nil, err
	}
	answer := sent{Unsigned: in.unsigned(plan)}
	if !req.DryRun {
		answer.Exchange, err = in.o.Send(r.Context(), plan)
	} else if answer.Exchange, err = in.o.Plan(plan); err == nil {
		answer.Differences = replay.Diff(&plan.Source.Request, &answer.Exchange.Request)
	}
	return answer, err
}

// plan returns what req asks for. It has no app yet, unless one is named.
func (in *Inspector) plan(req sendRequest, origin recorder.Origin) (p replay.Plan, err error) {
	p = replay.Plan{Origin: origin, Sign: req.Sign, FreshID: req.FreshID}
	if p.Sign == "" {
		p.Sign = replay.SignAuto
	}
	if !slices.Contains(replay.SignModes, p.Sign) {
		return p, &Error{http.StatusBadRequest, "sign is none of auto, always, never", ""}
	}
	if p.To, err = in.appNamed(req.To); err != nil {
		return p, err
	}
	if req.Fixture != "" {
		if origin != recorder.Trigger {
			return p, &Error{http.StatusBadRequest, "a fixture is triggered, not replayed", "POST /devhook/v1/trigger"}
		}
		if err = in.sample(&p, req.Fixture); err != nil {
			return p, err
		}
	} else if p.Source, err = in.open(req.source); err != nil {
		return p, err
	}
	if p.Source.Provider == "" {
		p.Source.Provider = p.Source.Request.Detect(in.o.Catalog())
	}
	if req.Body != nil {
		p.Mutations = append(p.Mutations, replay.Body(*req.Body))
	}
	for _, text := range req.Changes {
		m, err := replay.Parse(text)
		if err != nil {
			return p, err
		}
		p.Mutations = append(p.Mutations, m)
	}
	p.At, err = in.when("at", req.At, time.Time{})
	return p, err
}

// appNamed returns the app that text names, nil if it is empty.
func (in *Inspector) appNamed(text string) (app *url.URL, err error) {
	if text == "" {
		return nil, nil
	}
	if app, err = in.o.ParseApp(text); err != nil {
		return nil, &Error{http.StatusBadRequest, err.Error(), `write "to": ":3000", HOST:PORT or a URL`}
	}
	return app, nil
}

// sample has p send the sample PROVIDER/EVENT to its app, if it has one, and there to the
// path that the app was named with.
func (in *Inspector) sample(p *replay.Plan, name string) error {
	f, err := in.fixture(name)
	if err != nil {
		return err
	}
	at, app := trial.Handler(p.To)
	p.Source, p.To = in.o.Address(f, app, at), app
	return nil
}

// fixture returns the sample PROVIDER/EVENT, filled in.
func (in *Inspector) fixture(name string) (fixtures.Fixture, error) {
	all, err := in.o.Fixtures()
	if err != nil { // of files that are none; the others can be used
		in.o.Log.Debug("samples that cannot be read", "error", err)
	}
	id, event, _ := strings.Cut(name, "/")
	p, known := in.o.Catalog().Lookup(id)
	if known {
		id = p.ID
	}
	var names []string // that it could have been
	for _, f := range all {
		if f.Provider == id {
			names = append(names, f.Name)
		}
		if f.Provider == id && f.Name == event {
			if f, err = f.Fill(in.o.Now(), rand.Uint64()); err == nil && known {
				f, err = f.For(p, in.o.Keys()[id])
			}
			if err != nil {
				err = &Error{http.StatusBadRequest, err.Error(), ""}
			}
			return f, err
		}
	}
	if len(names) == 0 && !known {
		return fixtures.Fixture{}, in.noProvider(http.StatusNotFound, id)
	}
	text := "there is no sample " + name
	if len(names) > 0 {
		text += fmt.Sprintf(" (near: %s)", strings.Join(similar.Near(event, names, 4), ", "))
	}
	return fixtures.Fixture{}, &Error{http.StatusNotFound, text, "GET /devhook/v1/fixtures lists all"}
}

// when reads a time, of a member with that name; usual if none is given.
func (in *Inspector) when(name, text string, usual time.Time) (time.Time, error) {
	switch text {
	case "":
		return usual, nil
	case "now":
		return in.o.Now(), nil
	}
	t, err := recorder.ParseTime(in.o.Now(), text)
	if err != nil {
		return t, &Error{http.StatusBadRequest, name + " is not a time", "write unix seconds, RFC 3339 or a duration from now as in -5m"}
	}
	return t, nil
}

// unsigned tells why p is sent without a signature of its own, "" if it is signed
// or is not meant to be.
func (in *Inspector) unsigned(p replay.Plan) string {
	if p.Sign != replay.SignAuto || p.Source.Provider == "" || p.Source.Request.Proto == recorder.ProtoStream {
		return ""
	}
	provider, ok := in.o.Catalog().Lookup(p.Source.Provider)
	if !ok {
		return ""
	}
	hint, err := provider.CheckSign(in.o.Keys()[provider.ID])
	switch {
	case err != nil && hint != "":
		return err.Error() + "; " + hint
	case err != nil:
		return err.Error()
	case p.Source.Request.Size > verify.MaxBody:
		return "its body is larger than what is signed"
	}
	return ""
}

// aim completes p with the app that its source goes to, if p names none, and
// refuses an address that no forward and no route names: a page that got past the
// guard must not have devhook talk to the rest of the network. free lets any
// address pass.
func (in *Inspector) aim(p *replay.Plan, free bool) error {
	if p.To != nil {
		p.Route = p.Source.Route
	} else {
		app, route, err := in.o.App(p.Source, p.Mutations)
		if err != nil {
			return &Error{http.StatusConflict, err.Error(), `name one as "to", or run devhook up --forward :3000`}
		}
		p.To, p.Route = app, route
	}
	return in.reach(p.To, free)
}

// reach refuses an address that aim does.
func (in *Inspector) reach(to *url.URL, free bool) error {
	if free || in.o.IsApp(to) || in.allowed(to) {
		return nil
	}
	return &Error{http.StatusForbidden, to.Host + " is no app of this devhook", "devhook up --allow-to " + to.Host + " lets the inspector send there"}
}

func (in *Inspector) allowed(to *url.URL) bool {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	return slices.ContainsFunc(in.o.AllowTo, func(host string) bool {
		return strings.EqualFold(strings.Trim(host, "[]"), to.Hostname()) || strings.EqualFold(host, net.JoinHostPort(to.Hostname(), port))
	})
}

// mayAim reports whether r comes from who may send anywhere: who has the token in
// hand, as the commands of the same user have.
func (in *Inspector) mayAim(r *http.Request) bool { return in.guard.bears(r) }
