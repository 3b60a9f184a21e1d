package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/url"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// Send is door 2: it sends what devhook itself has made of a recording or a
// fixture, and the events of streams. It is judged, recorded and shown like what comes in; but nothing of
// it is refused, held or answered here, so that any message can be tried on an
// app.
//
// An event of a stream whose plan names no app goes where the routes have its
// path go, with a copy to each further app; without any app it is recorded only.
//
// It returns the exchange as it ended, also when the app did not answer: the
// outcome says so. An error means that the plan cannot be carried out (a
// [*replay.Error]) or that the store failed; what is recorded by then stays
// without an outcome. When ctx ends, the app is not waited for any longer.
func (g *Gateway) Send(ctx context.Context, p replay.Plan) (*recorder.Exchange, error) {
	var commit recorder.Commit
	ex, err := g.send(ctx, p, false, keeping{
		begin: func(ex recorder.Exchange) (_ recorder.Commit, seq uint64, err error) {
			commit, err = g.o.Store.Write(&ex)
			return commit, ex.Seq, err
		},
		end: func(id recorder.ID, res recorder.Result) error {
			return g.o.Store.Finish(context.Background(), id, res)
		},
	})
	if err != nil {
		return nil, err
	}
	return ex, commit.Wait(context.Background())
}

// SendSoon is [Gateway.Send] for who sends many, and tells of none before it is durable:
// that, and the number of what it returns, is known by Wait of kept. No line and no sync is
// waited for.
func (g *Gateway) SendSoon(ctx context.Context, p replay.Plan) (done *recorder.Exchange, kept *recorder.Deferred, err error) {
	done, err = g.send(ctx, p, true, keeping{
		begin: func(ex recorder.Exchange) (_ recorder.Commit, _ uint64, err error) {
			kept, err = g.o.Store.Defer(&ex)
			return recorder.Commit{}, 0, err
		},
		end: func(_ recorder.ID, res recorder.Result) error {
			kept.Finish(res)
			return nil
		},
	})
	return done, kept, err
}

// A keeping is how the store is told of what is sent. begin returns the number, if it is
// known by then.
type keeping struct {
	begin func(recorder.Exchange) (recorder.Commit, uint64, error)
	end   func(recorder.ID, recorder.Result) error
}

func (g *Gateway) send(ctx context.Context, p replay.Plan, soon bool, keep keeping) (done *recorder.Exchange, err error) {
	g.work.Add(1)
	defer g.work.Done()
	rt := g.routes.Load()
	ex, err := g.Plan(p)
	if err != nil {
		return nil, err
	}
	d := &delivery{
		g: g, routes: rt, ex: ex, door: Door{Forwarded: true}, sender: ctx, started: g.o.Now(), soon: soon,
		route: &Route{Provider: ex.Provider, Verify: rt.Default.Verify, Timeout: cmp.Or(p.Timeout, rt.Default.Timeout)},
	}
	ex.At = d.started
	if p.Origin == recorder.Stream && !p.Source.At.IsZero() { // it can have waited
		ex.At = p.Source.At
	}
	d.hostNamed = p.Names("Host")
	m, err := ex.Request.Message()
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	var copies []*url.URL
	if p.Origin == recorder.Stream && p.To == nil {
		p.To, copies = d.routeStream(m.URL.Path)
	}
	j := d.judgeSent(p, m)
	ex.Provider, ex.Event, ex.DeliveryID, ex.Verdict = j.provider, j.event, j.delivery, j.verdict
	ex.ID = recorder.NewID(ex.At)
	d.markAgain(m.Body)
	if len(ex.Request.Body.Bytes) > recorder.MaxInline {
		d.spool = g.o.Store.Spool()
		defer d.spool.Discard()
		if _, err := d.spool.Write(ex.Request.Body.Bytes); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		if ex.Request.Body, err = d.spool.Body(); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
	}
	if p.To == nil {
		ex.Outcome, ex.Detail = recorder.Handled, cmp.Or(p.Source.Detail, "there is no app to send it to")
	}
	commit, seq, err := keep.begin(*ex) // a copy, as the store keeps it
	if ex.Seq = seq; err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if p.To == nil {
		return ex, nil
	}
	for _, other := range copies {
		d.mirror(other)
	}
	res, after := d.roundTrip(p.To, commit)
	if res.Detail == "" && p.Origin == recorder.Stream {
		res.Detail = p.Source.Detail
	}
	if err := keep.end(ex.ID, res); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	if after != nil {
		after()
	}
	ex.Outcome, ex.Detail, ex.Response = res.Outcome, res.Detail, res.Response
	return ex, nil
}

// Plan returns the exchange that Send would send, with its target and with its
// body in memory, and sends nothing.
func (g *Gateway) Plan(p replay.Plan) (*recorder.Exchange, error) {
	rt := g.routes.Load()
	if p.Source.Request.Body.Sum != "" && (p.Source.Request.Size <= verify.MaxBody || len(p.Mutations) > 0) {
		src := *p.Source
		if err := g.o.Store.LoadBody(&src.Request.Body); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		p.Source = &src
	}
	sign := func(id string) (verify.Provider, verify.Keys, bool) {
		provider, ok := rt.Catalog.Lookup(id)
		return provider, rt.Keys[provider.ID], ok
	}
	ex, err := p.Build(sign, g.o.Now())
	if err == nil && p.To != nil {
		ex.Target = targetURL(p.To, ex.Request.URL)
	}
	return ex, err
}
