package verify

import (
	"math/rand/v2"
	"testing"
)

// Law: what is unsigned is not valid, and signed again it is.
func TestUnsign(t *testing.T) {
	for _, p := range Builtin().Providers() {
		d, ok := p.Scheme.(*declared)
		if !ok {
			continue
		}
		r := rand.New(rand.NewPCG(1, 2))
		m, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &m, k, someTime)
		p.Unsign(&m)
		if v := p.Scheme.Verify(m, k, someTime); v.Status == Valid {
			t.Errorf("%s: unsigned, it is valid", p.ID)
		}
		sign(t, p, &m, k, someTime)
		if v := p.Scheme.Verify(m, k, someTime); v.Status != Valid {
			t.Errorf("%s: signed again, it is %+v", p.ID, v)
		}
	}
}
