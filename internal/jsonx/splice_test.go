package jsonx

import (
	"errors"
	"testing"
)

func TestSet(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	tests := []struct{ name, doc, path, value, want string }{
		{"a number, spelled by hand", `{"a":1}`, "a", "50.00", `{"a":50.00}`},
		{"white space around the value goes", `{"a":1}`, "a", " [1, 2]\n", `{"a":[1, 2]}`},
		{"all else stays", bom + "{ \"b\" : 1e2,\r\n\t\"a\":\"\\u00e9\\/\", \"b\":-0.0 }\n", "a", "null", bom + "{ \"b\" : 1e2,\r\n\t\"a\":null, \"b\":-0.0 }\n"},
		{"the last of duplicates", `{"a":1,"a":2,"b":3}`, "a", "9", `{"a":1,"a":9,"b":3}`},
		{"an element", `[1, 2, 3]`, "1", `"x"`, `[1, "x", 3]`},
		{"the whole", " 1 \n", "", "{}", " {} \n"},
		{"in a string", `{"content":"{\"reason\":1}"}`, "content.reason", `"a\"b"`, `{"content":"{\"reason\":\"a\\\"b\"}"}`},
		{
			"in a string, whose spelling stays",
			`{"content":"\u007b \"u\":\"http:\/\/x\",\"é\u00e9\ud83d\ude00\":\"\\u00e9\",\"reason\" :1}"}`, "content.reason", "2",
			`{"content":"\u007b \"u\":\"http:\/\/x\",\"é\u00e9\ud83d\ude00\":\"\\u00e9\",\"reason\" :2}"}`,
		},
		{"line feeds become escapes in a string", `{"c":"{\"a\":1}"}`, "c.a", "[\n\t1]", `{"c":"{\"a\":[\n\t1]}"}`},
		{"two strings deep", `{"a":"{\"b\":\"{\\\"c\\\":7,\\\"d\\\":8}\"}"}`, "a.b.c", `"x"`, `{"a":"{\"b\":\"{\\\"c\\\":\\\"x\\\",\\\"d\\\":8}\"}"}`},
		{"the string itself", `{"content":"{}"}`, "content", `"plain"`, `{"content":"plain"}`},
		{"the first character of a string's JSON", `{"c":"\u005b1]"}`, "c.0", "2", `{"c":"\u005b2]"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.doc
			doc := []byte(tt.doc)
			got, err := Set(doc, mustPath(t, tt.path), []byte(tt.value))
			if string(got) != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			if string(doc) != before {
				t.Errorf("the document was written to: %s", doc)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	var syntax *SyntaxError
	if _, err := Set([]byte(`{"a":1}`), Path{"a"}, []byte("x")); !errors.As(err, &syntax) {
		t.Errorf("a value that is not JSON: %v", err)
	}
	if _, err := Set([]byte(`{"a":1`), Path{"a"}, []byte("2")); !errors.As(err, &syntax) {
		t.Errorf("a document that is not JSON: %v", err)
	}
	var missing *NotFoundError
	if _, err := Set([]byte(`{"a":1}`), Path{"b"}, []byte("2")); !errors.As(err, &missing) {
		t.Errorf("a path that is not there: %v", err)
	}
}

func TestUnset(t *testing.T) {
	tests := []struct{ name, doc, path, want string }{
		{"the first", `{"a":1,"b":2}`, "a", `{"b":2}`},
		{"the last", `{"a":1,"b":2}`, "b", `{"a":1}`},
		{"one between", `{"a":1, "b":2, "c":3}`, "b", `{"a":1, "c":3}`},
		{"the only one", "{\n  \"a\": 1\n}", "a", "{}"},
		{"a line, first", "{\n  \"a\": 1,\n  \"b\": 2\n}", "a", "{\n  \"b\": 2\n}"},
		{"a line, last", "{\n  \"a\": 1,\n  \"b\": 2\n}", "b", "{\n  \"a\": 1\n}"},
		{"commas in front", "{ \"a\": 1\n, \"b\": 2\n, \"c\": 3 }", "b", "{ \"a\": 1\n, \"c\": 3 }"},
		{"an element", "[1, [2], 3]", "1", "[1, 3]"},
		{"the only element", "[ 1 ]", "0", "[]"},
		{"the last of duplicates", `{"a":1,"b":2,"a":3}`, "a", `{"a":1,"b":2}`},
		{"a name spelled with escapes", `{"\u0061":1,"b":2}`, "a", `{"b":2}`},
		{"in a string", `{"c":"{\"a\":1,\"b\":\"\\u00e9\"}"}`, "c.a", `{"c":"{\"b\":\"\\u00e9\"}"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Unset([]byte(tt.doc), mustPath(t, tt.path))
			if string(got) != tt.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	if _, err := Unset([]byte("{}"), nil); !errors.Is(err, ErrWhole) {
		t.Errorf("the whole document: %v", err)
	}
	if _, err := Unset([]byte(`{"a":1}`), Path{"b"}); err == nil {
		t.Error("a path that is not there: no error")
	}
}

func TestCreate(t *testing.T) {
	tests := []struct{ name, doc, path, value, want string }{
		{"what is there is set", `{"a":1}`, "a", "2", `{"a":2}`},
		{"a member, compact", `{"a":1}`, "b", "2", `{"a":1,"b":2}`},
		{"a member, spaced", `{"a": 1, "c": 3}`, "b", "2", `{"a": 1, "c": 3, "b": 2}`},
		{"a member, on lines", "{\n  \"a\": 1\n}", "b", "2", "{\n  \"a\": 1,\n  \"b\": 2\n}"},
		{"a member, with tabs as TRTC writes", "{\n\t\"a\":\t1,\n\t\"c\":\t3\n}", "b", "2", "{\n\t\"a\":\t1,\n\t\"c\":\t3,\n\t\"b\":\t2\n}"},
		{"into an empty object", "{ }", "b", "2", `{"b":2 }`},
		{"an element", "[1, 2]", "2", "3", "[1, 2, 3]"},
		{"the first element", "[]", "0", "3", "[3]"},
		{"objects on the way", `{"a":1}`, "b.c.d", "2", `{"a":1,"b":{"c":{"d":2}}}`},
		{"arrays on the way", `{}`, "b.0.d", "2", `{"b":[{"d":2}]}`},
		{"an object after the elements", `[{"a":1}]`, "1.a", "2", `[{"a":1},{"a":2}]`},
		{"a name that needs escapes", `{}`, `a"b`, "2", `{"a\"b":2}`},
		{"in a string", `{"c":"{\"a\": 1}"}`, "c.b.x", `"é"`, `{"c":"{\"a\": 1,\"b\": {\"x\":\"é\"}}"}`},
		{"in a string on lines", `{"c":"{\n  \"a\": 1\n}"}`, "c.b", "2", `{"c":"{\n  \"a\": 1,\n  \"b\": 2\n}"}`},
		{"past the end of an array", "[1]", "2", "3", ""},
		{"through a number", `{"a":1}`, "a.b", "3", ""},
		{"through text", `{"a":"x"}`, "a.b", "3", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Create([]byte(tt.doc), mustPath(t, tt.path), []byte(tt.value))
			if string(got) != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}
