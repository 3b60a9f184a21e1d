package sharing

import (
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/verify"
)

// What is signed anew verifies with what is told of it:
// for each provider with samples whose signatures need no key pair.
func TestSignAnew(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	seen := 0
	for _, f := range fixtures.All() {
		provider, ok := verify.Builtin().Lookup(f.Provider)
		if !ok || f.Exchange.Request.Proto == recorder.ProtoStream {
			continue
		}
		if _, err := provider.SecretText([]byte("x")); err != nil { // it signs with a key pair, which takes long to make
			continue
		}
		f, err := f.Fill(at, 1)
		if err != nil {
			t.Fatal(err)
		}
		ex, _ := redact.New([]byte("key")).Exchange(f.Exchange)
		ex.Provider, ex.At, ex.Verdict.Status = f.Provider, at, verify.Valid
		e := &Export{catalog: verify.Builtin(), Anew: []byte("key of a store"), Signed: map[string]Signature{}}
		if err := e.sign(&ex); err != nil {
			t.Errorf("%s/%s: %v", f.Provider, f.Name, err)
			continue
		}
		made := e.Signed[provider.ID]
		keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(made.Secret)}, With: made.With}
		m, err := ex.Request.Message()
		if err != nil {
			t.Fatal(err)
		}
		if v := provider.Scheme.Verify(m, keys, at); v.Status != verify.Valid {
			t.Errorf("%s/%s: %v gives %+v", f.Provider, f.Name, made, v)
		}
		seen++
	}
	if seen < 40 {
		t.Errorf("only %d were signed", seen)
	}
	forged := fixtures.All()[0].Exchange
	forged.Provider, forged.Verdict.Status = "tiktok", verify.Invalid
	e := &Export{catalog: verify.Builtin(), Anew: []byte("key"), Signed: map[string]Signature{}}
	if err := e.sign(&forged); err != nil || len(e.Signed) > 0 {
		t.Error("what was forged is made genuine")
	}
}
