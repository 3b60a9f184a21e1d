package inspector

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"devhook/recorder"
)

// What was answered is compared as devhook diff --response does: JSON by its values, also
// where the bodies are in files.
func TestPageComparesResponses(t *testing.T) {
	b := newBench(t)
	pad := strings.Repeat(" ", recorder.MaxInline)
	for _, body := range []string{`{"ok":true,"list":[1,2]` + pad + `}`, `{"list":[1,3],` + pad + `"ok":true}`} {
		b.record(recorder.Exchange{}, recorder.Response{Status: 200, Headers: http.Header{"Content-Type": {"application/json"}}, Body: recorder.Body{Bytes: []byte(body)}})
	}
	v := b.page("/devhook/v1/exchanges/1/diff/2?of=response").json(t)["differences"].([]any)
	if len(v) != 1 || v[0].(map[string]any)["what"] != "body list.1" {
		t.Errorf("the answers differ in %.500v", v)
	}
	pane := string(b.page("/diff/1/2", "HX-Request: true").body)
	parts := regexp.MustCompile(`(?s)id="part-request".*?</section>|id="part-response".*?</section>`).FindAllString(pane, -1)
	if len(parts) != 2 || !strings.Contains(parts[0], "No difference") || !strings.Contains(parts[1], "body list.1") || len(pane) > 10_000 {
		t.Errorf("the pane has %.2000s", pane)
	}
}

// A failure is compared with what went well, and says what it is; the others are named
// beside it. What is older stands before.
func TestPageComparesAFailure(t *testing.T) {
	b := newBench(t)
	record := func(ex recorder.Exchange, status int) *recorder.Exchange {
		ex.Provider, ex.Event = "github", "push"
		return b.record(ex, recorder.Response{Status: status})
	}
	for _, status := range []int{200, 404} {
		record(recorder.Exchange{}, status)
	}
	failed := record(recorder.Exchange{}, 500)
	compared := func(ref string) string {
		t.Helper()
		pane := string(b.page("/x/"+ref+"/before", "HX-Request: true").body)
		title := regexp.MustCompile(`(?s)<h1 id="title" tabindex="-1">(.*?)</h1>.*?data-do="compare"`).FindStringSubmatch(pane)
		if len(title) != 2 || !strings.Contains(pane, "Compare #"+ref+" with") {
			t.Fatalf("the pane of #%s has %.2000s", ref, pane)
		}
		return title[1] + " " + strings.Join(regexp.MustCompile(`Compared with [^<]*|#\d+, [^<]*`).FindAllString(title[0], -1), " ")
	}
	for _, test := range []struct{ ref, want string }{
		{"2", "#1 and #2 Compared with the last before it that went well"},
		{"3", "#1 and #3 Compared with the last before it that went well; or with #2, the one before it"},
	} {
		if got := compared(test.ref); got != test.want {
			t.Errorf("#%s is compared as %q, want %q", test.ref, got, test.want)
		}
	}
	record(recorder.Exchange{Origin: recorder.Replay, Parent: failed.ID}, 500)
	record(recorder.Exchange{Origin: recorder.Replay, Parent: failed.ID}, 200)
	record(recorder.Exchange{}, 200)
	for _, path := range []string{"/a", "/b", "/a?x=1"} {
		b.record(recorder.Exchange{Request: recorder.Request{URL: "http://127.0.0.1:1" + path}}, recorder.Response{})
	}
	for _, test := range []struct{ ref, want string }{
		{"3", "#3 and #5 Compared with its replay that went well; or with #1, the last before it that went well #2, the one before it"},
		{"4", "#3 and #4 Compared with what it was made from; or with #1, the last before it that went well"},
		{"5", "#3 and #5 Compared with what it was made from; or with #4, the one before it"},
		{"6", "#5 and #6 Compared with the one before it"},
		{"9", "#7 and #9 Compared with the one before it"}, // of its path, as there is no event
	} {
		if got := compared(test.ref); got != test.want {
			t.Errorf("#%s is compared as %q, want %q", test.ref, got, test.want)
		}
	}
}
