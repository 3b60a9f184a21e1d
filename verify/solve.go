package verify

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// A Search is what [Catalog.Solve] has found.
type Search struct {
	// Known are the providers that sign so, the likeliest first.
	Known []Provider
	// YAML is a description in the language of providers/README.md, "" if none
	// is proposed.
	YAML string
	// Agree has the index of each sample whose signature is right by it, or by
	// the first of Known.
	Agree []int
	// Payload is what is signed, as a template; Same, what else it could be, as
	// it gives the same for all samples that agree.
	Payload string
	Same    []string

	// Trimmed tells that the line break at the end of bodies is not signed: an
	// editor put it there.
	Trimmed bool

	Tried  int      // how many signatures were made
	Places []string // what looks like a signature, as in: header X-Sig (32 bytes in hex)
	// Why is why nothing is proposed, Help what would help; "" if something is.
	Why, Help string
}

// The bounds of a search.
const (
	maxSamples = 32
	// maxHashed is how many bytes are hashed, and maxAgain how many once more if
	// bodies end with a line break. A signature of little counts as overhead bytes.
	maxHashed    = 512 << 20
	maxAgain     = 128 << 20
	overhead     = 512
	maxSearched  = 3  // samples that are searched
	maxProposals = 64 // descriptions that are tried on all samples
)

// Solve looks for the scheme of samples, messages of one unknown provider, whose
// secret is the first one of k. What else may be signed is in k.With. It tries
// the providers of c, and then places × algorithms × forms of the key × what is
// put together, and proposes only what gives the very signatures of samples,
// and what no other reading would give as well. It takes a few seconds at most.
func (c *Catalog) Solve(samples []Message, k Keys, now time.Time) Search {
	found := c.solve(samples, k, now, maxHashed)
	if found.YAML != "" || !slices.ContainsFunc(samples, func(m Message) bool { return bytes.HasSuffix(m.Body, []byte("\n")) }) {
		return found
	}
	trimmed := slices.Clone(samples)
	for i := range trimmed {
		trimmed[i].Body = bytes.TrimSuffix(bytes.TrimSuffix(trimmed[i].Body, []byte("\n")), []byte("\r"))
	}
	if again := c.solve(trimmed, k, now, maxAgain); again.YAML != "" {
		again.Tried += found.Tried
		again.Trimmed = true
		return again
	}
	return found
}

func (c *Catalog) solve(samples []Message, k Keys, now time.Time, budget int) Search {
	s := &solver{c: c, samples: samples[:min(len(samples), maxSamples)], now: now, left: budget, budget: budget, hashers: map[string]*hasher{}}
	s.keys.With = k.With
	if len(k.Secrets) == 0 || k.Secrets[0].Empty() || len(samples) == 0 {
		return Search{Why: "there is no secret, or no recording", Help: "give both"}
	}
	s.keys.Secrets = k.Secrets[:1]
	s.secret = *k.Secrets[0].kept.text
	s.known()
	s.search()
	if s.best == nil {
		s.token()
	}
	s.settle()
	return s.out
}

// A solver is one search.
type solver struct {
	c       *Catalog
	samples []Message
	keys    Keys
	secret  string
	now     time.Time

	budget   int // bytes that may be hashed
	left     int // the same, still, of this sample
	hashers  map[string]*hasher
	proposed int
	best     *proposal
	refused  *proposal // the best of those that the samples do not suffice for
	searched []*scene
	out      Search
}

// A proposal is a description, and which samples agree with it.
type proposal struct {
	d       *declared
	yaml    string
	payload string
	full    string // the payload and where its time is
	body    bool   // the payload covers the body
	agree   []int
	same    []string
	sums    int // how many different signatures those have that agree
	bodies  int // how many different bodies
	empty   bool
	why     string // why it is not proposed
}

// agreeing returns the samples whose signature p finds right.
func (s *solver) agreeing(p Provider, k Keys) []int {
	var all []int
	for i, m := range s.samples {
		v := p.Scheme.Verify(m, k, s.now)
		if v.Status == Valid || v.Reason == Stale || v.Reason == Future || v.Reason == WrongAccount {
			all = append(all, i)
		}
	}
	return all
}

// known finds the providers that sign so.
func (s *solver) known() {
	likely := map[string]int{}
	for i, p := range s.c.Detect(s.samples[0]) {
		likely[p.ID] = len(s.c.entries) - i
	}
	most := 0
	for _, p := range s.c.Providers() {
		agree := s.agreeing(p, s.keys)
		if 2*len(agree) <= len(s.samples) || len(agree) < most {
			continue
		}
		if len(agree) > most {
			most, s.out.Known, s.out.Agree = len(agree), nil, agree
		}
		s.out.Known = append(s.out.Known, p)
	}
	slices.SortStableFunc(s.out.Known, func(a, b Provider) int { return likely[b.ID] - likely[a.ID] })
}

// search looks through the samples, those with little in them first.
func (s *solver) search() {
	order := make([]int, len(s.samples))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) int { // an empty body tells least
		if n := len(s.samples[i].Body); n > 0 {
			return n
		}
		return MaxBody
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(a) - weight(b) })
	for n, i := range order[:min(len(order), maxSearched)] {
		sc := newScene(&s.samples[i], s.keys.With)
		s.searched = append(s.searched, sc)
		if n == 0 && len(order) > 1 {
			s.left = s.budget / 2 // the rest is for the others
		} else if n > 0 {
			s.left = s.budget / 4
		}
		s.look(sc)
		if s.best != nil || s.refused != nil {
			return
		}
	}
}

// look searches one sample.
func (s *solver) look(sc *scene) {
	if len(sc.spots) == 0 {
		return
	}
	bySum := map[string][]*spot{}
	for _, sp := range sc.spots {
		bySum[string(sp.sum)] = append(bySum[string(sp.sum)], sp)
	}
	var used []algorithm
	for _, a := range algorithms {
		if slices.ContainsFunc(sc.spots, func(sp *spot) bool { return len(sp.sum) == a.size }) {
			used = append(used, a)
		}
	}
	forms := keyForms(s.secret)
	sc.formulas(func(batch []*formula) bool {
		for _, f := range batch {
			for _, form := range forms {
				for _, a := range used {
					if !s.try(sc, f, form, a, bySum) {
						return false
					}
				}
			}
		}
		return true
	})
}

// try makes the signature of a formula, and proposes what it is found at. It reports false
// once the search is over.
func (s *solver) try(sc *scene, f *formula, form secretForm, a algorithm, bySum map[string][]*spot) bool {
	if s.left <= 0 || s.proposed >= maxProposals {
		return false
	}
	sum := s.hasher(a, f.hash, form).sum(f, sc, form, s)
	for _, sp := range bySum[string(sum)] {
		s.propose(f, sp, a, form)
	}
	return s.best == nil || len(s.best.agree) < len(s.samples)
}

// propose describes what has given the signature at sp, and tries it on all
// samples.
func (s *solver) propose(f *formula, sp *spot, a algorithm, form secretForm) {
	var found *proposal
	for _, r := range f.readings {
		for _, multiple := range []bool{sp.several, true} {
			if multiple && sp.sep == "" {
				continue
			}
			s.proposed++
			text, ok := describe(r, f.hash, sp, a, form, multiple)
			if !ok {
				continue
			}
			p, err := ParseProvider([]byte(text))
			if err != nil {
				continue
			}
			agree := s.agreeing(p, s.keys)
			d := p.Scheme.(*declared)
			payload := d.payloadText()
			full := payload
			if d.stamp != nil {
				full += ", {ts} from " + d.stamp.place.String()
			}
			switch {
			case len(agree) == 0:
			case found == nil || len(agree) > len(found.agree):
				found = &proposal{d: d, yaml: text, payload: payload, full: full, body: r.body(), agree: agree}
			case slices.Equal(agree, found.agree) && full != found.full && !slices.Contains(found.same, full) && len(found.same) < 3:
				found.same = append(found.same, full)
			}
			if found != nil && len(found.agree) == len(s.samples) {
				break // one signature is enough in all
			}
		}
	}
	if found == nil {
		return
	}
	s.count(found)
	into := &s.best
	if found.why = s.doubt(found); found.why != "" {
		into = &s.refused
	}
	if *into == nil || len(found.agree) > len((*into).agree) {
		*into = found
	}
}

// token looks for the secret itself.
func (s *solver) token() {
	const least = 6 // characters; what is shorter is found anywhere
	if len(s.secret) < least {
		return
	}
	for _, v := range newScene(&s.samples[0], nil).values {
		text := ""
		if prefix, ok := strings.CutSuffix(v.text, s.secret); ok && prefixForm.MatchString(prefix) && !strings.HasPrefix(prefix, " ") {
			text = "scheme: token\nsignature: {in: " + string(v.in) + ", name: " + yamlText(v.name)
			if prefix != "" {
				text += ", prefix: " + yamlText(prefix)
			}
			text += "}\n"
		} else if v.in == inHeader && v.text == "Basic "+base64Strict.EncodeToString([]byte(s.secret)) && strings.Contains(s.secret, ":") {
			text = "scheme: basic\nsignature: {in: header, name: " + yamlText(v.name) + "}\n"
		} else {
			continue
		}
		text = "id: my-provider\n" + text
		p, err := ParseProvider([]byte(text))
		if err != nil {
			continue
		}
		if agree := s.agreeing(p, s.keys); len(agree) > 0 && (s.best == nil || len(agree) > len(s.best.agree)) {
			s.best = &proposal{yaml: text, agree: agree, payload: ""}
		}
	}
}
