package inspector

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"devhook/recorder"
)

// appOf is an app of its own that may be sent to.
func appOf(t *testing.T, h http.HandlerFunc) (url string, allow func(*Options)) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, func(o *Options) { o.AllowTo = []string{strings.TrimPrefix(s.URL, "http://")} }
}

// A webhook is delivered until the provider is content, and each try is signed and recorded.
func TestDeliver(t *testing.T) {
	var came atomic.Int64
	url, allow := appOf(t, func(w http.ResponseWriter, _ *http.Request) {
		if came.Add(1) < 3 {
			w.WriteHeader(500)
		}
	})
	b := newBench(t, allow)
	b.signed()
	v := b.must(200, "POST", "/devhook/v1/deliver", `{"ref":"1","to":"`+url+`","duplicate":true}`).json(t)
	tries := v["tries"].([]any)
	if v["delivered"] != true || v["duplicate"] != true || v["answered"] != 4.0 || len(tries) != 4 || v["timed_out"] != false {
		t.Errorf("the third is taken: %v", v)
	}
	if last := tries[3].(map[string]any); last["result"] != "duplicate" || last["at_ns"] != tries[2].(map[string]any)["at_ns"] {
		t.Errorf("the last is %v", last)
	}
	for seq := 2; seq <= 5; seq++ {
		ex := b.must(200, "GET", fmt.Sprintf("/devhook/v1/exchanges/%d", seq), "").json(t)
		if ex["verdict"].(map[string]any)["status"] != "valid" || ex["parent"] == nil {
			t.Errorf("#%d: %v", seq, ex)
		}
	}
	came.Store(-100)
	v = b.must(200, "POST", "/devhook/v1/deliver", `{"fixture":"tiktok/video.publish.completed","provider":"github","secret":"s","to":"`+url+`"}`).json(t)
	if len(v["tries"].([]any)) != 1 || v["delivered"] != false || v["policy"].(map[string]any)["provider"] != "github" {
		t.Errorf("GitHub tries once: %v", v)
	}
	b.app.Close()
	v = b.must(200, "POST", "/devhook/v1/deliver", `{"ref":"1","timeout":"1s"}`).json(t)
	if v["answered"] != 0.0 || v["delivered"] != false {
		t.Errorf("nobody is there: %v", v)
	}
	b.must(403, "POST", "/devhook/v1/deliver", `{"ref":"1","to":"http://192.0.2.1/"}`)
	b.must(400, "POST", "/devhook/v1/deliver", `{"ref":"1","as":"github"}`)
}

// What an app falls over is found.
func TestShrink(t *testing.T) {
	url, allow := appOf(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var v struct{ A struct{ B []int } }
		if json.Unmarshal(body, &v); len(v.A.B) > 0 {
			w.WriteHeader(500)
		}
	})
	b := newBench(t, allow)
	ex := b.record(recorder.Exchange{Provider: "tiktok", Request: recorder.Request{Body: recorder.Body{Bytes: []byte(`{"x":"some text","a":{"b":[12345],"c":null},"y":[1,2,3]}`)}}}, recorder.Response{})
	v := b.must(200, "POST", "/devhook/v1/shrink", `{"ref":"`+string(ex.ID)+`","to":"`+url+`"}`).json(t)
	if v["done"] != true || !strings.HasPrefix(v["body"].(string), `{"a":{"b":[`) || v["to"].(float64) > 15 {
		t.Errorf("it is %v", v)
	}
	smallest := b.must(200, "GET", fmt.Sprintf("/devhook/v1/exchanges/%v", v["id"]), "").json(t)
	if smallest["response"].(map[string]any)["status"] != 500.0 || smallest["request"].(map[string]any)["body"] != v["body"] {
		t.Errorf("its recording is %v", smallest)
	}
	if v := b.must(200, "POST", "/devhook/v1/shrink", `{"ref":"1","to":"`+url+`","max_tries":2}`).json(t); v["done"] != false || v["tries"] != 2.0 {
		t.Errorf("with two tries: %v", v)
	}
	if r := b.must(422, "POST", "/devhook/v1/shrink", `{"ref":"1"}`); !strings.Contains(string(r.body), "answered 200") {
		t.Errorf("an app that does not fall: %s", r.body)
	}
	for _, body := range []string{`{"ref":"1","while":"soon"}`, `{"ref":"1","while":"same"}`, `{"ref":"1","max_tries":0}`, `{"ref":"1","max_tries":10001}`, `{"ref":"1","save":"/tmp/x.json"}`} {
		b.must(400, "POST", "/devhook/v1/shrink", body)
	}
	b.must(504, "POST", "/devhook/v1/shrink", `{"ref":"1","to":"`+url+`","within":"1ns"}`)
	b.app.Close()
	b.must(502, "POST", "/devhook/v1/shrink", `{"ref":"1"}`)
}

// What happens in a session is what the app is sent.
func TestSession(t *testing.T) {
	b := newBench(t)
	v := b.must(200, "POST", "/devhook/v1/session", `{"kind":"tiktok-live","minutes":1,"seed":7}`).json(t)
	if n := float64(b.seen.Load()); v["events"] != n || v["sent"] != n || v["failed"] != 0.0 || n < 10 {
		t.Errorf("the app saw %v of %v", n, v)
	}
	if ex := b.must(200, "GET", "/devhook/v1/exchanges/last", "").json(t); ex["provider"] != "euler" || ex["origin"] != "trigger" {
		t.Errorf("recorded: %v", ex)
	}
	seen := b.seen.Load()
	dry := `{"kind":"tiktok-live","minutes":1,"seed":7,"start":"2026-11-01T20:00:00Z","dry_run":true}`
	one, two := b.must(200, "POST", "/devhook/v1/session", dry), b.must(200, "POST", "/devhook/v1/session", dry)
	if string(one.body) != string(two.body) || float64(len(one.json(t)["list"].([]any))) != v["events"] || one.json(t)["diamonds"] != v["diamonds"] {
		t.Errorf("a dry run: %d and %d bytes", len(one.body), len(two.body))
	}
	if b.seen.Load() != seen {
		t.Error("a dry run sends")
	}
	slow := b.must(200, "POST", "/devhook/v1/session", `{"kind":"tiktok-live","minutes":1,"speed":"1x","within":"300ms"}`).json(t)
	if slow["timed_out"] != true || slow["sent"].(float64) > 3 {
		t.Errorf("as fast as it was: %v", slow)
	}
	for _, body := range []string{`{}`, `{"kind":"other"}`, `{"kind":"tiktok-live","minutes":0}`, `{"kind":"tiktok-live","minutes":241}`, `{"kind":"tiktok-live","start":"soon"}`} {
		b.must(400, "POST", "/devhook/v1/session", body)
	}
	b.must(422, "POST", "/devhook/v1/session", `{"kind":"tiktok-live","speed":"fast"}`)
	b.must(403, "POST", "/devhook/v1/session", `{"kind":"tiktok-live","to":"http://192.0.2.1/"}`)
	b.app.Close()
	b.must(502, "POST", "/devhook/v1/session", `{"kind":"tiktok-live","minutes":1}`)
}

// What does not fit is told in words of JSON.
func TestUnfit(t *testing.T) {
	b := newBench(t)
	for path, want := range map[string]string{
		"session {\"speed\":0}":      "speed is number, want a string",
		"deliver {\"duplicate\":1}":  "duplicate is number, want true or false",
		"shrink {\"max_tries\":1.5}": "max_tries is number 1.5, want a whole number",
		"attack []":                  "it is array, want an object",
		"attack {\"ref\":1}":         "ref is number, want a string",
		"attack {\"rev\":\"1\"}":     "unknown field \"rev\"",
	} {
		name, body, _ := strings.Cut(path, " ")
		var got struct{ Error string }
		if err := json.Unmarshal(b.must(400, "POST", "/devhook/v1/"+name, body).body, &got); err != nil || !strings.HasSuffix(got.Error, ": "+want) {
			t.Errorf("%s: %q, want %q", path, got.Error, want)
		}
	}
}
