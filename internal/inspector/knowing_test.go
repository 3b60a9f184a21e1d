package inspector

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"devhook/verify"
)

// What is answered of a key pair is the public key, and nothing of the private one.
func TestKeyPair(t *testing.T) {
	b := newBench(t)
	r := b.must(200, "POST", "/devhook/v1/keys", `{"provider":"discord"}`)
	p, _ := verify.Lookup("discord")
	public, err := p.PublicKey(verify.NewSecret(b.private))
	if v := r.json(t); err != nil || v["public_key"] != public || v["provider"] != "discord" || v["private_key_file"] == "" {
		t.Errorf("%v, %v", v, err)
	}
	for line := range strings.Lines(b.private) {
		if line = strings.TrimSpace(line); strings.Contains(string(r.body), line) {
			t.Errorf("%s is in it", line)
		}
	}
	b.must(422, "POST", "/devhook/v1/keys", `{"provider":"stripe"}`)
	b.must(404, "POST", "/devhook/v1/keys", `{"provider":"none"}`)
	b.must(404, "POST", "/devhook/v1/keys", `{}`)
	b.must(400, "POST", "/devhook/v1/keys", `{"provider":"discord","file":"/tmp/key.pem"}`)
}

// How a provider signs is found out from webhooks and the secret, which is not told again.
func TestSolve(t *testing.T) {
	const secret = "the-secret-of-nobody-knows"
	b := newBench(t)
	ask := func(secret string) string {
		var samples []string
		for i := range 3 {
			body := fmt.Sprintf(`{"n":%d}`, i)
			h := hmac.New(sha256.New, []byte("the-secret-of-nobody-knows"))
			h.Write([]byte(body))
			message := fmt.Sprintf("POST /hook HTTP/1.1\r\nHost: h.example\r\nX-Odd-Mac: v=%s\r\nContent-Length: %d\r\n\r\n%s", hex.EncodeToString(h.Sum(nil)), len(body), body)
			text, _ := json.Marshal(map[string]string{"message": message})
			samples = append(samples, string(text))
		}
		return `{"secret":"` + secret + `","samples":[` + strings.Join(samples, ",") + `]}`
	}
	r := b.must(200, "POST", "/devhook/v1/solve", ask(secret))
	if v := r.json(t); v["agree"] != 3.0 || !strings.Contains(fmt.Sprint(v["yaml"]), "x-odd-mac") && !strings.Contains(fmt.Sprint(v["yaml"]), "X-Odd-Mac") {
		t.Errorf("%v", v)
	}
	if v := b.must(200, "POST", "/devhook/v1/solve", ask("another")).json(t); v["agree"] != 0.0 || v["yaml"] != nil || v["why"] == "" {
		t.Errorf("with another secret: %v", v)
	}
	if strings.Contains(string(r.body), secret) {
		t.Errorf("the secret is told: %s", r.body)
	}
	b.signed()
	if v := b.must(200, "POST", "/devhook/v1/solve", `{"secret":"`+tiktokSecret+`","samples":[{"ref":"1"}]}`); !strings.Contains(string(v.body), `"tiktok"`) || strings.Contains(string(v.body), tiktokSecret) {
		t.Errorf("of a provider that is known: %s", v.body)
	}
	for status, bodies := range map[int][]string{
		400: {`{"samples":[{"ref":"1"}]}`, `{"secret":"s"}`, `{"secret":"s","samples":[{}]}`, `{"secret":"s","samples":[{"file":"/etc/hostname"}]}`},
		404: {`{"secret":"s","samples":[{"ref":"99"}]}`},
	} {
		for _, body := range bodies {
			b.must(status, "POST", "/devhook/v1/solve", body)
		}
	}
}

// A description is tried, and so are vectors; one that is wrong has its place.
func TestCheck(t *testing.T) {
	b := newBench(t)
	const mine = `id: my-gateway\nextends: stripe\nsignature: {name: X-Gateway-Signature}\ntimestamp: {tolerance: 10m}`
	vector := func(status string) string {
		return `[{"name":"one","method":"POST","url":"https://me.example/","headers":{},"body":"{}","secret":"whsec_x","now":1760000000,"status":"` + status + `","reason":"missing_signature"}]`
	}
	v := b.must(200, "POST", "/devhook/v1/check", `{"description":"`+mine+`","vectors":`+vector("unsigned")+`}`).json(t)
	checks := v["checks"].([]any)
	if v["ok"] != true || len(checks) != 2 || checks[0].(map[string]any)["held"].(float64) < 5 || checks[1].(map[string]any)["vector"] != "one" {
		t.Errorf("%v", v)
	}
	v = b.must(200, "POST", "/devhook/v1/check", `{"description":"`+mine+`","vectors":`+vector("invalid")+`}`).json(t)
	if last := v["checks"].([]any)[1].(map[string]any); v["ok"] != false || last["ok"] != false || last["got"].(map[string]any)["status"] != "unsigned" {
		t.Errorf("%v", v)
	}
	for body, want := range map[string]string{
		`{"description":"id: x\nsignature: {encoding: hexx}"}`:    "hexx",
		`{"description":"providers: {}"}`:                         "describes none",
		`{"description":"` + mine + `","vectors":[{"name":"x"}]}`: "vectors: ",
		`{"description":"` + mine + `","vectors":` + strings.Replace(vector("valid"), `"name"`, `"provider":"other","name"`, 1) + `}`: "which is not described",
	} {
		if r := b.must(422, "POST", "/devhook/v1/check", body); !strings.Contains(string(r.body), want) {
			t.Errorf("%s: %s", body, r.body)
		}
	}
	b.must(400, "POST", "/devhook/v1/check", `{"file":"/etc/passwd"}`)
}

// What was found is told, and whether nothing has failed; without a devhook up there is
// nothing to be looked at.
func TestDoctor(t *testing.T) {
	status := "warn"
	var offline bool
	b := newBench(t, func(o *Options) {
		o.Examine = func(_ context.Context, is bool) []Finding {
			offline = is
			return []Finding{{1, "config", "ok", "devhook.yaml", ""}, {1, "app", status, "not there", "start it"}}
		}
	})
	if v := b.must(200, "GET", "/devhook/v1/doctor?offline=true", "").json(t); v["ok"] != true || !offline || len(v["findings"].([]any)) != 2 {
		t.Errorf("%v, offline %v", v, offline)
	}
	status = "fail"
	if v := b.must(200, "GET", "/devhook/v1/doctor", "").json(t); v["ok"] != false || offline {
		t.Errorf("%v, offline %v", v, offline)
	}
	newBench(t).must(503, "GET", "/devhook/v1/doctor", "")
}
