package jsonx

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// objectOf gives an object of n members.
func objectOf(n int) []byte {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"name_%d":"some text of a usual length",`, i)
	}
	b.WriteString(`"end":true}`)
	return []byte(b.String())
}

// Most who look for a value throw the error away: it costs nothing before it
// is read.
func TestMissingCostsLittle(t *testing.T) {
	doc := objectOf(1200)
	if got := testing.AllocsPerRun(10, func() { Find(doc, Path{"nmae_7"}) }); got > 4 {
		t.Errorf("%v allocations for a name that is not there", got)
	}
	_, err := Find(doc, Path{"nmae_7"})
	if want := "nmae_7: not there (the document has name_7, "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

func TestNear(t *testing.T) {
	long := strings.Repeat("x", maxNameLen+1)
	tests := []struct{ name, doc, path, want, text string }{
		{"duplicates once", `{"ab":1,"ab":2,"\u0061b":3,"zz":4}`, "a", "ab zz", "a: not there (the document has ab, zz)"},
		{"at most eight", `{"a1":1,"a2":1,"a3":1,"a4":1,"a5":1,"a6":1,"a7":1,"a8":1,"a9":1}`, "a", "a1 a2 a3 a4 a5 a6 a7 a8", "a: not there (the document has a1, a2, a3, a4, a5, a6, a7, a8)"},
		{"in a string", `{"c":"{\"reason\":1}"}`, "c.raeson", "reason", "c.raeson: not there (c has reason)"},
		{"names too long", `{"` + long + `":1}`, "a", "", "a: not there (the document has other names)"},
		{"a long name of escapes", `{"` + strings.Repeat(`\u0061`, maxNameLen) + `":1}`, "b", strings.Repeat("a", maxNameLen), "b: not there (the document has " + strings.Repeat("a", maxNameLen) + ")"},
		{"no object", `[1]`, "a", "", "a: not there (the document is an array of 1)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Find([]byte(tt.doc), mustPath(t, tt.path))
			var missing *NotFoundError
			if !errors.As(err, &missing) || strings.Join(missing.Near(), " ") != tt.want || err.Error() != tt.text {
				t.Errorf("got %v, want %s", err, tt.text)
			}
		})
	}
}

// A document that was overwritten since gives other names, and no panic.
func TestNearOfAChangedDocument(t *testing.T) {
	doc := []byte(`{"abc":1,"def":{"ghi":2}}`)
	_, err := Find(doc, Path{"x"})
	for i := range doc {
		doc[i] = `{"\[:`[i%5]
		_ = err.Error()
	}
}

// What is looked at for an error is bounded, and not compared in pairs.
func TestNearIsFast(t *testing.T) {
	doc := objectOf(200_000)
	_, err := Find(doc, Path{strings.Repeat("name", 100_000)})
	began := time.Now()
	if text := err.Error(); len(text) > 1<<20 {
		t.Errorf("%d bytes", len(text))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func BenchmarkFindMissing(b *testing.B) {
	doc := objectOf(1200)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Find(doc, Path{"nmae_7"}); err == nil {
			b.Fatal("found")
		}
	}
}
