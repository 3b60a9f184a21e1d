package verify

import (
	"net/http"
	"slices"
	"strings"

	"devhook/internal/jsonx"
)

// The fields of a description. TestReferenceIsComplete holds
// providers/README.md against these tables.
var (
	providerFields = fieldTable[*builder]{
		"id":      (*builder).readID,
		"extends": func(*builder, node) error { return nil }, // see family.parse
		"name":    func(b *builder, n node) (err error) { b.p.Name, err = n.Label(); return },
		"aliases": (*builder).readAliases,
		"docs":    func(b *builder, n node) (err error) { b.p.Docs, err = n.Label(); return },
		"sources": func(b *builder, n node) (err error) {
			b.p.Sources, err = mappings(n, sourceFields, Source{}, "url", "confidence")
			return err
		},
		"env":    func(b *builder, n node) (err error) { b.p.Env, err = n.variable(); return },
		"secret": func(b *builder, n node) error { return secretFields.read(b, n) },
		"with":   (*builder).readWith,
		"scheme": func(b *builder, n node) (err error) {
			b.d.kind, err = word(n, "scheme", []schemeKind{schemeHMAC, schemeHash, schemePair, schemeJWT, schemeToken, schemeBasic}, "code")
			return err
		},
		"algorithm": func(b *builder, n node) error {
			return n.algorithm(&b.d.algorithm, slices.Concat(algorithms, keyAlgorithms, tokenAlgorithms)...)
		},
		"prehash":   func(b *builder, n node) error { return n.algorithm(&b.d.prehash, algorithms...) },
		"signature": func(b *builder, n node) error { return signatureFields.read(b, n) },
		"legacy":    (*builder).readLegacy,
		"token":     func(b *builder, n node) error { b.d.token = newTokenForm(); return tokenFields.read(b.d.token, n) },
		"key":       func(b *builder, n node) error { b.d.source = new(keySource); return keyFields.read(b.d.source, n) },
		"require":   (*builder).readRequire,
		"timestamp": (*builder).readTimestamp,
		"payload":   (*builder).readPayload,
		"nonce":     (*builder).readNonce,
		"single":    (*builder).readSingle,
		"digest":    (*builder).readDigest,

		"algorithms":     (*builder).readAlgorithms,
		"signed_headers": (*builder).readSignedHeaders,
		"account":        (*builder).readAccount,
		"marks":          func(b *builder, n node) (err error) { b.f.marks, err = listOf(n, node.mark); return },
		"handshake": func(b *builder, n node) (err error) {
			b.f.handshakes, err = mappings(n, handshakeFields, handshake{status: http.StatusOK, media: mediaText}, "when")
			return err
		},
		"ack":         func(b *builder, n node) error { return n.answer(&b.p.Ack) },
		"on_reject":   func(b *builder, n node) error { return n.answer(&b.p.Reject) },
		"event":       func(b *builder, n node) (err error) { b.f.event, err = n.templates(); return },
		"delivery_id": (*builder).readDeliveryID,
		"answers":     (*builder).readAnswers,
		"understands": func(b *builder, n node) (err error) { b.f.understands, err = n.Labels(); return },
		"stand_in": func(b *builder, n node) (err error) {
			b.f.standIns, err = mappings(n, standInFields, standIn{name: AckName}, "event")
			return err
		},
		"explain": func(b *builder, n node) (err error) {
			b.f.explain, err = mappings(n, explainFields, explanation{}, "when", "about")
			return err
		},
		"retry":     func(b *builder, n node) error { return retryFields.read(&b.p.Retry, n) },
		"dashboard": func(b *builder, n node) (err error) { b.p.Dashboard, err = n.Labels(); return },
		"notes":     func(b *builder, n node) (err error) { b.p.Notes, err = n.Labels(); return },
		"key_id":    nil,
		"canonical": nil,
		"checklist": func(b *builder, n node) (err error) {
			b.p.Checklist, err = mappings(n, checkFields, Check{}, "of", "about")
			return err
		},
	}
	secretFields = fieldTable[*builder]{
		"name":  func(b *builder, n node) (err error) { b.p.SecretName, err = n.Label(); return },
		"at":    func(b *builder, n node) (err error) { b.p.SecretAt, err = n.Label(); return },
		"strip": func(b *builder, n node) (err error) { b.d.form.strip, err = n.Label(); return },
		"decode": func(b *builder, n node) (err error) {
			b.d.form.decode, err = n.Word("decoding", []string{"base64", "base64url", "hex"})
			return
		},
		"normal": func(b *builder, n node) (err error) {
			b.d.form.normal, err = n.Word("normal form", []string{"nfkd"})
			return
		},
		"hash": func(b *builder, n node) error {
			var a algorithm
			err := n.algorithm(&a, algorithms...)
			b.d.form.hash = a.name
			return err
		},
	}
	signatureFields = fieldTable[*builder]{
		"in":   func(b *builder, n node) error { return n.placeKind(&b.d.signature, inHeader, inQuery, inForm, inBody) },
		"name": func(b *builder, n node) (err error) { b.d.signature.name, err = n.Label(); return },
		"path": func(b *builder, n node) error {
			text, err := n.Label()
			if err == nil {
				b.d.signature.held, err = jsonx.ParsePath(text)
				err = n.Wrap(err)
			}
			return err
		},
		"also":     (*builder).readAlso,
		"encoding": func(b *builder, n node) error { return n.encoding(&b.d.encoding) },
		"prefix":   func(b *builder, n node) (err error) { b.d.prefix, err = n.Label(); return },
		"list":     func(b *builder, n node) error { b.d.list = new(list); return listFields.read(b.d.list, n) },
	}
	listFields = fieldTable[*list]{
		"sep": func(l *list, n node) (err error) {
			l.separator, err = n.Word("separator", []string{",", ", ", ";", "; ", " ", "|", "&"})
			return
		},
		"kv": func(l *list, n node) (err error) {
			l.assign, err = n.Word("separator", []string{"=", ",", ":", "|", "/SHA256/"})
			return
		},
		"element":  func(l *list, n node) (err error) { l.element, err = n.elementName(); return },
		"key":      func(l *list, n node) (err error) { l.keyed, err = n.elementName(); return },
		"bare":     func(l *list, n node) (err error) { l.bare, err = n.Bool(); return },
		"start":    func(l *list, n node) (err error) { l.start, err = n.Label(); return },
		"multiple": func(l *list, n node) (err error) { l.multiple, err = n.Bool(); return },
		"drop":     func(l *list, n node) (err error) { l.drop, err = listOf(n, node.elementName); return },
	}
	sourceFields = fieldTable[*Source]{
		"url": func(s *Source, n node) (err error) { s.URL, err = n.Label(); return },
		"confidence": func(s *Source, n node) (err error) {
			s.Confidence, err = n.Word("confidence", []string{"high", "medium", "low"})
			return
		},
		"about": func(s *Source, n node) (err error) { s.About, err = n.Label(); return },
	}
	needFields = fieldTable[*Need]{
		"env":      func(w *Need, n node) (err error) { w.Env, err = n.variable(); return },
		"about":    func(w *Need, n node) (err error) { w.About, err = n.Label(); return },
		"required": func(w *Need, n node) (err error) { w.Required, err = n.Bool(); return },
	}
	legacyFields = fieldTable[*legacy]{
		"header":    func(l *legacy, n node) (err error) { l.name, err = n.Label(); return },
		"algorithm": func(l *legacy, n node) error { return n.algorithm(&l.algorithm, algorithms...) },
		"encoding":  func(l *legacy, n node) error { return n.encoding(&l.encoding) },
		"prefix":    func(l *legacy, n node) (err error) { l.prefix, err = n.Label(); return },
	}
	accountFields = fieldTable[*account]{
		"from": func(a *account, n node) error { return n.template(&a.from, messageRefs) },
		"with": func(a *account, n node) (err error) { a.with, err = n.Label(); return },
	}
	retryFields = fieldTable[*Retry]{
		"after":  func(r *Retry, n node) (err error) { r.After, err = listOf(n, node.Duration); return },
		"within": func(r *Retry, n node) (err error) { r.Within, err = n.Duration(); return },
		"times":  func(r *Retry, n node) (err error) { r.Times, err = n.Int(1, 99); return },
		"backoff": func(r *Retry, n node) (err error) {
			r.Backoff, err = n.Word("backoff", []string{"exponential", "constant", "none"})
			return
		},
		"success": func(r *Retry, n node) (err error) {
			r.Success, err = listOf(n, func(n node) (int, error) { return n.Int(200, 599) })
			return err
		},
		"again": func(r *Retry, n node) (err error) { r.Again, err = listOf(n, node.status); return },
		"final": func(r *Retry, n node) (err error) { r.Final, err = listOf(n, node.status); return },
		"final_header": func(r *Retry, n node) error {
			text, err := n.Label()
			if name, value, ok := strings.Cut(text, ": "); err == nil && (!ok || name == "" || value == "") {
				err = n.Errorf("must be a header of the answer and its value, as in X-No-Retry: 1")
			}
			r.FinalHeader = text
			return err
		},
		"retry_after":      func(r *Retry, n node) (err error) { r.RetryAfter, err = listOf(n, node.status); return },
		"retry_after_most": func(r *Retry, n node) (err error) { r.RetryAfterMost, err = n.Duration(); return },
		"timeout":          func(r *Retry, n node) (err error) { r.Timeout, err = n.Duration(); return },
		"about":            func(r *Retry, n node) (err error) { r.About, err = n.Label(); return },
	}
)
