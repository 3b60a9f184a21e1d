package verify

import (
	"crypto/subtle"
	"fmt"
)

// A digest is where a message holds a hash of its body, which the payload
// covers in place of the body.
type digest struct {
	place
	algorithm algorithm
	encoding  encoding
}

var digestFields = fieldTable[*digest]{
	"in":        func(g *digest, n node) error { return n.placeKind(&g.place, inHeader, inQuery) },
	"name":      func(g *digest, n node) (err error) { g.name, err = n.Label(); return },
	"algorithm": func(g *digest, n node) error { return n.algorithm(&g.algorithm, algorithms...) },
	"encoding":  func(g *digest, n node) error { return n.encoding(&g.encoding) },
}

func (b *builder) readDigest(n node) error {
	g := new(digest)
	if err := digestFields.read(g, n, "in", "name", "algorithm", "encoding"); err != nil {
		return err
	}
	b.d.bodyDigest = g
	return g.place.settle(n)
}

// checkDigest sees to it that the digest is signed, and that nothing that is
// signed on its own changes the body that it is one of.
func (b *builder) checkDigest() error {
	g := b.d.bodyDigest
	if g == nil {
		return nil
	}
	for _, t := range b.d.payloads() {
		if !t.covers(g.place) {
			return b.fault("payload", "does not cover the digest: anyone could change it")
		}
	}
	for _, u := range b.d.uses() {
		if (u.in == inBody || u.in == inForm) && u.what != "delivery_id" {
			return b.fault("digest", "is one of the body, and %s is in the body", u.what)
		}
	}
	return nil
}

func (g *digest) of(body []byte) []byte {
	h := g.algorithm.new()
	h.Write(body)
	return h.Sum(nil)
}

// checkBody compares the digest that m holds with its body. It reports false,
// and the verdict, if there is none where one is due, or it is wrong.
func (d *declared) checkBody(m *Message, c *claim) (Verdict, bool) {
	g := d.bodyDigest
	if g == nil {
		return Verdict{}, true
	}
	text, how := g.read(m, nil)
	switch {
	case how == absent && d.saysBody(m):
		return Verdict{}, true
	case how == absent:
		return d.malformed("there is no %s, and so the body is not signed", g.place), false
	case how != present:
		return d.malformed("%s is not there once and readable", g.place), false
	}
	var sum [maxSum]byte
	if !g.encoding.decode(&sum, text, g.algorithm.size) {
		return d.malformed("%s is not %d characters of %s", g.place, g.encoding.length(g.algorithm.size), g.encoding), false
	}
	if subtle.ConstantTimeCompare(sum[:g.algorithm.size], g.of(m.Body)) != 1 {
		return Verdict{Invalid, BadSignature, fmt.Sprintf("%s is not the %s of the body", g.place, g.algorithm.name), "something on the way changed the body"}, false
	}
	c.digested = true
	return Verdict{}, true
}

// saysBody reports whether the payload holds m's body without a digest.
func (d *declared) saysBody(m *Message) bool {
	if !d.payload.has(refForms, "") {
		return false
	}
	_, how := sortedForm(m)
	return how != absent
}

// redigest puts the digest of m's body into m, where one is there or due.
func (d *declared) redigest(m *Message, c *claim) error {
	g := d.bodyDigest
	if g == nil {
		return nil
	}
	if _, how := g.read(m, nil); how == absent && d.saysBody(m) {
		return nil
	}
	c.digested = true
	if err := g.write(m, g.encoding.encode(g.of(m.Body)), false); err != nil {
		return fmt.Errorf("the %s cannot be set: %w", g.place, err)
	}
	return nil
}
