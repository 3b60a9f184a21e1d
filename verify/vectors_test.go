package verify

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A vector is a request and what is known of it, from a provider's
// documentation or judged by its library: an entry of testdata/ID.json.
type vector struct {
	Name     string            `json:"name"`
	Source   string            `json:"source"`
	JudgedBy string            `json:"judged_by"`
	Note     string            `json:"note"`
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Body64   []byte            `json:"body_base64"` // in place of Body, where that is no UTF-8
	Secret   string            `json:"secret"`
	With     map[string]string `json:"with"`
	Fetched  map[string]string `json:"fetched"` // what is at the URLs that a message names
	Now      int64             `json:"now"`
	Status   Status            `json:"status"`
	Reason   Reason            `json:"reason"`
}

func (v vector) message(t testing.TB) Message {
	t.Helper()
	u, err := url.Parse(v.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	body := v.Body64
	if body == nil {
		body = []byte(v.Body)
	}
	return Message{Method: v.Method, URL: u, Header: h, Body: body}
}

func (v vector) keys() Keys {
	k := Keys{Secrets: []Secret{NewSecret(v.Secret)}, With: v.With}
	if v.Fetched != nil {
		k.Fetch = pages(v.Fetched)
	}
	return k
}

// vectors gives the vectors of a provider.
func vectors(t testing.TB, id string) []vector {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", id+".json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(src)))
	d.DisallowUnknownFields()
	var vs []vector
	if err := d.Decode(&vs); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return vs
}

func TestPublishedVectors(t *testing.T) {
	for _, p := range Providers() {
		valid := 0
		for _, v := range vectors(t, p.ID) {
			t.Run(p.ID+"/"+v.Name, func(t *testing.T) {
				got := p.Scheme.Verify(v.message(t), v.keys(), time.Unix(v.Now, 0))
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
				if err := p.Scheme.Sign(&m, v.keys(), SignOptions{}, at); err != nil {
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
