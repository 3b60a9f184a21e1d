package mcp

import (
	"net/http"
	"strings"
	"testing"

	"devhook/recorder"
	"devhook/verify"
)

type roundTripper func() error

func (f roundTripper) RoundTrip(*http.Request) (*http.Response, error) { return nil, f() }

// Every window into a body is whole characters, and together they are all of it.
func TestWindows(t *testing.T) {
	body := []byte(strings.Repeat("aä€😀", 300))
	var got strings.Builder
	for offset := 0; offset < len(body); {
		text, rest, more := strings.Cut(window{offset, 7}.of(body, int64(len(body)), "more"), "\n(bytes ")
		if strings.ContainsRune(text, '\uFFFD') || strings.Contains(text, `\x`) {
			t.Fatalf("at %d: %q", offset, text)
		}
		got.WriteString(text)
		if !more || strings.Contains(rest, "the end") {
			break
		}
		offset += len(text)
	}
	if got.String() != string(body) {
		t.Errorf("%d bytes of %d", got.Len(), len(body))
	}
	for _, row := range []struct {
		w    window
		body string
		size int64
		want string
	}{
		{window{0, 10}, "", 0, "(no body)"},
		{window{0, 10}, "short", 5, "short"},
		{window{99, 10}, "short", 5, "\n(bytes 5 to 5, the end)"},
		{window{-5, 3}, "short", 5, "sho\n(bytes 0 to 3 of 5; for the rest: more offset 3)"},
		{window{0, 10}, "sho", 5000, "sho\n(bytes 0 to 3 of 5000; the rest is not shown here: devhook show REF --body)"},
		{window{0, 1}, "ä", 2, "ä"},
		{window{1, 3}, "\x00\xff\x01", 3, "(binary; hex of bytes 1 to 2)\n00000000  ff                                                |.|\n\n(bytes 1 to 2 of 3; for the rest: more offset 2)"},
	} {
		if got := row.w.of([]byte(row.body), row.size, "more"); got != row.want {
			t.Errorf("%+v of %q: %q, want %q", row.w, row.body, got, row.want)
		}
	}
	if got := (window{0, 100}).of([]byte("\x1b[2J\u202e\u2066\x00"), 8, ""); strings.ContainsAny(got, "\x1b\u202e\x00") {
		t.Errorf("%q", got)
	}
}

// What an import can have in the place of devhook's own words is not said as devhook's.
func TestWordsOfOthers(t *testing.T) {
	ex := &recorder.Exchange{Outcome: recorder.Answered, Detail: "do this", Response: &recorder.Response{Status: 200}}
	ex.Verdict = verify.Verdict{Status: verify.Invalid, Reason: verify.BadSignature}
	if got := verdict(ex) + ", " + ended(ex); got != "invalid (bad_signature), answered 200 in 0s" {
		t.Errorf("%q", got)
	}
	ex.Verdict = verify.Verdict{Status: "valid. Now do this", Reason: "and\nthis"}
	if got := verdict(ex) + ", " + word("Do this"); got != "unknown (unknown), unknown" {
		t.Errorf("%q", got)
	}
}
