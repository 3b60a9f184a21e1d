package verify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// A StandIn is what a provider hears in place of an app that is late, down, or
// says what the provider does not understand.
type StandIn struct {
	// After is how long the app has, from the arrival of the message on; 0
	// means as long as it takes: it is only stood in for if it is down, or says
	// what is not understood.
	After  time.Duration
	Name   string // of the answer, as in [Provider.Answers], or "ack"
	Answer Answer
}

// A standIn is a StandIn, and of which events it is.
type standIn struct {
	event *pattern
	after time.Duration
	name  string
}

// AckName is the name of [Provider.Ack] among the answers.
const AckName = "ack"

// StandIn returns what has to be answered to an event of the given name even if
// the app gives no answer. It is false for the events with which a provider may
// hear of failure, which are most: it tries again then.
func (p Provider) StandIn(event string) (StandIn, bool) {
	for _, s := range p.own().standIns {
		if s.event.matches(event) {
			a, _ := p.Answer(s.name)
			return StandIn{s.after, s.name, a}, true
		}
	}
	return StandIn{}, false
}

// Answer returns the answer that the provider knows by the given name, one of
// [Provider.AnswerNames].
func (p Provider) Answer(name string) (a Answer, ok bool) {
	if name == AckName {
		return p.Ack, true
	}
	a, ok = p.Answers[name]
	return a, ok
}

// AnswerNames returns the names of all answers, sorted, behind [AckName].
func (p Provider) AnswerNames() []string {
	return append([]string{AckName}, slices.Sorted(maps.Keys(p.Answers))...)
}

// Reads reports whether the provider demands answers of a certain form.
func (p Provider) Reads() bool { return len(p.own().understands) > 0 }

// Misunderstood says why the provider would not understand the body of an
// app's answer, and "" if it does.
func (p Provider) Misunderstood(body []byte) string {
	if !p.Reads() {
		return ""
	}
	if len(body) == 0 {
		return "it is empty, and JSON is demanded"
	}
	if jsonx.TopKind(body) != jsonx.Object || !jsonx.Valid(body) {
		return "it is not a JSON object"
	}
	for _, name := range p.own().understands {
		if _, err := jsonx.Find(body, jsonx.Path{name}); err != nil {
			return "it has no " + name
		}
	}
	return ""
}

// Explain returns what a person should know of m where its signature is not
// right, as of a question that the provider never asks; "" mostly.
func (p Provider) Explain(m Message) string {
	v := &view{m: m}
	for _, e := range p.own().explain {
		if e.when.holds(v) {
			return e.about
		}
	}
	return ""
}

// NeverSigned reports whether m is one that the provider sends and never signs.
func (p Provider) NeverSigned(m Message) bool {
	v := &view{m: m}
	return slices.ContainsFunc(p.own().explain, func(e explanation) bool { return e.unsigned && e.when.holds(v) })
}

// An explanation is what there is to know of some messages.
type explanation struct {
	when     mark
	about    string
	unsigned bool // it is sent, and never signed
}

// A Check is one thing that a provider wants to be so, or its webhooks fail.
type Check struct {
	Of    CheckOf
	About string // what has to be so
}

// CheckOf says when it shows whether a [Check] is passed.
type CheckOf string

// The kinds of checks.
const (
	CheckArrival CheckOf = "arrival" // passed by each webhook that comes
	CheckApp     CheckOf = "app"     // an app answers
	CheckStatus  CheckOf = "status"  // the answer's status
	CheckBody    CheckOf = "body"    // the answer's body is understood
	CheckNone    CheckOf = "other"   // does not show here
)

var checkFields = fieldTable[*Check]{
	"of": func(c *Check, n node) (err error) {
		c.Of, err = word(n, "kind", []CheckOf{CheckArrival, CheckApp, CheckStatus, CheckBody, CheckNone})
		return
	},
	"about": func(c *Check, n node) (err error) { c.About, err = n.Label(); return },
}

var standInFields = fieldTable[*standIn]{
	"event": func(s *standIn, n node) error {
		text, err := n.Label()
		if err != nil {
			return err
		}
		s.event, err = parsePattern(text)
		return n.Wrap(err)
	},
	"after":  func(s *standIn, n node) (err error) { s.after, err = n.Duration(); return },
	"answer": func(s *standIn, n node) (err error) { s.name, err = n.Label(); return },
}

func (b *builder) readAnswers(n node) error {
	b.p.Answers = map[string]Answer{}
	return n.each(func(name string, value, key node) error {
		a := Answer{Status: 200}
		if !elementForm.MatchString(name) || name == AckName {
			return key.Errorf("letters, digits, '-' and '_' only, and not %s", AckName)
		}
		err := value.answer(&a)
		b.p.Answers[name] = a
		return err
	})
}

var explainFields = fieldTable[*explanation]{
	"when":     func(e *explanation, n node) (err error) { e.when, err = n.mark(); return },
	"about":    func(e *explanation, n node) (err error) { e.about, err = n.Label(); return },
	"unsigned": func(e *explanation, n node) (err error) { e.unsigned, err = n.Bool(); return },
}

// checkReplies checks what is said of answers against each other.
func (b *builder) checkReplies() error {
	for _, s := range b.f.standIns {
		a, ok := b.p.Answer(s.name)
		if !ok {
			return b.fault("stand_in", "there is no answer %s (known: %s)", quote(s.name), strings.Join(b.p.AnswerNames(), ", "))
		}
		if timeout := b.p.Retry.Timeout; timeout > 0 && s.after >= timeout {
			return b.fault("stand_in", "after %v is too late: the provider waits for %v", s.after, timeout)
		}
		if why := b.understood(a); why != "" {
			return b.fault("stand_in", "the provider does not understand the answer %s: %s", quote(s.name), why)
		}
	}
	for _, name := range b.p.AnswerNames()[1:] {
		if why := b.understood(b.p.Answers[name]); why != "" {
			return b.fault("answers", "the provider does not understand %s: %s", quote(name), why)
		}
	}
	if len(b.f.understands) > 0 {
		if why := b.understood(b.p.Ack); why != "" {
			return b.fault("ack", "the provider does not understand it: %s", why)
		}
	}
	return nil
}

func (b *builder) understood(a Answer) string {
	p := Provider{facets: &b.f}
	return p.Misunderstood(a.Body)
}
