package jsonx

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRewrite(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	number := func(p Path, raw []byte) []byte { // 1 becomes a string with its path
		if string(raw) != "1" {
			return nil
		}
		return AppendQuote([]byte("  "), p.String())
	}
	tests := []struct{ name, doc, want string }{
		{"a scalar", " 1\n", ` ""` + "\n"},
		{"all else stays", bom + "{ \"b\" : 1e2,\r\n\t\"\\u0061\":1, \"\\/\":-0.0 }\n", bom + "{ \"b\" : 1e2,\r\n\t\"\\u0061\":\"a\", \"\\/\":-0.0 }\n"},
		{"elements", `[0,[1,[]],{},1]`, `[0,["1.0",[]],{},"3"]`},
		{"each of duplicates", `{"a":1,"a":1}`, `{"a":"a","a":"a"}`},
		{"in a string", `{"c":"{\"a\":1,\"b\":[true,1]}","d":1}`, `{"c":"{\"a\":\"c.a\",\"b\":[true,\"c.b.1\"]}","d":"d"}`},
		{
			"in a string, whose spelling stays",
			`{"c":"\u007b \"u\":\"http:\/\/x\",\"é\u00e9\ud83d\ude00\":1,\"reason\" :1\u007d"}`,
			`{"c":"\u007b \"u\":\"http:\/\/x\",\"é\u00e9\ud83d\ude00\":\"c.éé😀\",\"reason\" :\"c.reason\"\u007d"}`,
		},
		{"two strings deep", `{"a":"{\"b\":\"{\\\"c\\\":1}\"}"}`, `{"a":"{\"b\":\"{\\\"c\\\":\\\"a.b.c\\\"}\"}"}`},
		{"quoted twice, with space around", `{"a":"\ufeff \" [1]\" "}`, `{"a":"\ufeff \" [\\\"a.0\\\"]\" "}`},
		{"a string with a number is text", `{"a":"1","b":"[1","c":"\"1\""}`, `{"a":"1","b":"[1","c":"\"1\""}`},
		{"the document is a string", `"[1]"`, `"[\"0\"]"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := []byte(tt.doc)
			got, err := Rewrite(doc, number)
			if string(got) != tt.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			if string(doc) != tt.doc {
				t.Errorf("the document was written to: %s", doc)
			}
		})
	}
}

// Backslashes are doubled up to three strings deep, as everybody does it, and from the fourth on
// spelled so that they are not: what is put in is a few bytes more each time.
func TestRewriteEscapes(t *testing.T) {
	a := func(Path, []byte) []byte { return []byte(`"a"`) }
	for strings, before := range []string{``, `\`, `\\\`, `\\\\\\\`, `\u005c\u005c\u005c\u005c\u005c\u005c\u005c\`} {
		got, err := Rewrite([]byte(quoteTimes("[1]", strings)), a)
		if want := "[" + before + `"a` + before + `"]`; err != nil || !bytes.Contains(got, []byte(want)) {
			t.Errorf("in %d strings: %s, %v; want %s in it", strings, got, err, want)
		}
	}
}

func TestRewriteRefuses(t *testing.T) {
	var syntax *SyntaxError
	if _, err := Rewrite([]byte(`{"a":1`), nil); !errors.As(err, &syntax) {
		t.Errorf("a document that is not JSON: %v", err)
	}
	_, err := Rewrite([]byte(`{"a":[1]}`), func(Path, []byte) []byte { return []byte("x") })
	if !errors.As(err, &syntax) || !strings.Contains(err.Error(), "rewrite a.0: ") {
		t.Errorf("a value that is not JSON: %v", err)
	}
}

// quoteTimes quotes text n times, as sparingly as it can be done.
func quoteTimes(text string, n int) string {
	for i := range n {
		q := AppendQuote(nil, text)
		if i > 2 {
			q = bytes.ReplaceAll(q, []byte(`\\`), []byte(`\u005c`))
		}
		text = `{"s":` + string(q) + `}`
	}
	return text
}

func TestRewriteIsBounded(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"name":"value","n":[1]},`, 100_000), ",")
	tests := []struct {
		name, doc string
		scalars   int
	}{
		{"as deep as it may be", strings.Repeat("[", MaxDepth) + "1" + strings.Repeat("]", MaxDepth), 1},
		{"deep in a string", `["` + strings.Repeat("[", MaxDepth) + "1" + strings.Repeat("]", MaxDepth) + `"]`, 1},
		{"many members", "[" + many + "]", 200_000},
		{"16 strings", quoteTimes("[1,2]", maxStrings), 2},
		{"17 strings", quoteTimes("[1,2]", maxStrings+1), 1},
		{"60 strings", quoteTimes("[1,2]", 60), 1},
		{"much in 16 strings", quoteTimes("["+strings.Repeat(`"a",`, 400)+"1]", maxStrings), 401},
		{"many that hold no JSON", "[" + strings.Repeat(`"\"[[[[`+strings.Repeat(`[`, 1000)+`",`, 1000) + "1]", 1001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			n := 0
			got, err := Rewrite([]byte(tt.doc), func(_ Path, raw []byte) []byte { n++; return raw })
			if err != nil || n != tt.scalars || !Valid(got) {
				t.Errorf("%d scalars, %v; want %d", n, err, tt.scalars)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v for %d bytes", took, len(tt.doc))
			}
			if len(got) > 10*len(tt.doc) {
				t.Errorf("%d bytes became %d", len(tt.doc), len(got))
			}
		})
	}
}

// Laws of Rewrite: with nothing or the same put in, the document means what it
// meant, byte for byte if nothing is in a string; each path leads to what f
// sees; and Diff names exactly what was rewritten.
func FuzzRewrite(f *testing.F) {
	for i, s := range append(seeds, quoteTimes("[1,2]", 4)) {
		f.Add([]byte(s), uint(i))
	}
	f.Fuzz(func(t *testing.T, doc []byte, pick uint) {
		var paths []Path
		var raws [][]byte
		got, err := Rewrite(doc, func(p Path, raw []byte) []byte {
			paths, raws = append(paths, slices.Clone(p)), append(raws, slices.Clone(raw))
			return nil
		})
		if (err == nil) != Valid(doc) || err == nil && !bytes.Equal(got, doc) {
			t.Fatalf("Rewrite(%q) with nothing: %q, %v", doc, got, err)
		}
		if err != nil || hasDuplicates(doc, 0) || !utf8.Valid(doc) {
			return
		}
		for i, p := range paths[:min(len(paths), 50)] {
			if v, err := Find(doc, p); err != nil || !bytes.Equal(v.Raw, raws[i]) {
				t.Errorf("%q at %q: f saw %q, Find %q, %v", doc, p, raws[i], v.Raw, err)
			}
		}

		same, err := Rewrite(doc, func(_ Path, raw []byte) []byte { return raw })
		if err != nil {
			t.Fatal(err)
		}
		if changes, err := Diff(doc, same); err != nil || len(changes) > 0 {
			t.Errorf("%q with the same put in is %q: %q, %v", doc, same, changes, err)
		}
		if want := decode(doc); !reflect.DeepEqual(decode(same), want) {
			t.Errorf("%q with the same put in is %q", doc, same)
		}
		if !bytes.Contains(doc, []byte(`\`)) && !bytes.Equal(same, doc) {
			t.Errorf("%q with the same put in is %q", doc, same)
		}

		n, want := uint(0), []string{}
		other, err := Rewrite(doc, func(p Path, raw []byte) []byte {
			n++
			if n%3 != pick%3 || string(raw) == `"\u0000new"` {
				return nil
			}
			want = append(want, fmt.Sprintf("%q", p))
			return []byte(`"\u0000new"`)
		})
		if err != nil {
			t.Fatal(err)
		}
		changes, err := Diff(doc, other)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, c := range changes {
			if names = append(names, fmt.Sprintf("%q", c.Path)); string(c.New) != `"\u0000new"` {
				t.Errorf("changes of %q: %q", doc, c)
			}
		}
		if !slices.Equal(names, want) {
			t.Errorf("%q rewritten to %q at %v, Diff says %v", doc, other, want, names)
		}
	})
}

func BenchmarkRewrite(b *testing.B) {
	one := `{"id":"evt_1","user":{"name":"A. Person","email":"a@example.com"},"n":[1,2.50,true],"content":"{\"reason\":1,\"u\":\"x\"}"},`
	doc := []byte("[" + strings.Repeat(one, 1<<20/len(one)) + "1]")
	b.SetBytes(int64(len(doc)))
	b.Run("nothing", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = Rewrite(doc, func(Path, []byte) []byte { return nil })
		}
	})
	b.Run("all", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = Rewrite(doc, func(_ Path, raw []byte) []byte { return raw })
		}
	})
}
