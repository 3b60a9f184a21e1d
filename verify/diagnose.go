package verify

import (
	"fmt"
	"time"
)

// A Diagnosis is the nearest truth about a signature that is not right: what
// would make it right, and the one thing to do. Neither text holds a secret or
// a right signature.
type Diagnosis struct {
	Finding string // as in: matches if the body's trailing newline is removed
	Do      string // as in: something on the way changed the bytes: …
}

// String is both in one line.
func (d Diagnosis) String() string { return d.Finding + ": " + d.Do }

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
	tries := []func() (Diagnosis, bool){e.secrets, e.bodies, e.times, e.urls, e.encodings, e.renamed}
	switch v := p.Scheme.Verify(m, e.keys, now); v.Reason {
	case Stale, Future:
		if d, ok = e.unit(v); ok {
			return d, true
		}
		return e.clock(v)
	case BadSignature, MalformedSignature:
	case MissingSignature, MissingTimestamp:
		tries = []func() (Diagnosis, bool){e.renamed, e.misplaced}
	default:
		return d, false
	}
	return firstFound(append(tries,
		func() (Diagnosis, bool) { return e.otherSecrets(known) },
		func() (Diagnosis, bool) { return e.otherSchemes(c, known) })...)
}

// firstFound returns what the first of tries finds that finds something.
func firstFound(tries ...func() (Diagnosis, bool)) (d Diagnosis, ok bool) {
	for _, try := range tries {
		if d, ok = try(); ok {
			return d, true
		}
	}
	return Diagnosis{}, false
}

// Judge is what p finds of m with the keys k, as of now. Of a verdict that is not valid the
// hint tells what [Provider.Explain] says of m or, rather, what [Catalog.Diagnose] finds with
// the keys in known; else it is that of the scheme.
func (c *Catalog) Judge(p Provider, m Message, k Keys, known map[string]Keys, now time.Time) Verdict {
	v := p.Scheme.Verify(m, k, now)
	if v.Status == Valid {
		return v
	}
	if about := p.Explain(m); about != "" {
		v.Hint = about
	}
	if found, ok := c.Diagnose(p, m, known, now); ok {
		v.Hint = found.String()
	}
	return v
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

// changed reports whether the signature is right by the scheme with a change.
func (e *examination) changed(change func(d *declared)) bool {
	other := *e.d
	change(&other)
	return e.fits(&other, e.m, e.keys)
}

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
		for _, k := range []Keys{{Secrets: e.keys.Secrets, With: known[p.ID].With}, {Secrets: known[p.ID].Secrets, With: known[p.ID].With}} {
			if right(d, e.m, k, e.now) {
				return Diagnosis{fmt.Sprintf("it is signed as %s signs", p.Name), fmt.Sprintf("name the provider: --provider %s", p.ID)}, true
			}
		}
	}
	return Diagnosis{}, false
}
