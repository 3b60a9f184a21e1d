package inspector

import (
	"context"
	"errors"
	"net/http"
	"time"

	"devhook/internal/attack"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// How long trying may take: all of it, and an app for one answer.
const (
	longestTrial, usualTrial = 10 * time.Minute, 2 * time.Minute
	longestAnswer            = time.Minute
)

// A tryRequest is a webhook that an app is tried with: what attack, deliver and shrink
// have in common.
type tryRequest struct {
	source
	provided
	Fixture string `json:"fixture"` // PROVIDER/EVENT, in the place of a source
	sendingTo
}

// A sendingTo says where many are sent to, and how long it may take.
type sendingTo struct {
	To      string `json:"to"`
	Timeout string `json:"timeout"` // that an app has to answer
	Within  string `json:"within"`  // all of it
}

// try returns what tries an app with a webhook, and how long all may take.
func (in *Inspector) try(r *http.Request, req tryRequest) (t *trial.Trial, within time.Duration, err error) {
	t = &trial.Trial{Origin: recorder.Replay, Now: in.o.Now, Send: in.o.Send}
	p, err := in.tried(req)
	if err != nil {
		return nil, 0, err
	}
	source := *p.Source // of which a provider is said below
	t.Source = &source
	if req.Fixture != "" {
		t.Origin = recorder.Trigger
	}
	if t.Source.Request.Truncated || t.Source.Request.Body.Sum != "" {
		return nil, 0, &Error{http.StatusUnprocessableEntity, "not all of its body is there to be sent and signed", ""}
	}
	if t.Source.Request.Proto == recorder.ProtoStream { // of a platform that need not be in the catalog, and signs nothing
		known := false
		if t.Provider, known = in.o.Catalog().Lookup(t.Source.Provider); !known {
			t.Provider = verify.Provider{ID: t.Source.Provider}
		}
	} else if err := in.holdKeys(t, req.provided); err != nil {
		return nil, 0, err
	}
	p.Source = t.Source
	if err := in.aim(&p, in.mayAim(r)); err != nil {
		return nil, 0, err
	}
	t.App, t.Route = p.To, p.Route
	t.Timeout, within, err = req.times()
	return t, within, err
}

// holdKeys says of t whose webhook it is, and who signs it.
func (in *Inspector) holdKeys(t *trial.Trial, given provided) error {
	p, keys, err := in.providerOf(t.Source, given)
	if err != nil {
		return err
	}
	t.Provider, t.Source.Provider, t.Keys = p, p.ID, attack.Holding(p, keys)
	return checked(p)(p.CheckSign(keys))
}

// tries is try, and begins what takes its time, as long has it.
func (in *Inspector) tries(r *http.Request, req tryRequest) (t *trial.Trial, ctx context.Context, end func(), err error) {
	t, within, err := in.try(r, req)
	if err == nil {
		ctx, end, err = in.long(r, within)
	}
	return t, ctx, end, err
}

// times are how long an app has to answer, 0 if nothing is said, and how long all has.
func (s sendingTo) times() (timeout, within time.Duration, err error) {
	if timeout, err = duration("timeout", s.Timeout, 0, longestAnswer); err == nil {
		within, err = duration("within", s.Within, usualTrial, longestTrial)
	}
	return timeout, within, err
}

// tried returns the webhook that req names, and the app if it names one.
func (in *Inspector) tried(req tryRequest) (p replay.Plan, err error) {
	if p.To, err = in.appNamed(req.To); err != nil {
		return p, err
	}
	if req.Fixture == "" {
		p.Source, err = in.open(req.source)
		return p, err
	}
	if req.Ref != "" || len(req.Exchange) > 0 || req.Message != nil {
		return p, &Error{http.StatusBadRequest, "a fixture is in the place of ref, exchange and message", ""}
	}
	return p, in.sample(&p, req.Fixture)
}

// late reports whether what was done within ctx, and came to err, has ended because time
// was up, which leaves something to be told. Else failed is what there is to be told of err.
func late(ctx context.Context, err error) (timedOut bool, failed error) {
	var gone *trial.UnreachableError
	var nothing *trial.NothingError
	switch {
	case err == nil:
		return false, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return true, nil
	case ctx.Err() != nil:
		return false, errEnding
	case errors.As(err, &gone):
		return false, &Error{http.StatusBadGateway, err.Error(), `start the app, or name another as "to"`}
	case errors.As(err, &nothing):
		return false, &Error{http.StatusUnprocessableEntity, err.Error(), `"while": "` + nothing.While + `" shrinks what is answered so`}
	}
	return false, err
}
