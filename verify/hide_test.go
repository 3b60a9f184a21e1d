package verify

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
)

// Whatever way a secret stands in a text, it stands there no more, and nothing
// else has changed.
func TestHider(t *testing.T) {
	const secret = `p/a"ss <w>ö&+d=`
	hide := Hider(NewSecret(secret), NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), NewSecret("user::pass:word"), NewSecret("abc"), NewSecret(""), Secret{}, NewSecret("12345"))
	for _, spelling := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.PathEscape("/")) + "x",
		`p/a\"ss <w>ö&+d=`, `p\/a\"ss \u003cw\u003eö\u0026+d=`, base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)),
		url.QueryEscape(url.QueryEscape(secret)), url.PathEscape(url.QueryEscape(url.PathEscape(secret))),
		`p%2fa%22ss <w>\u00f6&+d=`, `p/a\u0022ss+\u003Cw>%C3%B6&%2Bd%3D`, // as whoever escapes less or more has it
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "pass:word",
	} {
		got := hide("<" + spelling + ">")
		if spelling == "%2fx" { // is no secret
			if got != "<%2fx>" {
				t.Errorf("changed to %s", got)
			}
			continue
		}
		if inner := strings.TrimRight(strings.Trim(got, "<>"), "="); len(got) != len(spelling)+2 || strings.Trim(inner, "0") != "" {
			t.Errorf("%s: %s", spelling, got)
		}
	}
	// Also where its first byte is escaped: it is looked for at what can be one.
	for first, spellings := range map[string][]string{
		"<": {"<", "%3C", "%3c", "%253C", `\u003c`, `\u003C`}, `"`: {`\"`, "%22", "%2522"}, "/": {"/", `\/`, "%2F"},
		"ö": {"ö", "%C3%B6", "%25C3%25B6", `\u00f6`}, "+": {"+", " ", "%2B", "%252B", `\u002b`}, "%": {"%", "%25"}, "p": {"p", "%70", `\u0070`},
	} {
		hide := Hider(NewSecret(first + "kq7z-secret"))
		for _, s := range spellings {
			spelling := s + "kq7z-secret"
			if got := hide("(" + spelling + ")"); got != "("+strings.Repeat("0", len(spelling))+")" {
				t.Errorf("%s: %s", spelling, got)
			}
		}
	}
	for before := range 4 { // in the midst of a text, or at its end, at each place in a group of three
		for after := range 4 {
			whole := "qwer"[:before] + secret + "tyui"[:after]
			for _, form := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				text := form.EncodeToString([]byte(whole))
				for _, spelling := range []string{text, url.QueryEscape(text), strings.ReplaceAll(text, "/", `\/`)} {
					got := hide(spelling)
					if len(got) != len(spelling) || strings.Count(got, "0") < len(text)-12 { // of which 8 are beside it
						t.Errorf("%s of %s: %s", spelling, whole, got)
					}
				}
			}
		}
	}
	if got := hide(`{"n":12345,"s":"abc"}`); got != `{"n":11111,"s":"abc"}` {
		t.Errorf("got %s", got)
	}
	if got := Hider()("text"); got != "text" {
		t.Errorf("got %s", got)
	}
}
