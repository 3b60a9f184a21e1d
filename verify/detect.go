package verify

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// Detect returns the providers that m looks like, the most specific first: the
// one of which m meets the most conditions at once, and of equals the one that
// comes first by ID. It does not look at whether a signature is right, or there
// at all. Of a body that is a JSON object the first 65,536 members are looked
// at, of a form all fields. The first Detect reads the files of all providers.
func (c *Catalog) Detect(m Message) []Provider {
	if c.detector == nil {
		return []Provider{}
	}
	return c.detector().detect(&m)
}

// A detector is an index of the marks of all providers. A mark is filed under
// the name of one of its conditions, the one that the fewest marks have; so a
// message is held only against marks that it has a header, parameter or member
// of.
type detector struct {
	providers []*Provider // by ID
	groups    int
	headers   map[string]*group // by canonical name
	params    map[string]*group // by name in small letters
	fields    map[string]*group // of a form, by name in small letters
	members   map[string]*group // of a JSON object
	elements  *group            // of a JSON array
	others    *group            // that have no name to file them under
	// longest is the length of the longest name in params and fields.
	longest int
	// names numbers the members that any condition asks for.
	names map[string]int
	pool  sync.Pool // of *search
}

// A group is the marks that are filed under one name.
type group struct {
	number int
	marks  []filed
}

type filed struct {
	mark
	provider int
}

// A filing is what a condition is filed under.
type filing struct {
	in   placeKind
	name string
}

// filing gives what c can be filed under. Parameters are found whatever their
// case, and so are filed in small letters; ok is false for one that has other
// letters than those of ASCII, whose case is not that simple.
func (c *condition) filing() (f filing, ok bool) {
	name := c.key
	switch c.in {
	case inHeader:
		return filing{c.in, name}, true
	case inBody:
		return filing{c.in, c.path[0]}, true
	case inForm:
		name = c.path[0]
	case inQuery:
	default:
		return f, false
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return f, false
		}
	}
	return filing{c.in, strings.ToLower(name)}, true
}

// newDetector indexes the marks of entries.
func newDetector(entries []*entry) *detector {
	d := &detector{
		headers: make(map[string]*group), params: make(map[string]*group),
		fields: make(map[string]*group), members: make(map[string]*group),
		elements: &group{}, others: &group{number: 1}, groups: 2, names: make(map[string]int),
	}
	var all []filed
	shared := make(map[filing]int) // how many conditions have it
	for _, e := range entries {
		p := e.load()
		for _, mark := range p.own().marks {
			all = append(all, filed{mark, len(d.providers)})
			for i := range mark {
				f, ok := mark[i].filing()
				if !ok {
					continue
				}
				shared[f]++
				if _, known := d.names[f.name]; f.in == inBody && !known {
					d.names[f.name] = len(d.names)
				}
			}
		}
		d.providers = append(d.providers, p)
	}
	for _, mark := range all {
		var rarest filing
		for i := range mark.mark {
			f, ok := mark.mark[i].filing()
			if ok && (rarest.in == "" || shared[f] < shared[rarest]) {
				rarest = f
			}
		}
		d.file(mark, rarest)
	}
	return d
}

func (d *detector) file(m filed, under filing) {
	var by map[string]*group
	switch under.in {
	case inHeader:
		by = d.headers
	case inQuery:
		by = d.params
		d.longest = max(d.longest, len(under.name))
	case inForm:
		by = d.fields
		d.longest = max(d.longest, len(under.name))
	case inBody:
		by = d.members
		if under.name != "" && strings.Trim(under.name, "0123456789") == "" {
			d.elements.marks = append(d.elements.marks, m) // an index, if the body is an array
		}
	default:
		d.others.marks = append(d.others.marks, m)
		return
	}
	g := by[under.name]
	if g == nil {
		g = &group{number: d.groups}
		d.groups++
		by[under.name] = g
	}
	g.marks = append(g.marks, m)
}

func (d *detector) detect(m *Message) []Provider {
	s, ok := d.pool.Get().(*search)
	if !ok {
		s = &search{d: d, seen: make([]bool, d.groups), view: view{numbered: make([]int32, len(d.names))}}
	}
	s.view.m, s.view.wanted = *m, d.names
	s.run()
	ps := make([]Provider, len(s.found))
	for i, f := range s.found {
		ps[i] = *d.providers[f.provider]
	}
	s.reset()
	d.pool.Put(s)
	return ps
}

// A search is the detection of one message's providers.
type search struct {
	d     *detector
	view  view
	seen  []bool // by the number of a group
	found []candidate
}

// reset forgets the message, and keeps the room.
func (s *search) reset() {
	clear(s.seen)
	clear(s.view.numbered)
	clear(s.view.members)
	s.view = view{members: s.view.members[:0], numbered: s.view.numbered}
	s.found = s.found[:0]
}

type candidate struct {
	provider   int
	conditions int // of the mark that has the most
}

// run fills s.found, the best first.
func (s *search) run() {
	d, m := s.d, &s.view.m
	s.try(d.others)
	for name := range m.Header {
		s.try(d.headers[name])
	}
	if len(d.params) > 0 && m.URL != nil {
		s.tryParams(d.params, m.URL.RawQuery)
	}
	if len(d.fields) > 0 || len(d.members) > 0 {
		s.view.look()
	}
	if len(d.fields) > 0 {
		s.tryParams(d.fields, s.view.form)
	}
	if len(d.members) > 0 {
		for _, member := range s.view.members {
			s.try(d.members[string(member.name)])
		}
		if len(s.view.members) == 0 && jsonx.TopKind(m.Body) == jsonx.Array {
			s.try(d.elements)
		}
	}
	slices.SortFunc(s.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.conditions, a.conditions), cmp.Compare(a.provider, b.provider))
	})
}

func (s *search) tryParams(by map[string]*group, raw string) {
	for name := range param.Names(raw) {
		if len(name) <= s.d.longest {
			s.try(by[strings.ToLower(name)])
		}
	}
}

// try holds the message against the marks of g, once. g may be nil.
func (s *search) try(g *group) {
	if g == nil || s.seen[g.number] {
		return
	}
	s.seen[g.number] = true
	for _, mark := range g.marks {
		if !mark.holds(&s.view) {
			continue
		}
		i := slices.IndexFunc(s.found, func(c candidate) bool { return c.provider == mark.provider })
		if i < 0 {
			s.found = append(s.found, candidate{mark.provider, len(mark.mark)})
		} else {
			s.found[i].conditions = max(s.found[i].conditions, len(mark.mark))
		}
	}
}
