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
