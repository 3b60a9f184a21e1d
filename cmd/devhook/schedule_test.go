package main

import (
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"50/s": 20 * time.Millisecond, "50": 20 * time.Millisecond, "120/m": 500 * time.Millisecond, "1/h": time.Hour, "0.5/s": 2 * time.Second,
		"": 0, "/s": 0, "5/d": 0, "-1/s": 0, "0": 0, "NaN": 0, "1e300/s": 0,
	} {
		if got, err := parseRate(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}

// A word is quoted as the shells of a system read it, and not where it need not be.
func TestQuote(t *testing.T) {
	for word, want := range map[string]struct{ posix, windows string }{
		"last":                   {"last", "last"},
		"":                       {"''", `""`},
		`C:\p\a.http`:            {`'C:\p\a.http'`, `C:\p\a.http`},
		"slack=env:S":            {"slack=env:S", `"slack=env:S"`},
		"provider:tiktok it's":   {`'provider:tiktok it'\''s'`, `"provider:tiktok it's"`},
		`body.a="b c"`:           {`'body.a="b c"'`, `'body.a="b c"'`},
		"it's $HOME":             {`'it'\''s $HOME'`, `'it''s $HOME'`},
		`C:\my files\`:           {`'C:\my files\'`, `'C:\my files\'`},
		"a & del b":              {"'a & del b'", `"a & del b"`},
		"%PATH% 'and' \x60x\x60": {`'%PATH% '\''and'\'' ` + "`x`'", `'%PATH% ''and'' ` + "`x`'"},
	} {
		if got := quoteFor("linux", word); got != want.posix {
			t.Errorf("%q: %s, want %s", word, got, want.posix)
		}
		if got := quoteFor("windows", word); got != want.windows {
			t.Errorf("%q on Windows: %s, want %s", word, got, want.windows)
		}
	}
}

// A command that goes on shows no secret, and is one that a shell reads as it was.
func TestResumeCommand(t *testing.T) {
	args := []string{
		"replay", "--filter", "provider:tiktok it's", "--skip", "3", "--secret", "whsec_abc=", "--secret=stripe=whsec_x", "--secret", "slack=env:S",
		"--seed=9", "--shift-time", "now", "-f", "a b",
	}
	s := &sending{refs: []uint64{12, 0}}
	s.plans.skip, s.sent, s.skipped, s.many, s.newest, s.seeded = 3, 4, 1, true, 77, 9
	s.travel.moved, s.travel.by = true, 36*time.Hour
	want := "devhook replay 12 ./a.http --filter " + quoteShell("provider:tiktok it's") + " --secret - --secret " + quoteShell("stripe=-") +
		" --secret " + quoteShell("slack=env:S") + " -f " + quoteShell("a b") + " --skip 8 --upto 77 --seed 9 --shift-time +36h0m0s"
	if got := s.resume(args, []string{"last", "./a.http"}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
