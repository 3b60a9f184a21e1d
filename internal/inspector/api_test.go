package inspector

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"devhook/recorder"
)

// A list is read page by page, the newest first, without a gap and without one
// twice, also while others come.
func TestPages(t *testing.T) {
	b := newBench(t)
	for range 7 {
		b.record(recorder.Exchange{}, recorder.Response{})
	}
	var seqs []float64
	before := ""
	for pages := 0; pages < 4; pages++ {
		v := b.must(200, "GET", "/devhook/v1/exchanges?limit=3"+before, "").json(t)
		for _, ex := range v["exchanges"].([]any) {
			seqs = append(seqs, ex.(map[string]any)["seq"].(float64))
		}
		b.record(recorder.Exchange{}, recorder.Response{})
		next, more := v["next"]
		if !more {
			break
		}
		before = fmt.Sprintf("&before=%v", next)
	}
	if fmt.Sprint(seqs) != "[7 6 5 4 3 2 1]" {
		t.Errorf("the pages have %v", seqs)
	}
}

// A word of a filter that looks like a key and is none is told, wherever nothing may come of it.
func TestNotesOfAFilter(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{}, recorder.Response{})
	for path, body := range map[string]string{"/devhook/v1/exchanges?filter=shop:7": "", "/devhook/v1/wait?timeout=1ms&filter=shop:7": "", "/devhook/v1/replays": `{"filter":"shop:7"}`} {
		method, status := "GET", 200
		if body != "" {
			method, status = "POST", 404
		}
		if r := b.must(status, method, path, body); !strings.Contains(string(r.body), "shop") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges?filter=seq:1", ""); strings.Contains(string(r.body), "notes") {
		t.Errorf("%s", r.body)
	}
}

// A page holds what fits into memory, however large each is, and the next one goes
// on where it ends.
func TestPagesAreBounded(t *testing.T) {
	b := newBench(t)
	large := bytes.Repeat([]byte("x"), 250<<10)
	n := mostBytes/(500<<10) + 10
	for range n {
		b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: large}}}, recorder.Response{Body: recorder.Body{Bytes: large}})
	}
	first := b.must(200, "GET", "/devhook/v1/exchanges?limit=1000", "")
	if len(first.body) > mostBytes+1<<20 {
		t.Errorf("a page has %d bytes", len(first.body))
	}
	v := first.json(t)
	got := len(v["exchanges"].([]any))
	v = b.must(200, "GET", fmt.Sprintf("/devhook/v1/exchanges?limit=1000&before=%v", v["next"]), "").json(t)
	if got += len(v["exchanges"].([]any)); got != n || v["next"] != nil {
		t.Errorf("two pages have %d of %d, and then %v", got, n, v["next"])
	}
	if v := b.must(200, "GET", "/devhook/v1/exchanges?limit=1000&view=summary", "").json(t); len(v["exchanges"].([]any)) != n {
		t.Errorf("a page of summaries has %d", len(v["exchanges"].([]any)))
	}
}

func TestListFilters(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{Provider: "tiktok", Request: recorder.Request{Headers: http.Header{"X-A": {"b"}}, Body: recorder.Body{Bytes: []byte("needle")}}}, recorder.Response{Status: 500})
	b.record(recorder.Exchange{Provider: "stripe"}, recorder.Response{})
	b.record(recorder.Exchange{Provider: "stripe", Origin: recorder.Mirror}, recorder.Response{})
	for _, test := range []struct {
		query string
		want  int
	}{
		{"", 2}, {"filter=provider:tiktok", 1}, {"filter=status:5xx", 1}, {"filter=needle", 1}, {"filter=origin:mirror", 1}, {"filter=provider:slack", 0},
		{"filter=provider:stripe+-status:5xx", 1},
	} {
		v := b.must(200, "GET", "/devhook/v1/exchanges?"+test.query, "").json(t)
		if got := len(v["exchanges"].([]any)); got != test.want {
			t.Errorf("%q lets %d through, want %d", test.query, got, test.want)
		}
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges?view=summary", ""); bytes.Contains(r.body, []byte("needle")) || bytes.Contains(r.body, []byte("headers")) {
		t.Errorf("a summary has bodies or headers: %s", r.body)
	}
	for _, query := range []string{"filter=status:banana", "limit=0", "limit=1001", "limit=x", "before=x", "before=0", "view=all"} {
		r := b.must(400, "GET", "/devhook/v1/exchanges?"+query, "")
		if v := r.json(t); v["error"] == "" {
			t.Errorf("%q: %s", query, r.body)
		}
	}
}

func TestOneExchange(t *testing.T) {
	b := newBench(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<10) // 320 KiB, in a file
	spool := b.store.Spool()
	if _, err := spool.Write(large); err != nil {
		t.Fatal(err)
	}
	body, err := spool.Body()
	if err != nil {
		t.Fatal(err)
	}
	b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: []byte("\x00\xff")}}}, recorder.Response{Body: recorder.Body{Bytes: []byte("thanks")}})
	b.record(recorder.Exchange{Request: recorder.Request{Body: body}}, recorder.Response{Status: 204})

	if v := b.must(200, "GET", "/devhook/v1/exchanges/1", "").json(t); v["seq"] != 1.0 {
		t.Errorf("1 is %v", v["seq"])
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges/1/body", ""); string(r.body) != "\x00\xff" {
		t.Errorf("its body is %q", r.body)
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges/1/response", ""); string(r.body) != "thanks" {
		t.Errorf("its answer is %q", r.body)
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges/last/body", ""); !bytes.Equal(r.body, large) {
		t.Errorf("a large body comes as %d bytes", len(r.body))
	}
	if r := b.must(200, "GET", "/devhook/v1/exchanges/last", ""); !bytes.Contains(r.body, []byte(`"sha256"`)) {
		t.Errorf("a large body stands in the object: %.300s", r.body)
	}
	if v := b.must(200, "GET", "/devhook/v1/exchanges/1/frames", "").json(t); len(v["frames"].([]any)) != 0 {
		t.Errorf("no WebSocket, and %v", v)
	}
	if v := b.must(200, "GET", "/devhook/v1/exchanges/1/diff/2", "").json(t); len(v["differences"].([]any)) == 0 {
		t.Error("nothing is different")
	}
	for _, path := range []string{"99", "99/body", "99/response", "99/frames", "99/diff/1", "1/diff/99", "last~9", "nosuchid"} {
		if r := b.must(404, "GET", "/devhook/v1/exchanges/"+path, ""); r.json(t)["hint"] == nil {
			t.Errorf("%s: no hint: %s", path, r.body)
		}
	}
	b.must(400, "GET", "/devhook/v1/exchanges/1/response?of=me", "")
	b.must(404, "GET", "/devhook/v1/nothing", "")
	if r := b.must(405, "DELETE", "/devhook/v1/exchanges", ""); !strings.Contains(r.header.Get("Allow"), "GET") {
		t.Errorf("allowed is %q", r.header.Get("Allow"))
	}
}

func TestReplay(t *testing.T) {
	b := newBench(t)
	b.signed()
	v := b.must(200, "POST", "/devhook/v1/replay", `{"ref":"1","changes":["set client_key=\"other\""]}`).json(t)
	ex := v["exchange"].(map[string]any)
	if ex["outcome"] != "answered" || ex["origin"] != "replay" || ex["verdict"].(map[string]any)["status"] != "valid" {
		t.Errorf("it became %v", ex)
	}
	if b.seen.Load() != 1 {
		t.Errorf("the app saw %d", b.seen.Load())
	}
	if body := ex["request"].(map[string]any)["body"].(string); !strings.Contains(body, `"other"`) {
		t.Errorf("the body is %s", body)
	}

	v = b.must(200, "POST", "/devhook/v1/replay", `{"ref":"1","dry_run":true,"at":"-5m","changes":["header X-A: b"]}`).json(t)
	if b.seen.Load() != 1 {
		t.Error("a dry run sends")
	}
	if text := fmt.Sprint(v["differences"]); !strings.Contains(text, "X-A") || !strings.Contains(text, "Tiktok-Signature") {
		t.Errorf("a dry run differs in %s", text)
	}

	v = b.must(200, "POST", "/devhook/v1/replay", `{"message":"POST /status/500 HTTP/1.1\r\nHost: x\r\n\r\nhello","body":{"base64":"AP8="},"sign":"never"}`).json(t)
	if got := v["exchange"].(map[string]any)["response"].(map[string]any); got["status"] != 500.0 || fmt.Sprint(got["body"]) != "map[base64:AP8=]" {
		t.Errorf("a message of one's own: %v", got)
	}
}

func TestReplayRefuses(t *testing.T) {
	b := newBench(t)
	b.signed()
	for _, test := range []struct {
		status     int
		body, want string
	}{
		{400, ``, "the body"},
		{400, `{`, "the body"},
		{400, `{} {}`, "more behind"},
		{400, `{"reff":"1"}`, "reff"},
		{400, `{}`, "one of"},
		{400, `{"ref":"1","message":"x"}`, "one of"},
		{400, `{"message":"x"}`, "not one webhook"},
		{400, `{"ref":"1","sign":"maybe"}`, "sign is none"},
		{400, `{"ref":"1","at":"noon"}`, "not a time"},
		{400, `{"fixture":"tiktok/x"}`, "triggered"},
		{400, `{"ref":"1","body":1}`, "neither"},
		{404, `{"ref":"77"}`, "77"},
		{422, `{"ref":"1","changes":["set nosuch.path=1"]}`, "nosuch"},
		{422, `{"ref":"1","changes":["explode"]}`, "unknown change"},
	} {
		r := b.must(test.status, "POST", "/devhook/v1/replay", test.body)
		if !strings.Contains(r.json(t)["error"].(string), test.want) {
			t.Errorf("%s: %s, want %q in it", test.body, r.body, test.want)
		}
	}
	if b.seen.Load() != 0 {
		t.Errorf("the app saw %d", b.seen.Load())
	}
	b.must(413, "POST", "/devhook/v1/replay", `{"message":"`+strings.Repeat("x", maxRequest)+`"}`)
}

func TestTriggerAndFixtures(t *testing.T) {
	b := newBench(t)
	v := b.must(200, "POST", "/devhook/v1/trigger", `{"fixture":"tiktok/video.publish.completed"}`).json(t)
	if ex := v["exchange"].(map[string]any); ex["origin"] != "trigger" || ex["verdict"].(map[string]any)["status"] != "valid" {
		t.Errorf("it became %v", ex)
	}
	v = b.must(200, "POST", "/devhook/v1/trigger", `{"fixture":"stripe/invoice.paid"}`).json(t)
	if v["unsigned"] == nil {
		t.Error("nothing says that it was not signed")
	}
	for name, want := range map[string]string{
		"tiktok/tiktok.pnig": "there is no sample tiktok/tiktok.pnig (near: tiktok.ping", "tikto/tiktok.ping": `there is no provider "tikto" (near: tiktok`,
	} {
		if r := b.must(404, "POST", "/devhook/v1/trigger", `{"fixture":"`+name+`"}`); !strings.HasPrefix(r.json(t)["error"].(string), want) {
			t.Errorf("%s: %s, want %s", name, r.body, want)
		}
	}
	b.must(422, "POST", "/devhook/v1/trigger", `{"fixture":"stripe/invoice.paid","sign":"always"}`)

	all := b.must(200, "GET", "/devhook/v1/fixtures", "").json(t)["fixtures"].([]any)
	some := b.must(200, "GET", "/devhook/v1/fixtures?provider=tiktok", "").json(t)["fixtures"].([]any)
	if len(some) == 0 || len(some) >= len(all) {
		t.Errorf("%d samples of tiktok, %d of all", len(some), len(all))
	}
	for _, f := range all { // each is as the description says
		f := f.(map[string]any)
		b.must(200, "GET", fmt.Sprintf("/devhook/v1/fixtures/%s/%s", f["provider"], f["name"]), "")
	}
	b.must(404, "GET", "/devhook/v1/fixtures/tiktok/nosuch", "")
	b.must(201, "POST", "/devhook/v1/fixtures", `{"ref":"1","name":"tiktok/mine"}`)
	b.must(400, "POST", "/devhook/v1/fixtures", `{"ref":"1"}`)
	if len(b.saved) != 1 || b.saved[0].Name != "tiktok/mine" {
		t.Errorf("saved: %v", b.saved)
	}
}

func TestProviders(t *testing.T) {
	b := newBench(t)
	list := b.must(200, "GET", "/devhook/v1/providers", "").json(t)["providers"].([]any)
	for _, p := range list {
		id := p.(map[string]any)["id"].(string)
		one := b.must(200, "GET", "/devhook/v1/providers/"+id, "").json(t)
		if known := one["known"].(bool); known != (id == "tiktok") {
			t.Errorf("the secret of %s is known: %v", id, known)
		}
	}
	if len(list) < 100 {
		t.Errorf("%d providers", len(list))
	}
	if r := b.must(404, "GET", "/devhook/v1/providers/strpe", ""); !strings.Contains(r.json(t)["error"].(string), "(near: stripe") {
		t.Errorf("what is near is not named: %s", r.body)
	}
}

func TestVerifyAndSign(t *testing.T) {
	b := newBench(t)
	b.signed()
	verdict := func(body string) string {
		v := b.must(200, "POST", "/devhook/v1/verify", body).json(t)["verdict"].(map[string]any)
		return strings.TrimSpace(fmt.Sprint(v["status"], " ", v["reason"]))
	}
	if got := verdict(`{"ref":"1"}`); got != "valid <nil>" {
		t.Errorf("the recording is %s", got)
	}
	if got := verdict(`{"ref":"1","secret":"a guess"}`); got != "invalid bad_signature" {
		t.Errorf("with another secret it is %s", got)
	}
	if got := verdict(`{"ref":"1","at":"+1h"}`); got != "invalid stale" {
		t.Errorf("in an hour it is %s", got)
	}
	signed := b.must(200, "POST", "/devhook/v1/sign", `{"message":"POST /h HTTP/1.1\nHost: a\n\n{\"event\":\"x\"}","provider":"tiktok"}`).json(t)
	ex, err := json.Marshal(signed["exchange"])
	if err != nil {
		t.Fatal(err)
	}
	if got := verdict(`{"exchange":` + string(ex) + `}`); got != "valid <nil>" {
		t.Errorf("what was signed is %s", got)
	}
	// As GitHub signs, with the key of TikTok.
	lent := b.must(200, "POST", "/devhook/v1/sign", `{"message":"POST /h HTTP/1.1\nHost: a\nX-GitHub-Delivery: 72d3162e\n\n{}","provider":"github","keys_of":"tiktok","fresh_id":true}`)
	mac := hmac.New(sha256.New, []byte(tiktokSecret))
	mac.Write([]byte("{}"))
	if !bytes.Contains(lent.body, []byte("sha256="+hex.EncodeToString(mac.Sum(nil)))) {
		t.Errorf("signed with the key of another is %s", lent.body)
	}
	if bytes.Contains(lent.body, []byte("72d3162e")) {
		t.Errorf("the id of the delivery is no fresh one: %s", lent.body)
	}
	for _, body := range []string{`{"ref":"1","provider":"nosuch"}`, `{"ref":"1","keys_of":"nosuch"}`, `{"ref":"1","provider":"stripe"}`, `{"message":"GET / HTTP/1.1\nHost: a\n\n"}`} {
		b.must(422, "POST", "/devhook/v1/verify", body)
		b.must(422, "POST", "/devhook/v1/sign", body)
	}
	b.must(404, "POST", "/devhook/v1/verify", `{"ref":"12"}`)
}

func TestStatusConfigHealth(t *testing.T) {
	b := newBench(t)
	b.must(200, "GET", "/devhook/v1/status", "")
	if r := b.must(200, "GET", "/devhook/v1/config", ""); bytes.Contains(r.body, []byte(tiktokSecret)) {
		t.Errorf("a secret is shown: %s", r.body)
	}
	b.must(200, "GET", "/healthz", "")
	b.must(200, "GET", "/readyz", "")
	b.ready.Store(false)
	b.must(503, "GET", "/readyz", "")
	b.must(200, "GET", "/healthz", "")
}

// Answers are compared as requests are, also where their bodies are in files; that there is no
// answer is said.
func TestDiffOfResponses(t *testing.T) {
	b := newBench(t)
	large := strings.Repeat("x", 300_000)
	for _, res := range []recorder.Response{
		{Status: 200, Body: recorder.Body{Bytes: []byte(`{"n":1,"s":"\xff"}`)}}, {Status: 422, Body: recorder.Body{Bytes: []byte(`{"n":2}`)}},
		{Body: recorder.Body{Bytes: []byte(large + "1")}}, {Body: recorder.Body{Bytes: []byte(large + "2")}},
	} {
		b.record(recorder.Exchange{}, res)
	}
	if err := b.store.Append(t.Context(), &recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Request: recorder.Request{Method: "POST", URL: "http://127.0.0.1:1/hooks"}}); err != nil {
		t.Fatal(err)
	}
	diff := func(query string) string {
		t.Helper()
		return string(b.must(200, "GET", "/devhook/v1/exchanges/"+query, "").body)
	}
	got := diff("1/diff/2?of=response")
	for _, want := range []string{`"same":false`, `{"what":"status","old":["200"],"new":["422"]}`, `"what":"body`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if got := diff("1/diff/2"); !strings.Contains(got, `"same":true,"differences":[]`) {
		t.Errorf("the requests: %s", got)
	}
	if got := diff("3/diff/4?of=response"); !strings.Contains(got, `"same":false`) || !strings.Contains(got, `"what":"body`) {
		t.Errorf("in files: %s", got[:min(len(got), 300)])
	}
	if got := diff("1/diff/5?of=response"); !strings.Contains(got, `{"what":"status","old":["200"]}`) {
		t.Errorf("one without an answer: %s", got)
	}
	b.must(422, "GET", "/devhook/v1/exchanges/5/diff/5?of=response", "")
	b.must(400, "GET", "/devhook/v1/exchanges/1/diff/2?of=both", "")
}

// A hint names what a request can say, and flags of devhook up alone.
func TestHintsAreOfTheAPI(t *testing.T) {
	b := newBench(t)
	post := func(ex recorder.Request) string {
		ex.Method = "POST"
		return string(b.record(recorder.Exchange{Request: ex}, recorder.Response{Status: 200}).ID)
	}
	object := post(recorder.Request{Body: recorder.Body{Bytes: []byte(`{"a":1}`)}})
	text := post(recorder.Request{Body: recorder.Body{Bytes: []byte("\x00\x01")}})
	for _, c := range []struct{ path, body, hint string }{
		{"replay", `{"ref":"` + text + `","changes":["set a=1"]}`, `put another body in its place as "body"`},
		{"replay", `{"ref":"` + object + `","changes":["body sha256:ab, 5 bytes"]}`, `give it as "body"`},
		{"replay", `{"ref":"` + object + `","changes":["set b.c=1"]}`, "what is not there is added by create b.c=1"},
		{"replay", `{"ref":"` + object + `","changes":["path x"]}`, "write path /x"},
		{"replay", `{"ref":"` + object + `","sign":"always"}`, `"sign": "never" sends it as it is`},
		{"trigger", `{"fixture":"github/ping","sign":"always"}`, "give the webhook secret to devhook up with --secret github=REF, or set GITHUB_WEBHOOK_SECRET"},
		{"sign", `{"ref":"` + object + `","provider":"github"}`, `give the webhook secret as "secret", or to devhook up with --secret github=REF, or set GITHUB_WEBHOOK_SECRET`},
		{"verify", `{"ref":"` + object + `","provider":"braintree","secret":"abc"}`, `give it as "with", or to devhook up with --with braintree.public_key=VALUE, or set BRAINTREE_PUBLIC_KEY`},
	} {
		if got := b.must(422, "POST", "/devhook/v1/"+c.path, c.body, "Content-Type: application/json").json(t)["hint"]; got != c.hint {
			t.Errorf("%s %s: the hint is %q, want %q", c.path, c.body, got, c.hint)
		}
	}
}
