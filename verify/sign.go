package verify

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ErrNoSecret tells that a message cannot be signed, because there is no
// secret that can be used, or something else that the scheme needs is missing.
var ErrNoSecret = errors.New("cannot sign")

// Sign implements [Scheme]. If it fails, m is as it was.
func (d *declared) Sign(m *Message, k Keys, o SignOptions, now time.Time) error {
	if err := d.checkKeys(k); err != nil {
		return fmt.Errorf("%w: %s: %w (%s)", ErrNoSecret, d.id, err, d.keyHint(err))
	}
	if len(m.Body) > MaxBody {
		return fmt.Errorf("sign %s: the body is over %d MiB", d.id, MaxBody>>20)
	}
	at := d.signingKey(k)
	if at < 0 {
		return fmt.Errorf("%w: %s: %w", ErrNoSecret, d.id, noSigner(k))
	}
	work := *m
	work.Header = maps.Clone(m.Header)
	if m.URL != nil {
		u := *m.URL
		work.URL = &u
	}
	if err := d.sign(&work, k.Secrets[at].key(d.form), k.With, o, now); err != nil {
		return fmt.Errorf("sign %s: %w", d.id, err)
	}
	if m.Header == nil {
		m.Header = work.Header
	} else {
		clear(m.Header)
		maps.Copy(m.Header, work.Header)
	}
	if m.URL == nil {
		m.URL = work.URL
	} else {
		m.URL.RawQuery = work.URL.RawQuery
	}
	m.Body = work.Body
	return nil
}

// signingKey gives the index of the secret that signs, -1 if there is none.
func (d *declared) signingKey(k Keys) int {
	return slices.IndexFunc(k.Secrets, func(s Secret) bool {
		key := s.key(d.form)
		return key.err == nil && (d.form.kind != schemePair || key.private != nil)
	})
}

// sign signs m, which it may leave half done.
func (d *declared) sign(m *Message, k *key, with map[string]string, o SignOptions, now time.Time) error {
	if err := d.fresh.renew(m, o, d.payload); err != nil {
		return err
	}
	if err := d.nonce.renew(m, SignOptions{Rand: o.Rand}, d.payload); err != nil {
		return err
	}
	c := claim{element: d.element(with)}
	if err := d.begin(m, &c); err != nil {
		return err
	}
	if err := d.restamp(m, &c, now); err != nil {
		return err
	}
	if err := d.headers.relist(d, m, &c); err != nil {
		return err
	}
	if err := d.redigest(m, &c); err != nil {
		return err
	}
	before, after := d.prefix, "" // what stands around the signature in its place
	if d.list != nil {
		before, after = d.draft(c)
		c.list = before + after
	}
	if len(d.fields) > 0 {
		c.fields = gather(m.Body, d.fields)
	}
	if list := d.tooLong(&c); list != nil {
		return fmt.Errorf("%s has more than one element, and only one is signed", list)
	}
	if v, ok := d.demand(m, &c); !ok {
		return errors.New(v.Detail)
	}
	d = d.chosen(m, &c)
	var text string
	var err error
	if d.kind == schemeJWT {
		text, err = d.makeToken(k, m, &c, with, now)
	} else {
		text, err = d.make(k, d.algorithm, d.encoding, m, &c, with)
	}
	if err != nil {
		return err
	}
	if err := d.signature.write(m, before+text+after, false); err != nil {
		return fmt.Errorf("the %s cannot be set: %w", d.signature, err)
	}
	for _, p := range d.also {
		delete(m.Header, p.key)
	}
	for _, l := range d.legacy {
		if len(m.Header[l.key]) == 0 {
			continue
		}
		text, err := d.make(k, l.algorithm, l.encoding, m, &c, with)
		if err != nil {
			return err
		}
		m.Header[l.key] = []string{l.prefix + text}
	}
	return nil
}

// begin puts the list that the signature becomes a part of into c, and by which name.
func (d *declared) begin(m *Message, c *claim) error {
	if d.list == nil {
		return nil
	}
	c.list = d.list.start
	if text, how := d.signature.read(m, nil); how == present && text != "" {
		c.list = text
	}
	if d.list.keyed == "" {
		return nil
	}
	c.element = cmp.Or(c.element, d.list.first(c.list), d.list.first(d.list.start+"-"))
	if !elementForm.MatchString(c.element) {
		return fmt.Errorf("the name of the key is not known, or cannot be written (%s)", d.list.keyed)
	}
	return nil
}

// restamp puts the time into c, and into m unless it is part of the signature.
func (d *declared) restamp(m *Message, c *claim, now time.Time) error {
	s := d.stamp
	if s == nil {
		return nil
	}
	var old string
	switch s.in {
	case inSignature:
		old, _ = d.list.find(c.list, s.name)
	case inBody:
		old, _ = s.read(m, gather(m.Body, d.fields))
	default:
		old, _ = s.read(m, nil)
	}
	if s.expiry {
		now = now.Add(s.ttl)
	}
	text, err := s.unit.format(now, old)
	if err != nil {
		return err
	}
	c.stamp = text
	if s.in == inSignature {
		return nil
	}
	isNumber := s.unit == unitSeconds || s.unit == unitMillis
	if err := s.write(m, text, isNumber); err != nil {
		return fmt.Errorf("the %s cannot be set: %w", s.place, err)
	}
	return nil
}

// make gives the signature of the payload, written in e.
func (d *declared) make(k *key, a algorithm, e encoding, m *Message, c *claim, with map[string]string) (string, error) {
	if d.kind.isToken() {
		return string(k.bytes), nil
	}
	w := k.take(a)
	defer k.put(w)
	if lacking := d.write(w, d.payload, k, m, c, with); lacking != nil {
		return "", fmt.Errorf("%s must be signed, and is not there or there more than once", lacking)
	}
	if d.kind == schemePair {
		signature, err := d.signDigest(k.private, d.digest(w))
		return e.encode(signature), err
	}
	w.sum = w.hash.Sum(w.sum[:0])
	return e.encode(w.sum), nil
}
