package verify

import (
	"slices"
	"strings"
)

// callLine is the function that gives the name and the value of a JSON field, a
// line each, or nothing where the field is not there: how Amazon SNS writes what
// it signs.
const callLine = "line"

// isLine reports whether what stands in the brackets can be a line.
func isLine(inner string) bool { return strings.HasPrefix(inner, "body.") }

// A demand is a part of a message that must have one of some values. It is for
// what decides how the rest is read.
type demand struct {
	from part
	is   []string
}

// A choice is of the algorithm, by a part of the message.
type choice struct {
	demand
	algorithms []algorithm
	schemes    []*declared // the scheme with each
}

// demand reports whether m is as the scheme demands, and else the verdict.
func (d *declared) demand(m *Message, c *claim) (Verdict, bool) {
	for i := range d.demands {
		if v, ok := d.demands[i].met(d, m, c); !ok {
			return v, false
		}
	}
	if d.choice != nil {
		return d.choice.met(d, m, c)
	}
	return Verdict{}, true
}

func (r *demand) met(d *declared, m *Message, c *claim) (Verdict, bool) {
	text, how := d.text(&r.from, m, c, nil)
	switch {
	case how != present:
		return d.malformed("%s is not there or not clear", &r.from), false
	case !slices.Contains(r.is, text):
		return d.malformed("%s is %s, and not %s", &r.from, quote(text), strings.Join(r.is, " or ")), false
	}
	return Verdict{}, true
}

// chosen gives the scheme for m, which is as demanded.
func (d *declared) chosen(m *Message, c *claim) *declared {
	if d.choice == nil {
		return d
	}
	text, _ := d.text(&d.choice.from, m, c, nil)
	if i := slices.Index(d.choice.is, text); i >= 0 {
		return d.choice.schemes[i]
	}
	return d
}

// vary makes the schemes that a message can choose.
func (d *declared) vary() {
	if d.choice == nil {
		return
	}
	for _, a := range d.choice.algorithms {
		other := *d
		other.algorithm, other.form.algorithm, other.choice = a, a.name, nil
		d.choice.schemes = append(d.choice.schemes, &other)
	}
}

// summary names the algorithms.
func (c *choice) summary() string {
	var names []string
	for _, a := range c.algorithms {
		names = append(names, strings.ToUpper(a.name))
	}
	return strings.Join(names, " or ")
}

var demandFields = fieldTable[*demand]{
	"from": func(r *demand, n node) error { return n.reference(&r.from) },
	"is":   func(r *demand, n node) (err error) { r.is, err = n.Labels(); return },
}

var choiceFields = fieldTable[*choice]{
	"from": func(c *choice, n node) error { return n.reference(&c.from) },
	"is": func(c *choice, n node) error {
		return n.each(func(name string, value, key node) error {
			var a algorithm
			err := value.algorithm(&a, keyAlgorithms...)
			if err == nil && !strings.HasPrefix(a.name, "rsa-") { // so that one key fits all
				err = value.Errorf("must be one of RSA")
			}
			c.is, c.algorithms = append(c.is, name), append(c.algorithms, a)
			return err
		})
	},
}

// reference reads n as a template of one reference.
func (n node) reference(p *part) error {
	var t template
	if err := n.template(&t, messageRefs); err != nil {
		return err
	}
	if len(t) != 1 || t[0].call != "" || !slices.Contains([]refKind{refHeader, refParam, refField}, t[0].ref) {
		return n.Errorf("must be one reference to a header, parameter or field")
	}
	*p = t[0]
	return nil
}

func (b *builder) readRequire(n node) (err error) {
	b.d.demands, err = mappings(n, demandFields, demand{}, "from", "is")
	for _, r := range b.d.demands {
		b.reads(r.from)
	}
	return err
}

func (b *builder) readAlgorithms(n node) error {
	b.d.choice = new(choice)
	err := choiceFields.read(b.d.choice, n, "from", "is")
	b.reads(b.d.choice.from)
	return err
}

func (b *builder) checkChoice() error {
	if b.d.choice == nil {
		return nil
	}
	if b.d.algorithm.new != nil || b.d.kind != schemePair {
		return b.fault("algorithms", "stands in place of algorithm, for the scheme asymmetric")
	}
	b.d.algorithm = b.d.choice.algorithms[0]
	return nil
}

// checkDemands sees to it that Sign does not change what is demanded.
func (b *builder) checkDemands() error {
	for _, r := range b.d.allDemands() {
		for _, u := range b.d.uses() {
			if (template{r.from}).covers(u.place) {
				return b.fault(strings.TrimSuffix(u.what, ".also"), "is in the same place as what is required")
			}
		}
	}
	return nil
}

// allDemands gives the demands, and that of the choice.
func (d *declared) allDemands() []demand {
	if d.choice == nil {
		return d.demands
	}
	return append(slices.Clone(d.demands), d.choice.demand)
}

// reads notes that a part of a JSON body is read.
func (b *builder) reads(p part) {
	if p.ref == refField {
		b.readsField(p.path[0])
	}
}
