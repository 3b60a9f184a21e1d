package verify

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// times tries other readings of the time, and payloads with another place for
// it.
func (e *examination) times() (Diagnosis, bool) {
	d := e.d
	if d.stamp == nil || d.kind == schemeJWT {
		return Diagnosis{}, false
	}
	var c claim
	if _, ok := d.read(&e.m, &c); !ok {
		return Diagnosis{}, false
	}
	if n, err := strconv.ParseInt(c.stamp, 10, 64); err == nil {
		for _, try := range []struct {
			stamp string
			what  string
		}{
			{strconv.FormatInt(n/1000, 10), "the time is in seconds and not in milliseconds"},
			{strconv.FormatInt(n*1000, 10), "the time is in milliseconds and not in seconds"},
		} {
			if e.signs(d, try.stamp) {
				return Diagnosis{"matches if " + try.what, "the sender writes one time and signs another: make them the same"}, true
			}
		}
	}
	if made, ok := e.otherUnit(c.stamp); ok && e.signs(d, c.stamp) {
		return made, true
	}
	if e.changed(func(d *declared) { d.payload, d.others, d.stamp, d.single = template{{ref: refBody}}, nil, nil, nil }) {
		return Diagnosis{"matches if the body alone is signed, without the time", "the sender leaves the time out of what it signs: " + d.name + " signs " + d.payloadText()}, true
	}
	if d.kind != schemeHMAC || !d.payload.has(refBody, "") {
		return Diagnosis{}, false
	}
	for _, text := range []string{"{ts}.{body}", "{ts}{body}", "{ts}:{body}", "{body}{ts}", "{body}.{ts}", "{body}:{ts}", "{ts}|{body}", "{ts}_{body}", "{ts}\n{body}", "v0:{ts}:{body}", "v1:{ts}:{body}"} {
		payload, err := parseTemplate(text, payloadRefs)
		if err == nil && e.changed(func(d *declared) { d.payload, d.others = payload, nil }) {
			return Diagnosis{"matches if " + strings.ReplaceAll(text, "\n", `\n`) + " is signed", fmt.Sprintf("%s signs %s: have the sender do the same", d.name, d.payloadText())}, true
		}
	}
	return Diagnosis{}, false
}

// signs reports whether the signature is right for another text of the time.
func (e *examination) signs(d *declared, stamp string) bool {
	var c claim
	if _, ok := d.read(&e.m, &c); !ok {
		return false
	}
	c.stamp = stamp
	for _, s := range e.keys.Secrets {
		if key := s.key(d.form); key.err == nil {
			if ok, lacking := d.compare(key, &e.m, &c, e.keys.With); ok && lacking == nil {
				return true
			}
		}
	}
	return false
}

// payloadText is the payload as the provider's file has it.
func (d *declared) payloadText() string {
	return strings.ReplaceAll(d.payload.String(), "\n", `\n`)
}

// unit tells whether a time that is far off is near in another unit.
func (e *examination) unit(v Verdict) (Diagnosis, bool) {
	var c claim
	if _, ok := e.d.read(&e.m, &c); !ok || e.d.stamp == nil {
		return Diagnosis{}, false
	}
	found, ok := e.otherUnit(c.stamp)
	found.Finding = v.Detail + "; " + found.Finding
	return found, ok
}

// otherUnit reads the time in another unit. What is far from now in the right
// one and near in another is written in that.
func (e *examination) otherUnit(text string) (Diagnosis, bool) {
	const near = 24 * time.Hour
	if made, _, ok := e.d.stamp.unit.parse(text); ok && e.now.Sub(made).Abs() < 365*near {
		return Diagnosis{}, false
	}
	for _, u := range units {
		if made, _, ok := u.parse(text); ok && u != e.d.stamp.unit && e.now.Sub(made).Abs() < near {
			names := map[unit]string{unitSeconds: "seconds", unitMillis: "milliseconds"}
			name := func(u unit) string { return cmp.Or(names[u], string(u)) }
			return Diagnosis{
				fmt.Sprintf("matches, but the time is in %s and not in %s", name(u), name(e.d.stamp.unit)),
				fmt.Sprintf("%s sends the time in %s: have the sender do the same", e.d.name, name(e.d.stamp.unit)),
			}, true
		}
	}
	return Diagnosis{}, false
}

// clock compares this machine's clock with the sender's.
func (e *examination) clock(v Verdict) (Diagnosis, bool) {
	date, err := http.ParseTime(e.m.Header.Get("Date"))
	if err != nil {
		return Diagnosis{}, false
	}
	const odd = 30 * time.Second
	switch ahead := e.now.Sub(date); {
	case ahead > odd:
		return Diagnosis{v.Detail + "; your clock is " + age(ahead) + " ahead of the sender's Date header", "set the clock of this machine"}, true
	case ahead < -odd:
		return Diagnosis{v.Detail + "; your clock is " + age(-ahead) + " behind the sender's Date header", "set the clock of this machine"}, true
	case v.Reason == Stale:
		return Diagnosis{v.Detail + "; by its Date header it was sent just now, so the clocks agree", "it is an old message that was sent again: have the sender sign each try anew"}, true
	}
	return Diagnosis{v.Detail + "; by its Date header it was sent just now, so the clocks agree", "have the sender sign the time of sending, and not a later one"}, true
}
