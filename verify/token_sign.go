package verify

import (
	"crypto/ecdsa"
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
	t := newClaims(claims)
	if err := f.setWanted(t, with); err != nil {
		return "", err
	}
	if f.body != "" && !f.holdsHash(t, m.Body) {
		sum := sha256.Sum256(m.Body)
		if err := t.set(f.body, jsonx.AppendQuote(nil, f.digest.encode(sum[:]))); err != nil {
			return "", err
		}
	}
	if err := f.setTimes(t, f.times, claims, now); err != nil {
		return "", err
	}
	if reason, _ := f.judgeTimes(t, now); reason != "" { // as where exp was before iat
		if err := f.setTimes(t, nil, nil, now); err != nil {
			return "", err
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

// newClaims gives a token that is to be made of claims.
func newClaims(claims []byte) *token {
	t := &token{claims: claims}
	t.members, _ = uniqueMembers(claims)
	return t
}

// set gives a claim another value, unless it has it already.
func (t *token) set(name string, value []byte) error {
	if raw, ok := t.claim(name); ok && string(raw) == string(value) {
		return nil
	}
	changed, err := jsonx.Create(t.claims, jsonx.Path{name}, value)
	if err == nil {
		*t = *newClaims(changed)
	}
	return err
}

// setWanted gives the claims that must have some value one of those.
func (f *tokenForm) setWanted(t *token, with map[string]string) error {
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
		if err := t.set(c.name, text); err != nil {
			return err
		}
	}
	return nil
}

// setTimes brings the times that are there, or must be, up to date.
func (f *tokenForm) setTimes(t *token, must []string, old []byte, now time.Time) error {
	for _, name := range timeClaims {
		if _, there := t.claim(name); !there && !slices.Contains(must, name) {
			continue
		}
		if _, err := unitSeconds.format(now, ""); err != nil {
			return err
		}
		if err := t.set(name, strconv.AppendInt(nil, f.timeFor(name, old, now), 10)); err != nil {
			return err
		}
	}
	return nil
}

// timeFor gives a time claim at now. The times of old claims keep their
// distances: from iat, else nbf, and else from what a new token has.
func (f *tokenForm) timeFor(name string, old []byte, now time.Time) int64 {
	fresh := now.Unix()
	if name == "exp" {
		fresh += int64(f.ttl / time.Second)
	}
	was := newClaims(old)
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
	sum := tokenSum(d.algorithm, k, text)
	if d.algorithm.pair == nil {
		return sum, nil
	}
	signature, err := d.signDigest(k.private, sum)
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
