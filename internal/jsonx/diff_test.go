package jsonx

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       []string
	}{
		{"nothing", `{"a":1,"b":[2]}`, "{ \"b\" : [ 2 ], \"a\":1 }\n", nil},
		{"a scalar", `{"a":1}`, `{"a":2}`, []string{"a: 1 > 2"}},
		{"the spelling of a number", `[50.0]`, `[50.00]`, []string{"0: 50.0 > 50.00"}},
		{"the spelling of a string", `["\u00e9"]`, `["é"]`, []string{`0: "\u00e9" > "é"`}},
		{"the spelling of a name", `{"\u0061":1}`, `{"a":1}`, nil},
		{"the kind", `{"a":{}}`, `{"a":[]}`, []string{"a: {} > []"}},
		{"null and nothing", `{"a":null}`, `{"b":null}`, []string{"b: - > null", "a: null > -"}},
		{"the whole", `1`, `2`, []string{": 1 > 2"}},
		{"what is new stands where b has it", `{"z":1,"c":3}`, `{"c":4,"b":2,"z":2}`, []string{"c: 3 > 4", "b: - > 2", "z: 1 > 2"}},
		{"what is gone comes last", `{"a":1,"b":{"x":1},"c":1}`, `{"b":{"y":1},"c":2}`, []string{"b.y: - > 1", "c: 1 > 2", "b.x: 1 > -", "a: 1 > -"}},
		{"a longer array", `[1]`, `[1,2,3]`, []string{"1: - > 2", "2: - > 3"}},
		{"a shorter array, from its end", `[1,2,3]`, `[1]`, []string{"2: 3 > -", "1: 2 > -"}},
		{"the last of duplicates", `{"a":1,"a":2}`, `{"a":3,"a":2}`, nil},
		{"in strings", `{"c":"{\"a\":1,\"b\":2}"}`, `{"c":"{ \"a\":5, \"b\":2}"}`, []string{"c.a: 1 > 5"}},
		{"in strings quoted twice", `{"c":"\"[1]\""}`, `{"c":"\"[2]\""}`, []string{"c.0: 1 > 2"}},
		{"a string and what it holds", `{"c":"[1]"}`, `{"c":[1]}`, []string{`c: "[1]" > [1]`}},
		{"strings that hold other kinds", `{"c":"[1]"}`, `{"c":"{}"}`, []string{`c: "[1]" > "{}"`}},
		{"strings quoted more often", `{"c":"[1]"}`, `{"c":"\"[1]\""}`, []string{`c: "[1]" > "\"[1]\""`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes, err := Diff([]byte(tt.a), []byte(tt.b))
			var got []string
			for _, c := range changes {
				got = append(got, fmt.Sprintf("%s: %s > %s", c.Path, shown(c.Old), shown(c.New)))
			}
			if !slices.Equal(got, tt.want) || err != nil {
				t.Errorf("got  %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
	var syntax *SyntaxError
	if _, err := Diff([]byte("{}"), []byte("{")); !errors.As(err, &syntax) {
		t.Errorf("b is not JSON: %v", err)
	}
	if _, err := Diff([]byte("{"), []byte("{}")); !errors.As(err, &syntax) {
		t.Errorf("a is not JSON: %v", err)
	}
}

func shown(raw []byte) string {
	if raw == nil {
		return "-"
	}
	return string(raw)
}

func TestDiffIsBounded(t *testing.T) {
	var members strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&members, `"name%d":%d,`, i, i)
	}
	deep := func(in string) string { return strings.Repeat("[", MaxDepth-1) + in + strings.Repeat("]", MaxDepth-1) }
	tests := []struct {
		name, a, b string
		want       int
	}{
		{"many members", "{" + members.String() + `"x":1}`, `{"x":2,` + members.String() + `"x":2}`, 1},
		{"many that are new", `{"x":1}`, "{" + members.String() + `"x":1}`, 100_000},
		{"one name many times", `{` + strings.Repeat(`"a":1,`, 100_000) + `"a":2}`, `{"a":2}`, 0},
		{"as deep as it may be", deep("1"), deep("2"), 1},
		{"many at the bottom", deep("[" + strings.Repeat("1,", 100_000) + "1]"), deep("[" + strings.Repeat("2,", 100_000) + "1]"), 1},
		{"60 strings", quoteTimes("[1]", 60), quoteTimes("[2]", 60), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			got, err := Diff([]byte(tt.a), []byte(tt.b))
			if len(got) != tt.want || err != nil {
				t.Errorf("%d changes, %v; want %d", len(got), err, tt.want)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func (c Change) String() string {
	return fmt.Sprintf("%q %q -> %q, whole %v", c.Path, c.Old, c.New, c.Whole)
}

// What is too large to be compared by value takes no more memory for that, and is one change,
// beside which what is small is compared still.
func TestDiffOfMuch(t *testing.T) {
	const n = 1 << 20
	numbers := func(last string) string { return "[" + strings.Repeat("0,", n) + last + "]" }
	small := func(last string) string { return "[" + strings.Repeat("0,", 10) + last + "]" }
	all := func(digit string) string { return "[" + strings.Repeat(digit+",", mostChanges) + digit + "]" }
	objects := "[" + strings.Repeat(`{"a":[],"b":{}},`, n/8) + `{}]`
	tests := []struct {
		name, a, b string
		want       []string
	}{
		{"numbers", numbers("1"), numbers("2"), []string{" whole"}},
		{"numbers alike", numbers("1"), strings.Replace(numbers("1"), ",", " ,\n", 1), nil},
		{"beside others", `{"a":` + small("1") + `,"b":` + numbers("1") + `,"c":1}`, `{"a":` + small("2") + `,"b":` + numbers("2") + `,"c":2}`, []string{"a.10", "b whole", "c"}},
		{"against few", `{"a":` + numbers("1") + `}`, `{"a":` + small("1") + `}`, []string{"a whole"}},
		{"many small ones", objects, objects[:len(objects)-3] + "1]", []string{" whole"}},
		{"in a string", `{"a":"` + numbers("1") + `"}`, `{"a":"` + numbers("2") + `"}`, []string{"a whole"}},
		{"many changes", all("1"), all("2"), []string{" whole"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			changes, err := Diff([]byte(tt.a), []byte(tt.b))
			runtime.ReadMemStats(&after)
			var got []string
			for _, c := range changes {
				got = append(got, c.Path.String()+map[bool]string{true: " whole"}[c.Whole])
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 400<<20 {
				t.Errorf("%d MiB were allocated, for %d", took>>20, len(tt.a)>>20)
			}
		})
	}
}

// A change has a path that can be parsed: what is deeper is a change of what it stands in.
func TestDiffTellsNoLongerPaths(t *testing.T) {
	for depth, want := range map[int][]string{
		maxNames - 1: {"1 3", "2 4"}, maxNames: {"1 3", "2 4"}, maxNames + 1: {"[1,2] [3,4]"}, maxNames + 2: {"[[1,2]] [[3,4]]"},
	} {
		in := func(text string) []byte {
			return []byte(strings.Repeat("[", depth) + text + strings.Repeat("]", depth))
		}
		changes, err := Diff(in("1,2"), in("3,4"))
		var got []string
		for _, c := range changes {
			got = append(got, string(c.Old)+" "+string(c.New))
			if len(c.Path) != min(depth, maxNames) {
				t.Errorf("%d deep, a path of %d names", depth, len(c.Path))
			}
		}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("%d deep: %q, %v; want %q", depth, got, err, want)
		}
		if same, err := Diff(in("1,2"), in("1 ,2")); len(same) > 0 || err != nil {
			t.Errorf("%d deep: white space is %d changes, %v", depth, len(same), err)
		}
	}
}

// Laws of Diff: a document does not differ from itself; applied to a, the
// changes make what does not differ from b and means the same.
func FuzzDiff(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), []byte(seeds[(i+1)%len(seeds)]))
	}
	f.Add([]byte(`{"a":[1,2,3],"c":"{\"x\":[1,2]}"}`), []byte(`{"c":"{\"x\":[1],\"y\":{}}","a":[1,{}],"d":[[]]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		changes, err := Diff(a, b)
		if (err == nil) != (Valid(a) && Valid(b)) {
			t.Fatalf("Diff(%q, %q): %v", a, b, err)
		}
		if err != nil {
			return
		}
		if same, err := Diff(a, a); err != nil || len(same) > 0 {
			t.Errorf("Diff(%q) with itself: %q, %v", a, same, err)
		}
		if hasDuplicates(a, 0) {
			return // Unset uncovers the one before
		}
		got := a
		for _, c := range changes {
			switch {
			case c.New == nil:
				got, err = Unset(got, c.Path)
			case c.Old == nil:
				got, err = Create(got, c.Path, c.New)
			default:
				got, err = Set(got, c.Path, c.New)
			}
			if err != nil {
				t.Fatalf("Diff(%q, %q) = %q, at %q: %v", a, b, changes, c.Path, err)
			}
		}
		if rest, err := Diff(got, b); err != nil || len(rest) > 0 {
			t.Errorf("Diff(%q, %q) = %q, applied %q, which leaves %q, %v", a, b, changes, got, rest, err)
		}
		if utf8.Valid(a) && utf8.Valid(b) && !hasDuplicates(b, 0) && !reflect.DeepEqual(decode(got), decode(b)) {
			t.Errorf("Diff(%q, %q) = %q, applied %q", a, b, changes, got)
		}
	})
}
