package verify

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Diagnosis is the nearest truth about a signature that is not right: what
// would make it right, and the one thing to do. Neither text holds a secret or
// a right signature.
type Diagnosis struct {
	Finding string // as in: matches if the body's trailing newline is removed
	Do      string // as in: something on the way changed the bytes: …
}

// maxDiagnosed is the largest body in bytes that is diagnosed.
const maxDiagnosed = 1 << 20

// Diagnose looks for why m, which p finds not valid with the keys in known, is
// not. known has the keys of all providers by ID; c, the providers whose scheme
// it may be instead. It tries what goes wrong in practice, one thing at a time,
// and is work: some hundred signatures of m, so bodies over 1 MiB are not
// diagnosed. ok is false if nothing fits: then nothing is guessed.
func (c *Catalog) Diagnose(p Provider, m Message, known map[string]Keys, now time.Time) (d Diagnosis, ok bool) {
	scheme, isDeclared := p.Scheme.(*declared)
	if !isDeclared || len(m.Body) > maxDiagnosed {
		return d, false
	}
	e := &examination{d: scheme, m: m, keys: known[p.ID], now: now}
	switch v := p.Scheme.Verify(m, e.keys, now); v.Reason {
	case Stale, Future:
		return e.clock(v)
	case BadSignature, MalformedSignature, MissingTimestamp:
	case MissingSignature:
		return e.misplaced()
	default:
		return d, false
	}
	for _, try := range []func() (Diagnosis, bool){e.secrets, e.bodies, e.times, e.urls, e.encodings} {
		if d, ok = try(); ok {
			return d, true
		}
	}
	if d, ok = e.otherSecrets(known); ok {
		return d, true
	}
	return e.otherSchemes(c, known)
}

// An examination is one message whose signature is looked into.
type examination struct {
	d    *declared
	m    Message
	keys Keys
	now  time.Time
}

// right reports whether d finds the signature right, be it in time or not.
func right(d *declared, m Message, k Keys, now time.Time) bool {
	switch v := d.Verify(m, k, now); {
	case v.Status == Valid:
		return true
	case v.Reason == Stale, v.Reason == Future, v.Reason == WrongAccount:
		return true
	}
	return false
}

func (e *examination) fits(d *declared, m Message, k Keys) bool { return right(d, m, k, e.now) }

// with gives the keys with one secret of the given text.
func (e *examination) with(text string) Keys {
	return Keys{Secrets: []Secret{NewSecret(text)}, With: e.keys.With}
}

// texts gives the texts of the secrets.
func (e *examination) texts() []string {
	var all []string
	for _, s := range e.keys.Secrets {
		if !s.Empty() {
			all = append(all, *s.kept.text)
		}
	}
	return all
}

// secrets tries other readings of the secrets.
func (e *examination) secrets() (Diagnosis, bool) {
	if e.d.form.kind == schemePair {
		return Diagnosis{}, false
	}
	name := e.d.secretName
	copied := fmt.Sprintf("set %s to exactly what %s shows", e.d.env, e.d.name)
	raw := *e.d // whose secrets are taken as they are
	raw.form.strip, raw.form.decode = "", ""
	for _, text := range e.texts() {
		trimmed := strings.TrimSpace(text)
		unquoted := strings.Trim(trimmed, `"'`)
		for _, try := range []struct{ text, what string }{
			{trimmed, "white space around the %s is taken away"},
			{unquoted, "the quotes around the %s are taken away"},
			{strings.TrimPrefix(unquoted, "Bearer "), "\"Bearer \" before the %s is taken away"},
			{strings.Trim(unquoted, "\u200b\ufeff\u00a0"), "an invisible character at the end of the %s is taken away"},
			{text + "\n", "a line break is put behind the %s"},
		} {
			if try.text != text && e.fits(e.d, e.m, e.with(try.text)) {
				return Diagnosis{"matches if " + fmt.Sprintf(try.what, name), copied}, true
			}
		}
		for _, prefix := range []string{"whsec_", "sk_", "v1,whsec_", "sha256="} {
			without, had := strings.CutPrefix(trimmed, prefix)
			if had && e.fits(&raw, e.m, e.with(without)) {
				return Diagnosis{fmt.Sprintf("matches if %q is taken off the %s", prefix, name), copied}, true
			}
			if !had && (e.fits(e.d, e.m, e.with(prefix+trimmed)) || e.fits(&raw, e.m, e.with(prefix+trimmed))) {
				return Diagnosis{fmt.Sprintf("matches if %q is put before the %s", prefix, name), copied}, true
			}
		}
		if e.d.form.decode != "" && e.fits(&raw, e.m, e.with(trimmed)) {
			return Diagnosis{fmt.Sprintf("matches if the %s is taken as it is, and not decoded from %s", name, e.d.form.decode), "the sender does not decode its key: tell it, or describe it as a provider of your own"}, true
		}
		for decoding, key := range decodings(strings.TrimPrefix(trimmed, "whsec_")) {
			if e.d.form.decode != decoding && e.fits(&raw, e.m, e.with(string(key))) {
				return Diagnosis{fmt.Sprintf("matches if the %s is decoded from %s", name, decoding), "the sender takes the key in " + decoding + " for its bytes: describe it as a provider of your own, with secret: {decode: " + decoding + "}"}, true
			}
		}
		if plain, err := url.QueryUnescape(trimmed); err == nil && plain != trimmed && e.fits(e.d, e.m, e.with(plain)) {
			return Diagnosis{fmt.Sprintf("matches if the %s is unescaped (%%2B and the like)", name), copied}, true
		}
	}
	return Diagnosis{}, false
}

// decodings gives what a text can stand for.
func decodings(text string) map[string][]byte {
	all := map[string][]byte{}
	if b, err := hex.DecodeString(text); err == nil && len(b) > 0 {
		all["hex"] = b
	}
	if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) > 0 {
		all["base64"] = b
	} else if b, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(b) > 0 {
		all["base64url"] = b
	}
	return all
}

// times tries other readings of the time.
func (e *examination) times() (Diagnosis, bool) {
	d := e.d
	if d.stamp == nil {
		return Diagnosis{}, false
	}
	var c claim
	if _, ok := d.read(&e.m, &c); !ok {
		return Diagnosis{}, false
	}
	n, err := strconv.ParseInt(c.stamp, 10, 64)
	if err != nil {
		return Diagnosis{}, false
	}
	for _, try := range []struct {
		stamp string
		what  string
	}{
		{strconv.FormatInt(n/1000, 10), "the time is in seconds and not in milliseconds"},
		{strconv.FormatInt(n*1000, 10), "the time is in milliseconds and not in seconds"},
	} {
		if e.signs(d, try.stamp) {
			return Diagnosis{"matches if " + try.what, "the sender writes one time and signs another: make them the same"}, true
		}
	}
	bare := *d // whose payload is the body alone
	bare.payload, bare.others, bare.stamp, bare.single = template{{ref: refBody}}, nil, nil, nil
	if e.fits(&bare, e.m, e.keys) {
		return Diagnosis{"matches if the body alone is signed, without the time", "the sender leaves the time out of what it signs: " + d.name + " signs " + d.payloadText()}, true
	}
	return Diagnosis{}, false
}

// signs reports whether the signature is right for another text of the time.
func (e *examination) signs(d *declared, stamp string) bool {
	var c claim
	if _, ok := d.read(&e.m, &c); !ok {
		return false
	}
	c.stamp = stamp
	for _, s := range e.keys.Secrets {
		if key := s.key(d.form); key.err == nil {
			if ok, lacking := d.compare(key, &e.m, &c, e.keys.With); ok && lacking == nil {
				return true
			}
		}
	}
	return false
}

// payloadText is the payload as the provider's file has it.
func (d *declared) payloadText() string {
	var b strings.Builder
	for _, p := range d.payload {
		b.WriteString(p.String())
	}
	return strings.ReplaceAll(b.String(), "\n", `\n`)
}

// urls tries other spellings of the URL, where it is signed.
func (e *examination) urls() (Diagnosis, bool) {
	d := e.d
	if e.m.URL == nil || !(d.payload.has(refURL, "") || d.payload.has(refHost, "") || d.payload.has(refPath, "") || d.payload.has(refQuery, "")) {
		return Diagnosis{}, false
	}
	hosts := []string{e.m.URL.Host, e.m.URL.Hostname(), e.m.Header.Get("Host"), e.m.Header.Get("X-Forwarded-Host"), e.m.Header.Get("X-Original-Host")}
	for _, scheme := range []string{e.m.URL.Scheme, "https", "http"} {
		for _, host := range append(hosts, e.m.URL.Hostname()+":443", e.m.URL.Hostname()+":80") {
			for _, change := range []func(u *url.URL){
				func(*url.URL) {},
				func(u *url.URL) { u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), "" },
				func(u *url.URL) { u.Path, u.RawPath = u.Path+"/", "" },
				func(u *url.URL) { u.RawQuery = "" },
				func(u *url.URL) { u.Path, u.RawPath, u.RawQuery = "", "", "" },
				func(u *url.URL) { u.Path, u.RawPath = "/", "" },
			} {
				u := *e.m.URL
				u.Scheme = scheme
				if u.Host = host; host == "" {
					continue
				}
				change(&u)
				m := e.m
				m.URL, m.Header = &u, e.m.Header.Clone()
				m.Header.Set("Host", u.Host)
				if e.fits(d, m, e.keys) {
					return Diagnosis{
						fmt.Sprintf("matches the URL %s", quote(u.String())),
						fmt.Sprintf("%s signs the URL that it was given: give it the very one that it reaches", d.name),
					}, true
				}
			}
		}
	}
	return Diagnosis{}, false
}

// encodings tries other ways to write and to make the signature.
func (e *examination) encodings() (Diagnosis, bool) {
	d := e.d
	if d.kind.isToken() || d.kind == schemeJWT {
		return Diagnosis{}, false
	}
	for _, enc := range encodings {
		other := *d
		if other.encoding = encoding(enc); other.encoding != d.encoding && e.fits(&other, e.m, e.keys) {
			return Diagnosis{fmt.Sprintf("matches if the signature is read as %s", enc), fmt.Sprintf("%s writes it in %s: have the sender do the same", d.name, d.encoding)}, true
		}
	}
	for _, prefix := range []string{"", "sha256=", "sha1=", "v1=", "v0=", "HMAC "} {
		other := *d
		if other.prefix = prefix; prefix != d.prefix && d.list == nil && e.fits(&other, e.m, e.keys) {
			what := fmt.Sprintf("matches, but for %q before the signature", prefix)
			if prefix == "" {
				what = fmt.Sprintf("matches, but %q is missing before the signature", d.prefix)
			}
			return Diagnosis{what, fmt.Sprintf("%s writes it %s", d.name, d.shape())}, true
		}
	}
	if d.kind == schemePair {
		return Diagnosis{}, false
	}
	for _, a := range algorithms {
		other := *d
		if other.algorithm = a; a.name == d.algorithm.name {
			continue
		}
		other.form.algorithm = a.name
		if e.fits(&other, e.m, e.keys) {
			return Diagnosis{fmt.Sprintf("matches with %s", strings.ToUpper(a.name)), fmt.Sprintf("%s signs with %s: set the sender to it", d.name, strings.ToUpper(d.algorithm.name))}, true
		}
	}
	other := *d
	switch d.kind {
	case schemeHMAC:
		other.kind, other.form.kind = schemeHash, schemeHash
		for _, payload := range []template{append(template{{ref: refSecret}}, d.payload...), append(slices.Clone(d.payload), part{ref: refSecret})} {
			if other.payload = payload; e.fits(&other, e.m, e.keys) {
				return Diagnosis{"matches as a plain hash of secret and payload, which is no HMAC", "have the sender use HMAC (RFC 2104)"}, true
			}
		}
	case schemeHash:
		other.kind, other.form.kind = schemeHMAC, schemeHMAC
		other.payload = slices.DeleteFunc(slices.Clone(d.payload), func(p part) bool { return p.ref == refSecret })
		if e.fits(&other, e.m, e.keys) {
			return Diagnosis{"matches as an HMAC, which " + d.name + " does not use", fmt.Sprintf("it is %s of %s", d.algorithm.name, d.payloadText())}, true
		}
	}
	return Diagnosis{}, false
}

// otherSecrets tries the secrets of other providers: two that are mixed up.
func (e *examination) otherSecrets(known map[string]Keys) (Diagnosis, bool) {
	for _, id := range sortedKeys(known) {
		if id == e.d.id {
			continue
		}
		for _, s := range known[id].Secrets {
			if !s.Empty() && e.fits(e.d, e.m, Keys{Secrets: []Secret{s}, With: e.keys.With}) {
				return Diagnosis{fmt.Sprintf("matches with the secret that is configured for %s", id), fmt.Sprintf("the secrets of %s and %s are mixed up: swap them", e.d.id, id)}, true
			}
		}
	}
	return Diagnosis{}, false
}

// otherSchemes tries the schemes of other providers.
func (e *examination) otherSchemes(c *Catalog, known map[string]Keys) (Diagnosis, bool) {
	for _, p := range append(c.Detect(e.m), c.Providers()...) { // the likeliest first
		d, ok := p.Scheme.(*declared)
		if !ok || p.ID == e.d.id || d.kind.isToken() {
			continue
		}
		for _, k := range []Keys{{Secrets: e.keys.Secrets, With: known[p.ID].With}, known[p.ID]} {
			if right(d, e.m, k, e.now) {
				return Diagnosis{fmt.Sprintf("it is signed as %s signs", p.Name), fmt.Sprintf("name the provider: --provider %s", p.ID)}, true
			}
		}
	}
	return Diagnosis{}, false
}

// misplaced looks for the signature in other headers.
func (e *examination) misplaced() (Diagnosis, bool) {
	d := e.d
	if d.signature.in != inHeader || d.kind.isToken() {
		return Diagnosis{}, false
	}
	for _, name := range sortedKeys(e.m.Header) {
		values := e.m.Header[name]
		if name == d.signature.key || len(values) != 1 {
			continue
		}
		m := e.m
		m.Header = maybeHeader(e.m.Header, d.signature.key, values[0])
		if e.fits(d, m, e.keys) {
			return Diagnosis{fmt.Sprintf("the signature is in the header %s", quote(name)), fmt.Sprintf("%s sends it in %s: something on the way renamed it", d.name, d.signature.name)}, true
		}
	}
	return Diagnosis{}, false
}

func maybeHeader(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h[name] = []string{value}
	return h
}

// clock compares this machine's clock with the sender's.
func (e *examination) clock(v Verdict) (Diagnosis, bool) {
	date, err := http.ParseTime(e.m.Header.Get("Date"))
	if err != nil {
		return Diagnosis{}, false
	}
	const odd = 30 * time.Second
	switch ahead := e.now.Sub(date); {
	case ahead > odd:
		return Diagnosis{v.Detail + "; your clock is " + age(ahead) + " ahead of the sender's Date header", "set the clock of this machine"}, true
	case ahead < -odd:
		return Diagnosis{v.Detail + "; your clock is " + age(-ahead) + " behind the sender's Date header", "set the clock of this machine"}, true
	}
	return Diagnosis{}, false
}
