package gateway

import (
	"context"
	"sync"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// maxDiagnosed is the largest body in bytes of which it is found out why its
// signature is wrong.
const maxDiagnosed = 1 << 20

// A budget lets so much be done in a second: forged requests must not become
// work.
type budget struct {
	mu   sync.Mutex
	last [2]time.Time // guarded by mu: when something was done
}

func (b *budget) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.last[0]) < time.Second {
		return false
	}
	b.last[0], b.last[1] = b.last[1], now
	return true
}

// refuseAndDiagnose is refuse for a signature that is worth a look: the sender
// has its answer first, and then what is found is recorded with the outcome. It
// returns false, and has done nothing, if it is not worth one, or not now.
func (d *delivery) refuseAndDiagnose(a verify.Answer) bool {
	p, ok := d.routes.Catalog.Lookup(d.ex.Provider)
	switch d.ex.Verdict.Reason {
	case verify.BadSignature, verify.MalformedSignature, verify.MissingTimestamp, verify.MissingSignature, verify.Stale, verify.Future:
	default:
		return false
	}
	if !ok || d.ex.Request.Size > maxDiagnosed || !d.g.diagnoses.take(d.started) {
		return false
	}
	m, err := d.ex.Request.Message()
	if err != nil {
		return false
	}
	if m.Body, err = d.spool.Prefix(int(d.ex.Request.Size)); err != nil {
		return false
	}
	d.keepStart()
	d.ex.Outcome = recorder.Pending
	if err := d.g.o.Store.Append(d.unhurried(), d.ex); err != nil {
		d.g.o.Log.Error("cannot record", "error", err)
		d.notRecorded()
		return true
	}
	d.send(a)
	res := recorder.Result{Outcome: recorder.Refused, Response: d.response(a)}
	g, id, keys, catalog, at := d.g, d.ex.ID, d.routes.Keys, d.routes.Catalog, d.started
	g.work.Go(func() {
		if found, ok := catalog.Diagnose(p, m, keys, at); ok {
			res.Detail = found.Finding + ": " + found.Do
		}
		if err := g.o.Store.Finish(context.Background(), id, res); err != nil {
			g.o.Log.Error("cannot record the answer", "id", string(id), "error", err)
		}
	})
	return true
}
