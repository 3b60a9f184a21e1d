package config

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"devhook/internal/gateway"
	"devhook/internal/jsonx"
	"devhook/internal/similar"
	"devhook/internal/yamlx"
	"devhook/recorder"
	"devhook/verify"
)

// An ack is what a route says of answers in place of the app's: now, off, or a
// deadline and what is answered then, for all events or by their names.
type ack struct {
	off      bool
	all      ackRule
	commands []ackRule
}

type ackRule struct {
	event    string
	deadline *time.Duration
	name     string         // of the provider's answer
	answer   *verify.Answer // written out
	node     yamlx.Node     // what names the answer
}

var ackFields = yamlx.Fields[*ack]{
	"deadline": func(a *ack, n yamlx.Node) error { return a.all.readDeadline(n) },
	"then":     func(a *ack, n yamlx.Node) error { return a.all.readThen(n) },
	"commands": func(a *ack, n yamlx.Node) error {
		return n.Each(func(event string, value, _ yamlx.Node) error {
			r := ackRule{event: event}
			if !value.IsMapping() {
				if err := r.readThen(value); err != nil {
					return err
				}
			} else if err := ackRuleFields.Read(&r, value); err != nil {
				return err
			}
			a.commands = append(a.commands, r)
			return nil
		})
	},
}

var ackRuleFields = yamlx.Fields[*ackRule]{
	"deadline": (*ackRule).readDeadline,
	"then":     (*ackRule).readThen,
}

const ackHint = "write now, off, or as in {deadline: 1500ms, then: allow}"

// readAck reads what a route says of answers.
func (r *route) readAck(n yamlx.Node) error {
	r.ack = new(ack)
	if n.IsMapping() {
		if err := ackFields.Read(r.ack, n); err != nil {
			return err
		}
		if len(r.ack.commands) == 0 && r.ack.all.deadline == nil && !r.ack.all.says() {
			return misplaced(n, errorf(ackHint, "has no deadline"))
		}
		return nil
	}
	word, err := n.Scalar()
	if err != nil {
		return err
	}
	switch word {
	case "now":
		r.ack.all.deadline = new(time.Duration)
	case "off":
		r.ack.off = true
	default:
		return misplaced(n, errorf(ackHint, "%s is none of now, off", quoted(word)))
	}
	return nil
}

// says reports whether r says what is answered.
func (r *ackRule) says() bool { return r.name != "" || r.answer != nil }

func (r *ackRule) readDeadline(n yamlx.Node) error {
	d, err := n.Duration()
	r.deadline = &d
	return err
}

// readThen reads the name of an answer, or an answer.
func (r *ackRule) readThen(n yamlx.Node) (err error) {
	r.node = n
	if !n.IsMapping() {
		r.name, err = n.Label()
		return err
	}
	a := answer{status: http.StatusOK, media: "application/json"}
	if err := thenFields.Read(&a, n); err != nil {
		return err
	}
	if a.media == "application/json" && a.body != "" && !jsonx.Valid([]byte(a.body)) {
		return misplaced(n, errorf("give the JSON in quotes, as in body: '{\"ErrorCode\":0}', or another type", "the body is not JSON"))
	}
	r.answer = &verify.Answer{Status: a.status, Header: http.Header{}, Body: []byte(a.body)}
	if a.body != "" {
		r.answer.Header.Set("Content-Type", a.media)
	}
	return nil
}

// An answer as devhook.yaml writes one out.
type answer struct {
	status int
	media  string
	body   string
}

var thenFields = yamlx.Fields[*answer]{
	"status": func(a *answer, n yamlx.Node) (err error) { a.status, err = n.Int(200, 599); return },
	"type":   func(a *answer, n yamlx.Node) (err error) { a.media, err = n.Label(); return },
	"body":   func(a *answer, n yamlx.Node) (err error) { a.body, err = n.Text(); return },
}

// rules are all rules of a, in the order in which they are tried: those for
// events by their name first.
func (a *ack) rules() []ackRule {
	list := slices.Clone(a.commands)
	for i := range list {
		if list[i].deadline == nil {
			list[i].deadline = a.all.deadline
		}
		if !list[i].says() {
			list[i].name, list[i].answer = a.all.name, a.all.answer
		}
	}
	if a.all.deadline != nil || a.all.says() {
		all := a.all
		all.event = "*"
		list = append(list, all)
	}
	return list
}

// gateway returns a as the gateway takes it; nil if nothing is said.
func (a *ack) gateway() *gateway.Ack {
	if a == nil {
		return nil
	}
	g := &gateway.Ack{Off: a.off}
	for _, r := range a.rules() {
		one := gateway.AckRule{Event: recorder.Glob(r.event), Name: r.name, Answer: r.answer}
		if r.deadline != nil {
			one.After, one.Now = *r.deadline, *r.deadline == 0
		}
		g.Rules = append(g.Rules, one)
	}
	return g
}

func (a *ack) String() string {
	if a.off {
		return "ack off"
	}
	var parts []string
	for _, r := range a.rules() {
		text := r.event + ":"
		if r.deadline != nil {
			text += " after " + r.deadline.String()
		}
		switch {
		case r.name != "":
			text += " " + r.name
		case r.answer != nil:
			text += fmt.Sprintf(" %d %s", r.answer.Status, r.answer.Body)
		}
		parts = append(parts, text)
	}
	return "ack " + strings.Join(parts, "; ")
}

// checkAnswers checks that the answers which routes name are ones that the
// provider knows; where the provider is not named, ones that some provider
// knows.
func (f *file) checkAnswers() error {
	for _, r := range f.routes {
		if r.ack == nil {
			continue
		}
		id := r.provider
		if id == "" {
			id = f.values["provider"].Text()
		}
		var names []string
		p, named := f.catalog.Lookup(id)
		if named {
			names = p.AnswerNames()
		} else {
			for _, one := range f.catalog.Providers() {
				names = append(names, one.AnswerNames()...)
			}
			slices.Sort(names)
			names = slices.Compact(names)
		}
		for _, rule := range append(slices.Clone(r.ack.commands), r.ack.all) {
			if rule.name == "" || slices.Contains(names, rule.name) {
				continue
			}
			hint := "write one of them, or the answer itself: {status: 200, body: '…'}"
			if meant := similar.Typo(rule.name, names); meant != "" {
				hint = "write " + meant
			}
			return misplaced(rule.node, errorf(hint, "there is no answer %s (known: %s)", quoted(rule.name), strings.Join(names, ", ")))
		}
	}
	return nil
}
