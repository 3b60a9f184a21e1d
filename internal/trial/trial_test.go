package trial_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/attack"
	"devhook/internal/delivery"
	"devhook/internal/gateway"
	"devhook/internal/livesession"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// trying is a trial with a webhook of a provider, a real gateway, and an app.
func trying(t *testing.T, provider, event string, app http.HandlerFunc) *trial.Trial {
	t.Helper()
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	store, err := recorder.Open(t.TempDir(), recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p, _ := verify.Lookup(provider)
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("s3cret")}, With: map[string]string{"app_key": "a"}}
	gate := gateway.New(gateway.Options{Store: store}, &gateway.Routes{Catalog: verify.Builtin(), Keys: map[string]verify.Keys{p.ID: keys}})
	t.Cleanup(gate.Wait)
	f, ok := fixtures.Lookup(provider, event)
	if !ok {
		t.Fatal("no sample")
	}
	if f, err = f.Fill(time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	ex := f.Exchange
	ex.Provider = p.ID
	return &trial.Trial{Source: &ex, Provider: p, Keys: attack.Holding(p, keys), Origin: recorder.Trigger, App: at, Now: time.Now, Send: gate.Send}
}

// An app has as long as is said, or else as its provider gives it; tries are at the times of
// the policy, and each is signed.
func TestDeliver(t *testing.T) {
	var came atomic.Int64
	late := make(chan struct{})
	tr := trying(t, "tiktok-shop", "SELLER_DEAUTHORIZATION", func(http.ResponseWriter, *http.Request) {
		if came.Add(1) <= 2 {
			<-late
		}
	})
	t.Cleanup(func() { close(late) })
	tr.Timeout = 50 * time.Millisecond
	policy := delivery.Of(tr.Provider.Retry)
	var at []time.Duration
	var why string
	d, err := tr.Deliver(t.Context(), policy, false, func(one trial.Try) error {
		if at = append(at, one.At); !one.OK {
			why = one.Result
		}
		return nil
	})
	if err != nil || !d.Delivered || d.Duplicate || d.Tries != 3 || d.Answered != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	if !slices.Equal(at, policy.At[:3]) || !strings.Contains(why, "50ms") {
		t.Errorf("tried at %v, and the first failed for: %s", at, why)
	}
}

// What an app asks for by its answer is done, and told.
func TestDeliverAsAsked(t *testing.T) {
	n := 0
	tr := trying(t, "telegram", "message", func(w http.ResponseWriter, _ *http.Request) {
		if n++; n <= 2 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(429)
		}
	})
	var at []time.Duration
	var told string
	d, err := tr.Deliver(t.Context(), delivery.Of(tr.Provider.Retry), false, func(one trial.Try) error {
		at, told = append(at, one.At), told+one.Result
		return nil
	})
	if want := []time.Duration{0, 10 * time.Minute, 20 * time.Minute}; err != nil || !d.Delivered || !slices.Equal(at, want) || !strings.Contains(told, "waits 10m0s") {
		t.Errorf("%+v, %v: at %v, %s", d, err, at, told)
	}
	tr = trying(t, "slack", "app_mention", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Slack-No-Retry", "1")
		w.WriteHeader(503)
	})
	if d, err := tr.Deliver(t.Context(), delivery.Of(tr.Provider.Retry), false, func(trial.Try) error { return nil }); err != nil || d.Tries != 1 || d.Delivered {
		t.Errorf("not again: %+v, %v", d, err)
	}
}

// What is never signed is delivered so.
func TestDeliverUnsigned(t *testing.T) {
	var signature atomic.Value
	tr := trying(t, "mollie", "classic.payment", func(_ http.ResponseWriter, r *http.Request) {
		signature.Store(r.Header.Get("X-Mollie-Signature"))
	})
	d, err := tr.Deliver(t.Context(), delivery.Of(tr.Provider.Retry), false, func(trial.Try) error { return nil })
	if err != nil || !d.Delivered || signature.Load() != "" {
		t.Errorf("%v, %+v, signed %v", err, d, signature.Load())
	}
}

// What ends in the middle ends with what there is, and an app that is not there is told from
// one that is slow.
func TestEnds(t *testing.T) {
	tr := trying(t, "tiktok", "video.publish.completed", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("event")) {
			w.WriteHeader(500)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	send, n := tr.Send, 0
	tr.Send = func(ctx context.Context, p replay.Plan) (*recorder.Exchange, error) {
		if n++; n == 7 {
			cancel()
		}
		return send(ctx, p)
	}
	while, err := trial.ParseWhile("5xx")
	if err != nil {
		t.Fatal(err)
	}
	small, err := tr.Shrink(ctx, while, 1000, 0)
	if !errors.Is(err, context.Canceled) || small.Tries == 0 || small.Exchange == nil || len(small.Body) >= len(tr.Source.Request.Body.Bytes) {
		t.Errorf("shrunk to %d bytes in %d tries, %v", len(small.Body), small.Tries, err)
	}
	tr.Send = send
	if _, err := tr.Shrink(t.Context(), func(*recorder.Exchange) bool { return false }, 10, 0); err == nil || !strings.Contains(err.Error(), "answered 500") {
		t.Errorf("nothing to shrink: %v", err)
	}
	tr.App = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	var gone *trial.UnreachableError
	if _, err := tr.Attack(t.Context(), attack.Variants, nil, func(attack.Result) {}); !errors.As(err, &gone) {
		t.Errorf("attack: %v", err)
	}
	if _, err := tr.Shrink(t.Context(), while, 10, 0); !errors.As(err, &gone) {
		t.Errorf("shrink: %v", err)
	}
	events := livesession.New(livesession.Options{Seed: 1, Start: time.Now(), Length: time.Minute})
	err = trial.Play(t.Context(), events, 0, func(ctx context.Context, ex *recorder.Exchange) (*recorder.Exchange, error) {
		return send(ctx, replay.Plan{Source: ex, Origin: recorder.Trigger, To: tr.App, Sign: replay.SignNever})
	}, func(int, *recorder.Exchange) { t.Error("told of one that was not answered") })
	if !errors.As(err, &gone) {
		t.Errorf("session: %v", err)
	}
}
