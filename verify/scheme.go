package verify

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// maxSignatures bounds how many signatures of one message are tried. Senders
// with two keys send two.
const maxSignatures = 16

// A declared is the Scheme that a provider's file declares.
type declared struct {
	id, name, env string
	secretName    string // what the provider calls the secret

	kind       schemeKind
	algorithm  algorithm
	form       keyForm
	payload    template
	others     []template   // what else may be signed: any may be right
	prehash    algorithm    // what is signed is this hash of the payload; none if it has no name
	fields     []string     // top-level members of a JSON body that are read
	single     []jsonx.Path // where a JSON body must not have a second element
	bodyDigest *digest
	headers    *signedHeaders

	signature place
	also      []place // headers that may hold a signature too
	encoding  encoding
	prefix    string
	list      *list
	legacy    []legacy

	stamp   *stamp
	token   *tokenForm // of a JWT
	source  *keySource // where keys are that a message names
	demands []demand
	choice  *choice // of the algorithm, by the message
	needs   []Need
	account *account
	fresh   *fresh
	nonce   *fresh // what Sign makes where it is missing
}

// payloads gives all that may be signed, the payload first.
func (d *declared) payloads() []template { return append([]template{d.payload}, d.others...) }

// A legacy is an older signature that senders still send beside the one that
// counts. It is never verified; Sign makes it anew where a message has one.
type legacy struct {
	place
	algorithm algorithm
	encoding  encoding
	prefix    string
}

// An account is where a message names the receiver's account, and the name in
// Keys.With of the value that it must have.
type account struct {
	from template
	at   place // what from reads, if something can be put there
	with string
}

// A claim is what a message says of its signature.
type claim struct {
	fields *fields
	list   string // what the list is read from
	// element is the name of signatures in the list, "" for any if the names are
	// those of keys.
	element   string
	digested  bool // the message holds the right digest of its body
	stamp     string
	made      time.Time             // what stamp tells
	precision time.Duration         // the smallest step that it can tell
	texts     [maxSignatures]string // the signatures, without prefix; of a token scheme as sent
	sums      [maxSignatures][maxSum]byte
	token     *token // of a JWT
	n         int
}

// Verify implements [Scheme].
func (d *declared) Verify(m Message, k Keys, now time.Time) Verdict {
	if v, ok := d.ready(k); !ok {
		return v
	}
	if len(m.Body) > MaxBody {
		return Verdict{Unverified, TooLarge, fmt.Sprintf("body of %.1f MiB (limit %d)", float64(len(m.Body))/(1<<20), MaxBody>>20), ""}
	}
	c := claim{element: d.element(k.With)}
	if v, ok := d.read(&m, &c); !ok {
		return v
	}
	if v, ok := d.checkBody(&m, &c); !ok {
		return v
	}
	d = d.chosen(&m, &c)
	if d.stamp != nil {
		var ok bool
		if c.made, c.precision, ok = d.stamp.unit.parse(c.stamp); !ok {
			return d.malformed("%s is %s, not a time (%s)", d.stamp.place, quote(c.stamp), d.stamp.unit)
		}
	}
	tried := 0
	for i, s := range k.Secrets {
		key := s.key(d.form)
		if key.err != nil {
			continue
		}
		tried++
		if v, ok := d.judge(key, &m, &c, k, now); ok {
			if v.Status == Valid && i > 0 { // who rotates wants to know whether the old one is still used
				v.Detail = fmt.Sprintf("made with secret %d of %d", i+1, len(k.Secrets))
			}
			return v
		}
	}
	if d.source != nil && k.Fetch != nil {
		copied := m // or every message would have to be on the heap
		key, v, ok := d.fetchKey(&copied, &c, k.Fetch, now)
		if !ok {
			return v
		}
		if v, ok := d.judge(key, &m, &c, k, now); ok {
			return v
		}
		return d.notOfSource()
	}
	return d.wrong(tried)
}

// judge gives the verdict on a message that the key has signed, or that lacks what is
// signed. It reports false if the key has not signed it.
func (d *declared) judge(key *key, m *Message, c *claim, k Keys, now time.Time) (Verdict, bool) {
	right, lacking := d.compare(key, m, c, k.With)
	if lacking != nil {
		return d.malformed("%s is signed, and is not there or not clear", lacking), true
	}
	if !right {
		return Verdict{}, false
	}
	return d.admit(m, c, k, now), true
}

// admit judges what remains once the signature is right.
func (d *declared) admit(m *Message, c *claim, k Keys, now time.Time) Verdict {
	if d.token != nil {
		if v, ok := d.judgeToken(m, c.token, k.With, now); !ok {
			return v
		}
	}
	if d.account != nil {
		if want := k.With[d.account.with]; want != "" {
			got, ok := d.account.from.expand(&view{m: *m}, maxName, nil)
			if !ok {
				return d.otherAccount("the message names no account")
			}
			if got != want {
				return d.otherAccount("for account " + quote(got))
			}
		}
	}
	if d.stamp != nil {
		if reason, detail := d.stamp.judge(c.made, c.precision, now); reason != "" {
			return d.untimely(reason, detail)
		}
	}
	return Verdict{Status: Valid}
}

// read gathers what m says of its signature. It reports false, and the
// verdict, if m is not signed or not readably so.
func (d *declared) read(m *Message, c *claim) (Verdict, bool) {
	if d.list != nil && c.element == "" {
		c.element = d.list.element
	}
	if len(d.fields) > 0 {
		c.fields = gather(m.Body, d.fields)
	}
	signed := false
	text, how := d.signature.read(m, c.fields)
	if how != absent {
		signed = true
		if v, ok := d.readText(d.signature, text, how, c); !ok {
			return v, false
		}
	}
	for _, p := range d.also {
		if text, how := p.read(m, c.fields); how != absent {
			signed = true
			if v, ok := d.readText(p, text, how, c); !ok {
				return v, false
			}
		}
	}
	if !signed {
		return d.unsigned(), false
	}
	if v, ok := d.demand(m, c); !ok {
		return v, false
	}
	if list := d.tooLong(c); list != nil {
		return d.malformed("JSON field %s has more than one element, and only one is signed", list), false
	}
	if d.stamp == nil {
		return Verdict{}, true
	}
	if d.stamp.in == inSignature {
		c.stamp, how = d.list.find(c.list, d.stamp.name)
	} else {
		c.stamp, how = d.stamp.read(m, c.fields)
	}
	switch how {
	case present:
		return d.readCopy(c)
	case absent:
		return d.untimed(), false
	case several:
		return d.malformed("%s is there more than once", d.stamp.place), false
	}
	return d.malformed("%s is no text", d.stamp.place), false
}

// tooLong gives a list that has more elements than the one that is signed, nil if none has.
func (d *declared) tooLong(c *claim) jsonx.Path {
	for _, second := range d.single {
		if _, how := c.fields.text(second); how != absent {
			return second[:len(second)-1]
		}
	}
	return nil
}

// readCopy compares the time with its copy in the list, which is not signed
// itself and must not tell another one.
func (d *declared) readCopy(c *claim) (Verdict, bool) {
	if d.stamp.also == "" {
		return Verdict{}, true
	}
	switch text, how := d.list.find(c.list, d.stamp.also); {
	case how == several:
		return d.malformed("%s has element %s more than once", d.signature, d.stamp.also), false
	case how == present && text != c.stamp:
		return d.malformed("element %s of the signature is another time than %s", d.stamp.also, d.stamp.place), false
	}
	return Verdict{}, true
}

// element gives the name of signatures in the list.
func (d *declared) element(with map[string]string) string {
	switch {
	case d.list == nil:
		return ""
	case d.list.keyed != "":
		return with[d.list.keyed]
	}
	return d.list.element
}

// readText reads the signatures in text, which is what p holds.
func (d *declared) readText(p place, text string, how presence, c *claim) (Verdict, bool) {
	switch {
	case how == several:
		return d.malformed("%s is there more than once", p), false
	case how == unreadable:
		return d.malformed("%s is no text", p), false
	case text == "":
		return d.malformed("%s is empty", p), false
	}
	if d.list == nil {
		if fault := d.add(c, text); fault != "" {
			return d.malformed("%s %s", p, fault), false
		}
		return Verdict{}, true
	}
	c.list = text
	fault, seen, before := "", 0, c.n
	for rest, more := text, true; more; {
		var name, value string
		name, value, rest, more = d.list.next(rest)
		isKey := d.list.keyed != "" && c.element == ""
		if name != c.element && !isKey || name == "" && value == "" {
			continue
		}
		seen++
		if f := d.add(c, value); f != "" {
			fault = f
		}
	}
	switch {
	case seen == 0:
		return d.malformed("%s has no element %s", p, elementText(c.element)), false
	case seen > 1 && !d.list.multiple:
		return d.malformed("%s has element %s more than once", p, elementText(c.element)), false
	case c.n == before: // of several, one that can be read is enough
		return d.malformed("%s: %s %s", p, elementText(c.element), fault), false
	}
	return Verdict{}, true
}

// add reads one signature, or tells what is wrong with it.
func (d *declared) add(c *claim, text string) (fault string) {
	text, ok := strings.CutPrefix(text, d.prefix)
	switch {
	case !ok:
		return "does not begin with " + d.prefix
	case c.n == maxSignatures:
		return "comes after too many others"
	case d.kind.isToken():
	case d.kind == schemeJWT:
		var fault string
		if c.token, fault = parseToken(text, d.algorithm); fault != "" {
			return fault
		}
	case d.kind == schemePair:
		if d.decodeSignature(text) == nil {
			return "is no signature in " + string(d.encoding)
		}
	case !d.encoding.decode(&c.sums[c.n], text, d.algorithm.size):
		return fmt.Sprintf("is not %d characters of %s", d.encoding.length(d.algorithm.size), d.encoding)
	}
	c.texts[c.n] = text
	c.n++
	return ""
}

// compare reports whether a signature in c is right for the key. lacking is a
// part of the payload that m does not hold.
func (d *declared) compare(k *key, m *Message, c *claim, with map[string]string) (right bool, lacking *part) {
	if d.kind.isToken() {
		want := sha256.Sum256(k.bytes) // so that the comparison does not tell the length
		also := want
		if k.also != nil {
			also = sha256.Sum256(k.also)
		}
		for _, text := range c.texts[:c.n] {
			var room [128]byte // so that most need no other
			got := sha256.Sum256(append(room[:0], text...))
			right = subtle.ConstantTimeCompare(got[:], want[:])|subtle.ConstantTimeCompare(got[:], also[:]) == 1 || right
		}
		return right, nil
	}
	if d.kind == schemeJWT {
		return c.token.isRight(d.algorithm, k), nil
	}
	right, lacking = d.compareOne(d.payload, k, m, c, with)
	for _, t := range d.others {
		ok, missing := d.compareOne(t, k, m, c, with)
		if right = ok || right; missing == nil {
			lacking = nil
		}
	}
	return right, lacking
}

// compareOne is compare for one payload of several.
func (d *declared) compareOne(t template, k *key, m *Message, c *claim, with map[string]string) (right bool, lacking *part) {
	w := k.take(d.algorithm)
	defer k.put(w)
	if lacking = d.write(w, t, k, m, c, with); lacking != nil {
		return false, lacking
	}
	if d.kind == schemePair {
		digest := d.digest(w)
		for _, text := range c.texts[:c.n] {
			right = d.algorithm.pair.verify(k.public, digest, d.decodeSignature(text)) || right
		}
		return right, nil
	}
	w.sum = w.hash.Sum(w.sum[:0])
	for i := range c.n {
		right = subtle.ConstantTimeCompare(w.sum, c.sums[i][:d.algorithm.size]) == 1 || right
	}
	return right, nil
}

// elementText is the name of an element for a message; it may be one that the
// receiver has given.
func elementText(name string) string {
	if elementForm.MatchString(name) {
		return name
	}
	return quote(name)
}
