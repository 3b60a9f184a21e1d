package jsonx

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func mustPath(t testing.TB, text string) Path {
	t.Helper()
	if text == "" {
		return nil
	}
	p, err := ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPathParsesBack(t *testing.T) {
	tests := []struct {
		text string
		want Path
	}{
		{"a", Path{"a"}},
		{"data.items.0", Path{"data", "items", "0"}},
		{`na\.me.x`, Path{"na.me", "x"}},
		{`a\\.b`, Path{`a\`, "b"}},
		{`\e.b`, Path{"", "b"}},
		{`a.\e`, Path{"a", ""}},
		{" spaced name . é", Path{" spaced name ", " é"}},
	}
	for _, tt := range tests {
		got, err := ParsePath(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParsePath(%q) = %q, %v, want %q", tt.text, got, err, tt.want)
		}
		if got.String() != tt.text {
			t.Errorf("ParsePath(%q).String() = %q", tt.text, got.String())
		}
	}
}

func TestPathRefused(t *testing.T) {
	for _, text := range []string{"", ".", "a.", ".a", "a..b", `a\`, `a\x`, `a\e`, `\ea`, `\e\e`, strings.Repeat("a.", maxNames) + "a"} {
		if p, err := ParsePath(text); err == nil {
			t.Errorf("ParsePath(%.40q) = %q, want an error", text, p)
		}
	}
}

func TestFind(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	tests := []struct {
		name, doc, path, want string
		strings               int
		duplicate             bool
	}{
		{"the whole", ` {"a":1} `, "", `{"a":1}`, 0, false},
		{"a member", `{"a":1,"b":2}`, "b", "2", 0, false},
		{"the number's own spelling", `{"a":1.50e+1}`, "a", "1.50e+1", 0, false},
		{"an element", `{"a":[10,20,30]}`, "a.1", "20", 0, false},
		{"digits as a name", `{"0":{"1":"x"}}`, "0.1", `"x"`, 0, false},
		{"the last of duplicates", `{"a":1,"a":2}`, "a", "2", 0, true},
		{"a duplicate on the way", `{"a":{"b":1},"a":{"b":2}}`, "a.b", "2", 0, true},
		{"a name spelled with escapes", `{"na.m\u0065":1}`, `na\.me`, "1", 0, false},
		{"the empty name", `{"":{"":1}}`, `\e.\e`, "1", 0, false},
		{"after a byte order mark", bom + `{"a":1}`, "a", "1", 0, false},
		{"in a string", `{"content":"{\"reason\":\"x\"}"}`, "content.reason", `"x"`, 1, false},
		{"in a string in a string", `{"a":"{\"b\":\"{\\\"c\\\":7}\"}"}`, "a.b.c", "7", 2, false},
		{"in a string quoted twice", `{"a":"\"{\\\"c\\\":7}\""}`, "a.c", "7", 2, false},
		{"a string that holds JSON, itself", `{"a":"[1]"}`, "a", `"[1]"`, 0, false},
		{"the document is a string", `"{\"a\":[1,2]}"`, "a.1", "2", 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Find([]byte(tt.doc), mustPath(t, tt.path))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Raw) != tt.want || got.Strings != tt.strings || got.Duplicate != tt.duplicate {
				t.Errorf("got %s, %d strings, duplicate %v; want %s, %d, %v", got.Raw, got.Strings, got.Duplicate, tt.want, tt.strings, tt.duplicate)
			}
			if tt.strings == 0 && tt.doc[got.Start:got.End] != tt.want {
				t.Errorf("doc[%d:%d] = %s, want %s", got.Start, got.End, tt.doc[got.Start:got.End], tt.want)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	tests := []struct{ name, doc, path, want string }{
		{"near names come first", `{"zebra":1,"items":2,"item_ids":3}`, "itmes", "itmes: not there (the document has items, item_ids, zebra)"},
		{"below the top", `{"data":{"amount":1}}`, "data.amuont.x", "data.amuont: not there (data has amount)"},
		{"an empty object", `{"a":{}}`, "a.b", "a.b: not there (a is an empty object)"},
		{"past the end", `{"a":[1,2]}`, "a.2", "a.2: not there (a is an array of 2)"},
		{"a name in an array", `[1]`, "x", "x: not there (the document is an array of 1)"},
		{"through a number", `{"a":5}`, "a.b.c", "a.b: not there (a is a number)"},
		{"through a string of text", `{"a":"hello"}`, "a.b", "a.b: not there (a is a string that does not hold JSON)"},
		{"through a string of a number", `{"a":"5"}`, "a.b", "a.b: not there (a is a string)"},
		{"a name that a terminal would obey", `{"\u001b[31m":1}`, "a", `a: not there (the document has "\x1b[31m")`},
		{"a name with a dot", `{"a.b":1}`, "a.b", `a: not there (the document has a\.b)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Find([]byte(tt.doc), mustPath(t, tt.path))
			var missing *NotFoundError
			if !errors.As(err, &missing) || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestSyntaxErrorTellsWhere(t *testing.T) {
	tests := []struct {
		doc          string
		line, column int
		what         fault
	}{
		{"", 1, 1, faultEnd},
		{"{", 1, 2, faultEnd},
		{"{\n  \"a\": 1,\n}", 3, 1, faultName},
		{"{\"a\" 1}", 1, 6, faultColon},
		{"[1 2]", 1, 4, faultComma},
		{"[1}", 1, 3, faultComma},
		{"[01]", 1, 2, faultNumber},
		{"[-]", 1, 2, faultNumber},
		{"[1.]", 1, 2, faultNumber},
		{"[1e+]", 1, 2, faultNumber},
		{"nul", 1, 1, faultValue},
		{"[\"a\nb\"]", 1, 4, faultControl},
		{`["\x"]`, 1, 3, faultEscape},
		{`["\u12g4"]`, 1, 3, faultEscape},
		{"1 2", 1, 3, faultAfter},
		{"\n\n'a'", 3, 1, faultValue},
	}
	for _, tt := range tests {
		err := Check([]byte(tt.doc))
		var bad *SyntaxError
		if !errors.As(err, &bad) || bad.Line != tt.line || bad.Column != tt.column || bad.What != faultText[tt.what] {
			t.Errorf("Check(%q) = %v, want line %d, column %d: %s", tt.doc, err, tt.line, tt.column, faultText[tt.what])
		}
	}
}

func TestDepthIsThatOfEncodingJSON(t *testing.T) {
	for _, depth := range []int{1, MaxDepth - 1, MaxDepth, MaxDepth + 1, 10 * MaxDepth} {
		for _, doc := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth),
			strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth),
		} {
			if got, want := Valid([]byte(doc)), json.Valid([]byte(doc)); got != want {
				t.Errorf("depth %d: Valid = %v, want %v", depth, got, want)
			}
			s := NewScanner([]byte(doc))
			for s.Next() {
			}
			if got, want := s.Err() == nil, json.Valid([]byte(doc)); got != want && doc[0] == '{' {
				t.Errorf("depth %d: a Scanner gives %v", depth, s.Err())
			}
		}
	}
}

func TestScanner(t *testing.T) {
	tests := []struct{ name, doc, want, err string }{
		{"all, in order", ` {"a":1, "b" : [2] ,"a":"x"}`, `"a"=1 "b"=[2] "a"="x" `, ""},
		{"none", "{ }", "", ""},
		{"no object", "[1]", "", ""},
		{"nothing", "", "", ""},
		{"a value that is cut off is not given", `{"a":1,"b":23`, `"a"=1 `, "line 1, column 14"},
		{"more after it", `{"a":1} x`, `"a"=1 `, "line 1, column 9"},
		{"more after an empty one", `{}{`, "", "line 1, column 3"},
		{"broken later", `{"a":1,}`, `"a"=1 `, "line 1, column 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			s := NewScanner([]byte(tt.doc))
			for s.Next() {
				got.WriteString(string(s.Member.Name) + "=" + string(s.Member.Value) + " ")
			}
			last := s.Err()
			if got.String() != tt.want || (last == nil) != (tt.err == "") || last != nil && !strings.Contains(last.Error(), tt.err) {
				t.Errorf("got %q, %v; want %q, %s", got.String(), last, tt.want, tt.err)
			}
		})
	}
}

func TestTokensAllocateNothing(t *testing.T) {
	doc := []byte(`{"a":[1,2.5,{"x":"y\n","z":[true,false,null]}],"b":"text that is longer than eight bytes","c":{}}`)
	if n := testing.AllocsPerRun(100, func() {
		if !Valid(doc) {
			t.Fatal("not valid")
		}
		for s := NewScanner(doc); s.Next() && !s.Member.Is("c"); {
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestText(t *testing.T) {
	tests := []struct {
		raw, want string
		ok        bool
	}{
		{`"a\u00e9\ud83d\ude00\/"`, "aé😀/", true},
		{`"\ud83d"`, "\ufffd", true},
		{`"\ud83dx"`, "\ufffdx", true},
		{`"\ud83d\u0041"`, "\ufffdA", true},
		{"1.50", "1.50", true},
		{"true", "true", true},
		{"null", "", false},
		{"{}", "", false},
		{"1 ", "", false},
		{`"a`, "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got, ok := Text([]byte(tt.raw)); got != tt.want || ok != tt.ok {
			t.Errorf("Text(%s) = %q, %v, want %q, %v", tt.raw, got, ok, tt.want, tt.ok)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	doc := []byte("[" + strings.Repeat(`{"id":"evt_1Qdevhook","amount":2000,"nested":{"list":[1,2,3],"text":"some text of a usual length"}},`, 10000) + "1]")
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		Valid(doc)
	}
}
