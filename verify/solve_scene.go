package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// What a message holds that may be a signature, and what may be signed.

// A value is a short text somewhere in a message.
type value struct {
	in   placeKind
	name string
	text string
}

// A spot is where something stands that looks like a signature.
type spot struct {
	place
	prefix   string
	sep, kv  string // of a list; "" for none
	element  string
	several  bool // the list has more of them
	encoding encoding
	sum      []byte
}

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

// A scene is a message, taken apart.
type scene struct {
	m      *Message
	values []value
	spots  []*spot
	odd    string // what would be a signature by another algorithm

	times, ids, withs, fields []*atom
	places                    []*atom // URL and the like
	method                    []*atom // one, or none
	leads                     []string
}

const (
	maxLeaves = 2000 // values of a JSON body that are looked at
	maxDepth  = 5
	maxText   = 4096 // bytes of a value
	maxAtom   = 256  // bytes of a value that may be signed
)

func newScene(m *Message, with map[string]string) *scene {
	sc := &scene{m: m}
	sc.gather()
	for _, v := range sc.values {
		sc.findSpots(v)
	}
	sc.findAtoms(with)
	return sc
}

// gather lists the values of the message.
func (sc *scene) gather() {
	for _, name := range sortedKeys(sc.m.Header) {
		if values := sc.m.Header[name]; len(values) == 1 && headerForm.MatchString(name) {
			sc.add(inHeader, name, values[0])
		}
	}
	if sc.m.URL != nil {
		sc.params(inQuery, sc.m.URL.RawQuery)
	}
	switch {
	case isForm(sc.m):
		if len(sc.m.Body) <= 1<<20 {
			sc.params(inForm, string(sc.m.Body))
		}
	case jsonx.TopKind(sc.m.Body) == jsonx.Object:
		leaves := 0
		jsonx.Rewrite(sc.m.Body, func(p jsonx.Path, raw []byte) []byte {
			if leaves++; leaves <= maxLeaves && len(p) <= maxDepth && len(raw) <= maxText {
				if text, ok := jsonx.Text(raw); ok {
					sc.add(inBody, slices.Clone(p).String(), text)
				}
			}
			return raw
		})
	}
}

func (sc *scene) add(in placeKind, name, text string) {
	if text != "" && len(text) <= maxText && isPlain(text) && isPlain(name) && name != "" {
		sc.values = append(sc.values, value{in, name, text})
	}
}

func (sc *scene) params(in placeKind, raw string) {
	for i, pair := range strings.SplitN(raw, "&", 100) {
		name, _, _ := strings.Cut(pair, "=")
		name, ok := param.Unescape(name)
		if !ok || i == 99 {
			continue
		}
		if text, how := readParam(raw, name); how == present {
			sc.add(in, name, text)
		}
	}
}

// prefixForm is what may stand before a signature, as "sha256=" and "HMAC key:".
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_/ -]{0,39}[=:,. ]?$`)

// findSpots adds the spots in a value.
func (sc *scene) findSpots(v value) {
	at := place{in: v.in, name: v.name}
	if at.settle(node{}) != nil {
		return
	}
	if v.in == inHeader {
		sc.findList(at, v.text)
	}
	cuts := []int{0}
	for i := 0; i < len(v.text) && i < 40; i++ {
		if strings.IndexByte("=:,. -_/", v.text[i]) >= 0 {
			cuts = append(cuts, i+1)
		}
	}
	for _, cut := range cuts {
		prefix := v.text[:cut]
		if !prefixForm.MatchString(prefix) || strings.HasPrefix(prefix, " ") {
			continue
		}
		sc.addSpot(spot{place: at, prefix: prefix}, v.text[cut:])
	}
}

// addSpot adds sp if text is a signature there.
func (sc *scene) addSpot(sp spot, text string) {
	for _, e := range []encoding{encodingHex, encodingBase64, encodingBase64URL} {
		for size := 16; size <= maxSum; size++ {
			var sum [maxSum]byte
			if len(text) != e.length(size) || !e.decode(&sum, text, size) {
				continue
			}
			sp.encoding, sp.sum = e, sum[:size]
			switch size {
			case 16, 20, 32, 64:
				found := sp
				sc.spots = append(sc.spots, &found)
			case 28, 48:
				sc.odd = fmt.Sprintf("%s has %d bytes in %s, as SHA-%d makes them", sp.place, size, e, size*8)
			}
		}
	}
}

// findList adds the spots in a header that is a list.
func (sc *scene) findList(at place, text string) {
	for _, sep := range []string{",", ";", " ", "|"} {
		items := strings.Split(text, sep)
		spaced := sep
		if (sep == "," || sep == ";") && strings.Contains(text, sep+" ") {
			spaced += " "
		}
		for _, kv := range []string{"=", ":", ","} {
			// One element alone is a list only as Standard Webhooks writes it.
			if kv == sep || len(items) < 2 && (sep != " " || kv != "," || !strings.HasPrefix(text, "v")) {
				continue
			}
			seen, others := map[string]int{}, false
			for _, item := range items {
				name, _, ok := strings.Cut(strings.TrimSpace(item), kv)
				seen[name]++
				others = others || !ok || !elementForm.MatchString(name)
			}
			if sep == " " && others { // one text with a space in it
				continue
			}
			for _, item := range items {
				name, val, ok := strings.Cut(strings.TrimSpace(item), kv)
				if !ok || !elementForm.MatchString(name) {
					continue
				}
				sp := spot{place: at, sep: spaced, kv: kv, element: name, several: seen[name] > 1}
				before := len(sc.spots)
				sc.addSpot(sp, val)
				if len(sc.spots) == before && seen[name] == 1 && len(val) <= maxAtom && val != "" {
					sc.addElement(at.name, name, val)
				}
			}
		}
		if len(items) > 1 {
			for _, item := range items {
				sc.addSpot(spot{place: at, sep: spaced, several: true}, strings.TrimSpace(item))
			}
		}
	}
}

func (sc *scene) addElement(header, name, text string) {
	a := &atom{in: inSignature, name: name, header: header, text: text, rank: -10}
	if a.unit = unitOf(text, false); a.unit != "" {
		a.ref = "{ts}"
		sc.times = append(sc.times, a)
		return
	}
	a.ref = "{sig." + name + "}"
	sc.ids = append(sc.ids, a)
}

// textIn gives what m has at the spot.
func (sp *spot) textIn(m *Message) string {
	var f *fields
	if sp.in == inBody {
		f = gather(m.Body, sp.path[:1])
	}
	text, _ := sp.read(m, f)
	return text
}

func (sp *spot) describe() string {
	text := sp.place.String()
	if sp.element != "" {
		text += ", element " + sp.element
	}
	return fmt.Sprintf("%s (%d bytes in %s)", text, len(sp.sum), sp.encoding)
}

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
	if m.URL != nil {
		p, q, h := path(m), m.URL.RawQuery, host(m)
		sc.places = append(sc.places, &atom{ref: "{path}", text: p}, &atom{ref: "{url}", text: m.URL.String()})
		if q != "" {
			sc.places = append(sc.places, &atom{ref: "{path}?{query}", text: p + "?" + q}, &atom{ref: "{query}", text: q},
				&atom{ref: m.URL.Scheme + "://{host}{path}", text: m.URL.Scheme + "://" + h + p})
		}
		sc.places = append(sc.places, &atom{ref: "{host}{path}", text: h + p}, &atom{ref: "{host}", text: h})
		sc.places = slices.DeleteFunc(sc.places, func(a *atom) bool { return !isPlain(a.text) }) // a zero in it would be a marker
	}
	inside := slices.ContainsFunc(sc.spots, func(sp *spot) bool { return sp.in != inHeader })
	for _, v := range sc.values {
		if len(v.text) > maxAtom || v.in == inHeader && passing.MatchString(v.name) || strings.ContainsAny(v.name, "{}()") {
			continue
		}
		a := &atom{in: v.in, name: v.name, text: v.text, ref: "{" + string(v.in) + "." + v.name + "}"}
		switch {
		case v.in == inHeader:
			a.rank = 10
		case v.in == inBody:
			a.rank = 30 + 2*strings.Count(v.name, ".")
		default:
			a.rank = 20
		}
		isTimely := timeName.MatchString(v.name)
		if isTimely {
			a.rank -= 5
		} else if idName.MatchString(v.name) {
			a.rank -= 4
		}
		looksSigned := slices.ContainsFunc(sc.spots, func(sp *spot) bool { return sp.in == v.in && sp.name == v.name })
		if looksSigned {
			a.rank += 15
		}
		if v.name == "Content-Type" || v.name == "Date" {
			a.rank += 8
		}
		if u := unitOf(v.text, v.in == inHeader); u != "" {
			stamp := *a
			stamp.ref, stamp.unit = "{ts}", u
			sc.times = append(sc.times, &stamp)
		} else if isTimely && v.in != inBody {
			sc.times = append(sc.times, a)
		} else if v.in == inHeader || v.in == inQuery {
			sc.ids = append(sc.ids, a)
		}
		if v.in != inHeader && inside && !looksSigned && unitOf(v.text, false) == "" {
			sc.fields = append(sc.fields, a)
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

var versionForm = regexp.MustCompile(`^[vV][0-9]{1,2}$`)

// yamlText writes a text in quotes, which YAML reads as JSON has it.
func yamlText(s string) string { return string(jsonx.AppendQuote(nil, s)) }
