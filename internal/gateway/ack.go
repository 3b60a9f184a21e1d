package gateway

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// An Ack is what a route says of the answers that devhook gives in place of the
// app. Without one, the provider's description says it.
type Ack struct {
	// Off has the sender hear what the app answers, late and wrong as it may be.
	Off bool
	// Rules are tried in turn; the first whose event fits counts.
	Rules []AckRule
}

// An AckRule is what the sender of some events hears in place of the app.
type AckRule struct {
	Event func(name string) bool
	// Now has the answer given at once, as soon as the webhook is on the disk;
	// it is forwarded all the same. Otherwise the app has the time After, from
	// the arrival on; 0 means as the provider's description says, or as long
	// as the route gives it.
	Now   bool
	After time.Duration
	// Name is the name of one of the provider's answers. If it is "", Answer is
	// what is answered; if that is nil, too, what the description says.
	Name   string
	Answer *verify.Answer
}

// A standIn is the answer that is ready to be given in place of an app's.
type standIn struct {
	now    bool
	after  time.Duration // 0: as long as the app has
	name   string
	answer verify.Answer
	// insists says that only an answer that the provider takes for success will
	// do: it acts on what it hears, and tries nothing again.
	insists  bool
	optional bool // only what the provider does not understand is replaced
}

// standIn returns what stands in for the app's answer to the delivery; false if
// nothing does.
func (d *delivery) standIn() (standIn, bool) {
	ack := d.route.Ack
	if d.w == nil || ack != nil && ack.Off || upgradeOf(d.ex.Request.Headers) != "" {
		return standIn{}, false
	}
	p, known := d.routes.Catalog.Lookup(d.ex.Provider)
	if !known {
		p.Ack = defaultAck
	}
	own, declared := p.StandIn(d.ex.Event)
	s := standIn{after: own.After, name: own.Name, answer: own.Answer, insists: declared && p.Reads()}
	if ack != nil {
		for _, r := range ack.Rules {
			if !r.Event(d.ex.Event) {
				continue
			}
			s.now, s.after = r.Now, cmp.Or(r.After, s.after)
			switch a, ok := p.Answer(r.Name); {
			case ok:
				s.name, s.answer = r.Name, a
			case r.Answer != nil:
				s.name, s.answer = "as configured", *r.Answer
			case r.Name != "":
				d.g.o.Log.Warn("the route names an answer that the provider does not know; it hears its usual acknowledgement", "provider", d.ex.Provider, "answer", r.Name)
				fallthrough
			case !declared:
				s.name, s.answer = verify.AckName, p.Ack
			}
			return s, true
		}
	}
	if !declared && p.Reads() {
		return standIn{name: verify.AckName, answer: p.Ack, optional: true}, true
	}
	return s, declared
}

// await hands the recorded webhook to the app, and gives the sender the app's
// answer or what stands in for it. The app goes on alone if it is late: what it
// answers then is recorded.
func (d *delivery) await(s standIn, to *url.URL, commit recorder.Commit, note string) {
	app := *d
	app.w, app.sender = nil, d.g.ending // who waits here is not the app's concern
	answered := make(chan recorder.Result, 1)
	d.g.work.Go(func() {
		res, _ := app.roundTrip(to, commit)
		answered <- res
	})
	var late <-chan time.Time
	if s.now || s.after > 0 {
		timer := time.NewTimer(max(0, s.after-d.g.o.Now().Sub(d.started)))
		if s.now {
			timer.Reset(0)
		}
		defer timer.Stop()
		late = timer.C
	}
	select {
	case res := <-answered:
		if err := commit.Wait(context.Background()); err != nil {
			d.notRecorded("cannot record", err)
		} else {
			res = d.settle(s, res)
		}
		d.end(res, note)
		return
	case <-late:
	}
	if err := commit.Wait(context.Background()); err != nil {
		d.notRecorded("cannot record", err)
		d.end(<-answered, note)
		return
	}
	d.send(s.answer)
	heard := d.response(s.answer)
	if !s.now {
		d.g.o.Log.Warn(fmt.Sprintf("%s is answered with %s, because the app has not answered within %v; it may go on", d.what(), s.name, s.after))
	}
	d.g.work.Go(func() {
		res := instead(<-answered, heard)
		if !s.now {
			res.Detail = fmt.Sprintf("the sender heard %s after %v, in place of the app", s.name, s.after)
		}
		app.end(res, note)
	})
}

// what names the delivery for a person.
func (d *delivery) what() string { return cmp.Or(d.ex.Event, d.ex.Request.Method+" "+d.ex.Request.URL) }

// settle gives the sender what the app answered, or what stands in for it, and
// returns the result with what the sender heard.
func (d *delivery) settle(s standIn, res recorder.Result) recorder.Result {
	why := d.unfit(s, res)
	if why == "" {
		d.repeat(res.Response)
		return res
	}
	d.send(s.answer)
	res = instead(res, d.response(s.answer))
	res.Detail = fmt.Sprintf("the sender heard %s in place of the app: %s", s.name, why)
	return res
}

// maxRead is the largest answer in bytes that is looked into.
const maxRead = 1 << 20

// unfit says why the sender must not hear what the app answered, "" if it may.
func (d *delivery) unfit(s standIn, res recorder.Result) string {
	r := res.Response
	if res.Outcome != recorder.Answered {
		if s.optional {
			return ""
		}
		return res.Detail
	}
	if r.Truncated {
		return "its answer has no end"
	}
	success := r.Status >= 200 && r.Status <= 299
	if !success && s.insists {
		return fmt.Sprintf("it answered %d", r.Status)
	}
	p, ok := d.routes.Catalog.Lookup(d.ex.Provider)
	if !success || !ok || !p.Reads() {
		return ""
	}
	if r.Size > maxRead {
		return "it answered more than 1 MiB"
	}
	body, err := d.g.o.Store.ReadBody(r.Body)
	if err != nil {
		return err.Error()
	}
	if why := p.Misunderstood(body); why != "" {
		return fmt.Sprintf("%s does not understand its answer: %s", d.ex.Provider, why)
	}
	return ""
}

// instead returns res as of a sender who heard something else than the app
// answered.
func instead(res recorder.Result, heard *recorder.Response) recorder.Result {
	if res.Outcome == recorder.Answered {
		res.App = res.Response
	}
	res.Response = heard
	return res
}

// repeat writes an answer that was taken in whole to the sender.
func (d *delivery) repeat(r *recorder.Response) {
	h := d.w.Header()
	maps.Copy(h, r.Headers)
	for _, name := range madeUp {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
	body, err := d.g.o.Store.OpenBody(r.Body)
	if err != nil {
		d.g.o.Log.Error("cannot read an answer", "id", string(d.ex.ID), "error", err)
		panic(http.ErrAbortHandler)
	}
	defer body.Close()
	d.w.WriteHeader(r.Status)
	io.Copy(d.w, body) // who hung up has no use for it
}
