package gateway

import (
	"maps"
	"net/http"
	"slices"
	"sync"

	"devhook/recorder"
	"devhook/verify"
)

// masked stands in the record for a secret that a message brought.
const masked = "[secret]"

// awaited are the providers whose secret is due, by id.
type awaited struct {
	mu  sync.Mutex
	ids []string // guarded by mu
}

// Await has the next secret taken that the provider with the given id hands
// over, and only that one.
func (g *Gateway) Await(id string) {
	g.awaited.mu.Lock()
	defer g.awaited.mu.Unlock()
	g.awaited.ids = append(g.awaited.ids, id)
}

// AddSecret has s tried as a further secret of the provider with the given id,
// until SetRoutes is called.
func (g *Gateway) AddSecret(id string, s verify.Secret) { g.addSecret(id, s, false) }

// SignWith is AddSecret for one that signs from now on.
func (g *Gateway) SignWith(id string, s verify.Secret) { g.addSecret(id, s, true) }

func (g *Gateway) addSecret(id string, s verify.Secret, first bool) {
	for {
		old := g.routes.Load()
		rt := *old
		if rt.Keys = maps.Clone(rt.Keys); rt.Keys == nil {
			rt.Keys = map[string]verify.Keys{}
		}
		k := rt.Keys[id]
		if first {
			k.Secrets = append([]verify.Secret{s}, k.Secrets...)
		} else {
			k.Secrets = append(k.Secrets[:len(k.Secrets):len(k.Secrets)], s)
		}
		rt.Keys[id] = k
		if g.routes.CompareAndSwap(old, &rt) {
			return
		}
	}
}

func (a *awaited) take(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.ids, id)
	if i >= 0 {
		a.ids = slices.Delete(a.ids, i, i+1)
	}
	return i >= 0
}

// An offer is a secret that a message brings.
type offer struct {
	answer verify.Answer
	secret string
}

// takeOffer takes the secret if it is waited for, and refuses it if not: anyone
// can offer one. It is recorded nowhere.
func (d *delivery) takeOffer(o *offer, reject verify.Answer) {
	d.ex.Request.Headers = maskHeader(d.ex.Request.Headers, o.secret)
	answer, outcome := reject, recorder.Refused
	d.ex.Verdict = verify.Verdict{Status: verify.Unsigned, Reason: verify.MissingSignature, Detail: "a secret is offered, and none is waited for"}
	d.ex.Detail = "start devhook up with --accept-handshake " + d.ex.Provider + " to take it"
	if d.g.o.TakeSecret != nil && d.g.awaited.take(d.ex.Provider) {
		if err := d.g.o.TakeSecret(d.ex.Provider, o.secret); err != nil {
			d.g.Await(d.ex.Provider) // it will be offered again
			d.notRecorded("cannot keep the secret of "+d.ex.Provider, err)
			return
		}
		answer, outcome = o.answer, recorder.Handled
		d.ex.Verdict = verify.Verdict{Status: verify.Skipped, Detail: "handshake"}
		d.ex.Detail = "its secret was taken"
	}
	d.keepStart()
	d.ex.Outcome = outcome
	d.ex.Response = d.response(answer)
	d.ex.Response.Headers = maskHeader(d.ex.Response.Headers, o.secret)
	if err := d.g.o.Store.Append(d.unhurried(), d.ex); err != nil {
		d.notRecorded("cannot record", err)
		return
	}
	d.send(answer)
}

// confirm visits the URL for the user, who wants what comes in confirmed. A
// sender whose wish could not be met is to ask again.
func (d *delivery) confirm(at string) {
	a := verify.Answer{Status: http.StatusOK}
	d.ex.Detail = "confirmed: its URL was visited"
	if _, err := d.g.o.Confirm.Fetch(d.unhurried(), at); err != nil {
		d.ex.Detail = "not confirmed: " + err.Error()
		a = apiError(503, "not_confirmed", d.ex.ID)
	}
	d.answer(recorder.Handled, a)
}

// maskHeader returns h without the secret.
func maskHeader(h http.Header, secret string) http.Header {
	h = h.Clone()
	for _, values := range h {
		for i, v := range values {
			if v == secret {
				values[i] = masked
			}
		}
	}
	return h
}
