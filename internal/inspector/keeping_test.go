package inspector

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"devhook/recorder"
	"devhook/verify"
)

// What is pinned says so, is found by the filter, and stays until it is unpinned. To
// say it twice changes nothing.
func TestPinAndUnpin(t *testing.T) {
	b := newBench(t)
	ex := b.record(recorder.Exchange{}, recorder.Response{})
	b.record(recorder.Exchange{}, recorder.Response{})
	pinned := func() int {
		t.Helper()
		return len(b.must(200, "GET", "/devhook/v1/exchanges?filter=pinned:true", "").json(t)["exchanges"].([]any))
	}
	size := b.store.Size()
	for _, ref := range []string{"1", string(ex.ID)} {
		v := b.must(200, "PUT", "/devhook/v1/exchanges/"+ref+"/pin", "").json(t)
		if v["id"] != string(ex.ID) || v["seq"] != 1.0 || v["pinned"] != true {
			t.Errorf("pinned %s: %v", ref, v)
		}
		if now := b.store.Size(); ref != "1" && now != size {
			t.Errorf("to pin it again writes %d bytes", now-size)
		}
		size = b.store.Size()
	}
	if v := b.must(200, "GET", "/devhook/v1/exchanges/1", "").json(t); v["pinned"] != true || pinned() != 1 {
		t.Errorf("a pinned one has pinned %v, and the filter finds %d", v["pinned"], pinned())
	}
	if v := b.must(409, "DELETE", "/devhook/v1/exchanges/1", "").json(t); v["error"] != "#1 is pinned" || v["hint"] == "" {
		t.Errorf("a pinned one is refused with %v", v)
	}
	b.must(200, "GET", "/devhook/v1/exchanges/1", "")
	if v := b.must(200, "DELETE", "/devhook/v1/exchanges/1/pin", "").json(t); v["pinned"] != false || pinned() != 0 {
		t.Errorf("unpinned: %v, and the filter finds %d", v, pinned())
	}
	b.must(200, "DELETE", "/devhook/v1/exchanges/1/pin", "")
	b.must(200, "DELETE", "/devhook/v1/exchanges/1", "")
	for _, op := range []string{"PUT /devhook/v1/exchanges/1/pin", "DELETE /devhook/v1/exchanges/1/pin", "PUT /devhook/v1/exchanges/none/pin"} {
		method, path, _ := strings.Cut(op, " ")
		b.must(404, method, path, "")
	}
}

// Exactly one goes, whatever else is like it, and what comes afterwards has a number
// of its own.
func TestDelete(t *testing.T) {
	b := newBench(t)
	body := recorder.Body{Bytes: []byte("the-only-one-with-this")}
	b.record(recorder.Exchange{}, recorder.Response{})
	ex := b.record(recorder.Exchange{Request: recorder.Request{Body: body}}, recorder.Response{})
	b.record(recorder.Exchange{Parent: ex.ID, Origin: recorder.Replay}, recorder.Response{})
	under := recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Verdict: verify.Verdict{Status: verify.Unverified}, Request: recorder.Request{Method: "POST", URL: "http://127.0.0.1:1/hooks"}}
	if err := b.store.Append(context.Background(), &under); err != nil {
		t.Fatal(err)
	}
	if v := b.must(409, "DELETE", "/devhook/v1/exchanges/4", "").json(t); v["error"] != "#4 is under way" {
		t.Errorf("one under way is refused with %v", v)
	}
	for _, ref := range []string{"last", "last~1", "live", "live~0"} {
		b.must(400, "DELETE", "/devhook/v1/exchanges/"+ref, "")
	}
	v := b.must(200, "DELETE", "/devhook/v1/exchanges/2", "").json(t)
	if v["id"] != string(ex.ID) || v["seq"] != 2.0 || v["bytes"].(float64) <= 0 {
		t.Errorf("deleted: %v", v)
	}
	for _, method := range []string{"GET", "DELETE"} {
		b.must(404, method, "/devhook/v1/exchanges/2", "")
		b.must(404, method, "/devhook/v1/exchanges/"+string(ex.ID), "")
	}
	if got := b.list(); got != "[4 3 1]" {
		t.Errorf("%s are left", got)
	}
	if err := b.store.Finish(context.Background(), under.ID, recorder.Result{Outcome: recorder.Unreachable}); err != nil {
		t.Errorf("what was under way cannot be done: %v", err)
	}
	if next := b.record(recorder.Exchange{}, recorder.Response{}); next.Seq <= 4 {
		t.Errorf("#%d came again", next.Seq)
	}
}

// list is the numbers of what there is, the newest first.
func (b *bench) list() string {
	b.t.Helper()
	var seqs []any
	for _, ex := range b.must(200, "GET", "/devhook/v1/exchanges?limit=1000", "").json(b.t)["exchanges"].([]any) {
		seqs = append(seqs, ex.(map[string]any)["seq"])
	}
	return fmt.Sprint(seqs)
}

// Of many who delete the same, one has done it; what comes meanwhile is not lost.
func TestDeleteAtOnce(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{}, recorder.Response{})
	var done atomic.Int64
	var work sync.WaitGroup
	for range 6 {
		work.Go(func() {
			switch r := b.call("DELETE", "/devhook/v1/exchanges/1", ""); r.status {
			case 200:
				done.Add(1)
			case 404, 503:
			default:
				t.Errorf("%d %s", r.status, r.body)
			}
		})
		work.Go(func() { b.record(recorder.Exchange{}, recorder.Response{}) })
	}
	work.Wait()
	if done.Load() != 1 {
		t.Errorf("%d have deleted it", done.Load())
	}
	if got := strings.Count(b.list(), " ") + 1; got != 6 {
		t.Errorf("%d are there: %s", got, b.list())
	}
}

// No page elsewhere pins or deletes, and nobody without the token where there is one.
func TestKeepingIsGuarded(t *testing.T) {
	for _, test := range []struct {
		about   string
		shared  bool
		body    string
		headers []string
		want    int
	}{
		{"rebinding", false, "", []string{"Host: evil.test"}, 403},
		{"a page elsewhere", false, "", []string{"Origin: http://evil.test", "Sec-Fetch-Site: cross-site"}, 403},
		{"a page on another port", false, "", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"a link to follow", false, "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 403},
		{"a tunnel in front", false, "", []string{"X-Forwarded-For: 1.2.3.4"}, 403},
		{"a body that is no JSON", false, "x=1", []string{"Content-Type: text/plain"}, 415},
		{"a body of no type", false, "{}", nil, 415},
		{"no token", true, "", nil, 401},
		{"a wrong token", true, "", []string{"Authorization: Bearer the-tokem"}, 401},
		{"its own page", false, "", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"the token", true, "", []string{"Authorization: Bearer the-token"}, 200},
	} {
		b := newBench(t, func(o *Options) { o.Shared = test.shared })
		ex := b.record(recorder.Exchange{}, recorder.Response{})
		for _, op := range []string{"PUT /devhook/v1/exchanges/1/pin", "DELETE /devhook/v1/exchanges/1/pin", "DELETE /devhook/v1/exchanges/1"} {
			method, path, _ := strings.Cut(op, " ")
			if r := b.call(method, path, test.body, test.headers...); r.status != test.want {
				t.Errorf("%s: %s: %d %s, want %d", test.about, op, r.status, r.body, test.want)
			}
		}
		left, err := b.store.Get(string(ex.ID))
		if gone := err != nil; gone != (test.want == http.StatusOK) || left != nil && left.Pinned {
			t.Errorf("%s: afterwards %v, %v", test.about, left, err)
		}
	}
}
