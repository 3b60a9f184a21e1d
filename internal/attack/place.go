package attack

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
	"devhook/recorder"
	"devhook/replay"
)

// A place is a value of a request, and the part of it that counts, as the
// hexadecimal digits behind sha256=.
type place struct {
	where string // header, query, form or body
	name  string
	path  jsonx.Path // in a JSON body
	index int        // among the headers of one name
	// The part that counts has so many bytes before and behind it.
	before, behind int
}

// differences are the values that a and b do not have in common.
func differences(a, b *recorder.Request) []place {
	var list []place
	add := func(p place) {
		x, y := p.get(a), p.get(b)
		if x == y || y == "" {
			return
		}
		p.before, p.behind = apart(x, y)
		list = append(list, p)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		for i := range min(len(a.Headers[name]), len(b.Headers[name])) {
			add(place{where: "header", name: name, index: i})
		}
	}
	for name := range param.Names(query(a)) {
		add(place{where: "query", name: name})
	}
	if changes, err := jsonx.Diff(a.Body.Bytes, b.Body.Bytes); err == nil {
		for _, c := range changes {
			if c.Old != nil && c.New != nil {
				add(place{where: "body", path: slices.Clone(c.Path)})
			}
		}
	} else if !bytes.Equal(a.Body.Bytes, b.Body.Bytes) {
		for name := range param.Names(string(a.Body.Bytes)) {
			add(place{where: "form", name: name})
		}
	}
	return list
}

// apart returns how many bytes stand before and behind what is different in x
// and y, widened to whole words.
func apart(x, y string) (before, behind int) {
	for before < min(len(x), len(y)) && x[before] == y[before] {
		before++
	}
	for behind < min(len(x), len(y))-before && x[len(x)-1-behind] == y[len(y)-1-behind] {
		behind++
	}
	for before > 0 && isWord(x[before-1]) {
		before--
	}
	for behind > 0 && (isWord(x[len(x)-behind]) || x[len(x)-behind] == '=') {
		behind--
	}
	return before, behind
}

// isWord reports whether c can be part of hexadecimal digits or base64, but for
// the = at the end of that.
func isWord(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// query returns the raw query of req.
func query(req *recorder.Request) string {
	_, q, _ := strings.Cut(req.URL, "?")
	return q
}

// setQuery replaces the raw query of req.
func setQuery(req *recorder.Request, raw string) {
	req.URL, _, _ = strings.Cut(req.URL, "?")
	if raw != "" {
		req.URL += "?" + raw
	}
}

// get returns the value at p, "" if there is none.
func (p place) get(req *recorder.Request) string {
	switch p.where {
	case "header":
		if values := req.Headers[p.name]; p.index < len(values) {
			return values[p.index]
		}
	case "query", "form":
		raw := query(req)
		if p.where == "form" {
			raw = string(req.Body.Bytes)
		}
		value, _ := param.Find(raw, p.name)
		text, _ := param.Unescape(value)
		return text
	case "body":
		if v, err := jsonx.Find(req.Body.Bytes, p.path); err == nil {
			text, _ := jsonx.Text(v.Raw)
			return text
		}
	}
	return ""
}

// set puts another value at p. Of a header the map and the values are copied.
func (p place) set(req *recorder.Request, value string) {
	switch p.where {
	case "header":
		req.Headers = req.Headers.Clone()
		req.Headers[p.name][p.index] = value
	case "query":
		setQuery(req, param.Set(query(req), p.name, value))
	case "form":
		setBody(req, []byte(param.Set(string(req.Body.Bytes), p.name, value)))
	case "body":
		if body, err := jsonx.Set(req.Body.Bytes, p.path, jsonx.AppendQuote(nil, value)); err == nil {
			setBody(req, body)
		}
	}
}

// word returns the part of the value that counts.
func (p place) word(req *recorder.Request) string {
	v := p.get(req)
	if p.before+p.behind > len(v) {
		return v
	}
	return v[p.before : len(v)-p.behind]
}

// setWord replaces the part of the value that counts.
func (p place) setWord(req *recorder.Request, word string) {
	v := p.get(req)
	if p.before+p.behind > len(v) {
		p.set(req, word)
		return
	}
	p.set(req, v[:p.before]+word+v[len(v)-p.behind:])
}

func setBody(req *recorder.Request, body []byte) {
	req.Body, req.Size = recorder.Body{Bytes: body}, int64(len(body))
}

const unknownEvent = "devhook.unknown.event"

// eventPlace finds where the name of the event stands: there, another value
// gives another name.
func (a *Attack) eventPlace(req *recorder.Request) place {
	name := a.eventOf(req)
	if name == "" {
		return place{}
	}
	tries := []place{}
	for h, values := range req.Headers {
		if len(values) == 1 && values[0] != "" && strings.Contains(name, values[0]) {
			tries = append(tries, place{where: "header", name: h})
		}
	}
	for n := range param.Names(query(req)) {
		tries = append(tries, place{where: "query", name: n})
	}
	jsonx.Rewrite(req.Body.Bytes, func(p jsonx.Path, raw []byte) []byte {
		if text, ok := jsonx.Text(raw); ok && text != "" && strings.Contains(name, text) {
			tries = append(tries, place{where: "body", path: slices.Clone(p)})
		}
		return nil
	}) // what is no JSON has none
	for _, p := range tries {
		changed := *req
		p.set(&changed, unknownEvent)
		if got := a.eventOf(&changed); got != name && got != "" {
			return p
		}
	}
	return place{}
}

func (a *Attack) eventOf(req *recorder.Request) string {
	m, err := req.Message()
	if err != nil {
		return ""
	}
	return a.provider.Event(m)
}

// deliveryOf returns the delivery id of req, "" if there is none.
func (a *Attack) deliveryOf(req *recorder.Request) string {
	m, err := req.Message()
	if err != nil {
		return ""
	}
	return a.provider.DeliveryID(m)
}

// renewed returns the source as another delivery: with other ids in the place of those that
// name a delivery or an event, as a handler may know a webhook by either.
func (a *Attack) renewed() recorder.Request {
	req := a.source
	req.Headers = req.Headers.Clone()
	ids := replay.Fresh{Seed: rand.Uint64()}
	ids.Note(&req, a.deliveryOf(&req), a.provider.IDPrefix())
	for _, m := range ids.Of(&req, 0) {
		m.Apply(&req) // ids in the form of ids, which are always taken
	}
	return req
}
