package yamlx

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

type settings struct {
	name    string
	words   []string
	n       int
	on      bool
	wait    time.Duration
	choice  string
	inner   []string
	literal string
}

var fields = Fields[*settings]{
	"name":  func(s *settings, n Node) (err error) { s.name, err = n.Label(); return },
	"words": func(s *settings, n Node) (err error) { s.words, err = n.Labels(); return },
	"n":     func(s *settings, n Node) (err error) { s.n, err = n.Int(0, 9); return },
	"on":    func(s *settings, n Node) (err error) { s.on, err = n.Bool(); return },
	"wait":  func(s *settings, n Node) (err error) { s.wait, err = n.Duration(); return },
	"choice": func(s *settings, n Node) (err error) {
		s.choice, err = n.Word("mode", []string{"on", "off"}, "auto")
		return
	},
	"literal": func(s *settings, n Node) (err error) { s.literal, err = n.Text(); return },
	"inner": func(s *settings, n Node) error {
		return n.Each(func(name string, value, key Node) error {
			for _, item := range value.List() {
				text, err := item.Scalar()
				if err != nil {
					return err
				}
				s.inner = append(s.inner, name+"="+text)
			}
			return nil
		})
	},
}

func read(src string) (settings, error) {
	var s settings
	n, err := Parse([]byte(src))
	if err == nil && !n.Empty() {
		err = fields.Read(&s, n, "later")
	}
	return s, err
}

func TestRead(t *testing.T) {
	got, err := read(`
name: 'a b'
words: [x, "y"]
n: 7
on: true
wait: 1m30s
choice: off
literal: |
  two
  lines
inner: {a: env:A, b: [env:B, env:C, 2026-11-01, 3, "4"]}
`)
	want := settings{
		name: "a b", words: []string{"x", "y"}, n: 7, on: true, wait: 90 * time.Second, choice: "off", literal: "two\nlines\n",
		inner: []string{"a=env:A", "b=env:B", "b=env:C", "b=2026-11-01", "b=3", "b=4"},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, src := range []string{"", "# nothing\n", "---\n", "null\n", "\n\n"} {
		if _, err := read(src); err != nil {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for src, want := range map[string]string{
		"nmae: x":                        "1:1: nmae: unknown field (near: name, ",
		"name: x\nname: y":               "2:1: name: is there twice",
		"a:\n  - {b: /x, name: :4000}":   `2:19: not YAML: between [ ] or { } this needs quotes: ":4000"`,
		"# é\né: [:3000]":                `2:5: not YAML: between [ ] or { } this needs quotes: ":3000"`,
		"name: [x, \"a\", }":             "not YAML: did not find expected node content",
		"later: x":                       "1:1: later: is not supported yet",
		"\nname: [x]":                    "2:7: name: must be text",
		"name: 5":                        "1:7: name: must be text: put it in quotes",
		"name:":                          "name: has no value",
		"name: ''":                       "name: is empty",
		"name: \"a\\nb\"":                "must be one line",
		"n: 10":                          "n: must be a whole number from 0 to 9",
		"on: yes":                        "on: must be true or false",
		"wait: soon":                     "wait: must be a time like 5m",
		"wait: -1s":                      "wait: must be a time like 5m",
		"choice: maybe":                  `choice: unknown mode "maybe" (known: on, off)`,
		"choice: auto":                   "choice: mode auto is not supported yet",
		"words: [a, 1]":                  "1:12: words[1]: must be text",
		"[a]":                            "1:1: must be a mapping",
		"inner: {a: {b: c}}":             "inner.a: must be text",
		"1: x":                           "a key must be plain text",
		"a: b\n---\nc: d":                "unknown field", // the first is read first
		"name: x\n---\nname: y":          "3:1: a second document",
		"name: [":                        "not YAML",
		"name: \"x":                      "not YAML",
		"\tname: x":                      "not YAML",
		"name: *x":                       "not YAML",
		strings.Repeat("#", MaxSource+1): "longer than",
	} {
		_, err := read(src)
		if err == nil || !strings.Contains(err.Error(), want) {
			if src == "a: b\n---\nc: d" && err != nil && strings.Contains(err.Error(), "second") {
				continue
			}
			t.Errorf("%.40q: %v, want %s", src, err, want)
		}
	}
}

// An alias is no value: nothing here needs them, and they can make a small
// document grow without end.
func TestAliases(t *testing.T) {
	if _, err := read("literal: &a x\nname: *a\n"); err == nil {
		t.Error("an alias was followed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: x\nwords: [a, b]\ninner: {a: [b]}\n")
	f.Add("a: &a [*a, *a]\n")
	f.Fuzz(func(t *testing.T, src string) { _, _ = read(src) })
}

// What is no YAML has a place, also where the library tells none.
func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	for in, want := range map[string]string{
		"name: [a\n":            "1:1: not YAML: ",
		"\tname: x\n":           "1:1: not YAML: found character that cannot start any token",
		"name: a: b\n":          "1:1: not YAML: mapping values",
		"n: 1\nname: é\x1b\n":   "2:8: not YAML: control characters",
		"n: 1\n\nname: é\xff\n": "3:8: not YAML: invalid",
		"n: 1\n  name: x\n":     "2:1: not YAML: ",
	} {
		if _, err := Parse([]byte(in)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", in, err, want)
		}
	}
}
