package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"devhook/internal/yamlx"
)

// The rules that hold between the fields of a description. Their aim is that
// every description that parses obeys the law of [Scheme].

// finish checks b as a whole and makes the Provider of it.
func (b *builder) finish() error {
	for _, check := range []func() error{
		b.checkNames, b.checkToken, b.checkChoice, b.checkSignature, b.checkPayload, b.checkDemands, b.checkSource, b.checkPlaces, b.checkCircles, b.checkHeaders, b.checkStamp, b.checkDigest, b.checkNonce, b.checkAccount, b.checkConditions, b.checkReplies,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	p, d := &b.p, &b.d
	if len(b.f.marks) == 0 && (d.signature.in == inHeader && d.signature.key != "Authorization" || d.signature.in == inQuery) {
		b.f.marks = []mark{{condition{in: d.signature.in, key: d.signature.key}}}
	}
	d.id, d.name, d.env, d.secretName, d.needs = p.ID, p.Name, p.Env, p.SecretName, p.Needs
	if d.kind != schemeJWT { // checkToken knows better
		d.form.kind, d.form.algorithm = d.kind, d.algorithm.name
	}
	d.form.prehash = d.prehash.name
	b.f.delivery = b.ids
	b.f.eventNames, b.f.deliveryNames = memberNames(b.f.event), memberNames(b.f.delivery)
	facets, scheme := b.f, b.d
	scheme.vary()
	p.facets, p.Scheme = &facets, &scheme
	p.Summary = scheme.summary()
	return nil
}

// fault is an error at a field at the top, or for the whole if it is not there.
func (b *builder) fault(field, format string, args ...any) error {
	if n, ok := b.at[field]; ok {
		return n.Errorf(format, args...)
	}
	e := b.root.Errorf(format, args...).(*yamlx.Error)
	e.Field = strings.TrimPrefix(b.root.Field+"."+field, ".")
	return e
}

func (b *builder) checkNames() error {
	p := &b.p
	if !idForm.MatchString(p.ID) {
		return b.fault("id", "must be small letters, digits and '-', and is %s", quote(p.ID))
	}
	p.Name = cmp.Or(p.Name, p.ID)
	p.Env = cmp.Or(p.Env, defaultEnv(p.ID))
	p.SecretName = cmp.Or(p.SecretName, "secret")
	return nil
}

func (b *builder) checkSignature() error {
	d := &b.d
	isToken := d.kind.isToken()
	if d.kind == schemeBasic {
		if d.signature.in == "" {
			d.signature = place{in: inHeader, name: "Authorization"}
		}
		d.prefix = cmp.Or(d.prefix, "Basic ")
	}
	hasEncoding, hasAlgorithm := d.encoding != "", d.algorithm.new != nil
	switch {
	case d.kind == "":
		return b.fault("scheme", "is missing (hmac, hash, asymmetric, jwt, token or basic)")
	case d.signature.in == "" || d.signature.name == "":
		return b.fault("signature", "needs in and name")
	case hasEncoding == isToken:
		return b.fault("signature", "needs an encoding unless the scheme is token or basic, and only then")
	case hasAlgorithm == isToken:
		return b.fault("algorithm", "is needed unless the scheme is token or basic, and only then")
	case d.kind != schemeJWT && ((d.algorithm.pair != nil) != (d.kind == schemePair) || baseForms[d.algorithm.name].kind != ""):
		return b.fault("algorithm", "%s is not one of the scheme %s", d.algorithm.name, d.kind)
	case d.kind == schemePair && (len(d.legacy) > 0 || len(d.also) > 0):
		return b.fault("scheme", "a signature with a key pair stands alone: no legacy and no also")
	case d.prehash.name != "" && d.kind != schemePair:
		return b.fault("prehash", "is for the scheme asymmetric")
	case isToken && (d.form.strip != "" || d.form.decode != "" || d.form.hash != "" || d.form.normal != ""):
		return b.fault("secret", "a token is sent as it is: no strip, no decode and no hash")
	case d.form.hash != "" && d.kind != schemeHMAC:
		return b.fault("secret", "hash is for the scheme hmac")
	case d.signature.held != nil && (d.signature.in != inForm || d.list != nil):
		return b.fault("signature", "path is for the JSON in a form field")
	case isToken && (d.list != nil || len(d.legacy) > 0 || d.stamp != nil):
		return b.fault("scheme", "a token is sent alone: no list, no legacy and no timestamp")
	case len(d.also) > 0 && (d.signature.in != inHeader || d.list != nil):
		return b.fault("signature", "also is for headers with one signature each")
	case strings.HasPrefix(d.prefix, " "):
		return b.fault("signature", "the prefix begins with a space")
	}
	n := b.at["signature"]
	if err := d.signature.settle(n); err != nil {
		return err
	}
	for i := range d.also {
		if err := d.also[i].settle(n); err != nil {
			return err
		}
	}
	return b.checkList()
}

func (b *builder) checkList() error {
	l := b.d.list
	if l == nil {
		return nil
	}
	if l.split = strings.TrimSpace(l.separator); l.split == "" {
		l.split = l.separator
	}
	switch {
	case b.d.signature.in != inHeader && b.d.signature.in != inForm:
		return b.fault("signature", "a list is for headers only, and form fields")
	case l.separator == "":
		return b.fault("signature", "the list needs sep")
	case (l.assign == "") != (l.element == "" && l.keyed == "" && !l.bare):
		return b.fault("signature", "the list needs kv and element, or neither")
	case l.keyed != "" && (l.element != "" || l.bare || !l.multiple || len(l.drop) > 0):
		return b.fault("signature", "a list by key needs multiple, and has no element")
	case l.keyed != "" && !b.needs(l.keyed):
		return b.fault("signature", "the key of the list must be in with")
	case l.bare && (l.element != "" || b.d.encoding != encodingHex || b.d.prefix != "" || l.assign != "="):
		return b.fault("signature", "a bare signature is in hex, without element and prefix, beside others with =")
	case l.assign == l.split:
		return b.fault("signature", "kv is the same as sep")
	case slices.Contains(l.drop, l.element):
		return b.fault("signature", "drop has the element of the signature")
	case strings.Contains(b.d.prefix, l.split):
		return b.fault("signature", "the prefix has the separator in it")
	case l.element == "" && b.d.prefix != strings.TrimSpace(b.d.prefix):
		return b.fault("signature", "the prefix begins or ends with a space")
	}
	return nil
}

func (b *builder) checkPayload() error {
	d := &b.d
	isToken := d.kind.isToken()
	switch {
	case (len(d.payload) > 0) == (isToken || d.kind == schemeJWT):
		return b.fault("payload", "is needed unless the scheme is token, and only then")
	case len(d.others) > 0 && d.kind == schemePair:
		return b.fault("payload", "a signature with a key pair has one payload")
	}
	for _, t := range d.payloads() {
		if err := b.checkTemplate(t); err != nil {
			return err
		}
	}
	return nil
}

// checkTemplate checks one payload.
func (b *builder) checkTemplate(t template) error {
	d := &b.d
	switch {
	case d.kind == schemeHash && !t.has(refSecret, ""):
		return b.fault("payload", "a plain hash without {secret} proves nothing")
	case d.kind != schemeHash && t.has(refSecret, ""):
		return b.fault("payload", "{secret} is the key, not a part of the payload, but for a hash")
	case t.has(refTime, "") && d.stamp == nil:
		return b.fault("payload", "{ts} needs timestamp")
	case t.has(refSig, "") && d.list == nil:
		return b.fault("payload", "{sig.NAME} needs signature.list")
	case t.has(refSig, "") && d.list.assign == "":
		return b.fault("payload", "{sig.NAME} needs signature.list with kv")
	}
	for _, p := range t {
		if p.call != "" && (p.ref == refDecoded || p.ref == refForms && p.call == "json") {
			return b.fault("payload", "%s: a function of it is not supported", p)
		}
	}
	for p := range t.flat() {
		switch p.ref {
		case refSecret:
			if p.call != "" {
				return b.fault("payload", "%s: a function of the secret is not supported", p)
			}
		case refForm:
			if len(p.path) > 1 {
				return b.fault("payload", "%s: a part of a form field is not supported", p)
			}
		case refHeader:
			if !headerForm.MatchString(p.text) {
				return b.fault("payload", "%s is no name of a header", quote(p.text))
			}
		case refWith:
			if i := slices.IndexFunc(b.p.Needs, func(n Need) bool { return n.Name == p.text }); i < 0 || !b.p.Needs[i].Required {
				return b.fault("payload", "%s must be in with, as required: true", p)
			}
		}
	}
	return nil
}

// checkStamp refuses a time that anyone could change.
func (b *builder) checkStamp() error {
	s := b.d.stamp
	if s == nil {
		return nil
	}
	if s.also != "" && (s.in == inSignature || b.d.list == nil || b.d.list.assign == "" || b.d.list.keyed != "" ||
		s.also == b.d.list.element || slices.Contains(b.d.list.drop, s.also) || s.unit == unitHTTPDate) {
		return b.fault("timestamp", "also is an element of signature.list of its own")
	}
	if s.in == inSignature && s.unit == unitHTTPDate {
		return b.fault("timestamp", "an http-date has commas in it: not in a list")
	}
	for _, t := range b.d.payloads() {
		switch listed := b.d.headers != nil && b.d.headers.has(s.place); {
		case t.has(refTime, "") || t.covers(s.place):
		case listed:
			b.d.headers.timed = true
		default:
			return b.fault("payload", "does not cover the timestamp: anyone could change it")
		}
	}
	return nil
}

// checkNonce sees to it that what is made anew is signed.
func (b *builder) checkNonce() error {
	if n := b.d.nonce; n != nil && (n.in != inHeader && n.in != inQuery || !b.d.payload.covers(n.place)) {
		return b.fault("nonce", "is a header or parameter that the payload refers to")
	}
	return nil
}

func (b *builder) checkAccount() error {
	a := b.d.account
	if a == nil {
		return nil
	}
	if len(a.from) == 0 || !b.needs(a.with) {
		return b.fault("account", "needs from, and with the name of something in with")
	}
	return nil
}

// needs reports whether the receiver gives something of the name.
func (b *builder) needs(name string) bool {
	return slices.ContainsFunc(b.p.Needs, func(n Need) bool { return n.Name == name })
}

// checkConditions sees to it that values of the receiver's own are only asked
// for in handshakes, and are known, and that a secret is no oracle: who could
// have anything signed by asking could forge webhooks.
func (b *builder) checkConditions() error {
	for _, m := range b.f.marks {
		for _, c := range m {
			if c.absent {
				return b.fault("marks", "{absent} is for handshakes only")
			}
			if c.with != "" {
				return b.fault("marks", "{with.%s} is for handshakes only", c.with)
			}
		}
	}
	for i := range b.f.handshakes {
		if err := b.checkHandshake(&b.f.handshakes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) checkHandshake(h *handshake) error {
	var asked []string // values of the receiver's own
	for _, c := range h.when {
		if c.with != "" {
			asked = append(asked, c.with)
		}
	}
	known := len(asked) > 0 // who asks has shown a value that only the provider knows
	for _, t := range h.texts() {
		for _, p := range t {
			if p.ref == refWith {
				asked = append(asked, p.text)
			}
		}
	}
	for _, name := range asked {
		if !b.needs(name) {
			return b.fault("handshake", "{with.%s} must be in with", name)
		}
	}
	if h.first && !known && h.signsFreely() {
		return b.fault("handshake", "signs whatever is asked for: give what it signs the pattern {token} in when, or answer in the stage after")
	}
	return nil
}

// texts gives all templates of the answer.
func (h *handshake) texts() []template {
	texts := []template{h.body}
	for _, name := range sortedKeys(h.header) {
		texts = append(texts, h.header[name])
	}
	return texts
}

// signsFreely reports whether h answers with the HMAC of a text that may be the
// payload of a forged message. One of {token} has neither dots nor brackets.
func (h *handshake) signsFreely() bool {
	for _, t := range h.texts() {
		for _, p := range t {
			if keyedFunctions[p.call] == nil {
				continue
			}
			bounded := slices.ContainsFunc(h.when, func(c condition) bool {
				return c.isOf(p) && c.pattern != nil && len(c.pattern.steps) == 1 && (c.pattern.steps[0].class == "token" || c.pattern.steps[0].class == "hex")
			})
			if !bounded {
				return true
			}
		}
	}
	return false
}

// isOf reports whether the condition is on what the part refers to.
func (c *condition) isOf(p part) bool { return c.in != "" && c.in == p.at.in && c.key == p.key }

// summary tells in one line how messages are signed.
func (d *declared) summary() string {
	where := d.signature.String()
	switch d.kind {
	case schemeToken:
		return fmt.Sprintf("the %s itself, in %s", d.secretName, where)
	case schemeBasic:
		return fmt.Sprintf("user and password, in %s", where)
	}
	if d.kind == schemeJWT {
		of := ""
		if d.token.body != "" {
			of = " with the SHA-256 of the body"
		}
		return fmt.Sprintf("a JWT (%s)%s, in %s", d.algorithm.name, of, where)
	}
	how := strings.ToUpper(d.algorithm.name)
	if d.kind == schemeHMAC {
		how = "HMAC-" + how
	}
	if d.choice != nil {
		how = d.choice.summary()
	}
	text := fmt.Sprintf("%s of %s, %s, in %s", how, d.payloadText(), d.encoding, where)
	if s := d.stamp; s != nil {
		switch {
		case s.expiry:
			text += ", until the time in " + s.place.String()
		case s.past == unlimited:
			text += ", at any time"
		default:
			text += ", for " + age(s.past)
		}
	}
	return text
}
