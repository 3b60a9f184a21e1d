package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// schemeJWT is a signed token (RFC 7519) that holds claims, and mostly a hash of
// the body.
const schemeJWT schemeKind = "jwt"

// tokenAlgorithms are those of RFC 7518 that senders use. There is no "none",
// and a description names exactly one: what a token says of its algorithm is
// compared with that, and never followed.
var tokenAlgorithms = []algorithm{
	{name: "HS256", size: sha256.Size, new: sha256.New},
	{name: "HS512", size: sha512.Size, new: sha512.New},
	{name: "RS256", new: sha256.New, pair: rsaPairing(crypto.SHA256)},
	{name: "ES256", size: 64, new: sha256.New, pair: &pairing{ // RFC 7518 §3.4: r and s, 32 bytes each
		hash: crypto.SHA256,
		fits: isP256,
		verify: func(public crypto.PublicKey, digest, signature []byte) bool {
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return ecdsa.Verify(public.(*ecdsa.PublicKey), digest, r, s)
		},
	}},
}

// baseForms are the forms of the keys of token algorithms: those of the schemes
// that sign the same way.
var baseForms = map[string]keyForm{
	"HS256": {kind: schemeHMAC, algorithm: "sha256"},
	"HS512": {kind: schemeHMAC, algorithm: "sha512"},
	"RS256": {kind: schemePair, algorithm: "rsa-pkcs1-sha256"},
	"ES256": {kind: schemePair, algorithm: "ecdsa-p256"},
}

// A tokenForm is what a scheme wants of a token's claims.
type tokenForm struct {
	claims []wantedClaim
	body   string   // the claim that holds the SHA-256 of the body, "" for none
	digest encoding // how
	times  []string // claims of these must be there: exp, nbf, iat
	leeway time.Duration
	maxAge time.Duration // how old iat may be; unlimited for no bound
	ttl    time.Duration // Sign puts exp of a new token this far ahead
}

// A wantedClaim is a claim that must have one of some values, or the one that
// the receiver gives in Keys.With.
type wantedClaim struct {
	name string
	is   []string
	with string
}

// maxToken bounds a token in bytes; what servers take as a header is not much
// more.
const maxToken = 16 << 10

// A token is a JWT in compact form, in parts (RFC 7515 §7.1).
type token struct {
	header, claims []byte // JSON objects in which no name is there twice
	members        []member
	kid            string
	signed         string // what the signature covers
	signature      []byte
}

// parseToken reads a token that must be signed with the algorithm, or tells
// what is wrong with it.
func parseToken(text string, a algorithm) (t *token, fault string) {
	if len(text) > maxToken {
		return nil, fmt.Sprintf("is a token of over %d KiB", maxToken>>10)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, "is no token: it has not three parts"
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64URLStrict.DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, fmt.Sprintf("is no token: part %d is not base64url", i+1)
		}
	}
	t = &token{header: raw[0], claims: raw[1], signed: text[:len(parts[0])+1+len(parts[1])], signature: raw[2]}
	head, ok := uniqueMembers(t.header)
	if !ok {
		return nil, "has a header that is no JSON object, or has a name twice"
	}
	if t.members, ok = uniqueMembers(t.claims); !ok {
		return nil, "has claims that are no JSON object, or has one twice"
	}
	alg := ""
	for _, m := range head {
		text, isText := jsonx.Unquote(m.value)
		switch string(m.name) {
		case "alg":
			alg = text
		case "kid":
			if t.kid = text; !isText {
				return nil, "has a kid that is no text"
			}
		case "crit", "b64": // extensions that change what is signed: none is known
			return nil, "has the header " + string(m.name) + ", which is not understood"
		}
	}
	switch {
	case alg != a.name:
		return nil, fmt.Sprintf("is signed with %s and not with %s", quote(alg), a.name)
	case len(t.signature) == 0 || len(t.signature) > maxKeySignature || a.size > 0 && len(t.signature) != a.size:
		return nil, "has a signature of another length"
	}
	return t, ""
}

// uniqueMembers gives the members of a JSON object, and false if doc is none or
// has a name twice.
func uniqueMembers(doc []byte) (members []member, ok bool) {
	if len(doc) == 0 || doc[0] != '{' || !jsonx.Valid(doc) {
		return nil, false
	}
	seen := map[string]bool{}
	s := jsonx.NewScanner(doc)
	for s.Next() {
		name, ok := jsonx.Unquote(s.Member.Name)
		if !ok || seen[name] {
			return nil, false
		}
		seen[name] = true
		members = append(members, member{[]byte(name), s.Member.Value})
	}
	return members, s.Err() == nil
}

// claim gives the raw value of a claim.
func (t *token) claim(name string) (raw []byte, ok bool) {
	i := slices.IndexFunc(t.members, func(m member) bool { return string(m.name) == name })
	if i < 0 {
		return nil, false
	}
	return t.members[i].value, true
}

// isRight reports whether the key has signed the token.
func (t *token) isRight(a algorithm, k *key) bool {
	sum := tokenSum(a, k, t.signed)
	if a.pair == nil {
		return hmac.Equal(sum, t.signature)
	}
	return a.pair.verify(k.public, sum, t.signature)
}

// tokenSum gives the HMAC of what is signed or, where a key pair signs, its hash.
func tokenSum(a algorithm, k *key, signed string) []byte {
	if a.pair == nil {
		return hmacOf(a.new, k.bytes, []byte(signed))
	}
	h := a.new()
	h.Write([]byte(signed))
	return h.Sum(nil)
}

// judgeToken judges what a token claims, once its signature is right.
func (d *declared) judgeToken(m *Message, t *token, with map[string]string, now time.Time) (v Verdict, ok bool) {
	f := d.token
	if f.body != "" && !f.holdsHash(t, m.Body) {
		return Verdict{
			Invalid, BadSignature, "the token is signed right, and is for another body",
			"check that nothing on the way changed the body",
		}, false
	}
	for _, c := range f.claims {
		raw, _ := t.claim(c.name)
		switch {
		case c.with != "" && with[c.with] == "":
		case c.with != "" && !c.admits(raw, with):
			return Verdict{
				Invalid, WrongAccount, fmt.Sprintf("the token's claim %s is %s", c.name, claimText(raw)),
				fmt.Sprintf("what is expected is given by --with %s.%s", d.id, c.with),
			}, false
		case c.with == "" && !c.admits(raw, with):
			return Verdict{
				Invalid, BadSignature, fmt.Sprintf("the token's claim %s is %s", c.name, claimText(raw)),
				fmt.Sprintf("%s sends %s: the token is meant for something else", d.name, strings.Join(c.is, " or ")),
			}, false
		}
	}
	reason, detail := f.judgeTimes(t, now)
	switch reason {
	case "":
		return Verdict{}, true
	case MalformedSignature, MissingTimestamp:
		return Verdict{Invalid, reason, detail, "the token of " + d.name + " has the times " + strings.Join(f.times, ", ") + ", in seconds"}, false
	}
	return d.untimely(reason, detail), false
}

// claimText shows a claim's value on a line.
func claimText(raw []byte) string {
	if raw == nil {
		return "not there"
	}
	return quote(string(raw))
}

// admits reports whether a claim has a value that is wanted. A list is fine if
// it holds one (RFC 7519 §4.1.3).
func (c *wantedClaim) admits(raw []byte, with map[string]string) bool {
	is := c.is
	if c.with != "" {
		is = []string{with[c.with]}
	}
	if jsonx.KindOf(raw) == jsonx.Array {
		for i := range 32 {
			v, err := jsonx.Find(raw, jsonx.Path{fmt.Sprint(i)})
			if err != nil {
				return false
			}
			if text, ok := jsonx.Text(v.Raw); ok && slices.Contains(is, text) {
				return true
			}
		}
		return false
	}
	text, ok := jsonx.Text(raw)
	return ok && slices.Contains(is, text)
}

func (f *tokenForm) holdsHash(t *token, body []byte) bool {
	raw, _ := t.claim(f.body)
	text, ok := jsonx.Unquote(raw)
	var sum [maxSum]byte
	if !ok || !f.digest.decode(&sum, text, sha256.Size) {
		return false
	}
	want := sha256.Sum256(body)
	return subtle.ConstantTimeCompare(sum[:sha256.Size], want[:]) == 1
}

// parseNumericDate reads a time in seconds (RFC 7519 §2), which may have a
// fraction.
func parseNumericDate(raw []byte) (t time.Time, ok bool) {
	whole, part, hasPart := strings.Cut(string(raw), ".")
	t, _, ok = unitSeconds.parse(whole)
	if !ok || !hasPart {
		return t, ok
	}
	if len(part) > 9 || part == "" {
		return t, false
	}
	nanos := 0
	for i := range 9 {
		nanos *= 10
		if i < len(part) {
			if part[i] < '0' || part[i] > '9' {
				return t, false
			}
			nanos += int(part[i] - '0')
		}
	}
	return t.Add(time.Duration(nanos)), true
}

// timeClaims are the claims that are times.
var timeClaims = []string{"exp", "nbf", "iat"}

// judgeTimes judges the times that are there, wanted or not.
func (f *tokenForm) judgeTimes(t *token, now time.Time) (reason Reason, detail string) {
	now = now.Truncate(time.Second) // as libraries count
	for _, name := range timeClaims {
		raw, ok := t.claim(name)
		if !ok {
			if slices.Contains(f.times, name) {
				return MissingTimestamp, "the token has no " + name
			}
			continue
		}
		at, ok := parseNumericDate(raw)
		if !ok {
			return MalformedSignature, fmt.Sprintf("the token's %s is %s, not a time in seconds", name, claimText(raw))
		}
		past := now.Sub(at) // saturates
		switch {
		case name == "exp" && past >= f.leeway: // RFC 7519 §4.1.4: on or after
			return Stale, fmt.Sprintf("the token expired %s ago%s", age(past), limit(f.leeway))
		case name == "nbf" && past < -f.leeway:
			return Future, fmt.Sprintf("the token holds from %s ahead%s", age(ahead(past)), limit(f.leeway))
		case name == "iat" && past > f.maxAge:
			return Stale, fmt.Sprintf("the token was made %s ago%s", age(past), limit(f.maxAge))
		case name == "iat" && f.maxAge != unlimited && past < -max(f.leeway, f.maxAge):
			return Future, fmt.Sprintf("the token was made %s ahead%s", age(ahead(past)), limit(max(f.leeway, f.maxAge)))
		}
	}
	return "", ""
}

func limit(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf(" (limit %s)", age(d))
}

// ahead is the opposite of a duration, of which the least has none.
func ahead(d time.Duration) time.Duration {
	if -d < 0 {
		return unlimited
	}
	return -d
}
