package replay

import (
	"strings"
	"testing"
)

// Law: what was encoded in the place of something is decoded to the same, in lines that
// may be sent, and what stays the same keeps its spelling.
func FuzzEncodePart(f *testing.F) {
	f.Add("base64", "YWJj\r\nZGVm", "a longer text than it was", true)
	f.Add("quoted-printable", "gr=C3=BC=\r\n=C3=9Fe", "trailing \n= \r\n\x00\xff"+strings.Repeat("é ", 60), false)
	f.Add("base64", strings.Repeat("YWJj", 40)+"\n", strings.Repeat("x", 200), false)
	f.Fuzz(func(t *testing.T, coding, raw, text string, crlf bool) {
		eol := "\n"
		if crlf {
			eol = "\r\n"
		}
		old, err := decodePart(coding, raw)
		if err != nil || coding == "" {
			t.Skip()
		}
		if same, err := encodePart(coding, raw, old, eol); err != nil || same != raw {
			t.Errorf("the same became %q, %v", same, err)
		}
		made, err := encodePart(coding, raw, text, eol)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodePart(coding, made); err != nil || got != text {
			t.Errorf("%q became %q, which is %q, %v", text, made, got, err)
		}
		if old == text {
			return
		}
		for line := range strings.SplitSeq(made, eol) {
			line = strings.TrimRight(line, " \t\r\n") // what stood behind the content stays
			if len(line) > maxCoded && (coding == "quoted-printable" || longest(raw) <= maxCoded) {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
	})
}

func longest(text string) (n int) {
	for line := range strings.SplitSeq(text, "\n") {
		n = max(n, len(line))
	}
	return n
}
