package verify

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// What may be signed, put together.

// A reading is one way to put a message together: atoms with a separator
// between them.
type reading struct {
	lead  string // a version that comes first, as in v0:ts:body
	atoms []*atom
	sep   string
	trail bool // the separator also stands at the end
}

// body reports whether r covers the body.
func (r reading) body() bool {
	return slices.ContainsFunc(r.atoms, func(a *atom) bool { return strings.Contains(a.ref, "body}") || strings.Contains(a.ref, "(body)") })
}

func (r reading) text() string {
	var b strings.Builder
	b.WriteString(r.lead)
	for i, a := range r.atoms {
		if i > 0 || r.lead != "" {
			b.WriteString(r.sep)
		}
		b.WriteString(a.text)
	}
	if r.trail {
		b.WriteString(r.sep)
	}
	return b.String()
}

// A formula is what is hashed, and all readings that give it for this message,
// the likeliest first.
type formula struct {
	text     string // with markers
	hash     bool   // a plain hash, and no HMAC
	readings []reading
}

// separators stand between the parts of what is signed.
var separators = []string{".", "", ":", "\n", "|", "-", ","}

const maxReadings = 6

// formulas calls yield with what may be signed, the likeliest first, a batch at
// a time, until it returns false.
func (sc *scene) formulas(yield func([]*formula) bool) {
	l := &lister{seen: map[string]*formula{}}
	secret := &atom{ref: "{secret}", text: markSecret}
	top := func(atoms []*atom, n int) []*atom { return atoms[:min(len(atoms), n)] }
	groups := [][]*atom{sc.times, sc.ids, sc.withs, sc.places, sc.method}
	few := [][]*atom{top(sc.times, 3), top(sc.ids, 3), top(sc.withs, 2), top(sc.places, 4), sc.method}
	fewer := [][]*atom{top(sc.times, 2), top(sc.ids, 2), top(sc.withs, 1), top(sc.places, 3), sc.method}
	var bodies, hashed []*atom
	if sc.signsBody() {
		bodies, hashed = []*atom{{ref: "{body}", text: markBody}}, sc.hashedBodies()
	}
	hashes := func(f func()) {
		l.secret = secret
		f()
		l.secret = nil
	}
	for _, batch := range []func(){
		func() {
			l.add(bodies...)
			l.addHash(secret, bodies...)
		},
		func() {
			for _, lead := range sc.leads {
				l.lead = lead
				l.permute(2, bodies, few)
				l.permute(3, bodies, few)
			}
			l.lead = ""
		},
		func() { l.permute(2, bodies, groups) },
		func() {
			hashes(func() {
				l.permute(2, bodies, [][]*atom{sc.times, top(sc.ids, 4), sc.withs, top(sc.places, 4), sc.method})
			})
		},
		func() { l.permute(3, bodies, groups) },
		func() {
			l.add(hashed...)
			l.addHash(secret, hashed...)
			l.permute(2, hashed, few)
			l.permute(3, hashed, few)
		},
		// What does not cover the body.
		func() { l.without(1, [][]*atom{sc.times, sc.ids, sc.withs, sc.places, sc.fields}, secret) },
		func() { l.without(2, few, secret) },
		func() { l.pick(sc.fields, sc.times, secret) },
		func() { l.without(3, few, nil) },
		func() { hashes(func() { l.permute(3, bodies, few) }) },
		func() { l.permute(4, bodies, [][]*atom{few[0], few[3], sc.method}) },
		func() {
			l.last = true
			l.permute(4, bodies, few)
		},
		func() { l.permute(4, top(hashed, 2), few) },
		func() { l.permute(5, bodies, fewer) },
		func() { l.permute(5, top(hashed, 2), fewer) },
	} {
		done := len(l.all)
		batch()
		if !yield(l.all[done:]) {
			return
		}
	}
}

// signsBody reports whether the body may be signed: not if the signature can
// only be in it, or if there can be none.
func (sc *scene) signsBody() bool {
	if len(sc.m.Body) == 0 && (sc.m.Method == http.MethodGet || sc.m.Method == http.MethodHead) {
		return false
	}
	return slices.ContainsFunc(sc.spots, func(sp *spot) bool { return sp.in == inHeader || sp.in == inQuery })
}

// hashedBodies are what may be signed in the place of the body.
func (sc *scene) hashedBodies() []*atom {
	var all []*atom
	for _, name := range []string{"sha256hex", "md5hex", "sha1hex", "sha512hex"} {
		all = append(all, &atom{ref: "{" + name + "(body)}", text: functions[name](sc.m.Body)})
	}
	return append(all, &atom{ref: "{base64(body)}", text: markBase64})
}

// A lister lists formulas.
type lister struct {
	all    []*formula
	seen   map[string]*formula
	lead   string
	secret *atom // if set, plain hashes are listed that have it at each place
	last   bool  // the body comes first or last only
}

const maxFormulas = 200_000

func (l *lister) put(r reading, isHash bool) {
	if len(r.atoms) == 0 || len(l.all) >= maxFormulas {
		return
	}
	key := r.text()
	if isHash {
		key = "\x00h" + key
	}
	f := l.seen[key]
	if f == nil {
		f = &formula{text: r.text(), hash: isHash}
		l.seen[key] = f
		l.all = append(l.all, f)
	}
	if len(f.readings) < maxReadings {
		f.readings = append(f.readings, r)
	}
}

// add lists the HMAC of one atom alone.
func (l *lister) add(atoms ...*atom) {
	for _, a := range atoms {
		l.put(reading{atoms: []*atom{a}}, false)
	}
}

// addHash lists the plain hash of one atom and the secret.
func (l *lister) addHash(secret *atom, atoms ...*atom) {
	for _, a := range atoms {
		for _, sep := range separators {
			l.put(reading{atoms: []*atom{secret, a}, sep: sep}, true)
			l.put(reading{atoms: []*atom{a, secret}, sep: sep}, true)
		}
	}
}

// sequence lists atoms in their order, with each separator.
func (l *lister) sequence(atoms []*atom) {
	atoms = slices.Clone(atoms)
	for _, sep := range separators {
		if l.secret == nil {
			l.put(reading{lead: l.lead, atoms: atoms, sep: sep}, false)
			if sep == "\n" && l.lead == "" {
				l.put(reading{atoms: atoms, sep: sep, trail: true}, false)
			}
			continue
		}
		for i := range len(atoms) + 1 {
			l.put(reading{atoms: slices.Insert(slices.Clone(atoms), i, l.secret), sep: sep}, true)
		}
	}
}

// permute lists the sequences of n atoms, each of another group, of which one
// is a body, in every order.
func (l *lister) permute(n int, bodies []*atom, groups [][]*atom) {
	for _, b := range bodies {
		l.choose(n-1, groups, []*atom{b}, func(atoms []*atom) {
			permutations(atoms, func(p []*atom) {
				if !l.last || p[0] == b || p[len(p)-1] == b {
					l.sequence(p)
				}
			})
		})
	}
}

// without lists the sequences of n atoms, each of another group, and the plain
// hashes of them with the secret.
func (l *lister) without(n int, groups [][]*atom, secret *atom) {
	l.choose(n, groups, nil, func(atoms []*atom) {
		permutations(atoms, func(p []*atom) {
			l.both(p, secret)
		})
	})
}

// both lists a sequence and, with a secret, the plain hashes of it.
func (l *lister) both(p []*atom, secret *atom) {
	l.sequence(p)
	if secret != nil {
		l.secret = secret
		l.sequence(p)
		l.secret = nil
	}
}

// pick lists the sequences of two and three fields, which may be times.
func (l *lister) pick(fields, times []*atom, secret *atom) {
	both := slices.Clone(fields)
	for _, t := range times[:min(len(times), 3)] {
		if t.in != inSignature {
			both = append(both, t)
		}
	}
	for _, a := range both {
		for _, b := range both {
			if areApart(a, b) {
				l.both([]*atom{a, b}, secret)
			}
		}
	}
	if len(fields) == 0 {
		return
	}
	for _, a := range both {
		for _, b := range both {
			for _, c := range both {
				if areApart(a, b, c) {
					l.sequence([]*atom{a, b, c})
				}
			}
		}
	}
}

// areApart reports whether no two of p are the same field, or are times.
func areApart(p ...*atom) bool {
	for i, a := range p {
		if slices.ContainsFunc(p[:i], func(b *atom) bool { return a.in == b.in && a.name == b.name || a.unit != "" && b.unit != "" }) {
			return false
		}
	}
	return true
}

// choose calls f with base and n atoms, each of another group.
func (l *lister) choose(n int, groups [][]*atom, base []*atom, f func([]*atom)) {
	if n == 0 {
		f(base)
		return
	}
	for i, g := range groups {
		for _, a := range g {
			l.choose(n-1, groups[i+1:], append(slices.Clone(base), a), f)
		}
	}
}

// permutations calls f with the list in every order, first the other way round;
// f's argument is good until f returns.
func permutations[E any](list []E, f func([]E)) {
	p := slices.Clone(list)
	slices.Reverse(p) // of what may be signed the body is first, and mostly signed last
	var next func(k int)
	next = func(k int) {
		if k == len(p) {
			f(p)
			return
		}
		for i := k; i < len(p); i++ {
			p[k], p[i] = p[i], p[k]
			next(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	next(0)
}

// byRank orders atoms: the likeliest first.
func byRank(atoms []*atom, most int) []*atom {
	slices.SortStableFunc(atoms, func(a, b *atom) int { return cmp.Compare(a.rank, b.rank) })
	return atoms[:min(len(atoms), most)]
}
