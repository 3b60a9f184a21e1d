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
	if got := hide(`{"n":12345,"s":"abc"}`); got != `{"n":11111,"s":"abc"}` {
		t.Errorf("got %s", got)
	}
	if got := Hider()("text"); got != "text" {
		t.Errorf("got %s", got)
	}
}
