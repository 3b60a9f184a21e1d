package gateway

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// So is what --verify report lets through.
func TestPassedIsDiagnosed(t *testing.T) {
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}))
	rt.Keys, rt.Default.Verify = tiktokKeys, Report
	r := newRig(t, rt, Options{})
	if status, _ := r.post("/", tiktokBody+"\n", signed(t, tiktokBody, time.Now())...); status != 200 {
		t.Fatal(status)
	}
	if ex := r.recorded(1)[0]; ex.Outcome != recorder.Answered || !strings.HasPrefix(ex.Detail, "matches if the body's trailing newline is removed") {
		t.Errorf("recorded %s, %q", ex.Outcome, ex.Detail)
	}
}

// What would make a signature right is recorded, and the sender is not told;
// forged requests do not become more work than two looks a second.
func TestRefusalsAreDiagnosed(t *testing.T) {
	reached := false
	now := time.Unix(1_800_000_000, 0)
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) { reached = true }))
	rt.Keys = tiktokKeys
	r := newRig(t, rt, Options{Now: func() time.Time { return now }})
	header := signed(t, tiktokBody, now)
	const want = "matches if the body's trailing newline is removed"
	for range 4 {
		status, answer := r.post("/", tiktokBody+"\n", header...)
		if status != 403 || strings.Contains(answer, "newline") || reached {
			t.Fatalf("%d %s", status, answer)
		}
	}
	found := 0
	for _, ex := range r.recorded(4) {
		if ex.Outcome != recorder.Refused || ex.Verdict.Reason != verify.BadSignature || ex.Response == nil || ex.Response.Status != 403 {
			t.Errorf("recorded %s %+v %+v", ex.Outcome, ex.Verdict, ex.Response)
		}
		if strings.HasPrefix(ex.Detail, want) {
			found++
		} else if ex.Detail != "" {
			t.Errorf("found %q", ex.Detail)
		}
	}
	if found != 2 {
		t.Errorf("%d were diagnosed, want 2", found)
	}
}

// What a stranger sends must not end devhook, whatever is wrong with what looks
// at it.
func TestAFaultInADiagnosisIsTold(t *testing.T) {
	var log bytes.Buffer
	p, _ := verify.Lookup("tiktok")
	c := &diagnosis{ // without a catalog it cannot work
		provider: p, keys: tiktokKeys, at: time.Now(), log: slog.New(slog.NewTextHandler(&log, nil)),
		message: verify.Message{Method: "POST", URL: &url.URL{}, Header: http.Header{"Tiktok-Signature": {"t=1,s=" + strings.Repeat("0", 64)}}, Body: []byte("{}")},
	}
	if got := c.find(); got != "" || !strings.Contains(log.String(), "a fault in devhook") {
		t.Errorf("%q, told %q", got, log.String())
	}
}
