package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// sent is what Send made of a plan; it must not fail.
func (r *rig) sent(p replay.Plan) *recorder.Exchange {
	r.t.Helper()
	ex, err := r.g.Send(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return ex
}

func (r *rig) get(ref string) *recorder.Exchange {
	r.t.Helper()
	ex, err := r.store.Get(ref)
	if err != nil {
		r.t.Fatal(err)
	}
	return ex
}

// A recording is sent again as it came, signed anew, and recorded beside the
// first, which stays as it was.
func TestSendAgain(t *testing.T) {
	var got []*http.Request
	var bodies []string
	a := app(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		fmt.Fprintf(w, "answer %d", len(got))
	})
	rt := forwardTo(t, a)
	rt.Keys = tiktokKeys
	r := newRig(t, rt, Options{})
	old := time.Now().Add(-time.Minute)
	if status, answer := r.post("/hooks/a%2Fb?x=%zz", tiktokBody, signed(t, tiktokBody, old)...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	first := r.get("1")
	before := first.Request
	changes, err := replay.Parse("set create_time=2.50")
	if err != nil {
		t.Fatal(err)
	}
	ex := r.sent(replay.Plan{Source: first, Origin: recorder.Replay, To: rt.Default.Forward[0], Mutations: []replay.Mutation{changes}})
	if ex.Outcome != recorder.Answered || ex.Response.Status != 200 || string(ex.Response.Body.Bytes) != "answer 2" {
		t.Errorf("it became %s, %+v", ex.Outcome, ex.Response)
	}
	if ex.Verdict.Status != verify.Valid || ex.Parent != first.ID || ex.Origin != recorder.Replay || ex.Provider != "tiktok" || ex.Event != first.Event {
		t.Errorf("it is %+v", ex)
	}
	if kept := r.get(string(ex.ID)); !reflect.DeepEqual(kept.Changes, []string{"set create_time=2.50"}) || kept.Outcome != recorder.Answered || kept.Target != a+"/hooks/a%2Fb?x=%zz" {
		t.Errorf("recorded is %+v", kept)
	}
	if again := r.get("1"); !reflect.DeepEqual(again.Request, before) {
		t.Errorf("the first is now %+v", again.Request)
	}
	if len(got) != 2 || got[1].RequestURI != got[0].RequestURI || bodies[1] != strings.Replace(tiktokBody, `"create_time":1`, `"create_time":2.50`, 1) {
		t.Errorf("the app got %v %q", got[1].RequestURI, bodies)
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "User-Agent", "Content-Type"} {
		if !reflect.DeepEqual(got[0].Header[name], got[1].Header[name]) {
			t.Errorf("%s: %q and then %q", name, got[0].Header[name], got[1].Header[name])
		}
	}
}

// Nothing that devhook sends is refused or answered by devhook, and its verdict
// is that of the message.
func TestSendIsNeverRefused(t *testing.T) {
	reached := 0
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) { reached++ }))
	rt.Keys, rt.Default.Verify = tiktokKeys, Strict
	r := newRig(t, rt, Options{})
	for _, tt := range []struct {
		name string
		plan replay.Plan
		want verify.Reason
	}{
		{"stale", replay.Plan{At: time.Now().Add(-time.Hour)}, verify.Stale},
		{"unsigned", replay.Plan{Sign: replay.SignNever}, verify.MissingSignature},
		{"a handshake", replay.Plan{Source: &recorder.Exchange{Provider: "slack", Request: recorder.Request{
			Method: "POST", URL: "http://h/", Body: recorder.Body{Bytes: []byte(`{"type":"url_verification","challenge":"c","token":"t"}`)},
		}}}, verify.NoSecret},
	} {
		if tt.plan.Source == nil {
			tt.plan.Source = &recorder.Exchange{Provider: "tiktok", Request: recorder.Request{
				Method: "POST", URL: "http://h/", Body: recorder.Body{Bytes: []byte(tiktokBody)},
			}}
		}
		tt.plan.To, tt.plan.Origin = rt.Default.Forward[0], recorder.Trigger
		was := reached
		if ex := r.sent(tt.plan); ex.Verdict.Reason != tt.want || ex.Outcome != recorder.Answered || reached != was+1 {
			t.Errorf("%s: %s, %+v", tt.name, ex.Outcome, ex.Verdict)
		}
	}
}

// Bodies of every size are sent as they were, large ones out of their files.
func TestSendBodies(t *testing.T) {
	var got []byte
	rt := forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			got, _ = io.ReadAll(r.Body)
		}
	}))
	r := newRig(t, rt, Options{})
	for _, n := range []int{0, 1, recorder.MaxInline, recorder.MaxInline + 1, 3 << 20} {
		body := bytes.Repeat([]byte("\xff\x00x"), n/3+1)[:n]
		r.post("/", string(body))
		src := r.get("live")
		ex := r.sent(replay.Plan{Source: src, Origin: recorder.Replay, To: rt.Default.Forward[0]})
		if !bytes.Equal(got, body) {
			t.Errorf("%d bytes: the app got %d", n, len(got))
		}
		kept, err := r.store.ReadBody(r.get(string(ex.ID)).Request.Body)
		if err != nil || !bytes.Equal(kept, body) {
			t.Errorf("%d bytes: kept are %d, %v", n, len(kept), err)
		}
	}
}

// An app that does not answer is an outcome; a plan that cannot be carried out
// is an error, and nothing is recorded of it.
func TestSendInVain(t *testing.T) {
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}))
	r := newRig(t, rt, Options{})
	src := &recorder.Exchange{Request: recorder.Request{Method: "POST", URL: "http://h/"}}
	ex := r.sent(replay.Plan{Source: src, Origin: recorder.Replay, To: to(t, "http://127.0.0.1:1")[0]})
	if ex.Outcome != recorder.Unreachable || ex.Detail != "connection refused" {
		t.Errorf("%s: %s", ex.Outcome, ex.Detail)
	}
	m, err := replay.Parse("set a=1")
	if err != nil {
		t.Fatal(err)
	}
	var bad *replay.Error
	if _, err := r.g.Send(t.Context(), replay.Plan{Source: src, To: rt.Default.Forward[0], Mutations: []replay.Mutation{m}}); !errors.As(err, &bad) {
		t.Errorf("no body to change: %v", err)
	}
	if list := r.recorded(1); len(list) != 1 {
		t.Errorf("%d are recorded", len(list))
	}
}

// Who sends need not wait for the app, and nothing is sent after the end.
func TestSendInterrupted(t *testing.T) {
	arrived := make(chan struct{}, 100)
	rt := forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	r := newRig(t, rt, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	src := &recorder.Exchange{Request: recorder.Request{Method: "POST", URL: "http://h/"}}
	for range 50 { // all but the first after the end
		ex, err := r.g.Send(ctx, replay.Plan{Source: src, Origin: recorder.Replay, To: rt.Default.Forward[0]})
		if err != nil || ex.Outcome != recorder.Unreachable || !strings.HasPrefix(ex.Detail, "interrupted") {
			t.Fatalf("%+v, %v", ex, err)
		}
	}
	if n := len(arrived); n > 0 {
		t.Errorf("%d were sent after the end", n)
	}
}
