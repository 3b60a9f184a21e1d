package verify

import (
	"net/http"

	"devhook/internal/jsonx"
)

// ParseProvider reads the description of a provider in the language of
// providers/README.md. The error is a [*ParseError].
func ParseProvider(src []byte) (Provider, error) {
	n, err := parseYAML(src)
	if err != nil {
		return Provider{}, parseError(err)
	}
	p, err := new(family).parse(n, "")
	return p, parseError(err)
}

// ParseProviders reads the descriptions of several providers from the YAML
// document src: those in the mapping under key, or the document itself if key
// is "". The names in the mapping are the IDs. Without such a key, or with
// nothing under it, there are none. The error is a [*ParseError], whose place is one in src.
func ParseProviders(src []byte, key string) ([]Provider, error) {
	n, err := parseYAML(src)
	if err != nil {
		return nil, parseError(err)
	}
	var ps []Provider
	var f family
	add := func(id string, value, _ node) error {
		p, err := f.parse(value, id)
		ps = append(ps, p)
		return err
	}
	each := func(n node) error {
		if err := n.each(func(id string, _, _ node) error { f.all = append(f.all, id); return nil }); err != nil {
			return err
		}
		return n.each(add)
	}
	if key == "" {
		err = each(n)
	} else {
		err = n.each(func(name string, value, _ node) error {
			if name != key || value.Empty() {
				return nil
			}
			return each(value)
		})
	}
	if err != nil {
		return nil, parseError(err)
	}
	return ps, nil
}

// A builder gathers what the fields of a description say.
type builder struct {
	p    Provider
	d    declared
	f    facets
	at   map[string]node // where each field at the top is
	ids  []template      // the sources of the delivery id
	root node
}

func parseProvider(n node, id string) (Provider, error) {
	b := &builder{at: make(map[string]node), root: n}
	b.p.ID = id
	b.p.Reject = defaultReject()
	b.p.Ack = Answer{Status: http.StatusOK, Header: http.Header{}}
	if err := n.each(func(name string, value, key node) error {
		b.at[name] = key
		return nil
	}); err != nil {
		return Provider{}, err
	}
	if err := providerFields.read(b, n); err != nil {
		return Provider{}, err
	}
	if err := b.finish(); err != nil {
		return Provider{}, err
	}
	return b.p, nil
}

func defaultReject() Answer {
	return Answer{
		Status: http.StatusForbidden,
		Header: http.Header{"Content-Type": {mediaJSON}},
		Body:   []byte(`{"error":"signature verification failed"}`),
	}
}

func (b *builder) readID(n node) error {
	id, err := n.Text()
	switch {
	case err != nil:
		return err
	case b.p.ID != "" && b.p.ID != id:
		return n.Errorf("is %s, but stands under %s", quote(id), quote(b.p.ID))
	}
	b.p.ID = id
	return nil
}

func (b *builder) readAliases(n node) (err error) {
	b.p.Aliases, err = n.Labels()
	for _, alias := range b.p.Aliases {
		if err == nil && !idForm.MatchString(alias) {
			err = n.Errorf("%s is no ID: small letters, digits and '-' only", quote(alias))
		}
	}
	return err
}

func (b *builder) readWith(n node) error {
	return n.each(func(name string, value, key node) error {
		if !elementForm.MatchString(name) {
			return key.Errorf("letters, digits, '-' and '_' only")
		}
		need := Need{Name: name}
		if err := needFields.read(&need, value); err != nil {
			return err
		}
		b.p.Needs = append(b.p.Needs, need)
		return nil
	})
}

func (b *builder) readAlso(n node) error {
	names, err := n.Labels()
	for _, name := range names {
		b.d.also = append(b.d.also, place{in: inHeader, name: name})
	}
	return err
}

func (b *builder) readLegacy(n node) (err error) {
	b.d.legacy, err = mappings(n, legacyFields, legacy{place: place{in: inHeader}}, "header", "algorithm", "encoding")
	for i := range b.d.legacy {
		if err == nil {
			err = b.d.legacy[i].place.settle(n.list()[i])
		}
	}
	return err
}

func (b *builder) readAccount(n node) error {
	a := new(account)
	b.d.account = a
	if err := accountFields.read(a, n); err != nil {
		return err
	}
	if a.at = placeOf(a.from); a.at.in == "" {
		return nil
	}
	return a.at.settle(n)
}

func (b *builder) readDeliveryID(n node) (err error) {
	if !n.IsMapping() {
		b.ids, err = n.templates()
		return err
	}
	b.d.fresh, b.ids, err = n.fresh()
	return err
}

// fresh reads n as a mapping of from, which gives ids, and fresh; f is nil without that.
func (n node) fresh() (f *fresh, ids []template, err error) {
	var form string
	table := fieldTable[node]{
		"from":  func(_ node, n node) (err error) { ids, err = n.templates(); return },
		"fresh": func(_ node, n node) (err error) { form, err = n.Label(); return },
	}
	if err := table.read(n, n); err != nil || form == "" {
		return nil, ids, err
	}
	parts, err := parseFresh(form)
	if err != nil {
		return nil, ids, n.Wrap(err)
	}
	if len(ids) != 1 || len(ids[0]) != 1 || ids[0][0].call != "" {
		return nil, ids, n.Errorf("a fresh id needs a from of one reference, as in {header.X-Id}")
	}
	f = &fresh{form: parts}
	if f.place = placeOf(ids[0]); f.in == "" {
		return nil, ids, n.Errorf("nothing can be put at %s", ids[0][0])
	}
	return f, ids, f.place.settle(n)
}

// placeOf returns the place, not settled, that t reads: none if it is not one
// reference, or one to where nothing can be put.
func placeOf(t template) place {
	if len(t) != 1 || t[0].call != "" || t[0].ref == refForm && len(t[0].path) > 1 {
		return place{}
	}
	return t[0].at
}

func (b *builder) readNonce(n node) (err error) {
	if n.IsMapping() {
		b.d.nonce, _, err = n.fresh()
	}
	if err == nil && b.d.nonce == nil {
		err = n.Errorf("needs from and fresh")
	}
	return err
}

// maxPayloads bounds how many payloads are tried.
const maxPayloads = 4

func (b *builder) readPayload(n node) error {
	for i, item := range n.list() {
		var t template
		if err := item.template(&t, payloadRefs); err != nil {
			return err
		}
		switch {
		case i == 0:
			b.d.payload = t
		case i < maxPayloads:
			b.d.others = append(b.d.others, t)
		default:
			return n.Errorf("more than %d", maxPayloads)
		}
	}
	return nil
}

func (b *builder) readSingle(n node) error {
	names, err := n.Labels()
	if err != nil {
		return err
	}
	for _, name := range names {
		path, err := jsonx.ParsePath(name)
		if err != nil {
			return n.Wrap(err)
		}
		b.d.single = append(b.d.single, append(path, "1"))
	}
	return nil
}
