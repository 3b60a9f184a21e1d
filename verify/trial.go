package verify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// A Trial is a law of schemes that was tried on a message made for it.
type Trial struct {
	Law string // as in: a changed body is refused
	// Fault is what went wrong, "" if the law holds; Skipped, why it was not
	// tried, as in: the signature does not cover the body.
	Fault, Skipped string
}

// Trials tries the laws of [Scheme] on messages and keys that are made up. now
// is the time to sign at.
func (p Provider) Trials(now time.Time) []Trial {
	t := &trials{p: p, now: now.Truncate(time.Second)}
	t.run()
	return t.done
}

type trials struct {
	p    Provider
	d    *declared
	now  time.Time
	done []Trial
}

func (t *trials) skip(law, format string, args ...any) {
	t.done = append(t.done, Trial{Law: law, Skipped: fmt.Sprintf(format, args...)})
}

// judge tries whether v is of one of the statuses.
func (t *trials) judge(law string, v Verdict, want ...Status) {
	fault := "got " + string(v.Status)
	if v.Reason != "" {
		fault += fmt.Sprintf(" (%s)", v.Reason)
	}
	for _, s := range want {
		if v.Status == s {
			fault = ""
		}
	}
	if fault != "" {
		fault += ", want " + string(want[0])
	}
	t.done = append(t.done, Trial{Law: law, Fault: fault})
}

func (t *trials) run() {
	const signed = "what is signed is valid"
	d, ok := t.p.Scheme.(*declared)
	if !ok {
		t.skip(signed, "its messages cannot be made up")
		return
	}
	t.d = d
	keys, err := t.keys("a")
	others, err2 := t.keys("b")
	if err != nil || err2 != nil {
		t.skip(signed, "no key can be made up")
		return
	}
	others.With = keys.With
	m := t.message(false)
	if probe := t.message(false); t.p.Scheme.Sign(&probe, keys, SignOptions{}, t.now) != nil {
		m = t.message(true)
	}
	t.judge("a message without a signature is refused", t.p.Scheme.Verify(m, keys, t.now), Unsigned)
	if err := t.p.Scheme.Sign(&m, keys, SignOptions{}, t.now); err != nil {
		t.skip(signed, "no message can be made up that it could sign: %v", err)
		return
	}
	t.judge(signed, t.p.Scheme.Verify(m, keys, t.now), Valid)
	t.judge("another secret is refused", t.p.Scheme.Verify(m, others, t.now), Invalid)
	t.body(m, keys)
	t.time(m, keys)
}

func (t *trials) body(m Message, keys Keys) {
	const law = "a changed body is refused"
	changed := m
	switch {
	case t.d.kind.isToken():
		t.skip(law, "the %s itself is sent, and nothing is signed", t.d.secretName)
		return
	case t.d.payload.has(refBody, "") || t.d.payload.has(refDecoded, "") || t.d.bodyDigest != nil:
		changed.Body = append([]byte("x"), m.Body...)
	default:
		done := false
		for p := range t.d.payload.flat() {
			switch {
			case p.ref == refForms || p.ref == refCode && isForm(&m):
				changed.Body = append(slices.Clone(m.Body), "&changed=1"...)
				done = true
			case (p.at.in == inBody || p.at.in == inForm) && !t.isStamp(p.at):
				done = p.at.write(&changed, "changed", false) == nil
			}
		}
		if !done {
			t.skip(law, "the signature does not cover the body")
			return
		}
	}
	t.judge(law, t.p.Scheme.Verify(changed, keys, t.now), Invalid)
}

func (t *trials) isStamp(p place) bool { return t.d.stamp != nil && t.d.stamp.overlaps(p) }

func (t *trials) time(m Message, keys Keys) {
	s := t.d.stamp
	if s == nil {
		t.skip("an old message is refused", "no time is signed: a recorded message can be sent again at any time")
		return
	}
	made := t.now
	if s.expiry {
		made = made.Add(s.ttl)
	}
	t.judge("at its limits a time is right", t.p.Scheme.Verify(m, keys, made), Valid)
	if s.past != unlimited {
		t.judge("an old message is refused", t.p.Scheme.Verify(m, keys, made.Add(s.past+time.Second)), Invalid)
	} else {
		t.skip("an old message is refused", "the tolerance of the past is none")
	}
	if s.future != unlimited {
		t.judge("a message from the future is refused", t.p.Scheme.Verify(m, keys, made.Add(-s.future-time.Second)), Invalid)
	}
	var c claim
	if _, ok := t.d.read(&m, &c); !ok {
		return
	}
	later, err := s.unit.format(made.Add(time.Second), c.stamp)
	if err != nil {
		return
	}
	changed := m
	changed.Header = m.Header.Clone()
	if u := m.URL; u != nil {
		copied := *u
		changed.URL = &copied
	}
	if s.in == inSignature {
		h := changed.Header[t.d.signature.key]
		h[0] = strings.Replace(h[0], s.name+t.d.list.assign+c.stamp, s.name+t.d.list.assign+later, 1)
	} else if s.write(&changed, later, true) != nil {
		return
	}
	t.judge("a changed time is refused", t.p.Scheme.Verify(changed, keys, t.now), Invalid)
}

// keys makes up keys.
func (t *trials) keys(seed string) (Keys, error) {
	k := Keys{With: map[string]string{}}
	for _, n := range t.d.needs {
		if n.Required {
			k.With[n.Name] = "with-" + n.Name
		}
	}
	if t.d.form.kind == schemePair {
		private, _, err := t.p.NewKeyPair()
		k.Secrets = []Secret{NewSecret(private)}
		return k, err
	}
	text, err := t.p.SecretText([]byte("a made up secret of 32 bytes:  " + seed))
	k.Secrets = []Secret{NewSecret(text)}
	return k, err
}

// message makes up a message that the scheme can sign; with a form, or with JSON
// unless the scheme asks for a form.
func (t *trials) message(form bool) Message {
	d := t.d
	m := Message{
		Method: http.MethodPost,
		URL:    &url.URL{Scheme: "https", Host: "hooks.example", Path: "/in", RawQuery: "a=1"},
		Header: http.Header{"Content-Type": {mediaJSON}, "Host": {"hooks.example"}},
		Body:   []byte(`{"id":"evt_1","type":"example"}`),
	}
	places := []place{d.signature}
	if d.stamp != nil {
		places = append(places, d.stamp.place)
	}
	if form || d.payload.has(refForms, "") || d.payload.has(refForm, "") {
		places = append(places, place{in: inForm})
	}
	for _, p := range places {
		if p.in == inForm {
			m.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			m.URL.RawQuery = ""
			m.Body = []byte("id=evt_1&type=example")
		}
	}
	d.meetDemands(&m)
	for p := range d.payload.flat() {
		_, err := jsonx.Find(m.Body, p.path)
		if isThere := p.at.in == inBody && err == nil; p.at.in != "" && !isThere && !t.isStamp(p.at) {
			p.at.write(&m, "value", false) // where it cannot be, signing says so
		}
	}
	return m
}

// meetDemands makes m what the scheme requires of a message.
func (d *declared) meetDemands(m *Message) {
	for _, r := range d.allDemands() {
		r.from.at.write(m, r.is[0], false) // where it cannot be, signing says so
	}
}
