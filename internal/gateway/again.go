package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"devhook/recorder"
	"devhook/verify"
)

// maxDeliveries is how many deliveries are remembered, to tell those that come
// again: the retries of some days.
const maxDeliveries = 20_000

// deliveries remembers what came in. A provider that names its deliveries gives
// a retry the same name; of the others, a retry has the same body. Safe for
// concurrent use.
type deliveries struct {
	mu    sync.Mutex
	first map[string]recorder.ID // guarded by mu: by deliveryKey
	order []string               // guarded by mu: oldest first
}

// note remembers the delivery called key, and returns the exchange of the first
// one of that name; "" if this is it.
func (ds *deliveries) note(key string, id recorder.ID) recorder.ID {
	if key == "" {
		return ""
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	if before, ok := ds.first[key]; ok {
		return before
	}
	if ds.first == nil {
		ds.first = map[string]recorder.ID{}
	}
	ds.first[key] = id
	if ds.order = append(ds.order, key); len(ds.order) > maxDeliveries {
		delete(ds.first, ds.order[0])
		ds.order = ds.order[1:]
	}
	return ""
}

// deliveryKey names a delivery, "" if nothing makes it out. bodySum gives the
// SHA-256 of its body in hex.
func deliveryKey(ex *recorder.Exchange, bodySum func() string) string {
	switch {
	case ex.Provider == "":
		return ""
	case ex.DeliveryID != "":
		return ex.Provider + "\x00" + ex.DeliveryID
	case ex.Request.Size == 0 || ex.Request.Size > verify.MaxBody:
		return ""
	}
	return ex.Provider + "\x00\x00" + bodySum()
}

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// markAgain notes which exchange d repeats.
func (d *delivery) markAgain(body []byte) {
	if comesIn(d.ex.Origin) {
		d.ex.DuplicateOf = d.g.deliveries.note(deliveryKey(d.ex, func() string { return sumOf(body) }), d.ex.ID)
	}
}

// comesIn reports whether exchanges of that origin are sent by a platform, and
// so can be sent twice.
func comesIn(o recorder.Origin) bool { return o == recorder.Live || o == recorder.Stream }

// Recall remembers the newest deliveries that the store has, so that retries are
// known for it after a restart. It returns at once; Wait waits for its end.
func (g *Gateway) Recall() {
	g.work.Go(func() {
		for ex, err := range g.o.Store.Query(recorder.Query{Newest: recalled}) {
			select {
			case <-g.ending.Done():
				return
			default:
			}
			if err != nil || !comesIn(ex.Origin) || ex.DuplicateOf != "" || ex.Outcome == recorder.Refused || ex.Outcome == recorder.Unrouted {
				continue
			}
			g.deliveries.note(deliveryKey(ex, func() string {
				if ex.Request.Body.Sum != "" {
					return ex.Request.Body.Sum
				}
				return sumOf(ex.Request.Body.Bytes)
			}), ex.ID)
		}
	})
}

// recalled is how many exchanges Recall looks at; 5,000 take a fifth of a second.
const recalled = 5000
