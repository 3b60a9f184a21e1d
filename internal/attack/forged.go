package attack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// wrongSecret signs a webhook that the handler has not seen, so that it acts if it lets
// it through.
func wrongSecret(b *build) error {
	if err := b.fresh(b.now); err != nil {
		return err
	}
	forged, err := b.a.forge(b.req, b.now)
	b.req = forged
	return err
}

// noKey is the key of no bytes, which cannot be named, as an empty secret is none: HMAC fills
// keys up with zeros (RFC 2104 §2), so that a zero is the same key.
const noKey = "\x00"

// emptySecret signs with no key at all. That two zeros are the same key, too, is how it is seen
// that the scheme is HMAC.
func emptySecret(b *build) error {
	var signed [2]recorder.Request
	for i, key := range []string{noKey, noKey + noKey} {
		text, err := b.a.provider.SecretText([]byte(key))
		if err != nil {
			return skip("it does not sign with a shared secret")
		}
		signed[i], err = b.a.signAs(b.req, Signing{As: b.a.provider, At: b.now, Secret: text})
		if isRefusal(err) {
			return skip("its secret cannot be that short")
		}
		if err != nil {
			return err
		}
	}
	for _, p := range b.a.places {
		if p.word(&signed[0]) != p.word(&signed[1]) {
			return skip("it does not sign with HMAC")
		}
	}
	b.req = signed[0]
	return nil
}

// rotated has two signatures in one header, the right one last, as some providers send
// them while a secret is rotated.
func rotated(b *build) error {
	for _, p := range b.a.places {
		if p.where != "header" {
			continue
		}
		v, word := p.get(&b.req), p.word(&b.req)
		for _, sep := range []string{",", " "} {
			at := strings.LastIndex(v[:p.before], sep) + 1
			first := v[at:p.before] + flipWord(word) + v[p.before+len(word):]
			req := b.req
			p.set(&req, v[:at]+first+sep+v[at:])
			if verdict, err := b.a.verdict(&req, b.now); err != nil {
				return err
			} else if verdict.Status == verify.Valid {
				b.req = req
				return nil
			}
		}
	}
	return skip("it sends one signature only")
}

// unsignedToken says in a JSON Web Token that it has no signature, and leaves it out: RFC
// 7519 §6, and what libraries were once found to believe.
func unsignedToken(b *build) error {
	done := false
	for _, p := range b.a.places {
		v := p.get(&b.req)
		scheme, token := "", v
		if i := strings.LastIndexByte(v, ' '); i >= 0 { // as in: Bearer eyJ…
			scheme, token = v[:i+1], v[i+1:]
		}
		parts := strings.Split(token, ".")
		if len(parts) != 3 {
			continue
		}
		var head map[string]any
		text, err := base64.RawURLEncoding.DecodeString(parts[0])
		if err != nil || json.Unmarshal(text, &head) != nil || head["alg"] == nil {
			continue
		}
		head["alg"] = "none"
		if text, err = json.Marshal(head); err != nil {
			return err
		}
		p.set(&b.req, scheme+base64.RawURLEncoding.EncodeToString(text)+"."+parts[1]+".")
		done = true
	}
	if !done {
		return skip("the signature is no JSON Web Token")
	}
	return nil
}

// otherMethod sends one that the handler has not seen, without a signature and by another
// method.
func otherMethod(b *build) error {
	if err := b.freshUnsigned(); err != nil {
		return err
	}
	if b.req.Method == http.MethodPut {
		b.req.Method = http.MethodPost
	} else {
		b.req.Method = http.MethodPut
	}
	return nil
}

// otherType does the same with another Content-Type: some verify in what parses the usual
// one, as with express.json({verify}).
func otherType(b *build) error {
	if err := b.freshUnsigned(); err != nil {
		return err
	}
	b.header("Content-Type", "text/plain")
	return nil
}

// freshUnsigned makes the request one that the handler has not seen, without a signature.
func (b *build) freshUnsigned() error {
	if err := b.fresh(b.now); err != nil {
		return err
	}
	return unsigned(b)
}

// forgedFirst sends a webhook with a wrong signature, and then the right one, under the
// same delivery id.
func forgedFirst(b *build) error {
	if err := b.fresh(b.now); err != nil {
		return err
	}
	if b.a.deliveryOf(&b.req) == "" && bytes.Equal(b.req.Body.Bytes, b.a.source.Body.Bytes) {
		return skip("nothing makes it another delivery")
	}
	forged := b.req
	forged.Headers = forged.Headers.Clone()
	for _, p := range b.a.places {
		p.setWord(&forged, flipWord(p.word(&forged)))
	}
	b.more = []recorder.Request{forged, b.req}
	return nil
}

// fresh makes the body one that was not sent before, and signs it; a body that cannot have
// a further field stays.
func (b *build) fresh(at time.Time) (err error) {
	before := b.req
	before.Body.Bytes = slices.Clone(before.Body.Bytes)
	if err := b.mark(); err != nil && !errors.Is(err, noObject) {
		return err
	} else if err != nil {
		b.req = before
	}
	b.req, err = b.a.sign(b.req, at, false)
	return err
}
