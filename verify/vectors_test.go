package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vectors gives the vectors of a provider.
func vectors(t testing.TB, id string) []Vector {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", id+".json"))
	if err != nil {
		t.Fatalf("%v: requests of %s belong there, published or judged; providers/README.md says more", err, id)
	}
	vs, err := ParseVectors(src)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return vs
}

func (v Vector) message(t testing.TB) Message {
	t.Helper()
	m, err := v.Message()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPublishedVectors(t *testing.T) {
	for _, p := range Providers() {
		valid := 0
		for _, v := range vectors(t, p.ID) {
			t.Run(p.ID+"/"+v.Name, func(t *testing.T) {
				got := p.Scheme.Verify(v.message(t), v.Keys(), time.Unix(v.Now, 0))
				if got.Status != v.Status || got.Reason != v.Reason {
					t.Errorf("got %+v\nwant %s, %s (%s)", got, v.Status, v.Reason, v.JudgedBy)
				}
			})
			if v.Status == Valid {
				valid++
			}
		}
		if valid == 0 {
			t.Errorf("%s has no vector that is valid", p.ID)
		}
	}
}

// What Sign makes of a valid vector, at the time that the vector was made, is
// the vector: the same bytes in the same places.
func TestSignMakesThePublishedVectors(t *testing.T) {
	for _, p := range Providers() {
		for _, v := range vectors(t, p.ID) {
			if d := p.Scheme.(*declared); v.Status != Valid || d.form.kind == schemePair { // whose private keys nobody has
				continue
			}
			t.Run(p.ID+"/"+v.Name, func(t *testing.T) {
				want := v.message(t)
				at := time.Unix(v.Now, 0)
				if d := p.Scheme.(*declared); d.stamp != nil {
					at = madeAt(t, d, &want)
				}
				m := v.message(t)
				if err := p.Scheme.Sign(&m, v.Keys(), SignOptions{}, at); err != nil {
					t.Fatal(err)
				}
				if got, want := dump(m), dump(want); got != want && v.Note == "" && !strings.Contains(v.Name, "multi-signature") {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// madeAt gives the time at which the signature of m was made.
func madeAt(t *testing.T, d *declared, m *Message) time.Time {
	t.Helper()
	var c claim
	if v, ok := d.read(m, &c); !ok {
		t.Fatal(v)
	}
	made, _, ok := d.stamp.unit.parse(c.stamp)
	if !ok {
		t.Fatalf("timestamp %q", c.stamp)
	}
	if d.stamp.expiry {
		made = made.Add(-d.stamp.ttl)
	}
	return made
}
