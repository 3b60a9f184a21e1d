package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"devhook/internal/jsonx"
	"devhook/recorder"
)

// A Difference is one thing in which two requests differ.
type Difference struct {
	What string // "method", "path", "query a", "header Content-Type", "body data.amount"
	// Old and New are the values, as they are spelled; none: it is not there.
	Old, New []string
}

// MarshalJSON writes d as {"what":…,"old":[…],"new":[…]}; what is no UTF-8 is
// {"base64":…}.
func (d Difference) MarshalJSON() ([]byte, error) {
	type text any
	encoded := func(s string) text {
		if utf8.ValidString(s) {
			return s
		}
		return map[string][]byte{"base64": []byte(s)}
	}
	texts := func(list []string) (out []text) {
		for _, s := range list {
			out = append(out, encoded(s))
		}
		return out
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		What text   `json:"what"`
		Old  []text `json:"old,omitempty"`
		New  []text `json:"new,omitempty"`
	}{encoded(d.What), texts(d.Old), texts(d.New)})
	return b.Bytes(), err
}

// A ToldDiff is what two exchanges differ in, in JSON.
type ToldDiff struct {
	V           int          `json:"v"`
	A           recorder.ID  `json:"a,omitempty"` // "" of a file
	B           recorder.ID  `json:"b,omitempty"`
	Same        bool         `json:"same"`
	Differences []Difference `json:"differences"`
}

// TellDiff returns that b differs from a in list, which may be nil.
func TellDiff(a, b recorder.ID, list []Difference) ToldDiff {
	return ToldDiff{1, a, b, len(list) == 0, append([]Difference{}, list...)}
}

// differences are those that were found so far.
type differences []Difference

func (d *differences) add(what string, before, after []string) {
	if !slices.Equal(before, after) {
		*d = append(*d, Difference{what, before, after})
	}
}

// namesIn returns the names that are in a or in b, sorted.
func namesIn(a, b map[string][]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b)))))
}

// Diff returns what is different in b from a: bodies that are both JSON by
// their values, also inside strings that hold JSON; forms by their parameters;
// others as a whole, from the first byte on that differs, and so is what has too
// many values for that, which Old and New say then. Bodies in files are compared
// by their sums: load them first.
func Diff(a, b *recorder.Request) []Difference {
	var d differences
	d.add("method", []string{a.Method}, []string{b.Method})
	rootA, targetA := recorder.SplitURL(a.URL)
	rootB, targetB := recorder.SplitURL(b.URL)
	d.add("host", []string{rootA}, []string{rootB})
	pathA, queryA, hasA := strings.Cut(targetA, "?")
	pathB, queryB, hasB := strings.Cut(targetB, "?")
	d.add("path", []string{pathA}, []string{pathB})
	if hasA && hasB {
		d.queries("query", queryA, queryB)
	} else {
		d.add("query", present(queryA, hasA), present(queryB, hasB))
	}

	d.messages(a.Headers, b.Headers, a.Body, b.Body)
	return d
}

// DiffResponse is [Diff] for what was answered: "status", headers and body. Nil
// is no answer.
func DiffResponse(a, b *recorder.Response) []Difference {
	var d differences
	status := func(r *recorder.Response) ([]string, *recorder.Response) {
		if r == nil {
			return nil, &recorder.Response{}
		}
		return []string{strconv.Itoa(r.Status)}, r
	}
	before, ra := status(a)
	after, rb := status(b)
	d.add("status", before, after)
	d.messages(ra.Headers, rb.Headers, ra.Body, rb.Body)
	return d
}

// messages adds what is different in headers and body.
func (d *differences) messages(ha, hb http.Header, a, b recorder.Body) {
	for _, name := range namesIn(ha, hb) {
		d.add("header "+name, ha[name], hb[name])
	}

	if bytes.Equal(a.Bytes, b.Bytes) && a.Sum == b.Sum {
		return
	}
	if changes, err := jsonx.Diff(a.Bytes, b.Bytes); err == nil && len(changes) > 0 {
		for _, c := range changes {
			what := "body"
			if len(c.Path) > 0 {
				what += " " + c.Path.String()
			}
			if c.Whole {
				d.add(what, []string{tooMany + describe(c.Old, c.New)}, []string{tooMany + describe(c.New, c.Old)})
				continue
			}
			d.add(what, present(string(c.Old), c.Old != nil), present(string(c.New), c.New != nil))
		}
		return
	}
	note := ""
	if isForm(ha) && isForm(hb) && a.Sum == "" && b.Sum == "" {
		if max(bytes.Count(a.Bytes, []byte("&")), bytes.Count(b.Bytes, []byte("&"))) < mostFields {
			d.queries("body", string(a.Bytes), string(b.Bytes))
			return
		}
		note = tooMany
	}
	of := func(b, other recorder.Body) []string {
		if b.Sum != "" {
			return []string{"sha256 " + b.Sum}
		}
		return []string{note + describe(b.Bytes, other.Bytes)}
	}
	d.add("body", of(a, b), of(b, a))
}

const (
	mostFields = 50_000 // of a form that is compared by them
	tooMany    = "too much to compare by value: "
)

func isForm(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// queries adds what is different by parameter, in the order of their names;
// if only the order is, the whole.
func (d *differences) queries(of, a, b string) {
	if a == b {
		return
	}
	before, after := parameters(a), parameters(b)
	same := true
	for _, name := range namesIn(before, after) {
		same = same && slices.Equal(before[name], after[name])
		d.add(of+" "+name, before[name], after[name])
	}
	if same {
		d.add(of, []string{a}, []string{b})
	}
}

// parameters gives the values of a query by name, both as they are spelled.
func parameters(raw string) map[string][]string {
	all := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = append(all[name], value)
	}
	return all
}

func present(text string, is bool) []string {
	if !is {
		return nil
	}
	return []string{text}
}

// describe tells of b its length, and the start of what another does not
// have.
func describe(b, other []byte) string {
	at := 0
	for at < len(b) && at < len(other) && b[at] == other[at] {
		at++
	}
	const shown = 60
	rest := b[at:]
	if len(rest) > shown {
		return fmt.Sprintf("%d bytes, from %d on %q…", len(b), at, rest[:shown])
	}
	return fmt.Sprintf("%d bytes, from %d on %q", len(b), at, rest)
}
