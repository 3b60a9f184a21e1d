package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// keptOfRefused is how many bytes are kept of a body that was refused: enough
// to see what it was, and not worth the while of who fills disks.
const keptOfRefused = 64 << 10

// A delivery is one exchange on its way through the corridor.
type delivery struct {
	g       *Gateway
	routes  *Routes
	route   *Route
	ex      *recorder.Exchange
	spool   *recorder.Spool // of the request's body, until it is recorded
	chunked bool            // the body came without its length
	trailer http.Header     // and these behind it
	door    Door
	// hostNamed says that the app is to see the Host of the request, because
	// who sends it has named it.
	hostNamed bool
	w         http.ResponseWriter // nil if nobody waits for the answer
	sender    context.Context     // ends when the sender hangs up
	started   time.Time
	soon      bool // who sends it asks later whether it is durable
}

// serve is door 1: what comes in from outside.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, c *conn, door Door) {
	d := &delivery{
		g: g, routes: g.routes.Load(), chunked: r.ContentLength < 0, door: door,
		w: w, sender: r.Context(), started: g.o.Now(),
	}
	d.ex = &recorder.Exchange{ID: recorder.NewID(d.started), At: d.started, Origin: recorder.Live, Request: door.request(r), Outcome: recorder.Pending}
	var err error
	d.spool, err = g.capture(r, c)
	defer d.spool.Discard()
	d.ex.Request.Size, d.trailer = d.spool.Size(), r.Trailer
	switch {
	case errors.Is(err, errBrokenOff):
		g.malformed.Add(1)
		panic(http.ErrAbortHandler)
	case errors.Is(err, errTooLarge):
		d.ex.Request.Size = max(d.ex.Request.Size, r.ContentLength)
		d.ex.Request.Truncated = true
		d.spool.Discard()
		d.spool = g.o.Store.Spool()
		linger(w, r)
	case err != nil:
		linger(w, r)
		d.notRecorded("cannot keep a body", err)
		return
	}
	d.deliver()
}

// deliver is the corridor: verify, record, forward, record.
func (d *delivery) deliver() {
	m, free, err := d.message()
	if err != nil {
		free()
		d.notRecorded("cannot read a request", err)
		return
	}
	var routeErr error
	d.route, d.ex.Route, routeErr = d.routes.Find(m.URL.Path)
	judgedBy := d.route
	if judgedBy == nil {
		judgedBy = &Route{Verify: Enforce}
	}
	j := d.routes.judge(judgedBy, m, d.ex.Request.Size, d.started)
	d.ex.Provider, d.ex.Event, d.ex.DeliveryID, d.ex.Verdict = j.provider, j.event, j.delivery, j.verdict
	passes, status := judgedBy.passes(j.verdict)
	if passes && d.route != nil && j.handshake == nil && j.offer == nil && !d.ex.Request.Truncated { // what is forged must not make the real one a repetition
		d.markAgain(m.Body)
	}
	free()
	switch {
	case d.ex.Request.Truncated:
		d.refuse(apiError(413, "too_large", d.ex.ID))
	case d.route == nil:
		d.ex.Detail = routeErr.Error()
		d.answer(recorder.Unrouted, apiError(404, "no_route", d.ex.ID))
	case j.offer != nil:
		d.takeOffer(j.offer, j.reject)
	case j.handshake != nil:
		d.ex.Verdict = verify.Verdict{Status: verify.Skipped, Detail: "handshake"}
		d.answer(recorder.Handled, *j.handshake)
	case !passes && status == 413:
		d.refuse(apiError(413, "too_large", d.ex.ID))
	case !passes && status == 503: // the sender tries again
		d.refuse(apiError(503, "no_key", d.ex.ID))
	case !passes:
		if !d.refuseAndDiagnose(j.reject) {
			d.refuse(j.reject)
		}
	case j.confirm != "" && d.ex.Origin == recorder.Live && d.g.o.Confirm != nil:
		d.confirm(j.confirm)
	case len(d.route.Forward) == 0:
		d.ex.Detail = j.note()
		d.answer(recorder.Handled, j.ack)
	default:
		d.forward(j.note())
	}
}

// apiError returns an answer that devhook makes because something is wrong.
func apiError(status int, name string, id recorder.ID) verify.Answer {
	body, _ := json.Marshal(struct {
		Error string      `json:"error"`
		ID    recorder.ID `json:"id"`
	}{name, id})
	return verify.Answer{Status: status, Header: jsonHeader, Body: body}
}

// refuse keeps the webhook from the app, and most of its body from the disk.
func (d *delivery) refuse(a verify.Answer) {
	d.keepStart()
	d.finish(recorder.Refused, a)
}

// keepStart puts the start of the body into the exchange, and drops the rest.
func (d *delivery) keepStart() {
	req := &d.ex.Request
	kept, err := d.spool.Prefix(keptOfRefused)
	if err != nil {
		d.g.storeFailed("cannot read a body", err)
	}
	req.Body = recorder.Body{Bytes: kept}
	req.Truncated = req.Truncated || int64(len(kept)) < req.Size
	d.spool.Discard()
	d.spool = d.g.o.Store.Spool()
}

// answer records the webhook with the answer that devhook itself gives, and
// gives it.
func (d *delivery) answer(outcome recorder.Outcome, a verify.Answer) {
	if !d.keepBody() {
		return
	}
	d.finish(outcome, a)
}

func (d *delivery) finish(outcome recorder.Outcome, a verify.Answer) {
	d.ex.Outcome = outcome
	d.ex.Response = d.response(a)
	if err := d.g.o.Store.Append(d.unhurried(), d.ex); err != nil {
		d.notRecorded("cannot record", err)
		return
	}
	d.send(a)
}

// unhurried is a context that the sender does not end: what came is recorded
// also if he has hung up.
func (d *delivery) unhurried() context.Context { return context.WithoutCancel(d.sender) }

// keepBody puts the body into the exchange. If the store fails it answers so
// and returns false.
func (d *delivery) keepBody() bool {
	body, err := d.spool.Body()
	if err != nil {
		d.notRecorded("cannot keep a body", err)
		return false
	}
	d.ex.Request.Body = body
	return true
}

// response returns the record of an answer that devhook makes.
func (d *delivery) response(a verify.Answer) *recorder.Response {
	return &recorder.Response{
		Status: a.Status, Headers: a.Header, Body: recorder.Body{Bytes: a.Body}, Size: int64(len(a.Body)),
		Took: d.g.o.Now().Sub(d.started),
	}
}

// send writes an answer of devhook's own to the sender.
func (d *delivery) send(a verify.Answer) {
	if d.w == nil {
		return
	}
	h := d.w.Header()
	maps.Copy(h, a.Header)
	if len(a.Header["Content-Type"]) == 0 {
		h["Content-Type"] = nil // or net/http guesses one
	}
	d.w.WriteHeader(a.Status)
	d.w.Write(a.Body)
}

// forward records the webhook, hands it to the apps and the first app's answer
// to the sender. The disk is waited for together with the app. note is recorded
// where there is nothing else to tell.
func (d *delivery) forward(note string) {
	if !d.keepBody() {
		return
	}
	to := d.route.Forward[0]
	d.ex.Target = targetURL(to, d.ex.Request.URL)
	commit, err := d.g.o.Store.WriteLater(d.ex)
	if err != nil {
		d.notRecorded("cannot record", err)
		return
	}
	for _, other := range d.route.Forward[1:] {
		d.mirror(other)
	}
	if s, ok := d.standIn(); ok && !strings.EqualFold(upgradeOf(d.ex.Request.Headers), "websocket") { // which nobody can open in the app's place
		d.await(s, to, commit, note)
		return
	}
	res, after := d.roundTrip(to, commit)
	d.end(res, note)
	if after != nil {
		after()
	}
}

// end records how the delivery ended; with what makes its signature right if
// it is not, or else with note, where there is nothing else to tell.
func (d *delivery) end(res recorder.Result, note string) {
	if d.ex.Verdict.Status == verify.Invalid && res.Detail == "" { // it was let through to be looked into
		if c := d.toDiagnose(func() ([]byte, error) { return d.g.o.Store.ReadBody(d.ex.Request.Body) }); c != nil {
			res.Detail = c.find()
		}
	}
	if res.Detail == "" {
		res.Detail = note
	}
	if err := d.g.o.Store.Finish(context.Background(), d.ex.ID, res); err != nil {
		d.g.storeFailed("cannot record an answer", err)
	}
}
