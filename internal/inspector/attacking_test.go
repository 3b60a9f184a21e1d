package inspector

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"devhook/verify"
)

// judging is an app that acts on what is signed, as often as it comes, and says how often
// at /count.
func judging(t *testing.T) *httptest.Server {
	t.Helper()
	var acted atomic.Int64
	guard := &verify.Guard{Keys: map[string]verify.Keys{"tiktok": {Secrets: []verify.Secret{verify.NewSecret(tiktokSecret)}}}}
	mux := http.NewServeMux()
	mux.Handle("POST /", guard.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { acted.Add(1) })))
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, acted.Load()) })
	mux.HandleFunc("GET /elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// findings are the ids of what an attack has found.
func findings(v map[string]any) (ids []string) {
	for _, f := range v["findings"].([]any) {
		ids = append(ids, f.(map[string]any)["id"].(string))
	}
	return ids
}

// An app that does not look at signatures is found out, one that does is not, and what was sent
// is recorded.
func TestAttack(t *testing.T) {
	right := judging(t)
	host := strings.TrimPrefix(right.URL, "http://")
	b := newBench(t, func(o *Options) { o.AllowTo = []string{host} })
	b.signed()
	v := b.must(200, "POST", "/devhook/v1/attack", `{"ref":"1","only":["control","signature-missing","body-flipped"]}`).json(t)
	if ids := findings(v); v["sent"] != 3.0 || v["timed_out"] != false || len(ids) == 0 {
		t.Errorf("an app that takes all: %v", v)
	}
	if n := b.seen.Load(); n != 3 {
		t.Errorf("the app saw %d", n)
	}
	one := b.must(200, "GET", "/devhook/v1/exchanges/last", "").json(t)
	if fmt.Sprint(one["changes"]) != "[attack body-flipped]" || one["origin"] != "replay" {
		t.Errorf("recorded: %v", one)
	}
	body := `{"fixture":"tiktok/video.publish.completed","to":"` + right.URL + `","effects":"` + right.URL + `/count","only":["control","signature-missing","twice"]}`
	v = b.must(200, "POST", "/devhook/v1/attack", body).json(t)
	if ids := findings(v); !slices.Equal(ids, []string{"not-idempotent"}) {
		t.Errorf("an app that verifies and acts twice: %v", v)
	}
	list := b.must(200, "GET", "/devhook/v1/attack", "").json(t)["variants"].([]any)
	if len(list) < 20 {
		t.Errorf("%d variants", len(list))
	}
}

// No command is started, nothing is sent to addresses that are not the app's, and what
// cannot be signed is told.
func TestAttackRefuses(t *testing.T) {
	right := judging(t)
	b := newBench(t)
	b.signed()
	for _, test := range []struct {
		status int
		body   string
		says   string
	}{
		{403, `{"ref":"1","effects":"touch /tmp/started"}`, "devhook attack --effects COMMAND does"},
		{403, `{"ref":"1","effects":"` + right.URL + `/count"}`, "is no app of this devhook"},
		{403, `{"ref":"1","to":"` + right.URL + `"}`, "is no app of this devhook"},
		{400, `{"ref":"1","effects":"http://"}`, "no URL"},
		{400, `{"ref":"1","only":["nothing"]}`, "unknown variant"},
		{400, `{"ref":"1","within":"1h"}`, "within"},
		{400, `{"ref":"1","timeout":"2m"}`, "timeout"},
		{400, `{"ref":"1","junit":"/tmp/report.xml"}`, "unknown field"},
		{400, `{"ref":"1","fixture":"tiktok/video.publish.completed"}`, "in the place of"},
		{404, `{"fixture":"tiktok/none"}`, "no sample"},
		{404, `{"ref":"99"}`, ""},
		{422, `{"ref":"1","provider":"stripe"}`, "stripe: "},
		{422, `{"message":"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"}`, "no provider"},
	} {
		if r := b.must(test.status, "POST", "/devhook/v1/attack", test.body); !strings.Contains(string(r.body), test.says) {
			t.Errorf("%s: %s", test.body, r.body)
		}
	}
	if n := b.seen.Load(); n != 0 {
		t.Errorf("the app saw %d", n)
	}
	own := `{"ref":"1","only":["control"],"effects":"` + b.app.URL + `/none"}` // it answers what it is asked: nothing
	b.must(422, "POST", "/devhook/v1/attack", own)
	b.app.Close()
	if r := b.must(502, "POST", "/devhook/v1/attack", `{"ref":"1"}`); !strings.Contains(string(r.body), "did not answer") {
		t.Errorf("without an app: %s", r.body)
	}
}

// A URL of effects that leads elsewhere is not followed there.
func TestEffectsLeadNowhereElse(t *testing.T) {
	right := judging(t)
	b := newBench(t, func(o *Options) { o.AllowTo = []string{strings.TrimPrefix(right.URL, "http://")} })
	b.signed()
	r := b.must(422, "POST", "/devhook/v1/attack", `{"ref":"1","only":["control"],"effects":"`+right.URL+`/elsewhere"}`)
	if !strings.Contains(string(r.body), "302") {
		t.Errorf("%s", r.body)
	}
}

// Who goes away is not tried for any longer, and what takes too long is answered with what there
// is.
func TestAttackEnds(t *testing.T) {
	came, release := make(chan struct{}, 10), make(chan struct{})
	var first atomic.Bool // is answered
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		came <- struct{}{}
		if !first.CompareAndSwap(true, false) {
			<-release
		}
	}))
	t.Cleanup(app.Close)
	t.Cleanup(sync.OnceFunc(func() { close(release) }))
	b := newBench(t, func(o *Options) { o.AllowTo = []string{strings.TrimPrefix(app.URL, "http://")} })
	b.signed()
	body := `{"ref":"1","to":"` + app.URL + `","timeout":"1m"}`
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "POST", b.url+"/devhook/v1/attack", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		_, err := http.DefaultClient.Do(req)
		gone <- err
	}()
	<-came
	cancel()
	if err := <-gone; err == nil {
		t.Error("it was answered")
	}
	b.waits(0)
	v := b.must(200, "POST", "/devhook/v1/attack", strings.Replace(body, "1m", "50ms\",\"within\":\"1ms", 1)).json(t)
	if v["timed_out"] != true || len(v["variants"].([]any)) > 1 {
		t.Errorf("within a millisecond: %v", v)
	}
	first.Store(true)
	v = b.must(200, "POST", "/devhook/v1/attack", strings.Replace(body, `"timeout":"1m"`, `"within":"1s"`, 1)).json(t)
	if n := len(v["variants"].([]any)); v["timed_out"] != true || n > 1 || len(v["findings"].([]any)) > 0 {
		t.Errorf("what was cut off is judged: %v", v)
	}
	if n := len(came); n > 4 {
		t.Errorf("the app saw %d more", n)
	}
}
