package inspector

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"devhook/internal/interchange"
	"devhook/recorder"
	"devhook/verify"
)

// What is exported is all that the filter lets through, oldest first, with bodies that
// are in files, and without credentials; what a format cannot have is refused whole.
func TestExport(t *testing.T) {
	b := newBench(t)
	large := strings.Repeat("0123456789abcdef", 20_000) // 320 kB
	for _, body := range []string{`{"n":1}`, large, `{"n":3}`} {
		b.record(recorder.Exchange{Request: recorder.Request{
			Headers: map[string][]string{"Authorization": {"Bearer token-of-somebody"}, "Content-Type": {"text/plain"}},
			Body:    recorder.Body{Bytes: []byte(body)}, Size: int64(len(body)),
		}}, recorder.Response{})
	}
	lines := strings.Split(strings.TrimSpace(string(b.must(200, "GET", "/devhook/v1/export", "").body)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []string{`{"n":1}`, large, `{"n":3}`} {
		var ex recorder.Exchange
		if err := json.Unmarshal([]byte(lines[i]), &ex); err != nil || string(ex.Request.Body.Bytes) != want {
			t.Errorf("line %d: %v, a body of %d bytes", i, err, len(ex.Request.Body.Bytes))
		}
	}
	har := b.must(200, "GET", "/devhook/v1/export?format=har&filter=seq:1,3&limit=1", "").json(t)
	if n := len(har["log"].(map[string]any)["entries"].([]any)); n != 1 {
		t.Errorf("the HAR has %d", n)
	}
	var formats []string
	for _, f := range interchange.Formats() {
		format := string(f)
		formats = append(formats, format)
		r := b.must(200, "GET", "/devhook/v1/export?filter=seq:1&format="+format, "")
		if !strings.Contains(string(r.body), `\"n\":1`) && !strings.Contains(string(r.body), `"n":1`) || strings.Contains(string(r.body), "token-of-somebody") {
			t.Errorf("%s: %s", format, r.body)
		}
		if d := r.header.Get("Content-Disposition"); d != `attachment; filename="devhook.`+format+`"` {
			t.Errorf("%s is sent as %q", format, d)
		}
		b.must(200, "GET", "/devhook/v1/export?filter=seq:99&format="+format, "")
	}
	if enum := `{"enum": ["` + strings.Join(formats, `", "`) + `"], "default": "ndjson"}`; !strings.Contains(string(openapi), enum) {
		t.Errorf("openapi.json has no %s", enum)
	}
	b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: []byte("\xff\x00")}, Size: 2}}, recorder.Response{})
	b.must(422, "GET", "/devhook/v1/export?format=http&filter=seq:1,4", "")
	for _, query := range []string{"format=pdf", "limit=0", "filter=status:x"} {
		b.must(400, "GET", "/devhook/v1/export?"+query, "")
	}
}

// What is shared has neither credentials nor personal data, and a signature that verifies
// with what the trailer says. What was forged stays forged.
func TestExportRedacted(t *testing.T) {
	b := newBench(t)
	ex := recorder.Exchange{Provider: "github", Event: "ping", Verdict: verify.Verdict{Status: verify.Valid}, Request: recorder.Request{
		Headers: map[string][]string{"X-Github-Event": {"ping"}, "X-Hub-Signature-256": {"sha256=00"}, "Content-Type": {"application/json"}},
		Body:    recorder.Body{Bytes: []byte(`{"email":"somebody@home.example","zen":"` + tiktokSecret + `"}`)},
	}}
	b.record(ex, recorder.Response{})
	ex.Verdict.Status = verify.Invalid
	b.record(ex, recorder.Response{})
	r := b.must(200, "GET", "/devhook/v1/export?redact=true&sign_anew=true", "")
	for _, leak := range []string{"somebody", tiktokSecret} {
		if strings.Contains(string(r.body), leak) {
			t.Errorf("%s is in %s", leak, r.body)
		}
	}
	var told struct {
		Replaced []string
		Signed   map[string]struct{ Secret string }
	}
	if err := json.Unmarshal([]byte(r.header.Get("X-Devhook-Export")), &told); err != nil || !slices.Contains(told.Replaced, "body email") {
		t.Fatalf("the trailer is %q, %v", r.header.Get("X-Devhook-Export"), err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(r.body)), "\n") {
		ask, _ := json.Marshal(map[string]any{"exchange": json.RawMessage(line), "secret": told.Signed["github"].Secret})
		got := b.must(200, "POST", "/devhook/v1/verify", string(ask)).json(t)["verdict"].(map[string]any)["status"]
		if want := []string{"valid", "invalid"}[i]; got != want {
			t.Errorf("line %d is %v, want %s", i, got, want)
		}
	}
	if r := b.must(200, "GET", "/devhook/v1/export?redact=false", ""); !strings.Contains(string(r.body), "somebody") || strings.Contains(string(r.body), tiktokSecret) {
		t.Errorf("without redact: %s", r.body)
	}
	b.must(400, "GET", "/devhook/v1/export?redact=maybe", "")
	if r := b.must(403, "GET", "/devhook/v1/export?with_credentials=true", ""); !strings.Contains(string(r.body), "devhook export --with-credentials") {
		t.Errorf("%s", r.body)
	}
}
