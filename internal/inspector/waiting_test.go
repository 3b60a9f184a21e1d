package inspector

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// awaited are the numbers in an answer to wait.
func awaited(t *testing.T, r reply) string {
	t.Helper()
	v := r.json(t)
	var seqs []any
	for _, ex := range v["exchanges"].([]any) {
		seqs = append(seqs, ex.(map[string]any)["seq"])
	}
	return fmt.Sprint(seqs, v["timed_out"])
}

// What is waited for is what comes from now on, or behind a recording, fits, and is done.
func TestWait(t *testing.T) {
	b := newBench(t)
	for _, event := range []string{"a", "b", "a"} {
		b.record(recorder.Exchange{Event: event}, recorder.Response{})
	}
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?timeout=20ms", "")); got != "[] true" {
		t.Errorf("nothing comes: %s", got)
	}
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?after=0&count=3&view=summary", "")); got != "[1 2 3] false" {
		t.Errorf("after=0: %s", got)
	}
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?after=1&count=2&view=summary", "")); got != "[2 3] false" {
		t.Errorf("after #1: %s", got)
	}
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?after=1&count=2&filter=event:a&timeout=20ms", "")); got != "[3] true" {
		t.Errorf("of two, one fits: %s", got)
	}
	under := recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Event: "late", Verdict: verify.Verdict{Status: verify.Unverified}, Request: recorder.Request{Method: "POST", URL: "http://127.0.0.1:1/hooks"}}
	if err := b.store.Append(context.Background(), &under); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() { got <- awaited(t, b.call("GET", "/devhook/v1/wait?after=3&filter=event:late&timeout=10s", "")) }()
	b.record(recorder.Exchange{Event: "a"}, recorder.Response{})
	if err := b.store.Finish(context.Background(), under.ID, recorder.Result{Outcome: recorder.Unreachable}); err != nil {
		t.Fatal(err)
	}
	if got := <-got; got != "[4] false" {
		t.Errorf("one under way: %s", got)
	}
	for _, query := range []string{"count=0", "count=101", "timeout=0", "timeout=11m", "timeout=soon", "filter=status:x", "view=all"} {
		b.must(400, "GET", "/devhook/v1/wait?"+query, "")
	}
	b.must(404, "GET", "/devhook/v1/wait?after=99", "")

	// One that was removed has a place still, and what comes is behind it.
	for _, seq := range []string{"2", "5"} {
		b.must(200, "DELETE", "/devhook/v1/exchanges/"+seq, "")
	}
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?after=2&count=2&view=summary", "")); got != "[3 4] false" {
		t.Errorf("after one that was removed: %s", got)
	}
	b.record(recorder.Exchange{}, recorder.Response{})
	if got := awaited(t, b.must(200, "GET", "/devhook/v1/wait?after=5&view=summary", "")); got != "[6] false" && got != "[7] false" {
		t.Errorf("after the newest, which was removed: %s", got)
	}
	b.must(404, "GET", "/devhook/v1/wait?after=99", "")
}

// Who goes away is waited for no longer, and the end of devhook ends the waiting.
func TestWaitEnds(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "GET", b.url+"/devhook/v1/wait?timeout=10m", nil)
		_, err := http.DefaultClient.Do(req)
		gone <- err
	}()
	b.waits(1)
	cancel()
	if err := <-gone; err == nil {
		t.Error("it was answered")
	}
	b.waits(0)
	last := make(chan reply, 1)
	go func() { last <- b.call("GET", "/devhook/v1/wait?timeout=10m", "") }()
	b.waits(1)
	b.in.Close()
	if r := <-last; r.status != 503 {
		t.Errorf("at the end: %d %s", r.status, r.body)
	}
}

// waits waits until so many requests are under way that take their time.
func (b *bench) waits(want int) {
	b.t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		b.in.mu.Lock()
		n := b.in.streams
		b.in.mu.Unlock()
		if n == want {
			return
		}
		if time.Now().After(until) {
			b.t.Fatalf("%d are under way, want %d", n, want)
		}
	}
}
