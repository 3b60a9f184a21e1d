package verify

import (
	"slices"
	"strings"
	"time"
)

var tokenFields = fieldTable[*tokenForm]{
	"claims": func(f *tokenForm, n node) error {
		return n.each(func(name string, value, key node) error {
			is, err := listOf(value, node.Scalar)
			if err == nil && len(is) == 0 {
				err = value.Errorf("names no value")
			}
			if err != nil {
				return err
			}
			c := wantedClaim{name: name, is: is}
			if with, ok := strings.CutPrefix(c.is[0], "{with."); ok && strings.HasSuffix(with, "}") {
				if len(c.is) > 1 {
					return value.Errorf("{with.NAME} stands alone")
				}
				c.is, c.with = nil, strings.TrimSuffix(with, "}")
			}
			f.claims = append(f.claims, c)
			return nil
		})
	},
	"body": func(f *tokenForm, n node) error { return tokenBodyFields.read(f, n) },
	"times": func(f *tokenForm, n node) (err error) {
		f.times, err = listOf(n, func(n node) (string, error) { return n.Word("time", timeClaims) })
		return
	},
	"leeway":  func(f *tokenForm, n node) (err error) { f.leeway, err = n.Duration(); return },
	"max_age": func(f *tokenForm, n node) (err error) { f.maxAge, err = n.Duration(); return },
	"ttl":     func(f *tokenForm, n node) (err error) { f.ttl, err = n.Duration(); return },
}

var tokenBodyFields = fieldTable[*tokenForm]{
	"claim":    func(f *tokenForm, n node) (err error) { f.body, err = n.Label(); return },
	"encoding": func(f *tokenForm, n node) error { return n.encoding(&f.digest) },
}

func newTokenForm() *tokenForm { return &tokenForm{maxAge: unlimited, ttl: defaultTolerance} }

// checkToken checks what is a JWT's own, and completes it.
func (b *builder) checkToken() error {
	d := &b.d
	if d.kind != schemeJWT {
		if d.token != nil {
			return b.fault("token", "is for the scheme jwt")
		}
		return nil
	}
	base, known := baseForms[d.algorithm.name]
	switch {
	case !known:
		return b.fault("algorithm", "is HS256, HS512, RS256 or ES256 for the scheme jwt")
	case d.encoding != "" || d.list != nil || len(d.also) > 0 || len(d.legacy) > 0 || d.stamp != nil || d.prehash.name != "" || len(d.payload) > 0,
		d.bodyDigest != nil || d.headers != nil || d.nonce != nil || len(d.single) > 0 || d.signature.path != nil && d.signature.in != inBody:
		return b.fault("scheme", "a token stands alone: no encoding, list, also, legacy, timestamp, prehash or payload")
	}
	d.encoding = encodingBase64URL
	if d.token == nil {
		d.token = newTokenForm()
	}
	f := d.token
	if f.body != "" && f.digest == "" || f.body == "" && f.digest != "" {
		return b.fault("token", "body needs claim and encoding")
	}
	if f.ttl < time.Second || f.maxAge != unlimited && !slices.Contains(f.times, "iat") {
		return b.fault("token", "needs a ttl of at least a second, and iat in times for max_age")
	}
	names := append([]string{f.body}, timeClaims...)
	for _, c := range f.claims {
		if slices.Contains(names, c.name) {
			return b.fault("token", "the claim %s has two meanings", quote(c.name))
		}
		names = append(names, c.name)
		if c.with != "" && !b.needs(c.with) {
			return b.fault("token", "{with.%s} must be in with", c.with)
		}
	}
	if f.body != "" && (d.signature.in == inBody || d.signature.in == inForm) {
		return b.fault("token", "is in the body whose hash it holds")
	}
	d.form.kind, d.form.algorithm = base.kind, base.algorithm
	return nil
}
