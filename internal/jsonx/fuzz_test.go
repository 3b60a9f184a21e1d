package jsonx

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var seeds = []string{
	`{"a":1,"b":[true,false,null,{"c":-1.5e-3}],"":"\u00e9\ud83d\ude00\/"}`,
	`{"client_key":"x","content":"{\"reason\":1,\"list\":[1,{\"u\":\"\\u00e9\"}]}"}`,
	"\xef\xbb\xbf {\n\t\"EventInfo\":\t{\n\t\t\"RoomId\":\t12345\n\t}\n}\n",
	`"\"{\\\"c\\\":7}\""`, `[[],{},[{}]]`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, "\"\xff\"", `{"a":1,}`, `[1 2]`, `01`, `-`, "",
}

// Law: Valid agrees with encoding/json.Valid, but for a byte order mark.
func FuzzValid(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		want := json.Valid(bytes.TrimPrefix(doc, byteOrderMark))
		if got := Valid(doc); got != want {
			t.Errorf("Valid(%q) = %v, want %v", doc, got, want)
		}
		n := 0
		s := NewScanner(doc)
		for s.Next() {
			m := s.Member
			if !json.Valid(m.Name) || !json.Valid(m.Value) {
				t.Errorf("member %q of %q", m, doc)
			}
			n++
		}
		if last := s.Err(); want && last != nil || !want && n > 0 && last == nil {
			t.Errorf("the members of %q end with %v", doc, last)
		}
	})
}

// Law: what ParsePath reads, String writes, and the other way round.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"a.b.0", `a\.b`, `a\\`, `\e.x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParsePath(text); err == nil && p.String() != text {
			t.Errorf("ParsePath(%q).String() = %q", text, p.String())
		}
		q := Path(strings.Split(text, "x"))
		if p, err := ParsePath(q.String()); len(q) <= maxNames && (err != nil || !slices.Equal(p, q)) {
			t.Errorf("ParsePath(%q) = %q, %v, want %q", q.String(), p, err, q)
		}
	})
}

// Law: a quoted text reads as itself, and Unquote agrees with encoding/json.
func FuzzQuote(f *testing.F) {
	for _, s := range append(seeds, "\x00\x1f\x7f\u2028") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		quoted := AppendQuote(nil, string(data))
		if got, ok := Unquote(quoted); !ok || got != string(data) || !json.Valid(quoted) {
			t.Errorf("Unquote(AppendQuote(%q)) = %q, %v", data, got, ok)
		}
		var want string
		isString := json.Unmarshal(data, &want) == nil && len(data) > 0 && data[0] == '"' && data[len(data)-1] == '"'
		got, ok := Unquote(data)
		if ok != isString || ok && utf8.Valid(data) && got != want {
			t.Errorf("Unquote(%q) = %q, %v, want %q, %v", data, got, ok, want, isString)
		}
	})
}

// Laws of Set, Create and Unset: the bytes before and after the splice are
// those of the original, and the new document means what the old one means
// after the same edit by way of encoding/json.
func FuzzSplice(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), uint(i), "new", []byte(` {"x": "é\n", "y":[1.0]} `))
	}
	f.Fuzz(func(t *testing.T, doc []byte, pick uint, name string, value []byte) {
		if !Valid(doc) || !Valid(value) || !utf8.Valid(doc) || !utf8.Valid(value) || !utf8.ValidString(name) {
			t.Skip()
		}
		if hasDuplicates(doc, 0) || hasDuplicates(value, 0) || bytes.Contains(doc, []byte("ufffd")) || bytes.ContainsRune(doc, utf8.RuneError) {
			t.Skip() // encoding/json keeps one of two names
		}
		var paths []Path
		walk(decode(doc), nil, &paths)
		p := paths[pick%uint(len(paths))]

		got, err := Set(doc, p, value)
		if err != nil {
			t.Fatalf("Set(%q, %q, %q): %v", doc, p, value, err)
		}
		found, _ := Find(doc, p)
		checkBytes(t, doc, got, found.Start, found.End)
		checkMeaning(t, doc, got, p, decode(value), false)
		if again, _ := Set(got, p, value); !bytes.Equal(again, got) {
			t.Errorf("Set twice: %q, then %q", got, again)
		}
		if back, _ := Set(got, p, found.Raw); found.Strings == 0 && !bytes.Equal(back, doc) {
			t.Errorf("Set and back: %q, want %q", back, doc)
		}

		if len(p) > 0 {
			got, err = Unset(doc, p)
			if err != nil {
				t.Fatalf("Unset(%q, %q): %v", doc, p, err)
			}
			checkCut(t, doc, got, found.Start, found.End)
			checkMeaning(t, doc, got, p, nil, true)
		}

		p = append(slices.Clone(p), name)
		if _, err := Find(doc, p); err == nil {
			return
		}
		if got, err = Create(doc, p, value); err != nil {
			return // through a scalar, or no index of an array
		}
		checkBytes(t, doc, got, found.Start, found.End)
		if _, err := Find(got, p); err != nil {
			t.Errorf("Create(%q, %q, %q) = %q: %v", doc, p, value, got, err)
		}
		checkMeaning(t, doc, got, p, decode(value), false)
	})
}

// checkBytes reports bytes outside of start to end that differ.
func checkBytes(t *testing.T, doc, got []byte, start, end int) {
	t.Helper()
	if !Valid(got) {
		t.Fatalf("%q became %q, not JSON", doc, got)
	}
	before, after := doc[:start], doc[end:]
	if len(got) < len(before)+len(after) || !bytes.HasPrefix(got, before) || !bytes.HasSuffix(got, after) {
		t.Errorf("%q became %q: more than doc[%d:%d] was changed", doc, got, start, end)
	}
}

// checkCut reports if got is not doc without one run of bytes, which holds
// those from start to end.
func checkCut(t *testing.T, doc, got []byte, start, end int) {
	t.Helper()
	if !Valid(got) {
		t.Fatalf("%q became %q, not JSON", doc, got)
	}
	cut := len(doc) - len(got)
	for from := max(0, end-cut); from <= start; from++ {
		if bytes.Equal(got, slices.Concat(doc[:from], doc[from+cut:])) {
			return
		}
	}
	t.Errorf("%q became %q: that is no cut around doc[%d:%d]", doc, got, start, end)
}

func checkMeaning(t *testing.T, doc, got []byte, p Path, value any, unset bool) {
	t.Helper()
	want := edit(decode(doc), p, value, unset)
	if have := decode(got); !reflect.DeepEqual(have, want) {
		t.Errorf("%q became %q at %q\nwhich means %v\nwant        %v", doc, got, p, have, want)
	}
}

// held is JSON that a string holds.
type held struct{ value any }

// decode gives the meaning of doc by way of encoding/json; strings that hold
// an object or array become held.
func decode(doc []byte) any {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, byteOrderMark)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return unfold(v, 0)
}

func unfold(v any, strings int) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = unfold(v[k], 0)
		}
	case []any:
		for i := range v {
			v[i] = unfold(v[i], 0)
		}
	case string:
		if strings < maxStrings-1 && Valid([]byte(v)) && !hasDuplicates([]byte(v), 0) {
			d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix([]byte(v), byteOrderMark)))
			d.UseNumber()
			var inner any
			if d.Decode(&inner) == nil {
				switch inner = unfold(inner, strings+1); inner.(type) {
				case map[string]any, []any, held:
					return held{inner}
				}
			}
		}
	}
	return v
}

func edit(v any, p Path, value any, unset bool) any {
	if len(p) == 0 {
		return value
	}
	switch v := v.(type) {
	case held:
		return held{edit(v.value, p, value, unset)}
	case map[string]any:
		if unset && len(p) == 1 {
			delete(v, p[0])
			return v
		}
		v[p[0]] = edit(v[p[0]], p[1:], value, unset)
	case []any:
		i, _ := strconv.Atoi(p[0])
		if unset && len(p) == 1 {
			return slices.Delete(v, i, i+1)
		}
		if i == len(v) {
			v = append(v, nil)
		}
		v[i] = edit(v[i], p[1:], value, unset)
		return v
	}
	return v
}

func walk(v any, p Path, paths *[]Path) {
	if _, ok := v.(held); !ok || len(p) == 0 || len(*paths) == 0 || !slices.Equal((*paths)[len(*paths)-1], p) {
		*paths = append(*paths, p)
	}
	switch v := v.(type) {
	case held:
		walk(v.value, p, paths)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], append(slices.Clone(p), k), paths)
		}
	case []any:
		for i := range v {
			walk(v[i], append(slices.Clone(p), strconv.Itoa(i)), paths)
		}
	}
}

// hasDuplicates reports whether an object in doc, or in a string in it, has a
// name twice.
func hasDuplicates(doc []byte, depth int) bool {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(doc, byteOrderMark)))
	d.UseNumber()
	var value func() bool
	value = func() bool {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if s, ok := token.(string); ok && Valid([]byte(s)) && depth < 2*maxStrings {
			return hasDuplicates([]byte(s), depth+1)
		}
		delim, _ := token.(json.Delim)
		seen := map[string]bool{}
		found := false
		for (delim == '{' || delim == '[') && d.More() {
			if delim == '{' {
				name, _ := d.Token()
				key, _ := name.(string)
				found = found || seen[key]
				seen[key] = true
			}
			found = value() || found
		}
		if delim == '{' || delim == '[' {
			_, _ = d.Token()
		}
		return found
	}
	return value()
}
