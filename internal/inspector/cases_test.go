package inspector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Which cases are right is told of each; what one changes is sent, signed and recorded.
func TestCases(t *testing.T) {
	b := newBench(t)
	send := func(cases string) string {
		t.Helper()
		body, _ := json.Marshal(map[string]string{"cases": cases})
		v := b.must(200, "POST", "/devhook/v1/test", string(body)).json(t)
		var all []string
		for _, c := range v["cases"].([]any) {
			c := c.(map[string]any)
			all = append(all, fmt.Sprint(c["name"], " ", c["line"], " ", c["ok"], " ", c["why"]))
		}
		return fmt.Sprint(strings.Join(all, "; "), " = ", v["right"], " ", v["wrong"], " ", v["timed_out"])
	}
	got := send("cases:\n- name: it is taken\n  send: tiktok/video.publish.completed\n  times: 2\n  contains: video.publish\n- send: tiktok/video.publish.completed\n  changes: [path /status/422]\n  expect: 2xx\n")
	if !strings.HasPrefix(got, "it is taken 2 true <nil>; case 2 6 false ") || !strings.HasSuffix(got, " = 1 1 false") {
		t.Errorf("%s", got)
	}
	if n := b.seen.Load(); n != 3 {
		t.Errorf("the app saw %d", n)
	}
	if ex := b.must(200, "GET", "/devhook/v1/exchanges/last", "").json(t); fmt.Sprint(ex["changes"]) != "[path /status/422]" || ex["verdict"].(map[string]any)["status"] != "valid" {
		t.Errorf("recorded: %v", ex)
	}
	b.app.Close()
	if got := send("send: tiktok/video.publish.completed\n"); !strings.Contains(got, "false") {
		t.Errorf("nobody is there: %s", got)
	}
}

// No program is started, no file is read, nothing is sent elsewhere, and a case that cannot
// be sent keeps all back.
func TestCasesRefused(t *testing.T) {
	b := newBench(t)
	const sample = "send: tiktok/video.publish.completed\n"
	for _, test := range []struct {
		status int
		fields map[string]string
		says   string
	}{
		{403, map[string]string{"cases": sample, "app": "touch /tmp/started"}, "devhook test DIR --app COMMAND"},
		{403, map[string]string{"cases": sample, "ready": "http://127.0.0.1/"}, "devhook test DIR --app COMMAND"},
		{403, map[string]string{"cases": "send: ../../etc/passwd\n"}, "the API reads no file"},
		{403, map[string]string{"cases": sample, "to": "http://192.0.2.1/"}, "no app of this devhook"},
		{404, map[string]string{"cases": "cases:\n- " + sample + "- send: tiktok/none\n"}, "line 3: there is no sample"},
		{422, map[string]string{"cases": sample + "changes: [set nothing.here=1]\n"}, "line 1: "},
		{400, map[string]string{"cases": sample + "odd: 1\n"}, "odd"},
		{400, map[string]string{"cases": sample + "at: soon\n"}, "at is not a time"},
		{400, map[string]string{"cases": " "}, "cases are missing"},
		{400, map[string]string{"dir": "/tmp"}, "unknown field"},
	} {
		body, _ := json.Marshal(test.fields)
		if r := b.must(test.status, "POST", "/devhook/v1/test", string(body)); !strings.Contains(string(r.body), test.says) {
			t.Errorf("%v: %s", test.fields, r.body)
		}
	}
	if n := b.seen.Load(); n != 0 {
		t.Errorf("the app saw %d", n)
	}
	url, allow := appOf(t, func(http.ResponseWriter, *http.Request) {})
	other := newBench(t, allow)
	body, _ := json.Marshal(map[string]string{"cases": sample + "times: 10000\n", "to": url, "within": "100ms"})
	if v := other.must(200, "POST", "/devhook/v1/test", string(body)).json(t); v["timed_out"] != true {
		t.Errorf("ten thousand in a moment: %v", v)
	}
}
