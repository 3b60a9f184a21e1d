package replay

import (
	"context"
	"errors"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"devhook/internal/yamlx"
)

// Law: each kind of mutation is read again from its String, and from a recipe.
// The table holds one of each kind, by name, and the documents name them all.
func TestKindsParseBack(t *testing.T) {
	samples := map[string][]string{
		"set": {`set a\.b.0=x=y`, `set a\=b.c\\\=d=e`, "set a= 1 "}, "set-string": {"set-string a=1"}, "create": {"create a.b="},
		"create-string": {"create-string a=b"}, "unset": {`unset \e.x`, "unset x=y", `unset a\\\=b.c`}, "jq": {"jq .a |= (. + 1)\n# more", "jq ."},
		"header": {"header X-A: a:b"}, "add-header": {"add-header X-A: "}, "unset-header": {"unset-header X-A"},
		"query": {"query a b=c&d"}, "method": {"method PATCH"}, "path": {"path /a?b"},
		"shift-time": {"shift-time -240h0m0s around 2026-11-21T14:02:11.5Z"}, "renew": {"renew evt_1 evt_2"},
		"body": {"body some\ntext\u0085\u2028\U0001F600\x00\t\"", "body ", "body base64:AP8=", "body base64:c2hhMjU2Og=="},
	}
	documents := map[string]string{
		"../docs/format.md":                  "(?s)`replay\\.Parse` reads: (.*?)\\.\n",
		"../internal/inspector/openapi.json": `What is changed, in order: (.*?)\. `,
	}
	for _, k := range kinds {
		if len(samples[k.word]) == 0 {
			t.Errorf("%s has no sample", k.word)
		}
		for file, list := range documents {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			places := regexp.MustCompile(list).FindAllSubmatch(text, -1)
			if len(places) == 0 {
				t.Errorf("%s has no list of changes", file)
			}
			for _, m := range places {
				words := strings.FieldsFunc(string(m[1]), func(r rune) bool { return strings.ContainsRune(" ,`\n", r) })
				if !slices.Contains(words, k.word) {
					t.Errorf("%s does not name %s", file, k.word)
				}
			}
		}
		for _, text := range samples[k.word] {
			m := mustParse(t, text)[0]
			again := mustParse(t, m.String())[0]
			if m.String() != again.String() || k.word != "jq" && !reflect.DeepEqual(m, again) {
				t.Errorf("%q: %#v, and of its String %#v", text, m, again)
			}
			src, err := Recipe{Name: "n: \"x\"", Changes: []Mutation{m}}.Source()
			if err != nil {
				t.Errorf("%q: %v", text, err)
				continue
			}
			r, err := ParseRecipe(src)
			if err != nil || len(r.Changes) != 1 || r.Changes[0].String() != m.String() || r.Name != "n: \"x\"" {
				t.Errorf("%q: %+v, %v of\n%s", text, r, err, src)
			}
		}
	}
	large := Body([]byte(strings.Repeat("long", 1000)))
	src, err := Recipe{Changes: []Mutation{large}}.Source()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ParseRecipe(src); err != nil || !reflect.DeepEqual(r.Changes, []Mutation{large}) {
		t.Errorf("a large body: %v", err)
	}
}

func TestRecipe(t *testing.T) {
	r, err := ParseRecipe([]byte("name: one\nabout: |\n  two\n  lines\nchanges:\n- set a=1\n- unset: b\n- header: 'X: 1'\n- set: a=2\n- query: 'n=5'\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range r.Changes {
		got = append(got, m.String())
	}
	if want := []string{"set a=1", "unset b", "header X: 1", "set a=2", "query n=5"}; !reflect.DeepEqual(got, want) || r.About != "two\nlines\n" {
		t.Errorf("%+v, changes %q", r, got)
	}
	for src, want := range map[string]string{
		"":                                       "there is nothing in it",
		"name: x":                                "1:1: it changes nothing",
		"changes: []":                            "it changes nothing",
		"chnges: [set a=1]":                      "1:1: chnges: unknown field (near: changes",
		"changes:\n  - set a=1\n  - sett b=1":    "3:5: changes[1]: unknown change \"sett\" (near: set",
		"changes:\n  - header X-A: 1":            "2:5: changes[0].header X-A: put the change in quotes, as in 'header X-A: …'",
		"changes:\n  - set: a=1\n    unset: b":   "3:5: changes[0].unset: one change has one name",
		"changes:\n  - 5":                        "2:5: changes[0]: must be text",
		"changes:\n  - jq: '.a |'":               "2:5: changes[0]: jq .a |:",
		"changes: [set a=1]\nchanges: [set b=1]": "is there twice",
		"a: b: c":                                "1:",
	} {
		var at *yamlx.Error
		if _, err := ParseRecipe([]byte(src)); !errors.As(err, &at) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
	if _, err := (Recipe{Changes: mustParse(t, "header X: \xff")}).Source(); err == nil {
		t.Error("bytes that are no text went into a recipe")
	}
}

func TestJQ(t *testing.T) {
	const body = "{\"b\": 12345678901234567890, \"a\": [1.50, 2], \"s\": \"é<>&\"}"
	for _, tt := range []struct{ expr, want string }{
		{".a[1] *= 3", `{"a":[1.5,6],"b":12345678901234567890,"s":"é<>&"}`},
		{"{n: (.a | length), e: env, v: $ENV}", `{"e":{},"n":2,"v":{}}`},
		{"[.a[], .s]", `[1.5,2,"é<>&"]`},
		// What is looked at for its size is what jq makes of it, in its order.
		{`[[(1, 2) * (3, 4)], [(1, 2) + (10, 20)], ("ab" * 2), {a: {b: 1}} * {a: {c: 2}}, null + 1, [1] + [2], "a" + "b"]`, `[[3,6,4,8],[11,12,21,22],"abab",{"a":{"b":1,"c":2}},1,[1,2],"ab"]`},
		{`[([[1], [2]] | add), (["a", 1, null] | join("-")), ([1, [2, [3]]] | flatten, flatten(1)), ({a: 1} | tojson, tostring), "x\(1 + 2)y", @json "\([1])"]`, `[[1,2],"a-1-",[1,2,3],[1,2,[3]],"{\"a\":1}","{\"a\":1}","x3y","[1]"]`},
		{`def add: "mine"; def f(x): x * 2; .n = 1 | .n += 2 | .n *= 3 | [.n, add, f(.n), (.n as $n | [$n + 1] | map(. * 2) | add)]`, `[9,"mine",18,"mine"]`},
	} {
		req := formRequest("application/json", body)
		m := mustParse(t, "jq "+tt.expr)[0]
		if err := m.Apply(req); err != nil {
			t.Errorf("%s: %v", tt.expr, err)
		} else if got := string(req.Body.Bytes); strings.ReplaceAll(got, "1.50", "1.5") != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
		if !Rewrites(m) {
			t.Error("it does not say that it rewrites")
		}
	}
	for expr, want := range map[string]string{
		".a[]": "more than one value", "empty": "no value", ".a.b": "expected an object", `error("no")`: "no",
		"def f: f; f": "longer than", "reduce range(28) as $i ([1]; [., .])": "more than 32 MiB", `"x" * 4e7`: "more than 32 MiB",
	} {
		req := formRequest("application/json", body)
		err := mustParse(t, "jq "+expr)[0].Apply(req)
		if err == nil || !strings.Contains(err.Error(), want) || string(req.Body.Bytes) != body {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	for _, expr := range []string{"", " ", "(", ".a |", "nofunc", `import "m" as m; .`, "input", `include "m"; .`, strings.Repeat("(", 70000)} {
		if m, err := Parse("jq " + expr); err == nil {
			t.Errorf("%.20q is %v", expr, m)
		}
	}
	if err := mustParse(t, "jq .")[0].Apply(formRequest("text/plain", "a=1")); err == nil || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("of text: %v", err)
	}
}

// What would make gigabytes in one step is refused before.
func TestJQStep(t *testing.T) {
	const doubled = "reduce range(30) as $i ([1]; [., .]) | "
	for _, expr := range []string{
		`"x" * 1e9`, `1e9 * "x"`, `.s *= 1e9`, `if .a then [{b: "x" * 1e9}] else 1 end`, `def f: . * 1e9; .s | f`, `"\("x" * 1e9)"`,
		`("x" * 1e6) as $s | [range(2000) | $s] | add`, `("x" * 1e6) as $s | [range(2000) | $s] | join(",")`, `("x" * 1e6) as $s | [range(2000) | 1] | join($s)`,
		`reduce range(40) as $i ("x"; . + .)`, `reduce range(40) as $i ("x"; . += .)`, doubled + "tojson", doubled + "tostring", doubled + `"\(.)"`, doubled + "@json", doubled + "flatten", doubled + "flatten(9)",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := mustParse(t, "jq "+expr)[0].Apply(formRequest("application/json", `{"a":[1],"s":"x"}`))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "a text of more than 32 MiB in one step") {
			t.Errorf("%s: %v", expr, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
			t.Errorf("%s took %d bytes", expr, took)
		}
	}
}

func TestJQMemory(t *testing.T) {
	runtime.GC() // what others have left is not let go of meanwhile
	ctx, end := bounded(time.Minute, 1<<20)
	defer end()
	held := make([]byte, 8<<20)
	<-ctx.Done()
	runtime.KeepAlive(held)
	if got := context.Cause(ctx); got != errJQMemory {
		t.Errorf("got %v", got)
	}
	if _, err := (jq{text: "."}).result(ctx)("a value", true); err == nil || !strings.Contains(err.Error(), "too much memory") {
		t.Errorf("a value that took too much: %v", err)
	}
}

// A step that takes too long is left alone when the time is over, and until it has
// ended nothing more is begun.
func TestJQLeavesStep(t *testing.T) {
	var l leaver
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errJQTime)
	step := make(chan struct{})
	ended := make(chan struct{})
	if _, err := l.run(ctx, time.Millisecond, func() ([]byte, error) {
		defer close(ended)
		<-step
		return []byte("1"), nil
	}); err != errJQTime {
		t.Errorf("while it takes its time: %v", err)
	}
	one := func() ([]byte, error) { return []byte("1"), nil }
	if _, err := l.run(t.Context(), time.Minute, one); err != errJQLeft {
		t.Errorf("before it has ended: %v", err)
	}
	close(step)
	<-ended
	for l.left.Load() > 0 {
		runtime.Gosched()
	}
	if got, err := l.run(t.Context(), time.Minute, one); err != nil || string(got) != "1" {
		t.Errorf("after it has ended: %q, %v", got, err)
	}
	if _, err := l.run(t.Context(), time.Minute, func() ([]byte, error) { panic("broken") }); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a fault ends the step alone: %v", err)
	}
}

// Law: what Parse reads, it reads again from String; and a recipe holds it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`set a\=b\\.c=1`, "create-string a=", `unset a\.b`, "header X: y", "query a=b", "path /x?", "body base64:", "body sha256:", "jq .a", "method X",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		if b, ok := m.(body); ok && len(b.bytes) > maxShown {
			return
		}
		again, err := Parse(m.String())
		if err != nil {
			t.Fatalf("%q says %q: %v", text, m, err)
		}
		if _, isJQ := m.(jq); !isJQ && !reflect.DeepEqual(m, again) || m.String() != again.String() {
			t.Fatalf("%q: %#v, and of its String %#v", text, m, again)
		}
		src, err := Recipe{Changes: []Mutation{m}}.Source()
		if err != nil {
			if utf8.ValidString(m.String()) && len(text) < yamlx.MaxSource/16 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if r, err := ParseRecipe(src); err != nil || len(r.Changes) != 1 || r.Changes[0].String() != m.String() {
			t.Fatalf("%q in a recipe: %v\n%s", text, err, src)
		}
	})
}
