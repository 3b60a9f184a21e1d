package replay

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"devhook/internal/jsonx"
	"devhook/recorder"
)

// A Difference is one thing in which two requests differ.
type Difference struct {
	What     string // "method", "path", "query a", "header Content-Type", "body data.amount"
	Old, New []string
	// Old and New are the values, as they are spelled; none: it is not there.
}

// Diff returns what is different in b from a: bodies that are both JSON by
// their values, others as a whole.
func Diff(a, b *recorder.Request) []Difference {
	var list []Difference
	add := func(what string, before, after []string) {
		if !slices.Equal(before, after) {
			list = append(list, Difference{what, before, after})
		}
	}
	add("method", []string{a.Method}, []string{b.Method})
	rootA, targetA := recorder.SplitURL(a.URL)
	rootB, targetB := recorder.SplitURL(b.URL)
	add("host", []string{rootA}, []string{rootB})
	pathA, queryA, hasA := strings.Cut(targetA, "?")
	pathB, queryB, hasB := strings.Cut(targetB, "?")
	add("path", []string{pathA}, []string{pathB})
	if hasA && hasB {
		diffQueries(queryA, queryB, add)
	} else {
		add("query", present(queryA, hasA), present(queryB, hasB))
	}

	names := slices.AppendSeq(slices.Collect(maps.Keys(a.Headers)), maps.Keys(b.Headers))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		add("header "+name, a.Headers[name], b.Headers[name])
	}

	if bytes.Equal(a.Body.Bytes, b.Body.Bytes) && a.Body.Sum == b.Body.Sum {
		return list
	}
	if changes, err := jsonx.Diff(a.Body.Bytes, b.Body.Bytes); err == nil && len(changes) > 0 {
		for _, c := range changes {
			what := "body"
			if len(c.Path) > 0 {
				what += " " + c.Path.String()
			}
			add(what, present(string(c.Old), c.Old != nil), present(string(c.New), c.New != nil))
		}
		return list
	}
	add("body", []string{describe(a.Body, b.Body)}, []string{describe(b.Body, a.Body)})
	return list
}

// diffQueries adds what is different by parameter, in the order of their names;
// if only the order is, the whole.
func diffQueries(a, b string, add func(what string, before, after []string)) {
	if a == b {
		return
	}
	before, after := parameters(a), parameters(b)
	names := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(names)
	same := true
	for _, name := range slices.Compact(names) {
		same = same && slices.Equal(before[name], after[name])
		add("query "+name, before[name], after[name])
	}
	if same {
		add("query", []string{a}, []string{b})
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

// describe tells of a body its length, and the start of what another does not
// have.
func describe(b, other recorder.Body) string {
	if b.Sum != "" {
		return "sha256 " + b.Sum
	}
	at := 0
	for at < len(b.Bytes) && at < len(other.Bytes) && b.Bytes[at] == other.Bytes[at] {
		at++
	}
	const shown = 60
	rest := b.Bytes[at:]
	if len(rest) > shown {
		return fmt.Sprintf("%d bytes, from %d on %q…", len(b.Bytes), at, rest[:shown])
	}
	return fmt.Sprintf("%d bytes, from %d on %q", len(b.Bytes), at, rest)
}
