package verify

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"devhook/internal/jsonx"
)

// detectLinearly is what [Catalog.Detect] means: each mark of each provider is
// held against m.
func detectLinearly(c *Catalog, m Message) []string {
	v := &view{m: m}
	type found struct {
		id         string
		conditions int
	}
	var all []found
	for _, e := range c.entries {
		p := e.load()
		if p.facets == nil {
			continue
		}
		best := 0
		for _, mark := range p.facets.marks {
			if mark.holds(v) {
				best = max(best, len(mark))
			}
		}
		if best > 0 {
			all = append(all, found{p.ID, best})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return b.conditions - a.conditions })
	var names []string
	for _, f := range all {
		names = append(names, f.id)
	}
	return names
}

// oddMarks are for what no built-in provider asks for.
const oddMarks = `
m-method: {scheme: token, signature: {in: header, name: A}, marks: [{method: PUT}]}
m-index: {scheme: token, signature: {in: header, name: A}, marks: [{body: {"0.type": "*"}}, {body: ["1"]}]}
m-number: {scheme: token, signature: {in: header, name: A}, marks: [{body: ["007"], method: POST}]}
m-unicode: {scheme: token, signature: {in: header, name: A}, marks: [{query: [Ünï]}, {form: ["ſ"]}, {body: ["é"]}]}
m-form: {scheme: token, signature: {in: header, name: A}, marks: [{form: ["Payload.type"]}, {form: [x, Y, z]}]}
m-query: {scheme: token, signature: {in: header, name: A}, marks: [{query: [hub.Mode, X]}]}
m-escape: {scheme: token, signature: {in: header, name: A}, marks: [{body: {"\\e": "{object}", "a\\.b": "*"}}]}
m-host: {scheme: token, signature: {in: header, name: A}, marks: [{header: {host: "*.example"}}]}
m-none: {scheme: token, signature: {in: body, name: a.b}}
`

func oddCatalog(t testing.TB) *Catalog {
	t.Helper()
	odd, err := ParseProviders([]byte(oddMarks), "")
	if err != nil {
		t.Fatal(err)
	}
	odd = append(odd, featureProviders(t)...)
	c, err := Builtin().With(append(odd, Provider{ID: "m-code", Scheme: odd[0].Scheme})...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sameDetection(t *testing.T, c *Catalog, m Message) (found int) {
	t.Helper()
	want := detectLinearly(c, m)
	if got := ids(c.Detect(m)); got != strings.Join(want, " ") {
		t.Errorf("got  %s\nwant %s\nof %s", got, strings.Join(want, " "), dump(m))
	}
	return len(want)
}

// Law: the index changes nothing. Messages are put together from pieces of the
// marks of all providers, so that many come close to several of them.
func TestDetectIsLinearDetect(t *testing.T) {
	t.Parallel()
	odd := oddCatalog(t)
	catalogs := []*Catalog{Builtin(), odd, new(Catalog)}
	for _, p := range Providers() {
		for _, v := range vectors(t, p.ID) {
			for _, c := range catalogs {
				sameDetection(t, c, v.message(t))
			}
		}
	}
	var marks []mark
	for _, p := range odd.Providers() {
		if p.facets != nil {
			marks = append(marks, p.facets.marks...)
		}
	}
	r := random()
	recognised := 0
	for range 10_000 {
		m := piecedTogether(r, marks)
		recognised += min(1, sameDetection(t, catalogs[r.IntN(2)], m))
	}
	if recognised < 4_000 || recognised > 9_700 {
		t.Errorf("%d of 10000 are recognised: the test says little", recognised)
	}
	d := odd.detector()
	if len(d.headers) < 50 || len(d.params) < 3 || len(d.fields) < 3 || len(d.members) < 20 || len(d.elements.marks) < 2 || len(d.others.marks) > 5 {
		t.Errorf("headers %d, params %d, fields %d, members %d, elements %d, others %d", len(d.headers), len(d.params), len(d.fields), len(d.members), len(d.elements.marks), len(d.others.marks))
	}
}

func FuzzDetect(f *testing.F) {
	for _, p := range Providers() {
		for _, v := range vectors(f, p.ID) {
			m := v.message(f)
			f.Add(m.URL.RawQuery, headerText(m.Header), m.Body)
		}
	}
	f.Add("%C3%9cn%c3%af=1&HUB.mode&x", "Host: a.example\n", []byte(`[{"type":1}]`))
	f.Add("sign", "Content-Type: application/x-www-form-urlencoded\n", []byte("y&X=1&%7a&payload={\"type\":0}"))
	f.Add("", "", []byte(`"{\"a\":1}"`))
	c := oddCatalog(f)
	f.Fuzz(func(t *testing.T, query, header string, body []byte) {
		sameDetection(t, c, fuzzed(query, header, body))
	})
}

// piecedTogether makes a message that meets the conditions of some marks,
// nearly.
func piecedTogether(r *rand.Rand, marks []mark) Message {
	m := Message{Method: []string{"POST", "GET", "PUT"}[r.IntN(3)], URL: &url.URL{Scheme: "https", Host: "h.example", Path: "/in"}, Header: http.Header{}}
	var query, form []string
	body := []byte("{}")
	for range 1 + r.IntN(3) {
		for _, c := range marks[r.IntN(len(marks))] {
			if r.IntN(12) == 0 {
				continue
			}
			text := "x1"
			if c.pattern != nil {
				text = c.pattern.instance(r)
			}
			if r.IntN(15) == 0 {
				text = []string{"", "zz", strings.Repeat("0a", 32)}[r.IntN(3)]
			}
			value := jsonx.AppendQuote(nil, text)
			if c.pattern != nil && c.pattern.kind != "" {
				value = []byte(text)
			}
			switch c.in {
			case "":
				m.Method = text
			case inHeader:
				m.Header[c.key] = append(m.Header[c.key], text)
			case inQuery:
				query = append(query, spelled(r, c.key)+"="+url.QueryEscape(text))
			case inForm:
				if len(c.path) > 1 {
					held, _ := jsonx.Create([]byte("{}"), c.path[1:], value)
					text = string(held)
				}
				form = append(form, spelled(r, c.path[0])+"="+url.QueryEscape(text))
			case inBody:
				if grown, err := jsonx.Create(body, c.path, value); err == nil {
					body = grown
				}
			}
		}
	}
	m.URL.RawQuery = strings.Join(query, "&")
	isForm := len(form) > 0 && r.IntN(4) > 0
	switch {
	case isForm:
		m.Body = []byte(strings.Join(form, "&"))
	case r.IntN(12) == 0:
		m.Body = fmt.Appendf(nil, "[%s,%s]", body, body)
	case r.IntN(12) == 0:
		m.Body = jsonx.AppendQuote(nil, string(body))
	case r.IntN(12) == 0: // many members, and some of them twice
		many := bytes.Repeat([]byte(`"event":1,"a":2,`), r.IntN(40))
		m.Body = append(append([]byte("{"), many...), body[1:]...)
	default:
		m.Body = body
	}
	if isForm != (r.IntN(8) == 0) {
		m.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	}
	if r.IntN(20) == 0 {
		m.URL = &url.URL{}
	}
	return m
}

// spelled gives another spelling of a parameter's name, sometimes.
func spelled(r *rand.Rand, name string) string {
	switch r.IntN(6) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return fmt.Sprintf("%%%02x%s", name[0], name[1:])
	}
	return name
}

// instance gives a text that p matches.
func (p *pattern) instance(r *rand.Rand) string {
	if p.kind != "" {
		return map[jsonx.Kind]string{
			jsonx.Object: "{}", jsonx.Array: "[]", jsonx.String: `""`, jsonx.Number: "1", jsonx.Boolean: "true", jsonx.Null: "null",
		}[p.kind]
	}
	var b strings.Builder
	for _, s := range p.steps {
		if s.class == "" {
			b.WriteString(s.literal)
		} else if s.class != "*" || r.IntN(2) == 0 {
			b.WriteString(strings.Repeat("1", max(1, s.n)))
		}
	}
	return b.String()
}

// A message whose members all ask for the same marks is looked at once.
func TestDetectIsBounded(t *testing.T) {
	m := request("", "\n\n"+"{"+strings.Repeat(`"event":1,"type":2,"id":3,`, maxMembers/3)+`"z":1}`)
	d := Builtin().detector()
	s := search{d: d, view: view{m: m, wanted: d.names, numbered: make([]int32, len(d.names))}, seen: make([]bool, d.groups)}
	s.run()
	tried := 0
	for _, seen := range s.seen {
		if seen {
			tried++
		}
	}
	if tried > 5 || len(s.view.members) != 3 {
		t.Errorf("%d groups of %d are tried, %d members are remembered", tried, d.groups, len(s.view.members))
	}
}

// BenchmarkDetectVectors is of messages as providers send them.
func BenchmarkDetectVectors(b *testing.B) {
	var all []Message
	for _, p := range Providers() {
		for _, v := range vectors(b, p.ID) {
			m := v.message(b)
			m.Header["User-Agent"], m.Header["Content-Length"] = []string{"x/1"}, []string{"1"}
			all = append(all, m)
		}
	}
	b.Run("indexed", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			Detect(all[i%len(all)])
		}
	})
	b.Run("linear", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			detectLinearly(Builtin(), all[i%len(all)])
		}
	})
}

// BenchmarkFirstDetect reads all files, as the first webhook of a process does.
func BenchmarkFirstDetect(b *testing.B) {
	m := Message{Header: http.Header{"Stripe-Signature": {"x"}}}
	b.ReportAllocs()
	for b.Loop() {
		if ps := openBuiltin().Detect(m); len(ps) != 1 {
			b.Fatal(ids(ps))
		}
	}
}

// What stands in a string that holds JSON is found, however that begins.
func TestFieldsInStrings(t *testing.T) {
	for _, raw := range []string{
		`"{\"a\":1}"`, `" {\"a\":1}"`, `"\n{\"a\":1}"`, `"\u007b\"a\":1}"`, `"\"{\\\"a\\\":1}\""`, "\"\ufeff{\\\"a\\\":1}\"",
		`""`, `"x"`, `"1"`, `"null"`, `"[1]"`, `{"a":1}`, `[1]`, `1`, `null`,
	} {
		want, err := jsonx.Find([]byte(raw), jsonx.Path{"a"})
		v := &view{m: Message{Body: []byte(`{"s":` + raw + `}`)}}
		got, found := v.field(jsonx.Path{"s", "a"})
		if string(got) != string(want.Raw) || found != (err == nil) {
			t.Errorf("%s: got %q %v, want %q %v", raw, got, found, want.Raw, err)
		}
	}
}
