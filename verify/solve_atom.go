package verify

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
)

// An atom is a piece of what may be signed.
type atom struct {
	ref    string // as a template has it
	text   string // as a formula has it; body and secret are markers
	in     placeKind
	name   string
	header string // of an element of a list: the header that the list is in
	unit   unit   // of a time that the signature covers
	with   string // the name in Keys.With
	rank   int
}

// The markers in the text of a formula. No other text has zero bytes.
const (
	markBody   = "\x00b"
	markBase64 = "\x00c"
	markSecret = "\x00s"
)

// unitOf tells how a time is written, "" if text is none.
func unitOf(text string, inHeader bool) unit {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		switch {
		case len(text) >= 9 && len(text) <= 10 && n > 4e8:
			return unitSeconds
		case len(text) == 13:
			return unitMillis
		}
		return ""
	}
	if len(text) >= 19 && text[4] == '-' {
		for _, u := range []unit{unitRFC3339, unitISO8601} {
			if _, _, ok := u.parse(text); ok {
				return u
			}
		}
	}
	if _, _, ok := unitHTTPDate.parse(text); ok && inHeader && len(text) > 20 {
		return unitHTTPDate
	}
	return ""
}

// passing are headers that a request gets on its way, and that nobody signs.
var passing = regexp.MustCompile(`^(Accept.*|Authorization|Cache-Control|Cdn-.*|Cf-.*|Connection|Content-Length|Content-Encoding|Cookie|Forwarded|Fly-.*|Host|Ngrok-.*|Sentry-Trace|Trace.*|Transfer-Encoding|User-Agent|Via|X-Amzn-.*|X-Cloud-.*|X-Forwarded-.*|X-Original-.*|X-Real-Ip)$`)

var (
	timeName = regexp.MustCompile(`(?i)time|date|(^|[^a-z])ts?$|stamp|expir`)
	idName   = regexp.MustCompile(`(?i)id$|nonce|uuid|delivery|request|event|topic|token|key|guid|msg|message`)
)

// findAtoms lists what may be signed.
func (sc *scene) findAtoms(with map[string]string) {
	m := sc.m
	if isPlain(m.Method) {
		sc.method = []*atom{{ref: "{method}", text: m.Method}}
	}
	for _, name := range sortedKeys(with) {
		if elementForm.MatchString(name) && with[name] != "" && isPlain(with[name]) {
			sc.withs = append(sc.withs, &atom{ref: "{with." + name + "}", text: with[name], with: name})
		}
	}
	sc.places = slices.DeleteFunc(placesOf(m), func(a *atom) bool { return !isPlain(a.text) }) // a zero in it would be a marker
	inside := slices.ContainsFunc(sc.spots, func(sp *spot) bool { return sp.in != inHeader })
	for _, v := range sc.values {
		if len(v.text) <= maxAtom && !(v.in == inHeader && passing.MatchString(v.name)) && !strings.ContainsAny(v.name, "{}()") {
			sc.addValue(v, inside)
		}
	}
	sc.times, sc.ids, sc.fields = byRank(sc.times, 6), byRank(sc.ids, 8), byRank(sc.fields, 10)
	for _, sp := range sc.spots {
		for _, lead := range []string{strings.TrimRight(sp.prefix, "=:,. "), sp.element} {
			if versionForm.MatchString(lead) && !slices.Contains(sc.leads, lead) {
				sc.leads = append(sc.leads, lead)
			}
		}
	}
}

// placesOf gives the URL, and what may be signed of it.
func placesOf(m *Message) []*atom {
	if m.URL == nil {
		return nil
	}
	p, q, h := path(m), m.URL.RawQuery, host(m)
	all := []*atom{{ref: "{path}", text: p}, {ref: "{url}", text: m.URL.String()}}
	if q != "" {
		all = append(all, &atom{ref: "{path}?{query}", text: p + "?" + q}, &atom{ref: "{query}", text: q},
			&atom{ref: m.URL.Scheme + "://{host}{path}", text: m.URL.Scheme + "://" + h + p})
	}
	return append(all, &atom{ref: "{host}{path}", text: h + p}, &atom{ref: "{host}", text: h})
}

// addValue files a value as a time, an id or a field. inside tells that the signature may be
// in the body or the query.
func (sc *scene) addValue(v value, inside bool) {
	looksSigned := slices.ContainsFunc(sc.spots, func(sp *spot) bool { return sp.in == v.in && sp.name == v.name })
	a := &atom{in: v.in, name: v.name, text: v.text, ref: "{" + string(v.in) + "." + v.name + "}", rank: v.rank()}
	if looksSigned {
		a.rank += 15
	}
	switch u := unitOf(v.text, v.in == inHeader); {
	case u != "":
		stamp := *a
		stamp.ref, stamp.unit = "{ts}", u
		sc.times = append(sc.times, &stamp)
	case timeName.MatchString(v.name) && v.in != inBody:
		sc.times = append(sc.times, a)
	case v.in == inHeader || v.in == inQuery:
		sc.ids = append(sc.ids, a)
	}
	if v.in != inHeader && inside && !looksSigned && unitOf(v.text, false) == "" {
		sc.fields = append(sc.fields, a)
	}
}

// rank tells how likely v is to be signed, by its place and its name: the less, the likelier.
func (v value) rank() int {
	rank := map[placeKind]int{inHeader: 10, inQuery: 20, inForm: 20, inBody: 30 + 2*strings.Count(v.name, ".")}[v.in]
	switch {
	case v.name == "Date":
		return rank - 5 + 8
	case v.name == "Content-Type":
		return rank + 8
	case timeName.MatchString(v.name):
		return rank - 5
	case idName.MatchString(v.name):
		return rank - 4
	}
	return rank
}

var versionForm = regexp.MustCompile(`^[vV][0-9]{1,2}$`)

// yamlText writes a text in quotes, which YAML reads as JSON has it.
func yamlText(s string) string { return string(jsonx.AppendQuote(nil, s)) }
