package tiktoktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"devhook/verify"
)

// An event is sent until it is answered 200, for 72 hours at most, each time
// signed anew and with the same body; the portal's test once.
func TestSend(t *testing.T) {
	for _, c := range []struct {
		name, event string
		status      []int // one an attempt; the last for ever
		attempts    int
		after       time.Duration // of the last one
		ok          bool
	}{
		{"at once", "post.publish.complete", []int{200}, 1, 0, true},
		{"201 is not 200", "post.publish.complete", []int{201, 200}, 2, time.Minute, true},
		{"at the fourth", "post.publish.complete", []int{500, 404, 302, 200}, 4, 7 * time.Minute, true},
		{"never", "post.publish.complete", []int{503}, 13, 4095 * time.Minute, false},
		{"the test of the portal", Ping, []int{500}, 1, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bodies []string
			now := time.Now()
			p, _ := verify.Lookup("tiktok")
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				m := verify.Message{Method: r.Method, URL: r.URL, Header: r.Header, Body: body}
				if v := p.Scheme.Verify(m, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("s3cret")}}, now); v.Status != verify.Valid {
					t.Errorf("got %+v", v)
				}
				w.WriteHeader(c.status[min(len(bodies), len(c.status)-1)])
				bodies = append(bodies, string(body))
			}))
			defer app.Close()
			said := 0
			s := &Sender{URL: app.URL, Secret: "s3cret", Speed: 1e9, Say: func(Attempt) { said++ }, Now: func() time.Time { return now }}
			a, err := s.Send(t.Context(), c.event)
			if err != nil || a.N != c.attempts || a.After != c.after || a.OK() != c.ok || a.Again != 0 || said != c.attempts || len(bodies) != c.attempts {
				t.Errorf("%+v, %v, said %d, came %d", a, err, said, len(bodies))
			}
			if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 {
				t.Error("the body is not the same each time")
			}
		})
	}
}

func TestSendEnds(t *testing.T) {
	s := &Sender{URL: "http://127.0.0.1:1", Secret: "s3cret"}
	if _, err := s.Send(t.Context(), "no.such"); !errors.Is(err, ErrNoSample) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Say = func(a Attempt) {
		if a.Status != 0 || a.Err == nil || a.Again != time.Minute {
			t.Errorf("got %+v", a)
		}
		cancel()
	}
	if _, err := s.Send(ctx, "post.publish.complete"); !errors.Is(err, context.Canceled) {
		t.Error(fmt.Sprint("got ", err))
	}
}
