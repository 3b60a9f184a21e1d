package verify

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// makeToken signs a token for m. What the token in m claims is kept, in its
// order and spelling, except for what depends on the body, the receiver and the
// time; a token that cannot be read is made from scratch.
func (d *declared) makeToken(k *key, m *Message, c *claim, with map[string]string, now time.Time) (string, error) {
	header := fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, d.algorithm.name)
	if text, how := d.signature.read(m, c.fields); how == present {
		if t, fault := parseToken(strings.TrimPrefix(text, d.prefix), d.algorithm); fault == "" {
			if made, err := d.retoken(k, t.header, t.claims, m, with, now); err == nil {
				return made, nil
			}
		}
	}
	return d.retoken(k, header, []byte("{}"), m, with, now)
}

var errToken = errors.New("a token with these claims would not be valid")

// retoken signs a token with a header and claims, which are brought up to date.
func (d *declared) retoken(k *key, header, claims []byte, m *Message, with map[string]string, now time.Time) (string, error) {
	f := d.token
	t := &token{claims: claims}
	set := func(name string, value []byte) error {
		if raw, ok := t.claim(name); ok && string(raw) == string(value) {
			return nil
		}
		changed, err := jsonx.Create(t.claims, jsonx.Path{name}, value)
		if err == nil {
			t.claims = changed
			t.members, _ = uniqueMembers(changed)
		}
		return err
	}
	t.members, _ = uniqueMembers(claims)
	for _, c := range f.claims {
		raw, _ := t.claim(c.name)
		if c.with != "" && with[c.with] == "" || c.admits(raw, with) {
			continue
		}
		value := with[c.with]
		if c.with == "" {
			value = c.is[0]
		}
		text := jsonx.AppendQuote(nil, value)
		if value == "true" || value == "false" {
			text = []byte(value)
		}
		if err := set(c.name, text); err != nil {
			return "", err
		}
	}
	if f.body != "" && !f.holdsHash(t, m.Body) {
		sum := sha256.Sum256(m.Body)
		if err := set(f.body, jsonx.AppendQuote(nil, f.digest.encode(sum[:]))); err != nil {
			return "", err
		}
	}
	for _, name := range timeClaims {
		_, there := t.claim(name)
		if !there && !slices.Contains(f.times, name) {
			continue
		}
		if _, err := unitSeconds.format(now, ""); err != nil {
			return "", err
		}
		at := f.timeFor(name, claims, now)
		if err := set(name, strconv.AppendInt(nil, at, 10)); err != nil {
			return "", err
		}
	}
	if reason, _ := f.judgeTimes(t, now); reason != "" { // as where exp was before iat
		for _, name := range timeClaims {
			if _, there := t.claim(name); there {
				if err := set(name, strconv.AppendInt(nil, f.timeFor(name, nil, now), 10)); err != nil {
					return "", err
				}
			}
		}
	}
	text := string(base64URLStrict.AppendEncode(nil, header)) + "." + string(base64URLStrict.AppendEncode(nil, t.claims))
	signature, err := d.signToken(k, text)
	if err != nil {
		return "", err
	}
	text += "." + string(base64URLStrict.AppendEncode(nil, signature))
	made, fault := parseToken(text, d.algorithm)
	if fault != "" {
		return "", fmt.Errorf("%w: it %s", errToken, fault)
	}
	if v, ok := d.judgeToken(m, made, with, now); !ok {
		return "", fmt.Errorf("%w: %s", errToken, v.Detail)
	}
	return text, nil
}

// timeFor gives a time claim at now. The times of old claims keep their
// distances: from iat, else nbf, and else from what a new token has.
func (f *tokenForm) timeFor(name string, old []byte, now time.Time) int64 {
	fresh := now.Unix()
	if name == "exp" {
		fresh += int64(f.ttl / time.Second)
	}
	was := &token{}
	was.members, _ = uniqueMembers(old)
	seconds := func(name string) (n int64, ok bool) {
		raw, there := was.claim(name)
		at, ok := parseNumericDate(raw)
		return at.Unix(), there && ok && strconv.FormatInt(at.Unix(), 10) == string(raw)
	}
	for _, from := range []string{"iat", "nbf"} {
		if base, ok := seconds(from); ok {
			if n, ok := seconds(name); ok {
				return now.Unix() + n - base
			}
			return fresh
		}
	}
	return fresh
}

// signToken signs text, without randomness.
func (d *declared) signToken(k *key, text string) ([]byte, error) {
	if d.algorithm.pair == nil {
		h := hmac.New(d.algorithm.new, k.bytes)
		h.Write([]byte(text))
		return h.Sum(nil), nil
	}
	h := d.algorithm.new()
	h.Write([]byte(text))
	signature, err := d.signDigest(k.private, h.Sum(nil))
	if err != nil {
		return nil, err
	}
	switch k.public.(type) {
	case *rsa.PublicKey:
		return signature, nil
	case *ecdsa.PublicKey:
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(signature, &rs); err != nil {
			return nil, err
		}
		raw := make([]byte, 64)
		rs.R.FillBytes(raw[:32])
		rs.S.FillBytes(raw[32:])
		return raw, nil
	}
	return nil, errors.New("the key is of another kind")
}
