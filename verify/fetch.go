package verify

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Fetcher gets what is at a URL: a certificate or a set of keys. It is asked
// for https URLs only, whose host the provider's description allows; it bounds
// the time it takes, and should keep what it got for a while. devhook has one in
// internal/fetch.
type Fetcher interface {
	Fetch(ctx context.Context, url string) ([]byte, error)
}

// A remote is what a message names by a URL, on servers that the provider's
// description allows.
type remote struct {
	url   template
	hosts []*pattern
	at    string // the hosts, in words
}

// A keySource is where keys come from that are fetched.
type keySource struct {
	remote
	path   *pattern // of the URL's path; nil: any
	format string   // certificate or jwks
	names  []*pattern
}

// String tells whose server it is.
func (s *remote) String() string { return s.at }

// Fetches reports whether keys of p are fetched, by a [Keys.Fetch].
func (p Provider) Fetches() bool {
	d, ok := p.Scheme.(*declared)
	return ok && d.source != nil
}

// fetchKey gets the key that m names, or the verdict.
func (d *declared) fetchKey(m *Message, c *claim, from Fetcher, now time.Time) (k *key, v Verdict, ok bool) {
	s := d.source
	at, fault := s.locate(d, m, c)
	if fault != "" {
		return nil, d.malformed("%s", fault), false
	}
	if s.format == "jwks" && c.token.kid == "" {
		return nil, Verdict{Invalid, MissingKeyID, "the token names no key (kid)", d.name + " names the key of each token"}, false
	}
	src, err := from.Fetch(context.Background(), at)
	if err != nil {
		return nil, d.unfetched("the key could not be fetched: " + plainText(err.Error())), false
	}
	var public crypto.PublicKey
	if s.format == "jwks" {
		isSet := false
		if public, isSet = findJWK(src, c.token.kid); !isSet {
			return nil, d.unfetched("what was fetched from " + s.at + " is no set of keys"), false
		}
		if public == nil {
			return nil, Verdict{Invalid, BadSignature, fmt.Sprintf("%s has no key %s", s.at, quote(c.token.kid)), "the token was not made by " + d.name + ", or so long ago that its key is gone"}, false
		}
	} else {
		cert := firstCertificate(src)
		if cert == nil {
			return nil, d.unfetched("what was fetched from " + s.at + " is no certificate"), false
		}
		if fault := s.refuses(cert, now); fault != "" {
			return nil, Verdict{Invalid, BadSignature, "the certificate " + fault, "only a certificate of " + d.name + " that is valid proves anything"}, false
		}
		public = cert.PublicKey
	}
	if !d.algorithm.pair.fits(public) {
		return nil, Verdict{Invalid, BadSignature, "the key that was fetched is of another kind (" + keyKind(public) + ")", "check that the message is from " + d.name}, false
	}
	return &key{form: d.form, public: public}, Verdict{}, true
}

// locate gives the URL of the key, if it is one that may be fetched.
func (s *keySource) locate(d *declared, m *Message, c *claim) (at, fault string) {
	var b strings.Builder
	for i := range s.url {
		p := &s.url[i]
		if p.ref == refLiteral {
			b.WriteString(p.text)
			continue
		}
		text, how := d.text(p, m, c, nil)
		if how != present {
			return "", fmt.Sprintf("%s names the key, and is not there or not clear", p)
		}
		b.WriteString(text)
	}
	u, fault := s.allow(b.String())
	switch {
	case fault != "":
		return "", "the key is at " + fault
	case u.RawQuery != "" || u.ForceQuery:
		return "", "the key is at " + quote(b.String()) + ", which is no plain https URL"
	case s.path != nil && !s.path.matches(u.EscapedPath()):
		return "", fmt.Sprintf("the key is at %s, which is no path for it", quote(u.EscapedPath()))
	}
	return u.String(), ""
}

// allow gives the URL of the text, if it may be asked for, and else what is
// wrong.
func (s *remote) allow(text string) (u *url.URL, fault string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, quote(text) + ", which is no URL"
	case u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, quote(text) + ", which is no plain https URL"
	case !slices.ContainsFunc(s.hosts, func(p *pattern) bool { return p.matches(u.Host) }): // a port is none of it
		return nil, fmt.Sprintf("%s, and not at %s", quote(u.Host), s.at)
	}
	return u, ""
}

// firstCertificate gives the first certificate in a PEM file: the one that
// signs, before those that vouch for it.
func firstCertificate(src []byte) *x509.Certificate {
	for block, rest := pem.Decode(src); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil
			}
			return cert
		}
	}
	return nil
}

// refuses tells why a certificate does not count at the time now. Who issued it
// is not looked at: that it came over TLS from a host of the provider is what
// is trusted.
func (s *keySource) refuses(cert *x509.Certificate, now time.Time) (fault string) {
	names := append(slices.Clone(cert.DNSNames), cert.Subject.CommonName)
	switch {
	case now.Before(cert.NotBefore):
		return "is valid only from " + cert.NotBefore.UTC().Format(time.RFC3339)
	case now.After(cert.NotAfter):
		return "was valid until " + cert.NotAfter.UTC().Format(time.RFC3339)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "is not one for signatures"
	case len(s.names) > 0 && !slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(s.names, func(p *pattern) bool { return p.matches(name) })
	}):
		return "is for " + quote(strings.Join(names, ", "))
	}
	return ""
}

// unfetched is the verdict where nothing is known against m, and nothing for it.
// It is not NoSecret: who names the provider has all that is needed.
func (d *declared) unfetched(detail string) Verdict {
	return Verdict{Unverified, Unsupported, detail, fmt.Sprintf("check that this machine reaches %s, or give the %s with --secret %s=REF", d.source, d.secretName, d.id)}
}

// notOfSource is the verdict where the key that was fetched does not fit.
func (d *declared) notOfSource() Verdict {
	return Verdict{Invalid, BadSignature, "not signed with the key that it names", "check that nothing on the way changed what is signed; what devhook signed itself verifies with devhook keys " + d.id}
}

// plainText makes an error's text fit for a line.
func plainText(text string) string {
	const most = 160 // bytes
	if len(text) > most {
		text = text[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}

var keyFields = fieldTable[*keySource]{
	"url":   func(s *keySource, n node) error { return s.readURL(n) },
	"hosts": func(s *keySource, n node) error { return s.readHosts(n) },
	"path": func(s *keySource, n node) error {
		text, err := n.Label()
		if err == nil {
			s.path, err = parsePattern(text)
		}
		return n.Wrap(err)
	},
	"format": func(s *keySource, n node) (err error) {
		s.format, err = n.Word("format", []string{"certificate", "jwks"})
		return
	},
	"names": func(s *keySource, n node) (err error) { s.names, _, err = n.patterns(); return },
}

func (s *remote) readURL(n node) error { return n.template(&s.url, messageRefs) }

func (s *remote) readHosts(n node) (err error) {
	s.hosts, s.at, err = n.patterns()
	return err
}

// bounded reports whether all hosts are of domains that are named.
func (s *remote) bounded() bool {
	return !slices.ContainsFunc(s.hosts, func(p *pattern) bool {
		return len(p.steps) == 0 || p.steps[0].class == "*" && !strings.HasPrefix(p.last(), ".") || strings.Count(p.last(), ".") < 1
	})
}

func (n node) patterns() (all []*pattern, words string, err error) {
	texts, err := n.Labels()
	for _, text := range texts {
		p, err := parsePattern(text)
		if err != nil {
			return nil, "", n.Wrap(err)
		}
		all = append(all, p)
	}
	return all, strings.Join(texts, " or "), err
}

// checkSource sees to it that only servers that are named are asked.
func (b *builder) checkSource() error {
	s := b.d.source
	switch {
	case s == nil:
		return nil
	case len(s.url) == 0 || len(s.hosts) == 0 || s.format == "":
		return b.fault("key", "needs url, hosts and format")
	case b.d.algorithm.pair == nil:
		return b.fault("key", "what is fetched is a public key: the algorithm has none")
	case (s.format == "jwks") != (b.d.kind == schemeJWT):
		return b.fault("key", "a set of keys is for the scheme jwt, a certificate for asymmetric")
	case len(s.names) > 0 && s.format == "jwks":
		return b.fault("key", "names are those of a certificate")
	}
	if !s.bounded() {
		return b.fault("key", "a host ends in a domain of the provider's own")
	}
	for _, p := range s.url {
		if p.call != "" {
			return b.fault("key", "%s: a function is not supported", p)
		}
		b.reads(p)
	}
	return nil
}

// last gives the literal that a pattern ends with.
func (p *pattern) last() string { return p.steps[len(p.steps)-1].literal }

// noSigner tells why there is no key to sign with.
func noSigner(k Keys) error {
	if !k.hasSecret() {
		return errNoSecret
	}
	return errPublic
}
