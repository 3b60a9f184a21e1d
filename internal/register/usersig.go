package register

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// userSig returns Tencent's UserSig: the password of one account of an app,
// made of the app's secret key, good from now on for expire (whole seconds).
//
// The algorithm is that of Tencent's own generators, "TLS 2.0", as in the npm
// package tls-sig-api-v2 1.0.2 (trtc.io/document/34385): an HMAC-SHA256 with
// the key's text over four lines, in a JSON object that is deflated (RFC 1950)
// and written in base64, with *, - and _ in the place of +, / and =.
func userSig(app uint64, identifier, key string, now time.Time, expire time.Duration) string {
	at, good := now.Unix(), int64(expire/time.Second)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n", identifier, app, at, good)
	text, _ := json.Marshal(struct { // strings and numbers always can be
		Ver        string `json:"TLS.ver"`
		Identifier string `json:"TLS.identifier"`
		App        uint64 `json:"TLS.sdkappid"`
		Expire     int64  `json:"TLS.expire"`
		Time       int64  `json:"TLS.time"`
		Sig        string `json:"TLS.sig"`
	}{"2.0", identifier, app, good, at, base64.StdEncoding.EncodeToString(mac.Sum(nil))})
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write(text) // into memory
	w.Close()
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(packed.Bytes()))
}
