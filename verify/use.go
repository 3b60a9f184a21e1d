package verify

import (
	"slices"
	"strings"
)

// A use is a place that Sign writes to, and what for.
type use struct {
	place
	what string
}

// uses gives all places that Sign writes to.
func (d *declared) uses() []use {
	all := []use{{d.signature, "signature"}}
	for _, p := range d.also {
		all = append(all, use{p, "signature.also"})
	}
	for _, l := range d.legacy {
		all = append(all, use{l.place, "legacy"})
	}
	if d.stamp != nil {
		all = append(all, use{d.stamp.place, "timestamp"})
	}
	if d.bodyDigest != nil {
		all = append(all, use{d.bodyDigest.place, "digest"})
	}
	if d.headers != nil {
		all = append(all, use{d.headers.place, "signed_headers"})
	}
	if d.nonce != nil {
		all = append(all, use{d.nonce.place, "nonce"})
	}
	if d.fresh != nil {
		all = append(all, use{d.fresh.place, "delivery_id"})
	}
	return all
}

// checkPlaces sees to it that what Sign writes does not collide, and notes the fields that
// are read of the body.
func (b *builder) checkPlaces() error {
	uses := b.d.uses()
	for i, u := range uses {
		if err := b.checkPlace(u, uses[:i]); err != nil {
			return err
		}
	}
	inForms, inBodies := b.readsPayloads()
	for _, u := range uses {
		inForms, inBodies = inForms || u.in == inForm, inBodies || u.in == inBody
	}
	if inForms && inBodies {
		return b.fault("signature", "a body is a form or JSON, not both")
	}
	for _, u := range uses {
		if u.in == inBody && u.what != "delivery_id" { // that one is for Sign alone
			b.readsField(u.path[0])
		}
	}
	if len(b.d.fields) > maxFields {
		return b.fault("payload", "more than %d fields at the top of the body are used", maxFields)
	}
	return nil
}

// checkPlace refuses a place that one of those before u has, or that is none.
func (b *builder) checkPlace(u use, before []use) error {
	for _, other := range before {
		if u.overlaps(other.place) {
			return b.fault(strings.TrimSuffix(u.what, ".also"), "is in the same place as %s", other.what)
		}
	}
	if u.in != inSignature {
		return nil
	}
	if b.d.list == nil || b.d.list.assign == "" || b.d.list.keyed != "" {
		return b.fault(u.what, "in: signature needs signature.list with kv")
	}
	if u.name == b.d.list.element || slices.Contains(b.d.list.drop, u.name) {
		return b.fault(u.what, "is in the same place as signature")
	}
	return nil
}

// readsPayloads notes the fields that payloads hold, and reports whether these are of
// forms, and of JSON.
func (b *builder) readsPayloads() (inForms, inBodies bool) {
	for _, t := range b.d.payloads() {
		for p := range t.flat() {
			inForms, inBodies = inForms || p.ref == refForm || p.ref == refForms, inBodies || p.ref == refField
			b.reads(*p)
		}
	}
	for _, path := range b.d.single {
		inBodies = true
		b.readsField(path[0])
	}
	return inForms, inBodies
}

func (b *builder) readsField(name string) {
	if !slices.Contains(b.d.fields, name) {
		b.d.fields = append(b.d.fields, name)
	}
}

// overlaps reports whether writing to p may change what is at other.
func (p place) overlaps(other place) bool {
	if p.in != other.in {
		return false
	}
	switch p.in {
	case inHeader:
		return p.key == other.key
	case inBody:
		n := min(len(p.path), len(other.path))
		return slices.Equal(p.path[:n], other.path[:n])
	}
	return strings.EqualFold(p.name, other.name)
}

// covers reports whether the payload holds what is at p.
func (t template) covers(p place) bool {
	for part := range t.flat() {
		at := part.at
		switch part.ref {
		case refBody, refDecoded:
			if p.in == inBody || p.in == inForm {
				return true
			}
		case refForms:
			if p.in == inForm {
				return true
			}
		case refURL, refQuery:
			if p.in == inQuery {
				return true
			}
		case refCode:
			reads := codes[part.text].reads
			if p.in == inQuery && (slices.Contains(reads, refURL) || slices.Contains(reads, refQuery)) || p.in == inForm && slices.Contains(reads, refForms) {
				return true
			}
		case refHost:
			at = place{in: inHeader, key: "Host"}
		case refSig:
			at = place{in: inSignature, name: part.text}
		}
		if at.in != "" && at.overlaps(p) {
			return true
		}
	}
	return false
}

// dependsOn reports whether a header at p, which is not signed itself, tells how
// the body is read that is.
func (t template) dependsOn(p place) bool {
	return p.in == inHeader && (p.key == "Content-Type" && t.has(refForms, "") || p.key == "Content-Encoding" && t.has(refDecoded, ""))
}

// checkCircles refuses a signature that would cover itself.
func (b *builder) checkCircles() error {
	for _, u := range b.d.uses() {
		if strings.HasPrefix(u.what, "signature") && u.in != inSignature || u.what == "legacy" {
			for _, t := range b.d.payloads() {
				if t.covers(u.place) || t.dependsOn(u.place) {
					return b.fault("payload", "covers the %s itself", u.what)
				}
			}
		}
	}
	if l := b.d.list; l != nil {
		for _, name := range append(slices.Clone(l.drop), l.element) {
			if b.d.payload.has(refSig, name) && name != "" {
				return b.fault("payload", "covers the signature itself")
			}
		}
	}
	return nil
}
