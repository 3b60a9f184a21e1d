package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/jsonx"
)

// The laws of signing; see laws_test.go.

func TestSigningTwiceGivesTheSame(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &m, k, someTime)
		once := dump(m)
		sign(t, p, &m, k, someTime)
		if twice := dump(m); twice != once {
			t.Errorf("once\n%s\ntwice\n%s", once, twice)
		}
	})
}

func TestSigningReplacesAnOldSignature(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		fresh, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &fresh, k, someTime) // also gives the ids that are missing
		old := clone(fresh)
		sign(t, p, &old, keysFor(d, r, 1), someTime.Add(-time.Hour))
		sign(t, p, &old, k, someTime)
		if got, want := dump(old), dump(fresh); got != want {
			t.Errorf("signed over\n%s\nsigned at once\n%s", got, want)
		}
	})
}

func TestSigningChangesNothingElse(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		before := clone(m)
		body := m.Body
		sign(t, p, &m, k, someTime)
		if !bytes.Equal(body, before.Body) {
			t.Error("the old body was written to")
		}
		mine := map[string]bool{}
		inQueryToo, inBodyToo := false, false
		for _, u := range d.uses() {
			mine[u.key] = mine[u.key] || u.in == inHeader
			inQueryToo = inQueryToo || u.in == inQuery
			inBodyToo = inBodyToo || u.in == inBody || u.in == inForm
		}
		for name := range m.Header {
			if !mine[name] && !slices.Equal(m.Header[name], before.Header[name]) {
				t.Errorf("header %s was changed", name)
			}
		}
		if !strings.HasPrefix(m.URL.RawQuery, before.URL.RawQuery) || !inQueryToo && m.URL.RawQuery != before.URL.RawQuery {
			t.Errorf("the query became %s, was %s", m.URL.RawQuery, before.URL.RawQuery)
		}
		if !inBodyToo && !bytes.Equal(m.Body, before.Body) {
			t.Error("the body was changed")
		}
	})
}

func TestFreshIDs(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		if d.fresh == nil {
			return
		}
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		switch d.fresh.in {
		case inHeader:
			m.Header[d.fresh.key] = []string{"old-id"}
		case inBody:
			if jsonx.TopKind(m.Body) != jsonx.Object {
				m.Body = []byte(`{"x":1}`)
			}
			m.Body, _ = jsonx.Create(m.Body, d.fresh.path, []byte(`"old-id"`))
		}
		sign(t, p, &m, k, someTime)
		if got := p.DeliveryID(m); got != "old-id" {
			t.Errorf("Sign made the delivery id %q, was old-id", got)
		}
		seen := map[string]bool{"old-id": true}
		for range 10 {
			if err := p.Scheme.Sign(&m, k, SignOptions{FreshID: true}, someTime); err != nil {
				t.Fatal(err)
			}
			want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
			id := p.DeliveryID(m)
			if seen[id] || id == "" {
				t.Errorf("the fresh id is %q", id)
			}
			seen[id] = true
		}
		always := SignOptions{FreshID: true, Rand: constant(7)}
		a, b := clone(m), clone(m)
		if err := p.Scheme.Sign(&a, k, always, someTime); err != nil {
			t.Fatal(err)
		}
		if err := p.Scheme.Sign(&b, k, always, someTime); err != nil || dump(a) != dump(b) {
			t.Errorf("the same Rand gives two ids (%v)", err)
		}
	})
}

type constant byte

func (c constant) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}
