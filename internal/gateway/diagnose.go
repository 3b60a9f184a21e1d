package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
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

// A diagnosis is a webhook of which it is to be found out why its signature is wrong.
type diagnosis struct {
	catalog  *verify.Catalog
	provider verify.Provider
	keys     map[string]verify.Keys
	message  verify.Message
	at       time.Time
	log      *slog.Logger
}

// find says what would make the signature right and what to do, or "". It runs
// where nothing of net/http stands between a fault in it and the end of devhook,
// and what it reads is a stranger's: a fault costs the finding, and is told of.
func (c *diagnosis) find() (text string) {
	defer func() {
		if fault := recover(); fault != nil {
			c.log.Error("a fault in devhook, please report it: diagnosing a signature", "provider", c.provider.ID, "error", fmt.Errorf("%v", fault))
			c.log.Debug("where", "stack", string(debug.Stack()))
			text = ""
		}
	}()
	if found, ok := c.catalog.Diagnose(c.provider, c.message, c.keys, c.at); ok {
		return found.String()
	}
	return ""
}

// toDiagnose returns the case of the delivery, nil if it is not worth a look, or
// not now. body gives the bytes of its body.
func (d *delivery) toDiagnose(body func() ([]byte, error)) *diagnosis {
	p, ok := d.routes.Catalog.Lookup(d.ex.Provider)
	switch d.ex.Verdict.Reason {
	case verify.BadSignature, verify.MalformedSignature, verify.MissingTimestamp, verify.MissingSignature, verify.Stale, verify.Future:
	default:
		return nil
	}
	if !ok || d.ex.Request.Size > maxDiagnosed || !d.g.diagnoses.take(d.started) {
		return nil
	}
	m, err := d.ex.Request.Message()
	if err == nil {
		m.Body, err = body()
	}
	if err != nil {
		return nil
	}
	return &diagnosis{d.routes.Catalog, p, d.routes.Keys, m, d.started, d.g.o.Log}
}

// refuseAndDiagnose is refuse for a signature that is worth a look: the sender
// has its answer first, and then what is found is recorded with the outcome. It
// returns false, and has done nothing, if it is not worth one, or not now.
func (d *delivery) refuseAndDiagnose(a verify.Answer) bool {
	c := d.toDiagnose(func() ([]byte, error) { return d.spool.Prefix(int(d.ex.Request.Size)) })
	if c == nil {
		return false
	}
	d.keepStart()
	d.ex.Outcome = recorder.Pending
	if err := d.g.o.Store.Append(d.unhurried(), d.ex); err != nil {
		d.notRecorded("cannot record", err)
		return true
	}
	d.send(a)
	res := recorder.Result{Outcome: recorder.Refused, Response: d.response(a)}
	g, id := d.g, d.ex.ID
	g.work.Go(func() {
		res.Detail = c.find()
		if err := g.o.Store.Finish(context.Background(), id, res); err != nil {
			g.storeFailed("cannot record an answer", err)
		}
	})
	return true
}
