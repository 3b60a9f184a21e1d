package main

import (
	"strings"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/verify"
)

// What is signed anew verifies with what the command line that is printed has:
// for each provider with samples whose signatures need no key pair.
func TestSignAnew(t *testing.T) {
	cfg, err := config.Load(config.Source{Dir: t.TempDir(), Flag: func(string) []string { return nil }, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	seen := 0
	for _, f := range fixtures.All() {
		provider, ok := cfg.Catalog().Lookup(f.Provider)
		if !ok || f.Exchange.Request.Proto == recorder.ProtoStream {
			continue
		}
		if _, _, err := provider.NewKeyPair(); err == nil {
			continue
		}
		f, err := f.Fill(at, 1)
		if err != nil {
			t.Fatal(err)
		}
		ex, _ := redact.New([]byte("key")).Exchange(f.Exchange)
		ex.Provider, ex.At, ex.Verdict.Status = f.Provider, at, verify.Valid
		e := &exporting{cfg: cfg, key: []byte("key of a store"), signed: map[string]string{}}
		if err := e.signAnew(&ex); err != nil {
			t.Errorf("%s/%s: %v", f.Provider, f.Name, err)
			continue
		}
		command := e.signed[provider.ID]
		_, rest, _ := strings.Cut(command, "--secret '")
		secret, rest, _ := strings.Cut(rest, "'")
		keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}, With: map[string]string{}}
		for word := range strings.FieldsSeq(rest) {
			if name, value, ok := strings.Cut(word, "="); ok {
				keys.With[name] = value
			}
		}
		m, err := ex.Request.Message()
		if err != nil {
			t.Fatal(err)
		}
		if v := provider.Scheme.Verify(m, keys, at); v.Status != verify.Valid {
			t.Errorf("%s/%s: %s gives %+v", f.Provider, f.Name, command, v)
		}
		seen++
	}
	if seen < 40 {
		t.Errorf("only %d were signed", seen)
	}
	forged := fixtures.All()[0].Exchange
	forged.Provider, forged.Verdict.Status = "tiktok", verify.Invalid
	e := &exporting{cfg: cfg, signed: map[string]string{}}
	if err := e.signAnew(&forged); err != nil || len(e.signed) > 0 {
		t.Error("what was forged is made genuine")
	}
}
