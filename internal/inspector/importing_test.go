package inspector

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"devhook/recorder"
)

// What was exported comes back as it was, under another number; another program's requests
// are recognised, and nothing is sent.
func TestImport(t *testing.T) {
	b := newBench(t)
	b.signed()
	b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: []byte(strings.Repeat("large ", 60_000))}}}, recorder.Response{})
	post := func(text string) map[string]any {
		t.Helper()
		body, _ := json.Marshal(map[string]string{"text": text})
		return b.must(200, "POST", "/devhook/v1/import", string(body)).json(t)
	}
	for _, format := range []string{"ndjson", "har"} {
		if got := post(string(b.must(200, "GET", "/devhook/v1/export?filter=seq:1..2&format="+format, "").body)); len(got["exchanges"].([]any)) != 2 {
			t.Errorf("%s: %v", format, got)
		}
	}
	if got := b.must(200, "GET", "/devhook/v1/exchanges/3", "").json(t); got["origin"] != "import" || got["provider"] != "tiktok" || got["verdict"].(map[string]any)["status"] != "valid" {
		t.Errorf("imported: %v", got)
	}
	for seq := range 2 {
		was := b.must(200, "GET", "/devhook/v1/exchanges/2/body", "").body
		if now := b.must(200, "GET", "/devhook/v1/exchanges/"+[]string{"4", "6"}[seq]+"/body", "").body; string(now) != string(was) {
			t.Errorf("a large body came back as %d bytes of %d", len(now), len(was))
		}
	}
	post("POST /hooks HTTP/1.1\r\nHost: h.example\r\nX-GitHub-Event: ping\r\nX-GitHub-Delivery: d\r\nContent-Length: 2\r\n\r\n{}")
	if got := b.must(200, "GET", "/devhook/v1/exchanges/last", "").json(t); got["provider"] != "github" || got["event"] != "ping" {
		t.Errorf("a message: %v", got)
	}
	coded := base64.StdEncoding.EncodeToString([]byte("curl https://h.example/hooks -d x=1"))
	b.must(200, "POST", "/devhook/v1/import", `{"text":{"base64":"`+coded+`"}}`)
	if n := b.seen.Load(); n != 0 {
		t.Errorf("the app saw %d", n)
	}
}

// What has a fault imports nothing, and no file is read.
func TestImportRefuses(t *testing.T) {
	b := newBench(t)
	good := `{"v":1,"request":{"method":"POST","url":"http://h.example/a"}}`
	for _, text := range []string{"", "nothing", good + "\n" + good[:20], "curl https://h.example/hooks -d @/etc/hostname"} {
		body, _ := json.Marshal(map[string]string{"text": text})
		r := b.must(422, "POST", "/devhook/v1/import", string(body))
		if strings.HasPrefix(text, "curl") && !strings.Contains(string(r.body), "devhook import --files") {
			t.Errorf("a file that is named: %s", r.body)
		}
	}
	for _, body := range []string{"{}", `{"text":1}`, `{"file":"/etc/hostname"}`, ""} {
		b.must(400, "POST", "/devhook/v1/import", body)
	}
	if got := b.list(); got != "[]" {
		t.Errorf("recorded: %s", got)
	}
}
