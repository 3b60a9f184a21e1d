package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// evil is what must not reach a terminal as it is: C0, DEL, C1 in UTF-8 and as
// bare bytes, a title, a text that runs backwards.
const evil = "\x1b[2J\x1b]0;owned\x07\r\n\t\x00\x08\x7f\u009b31m\x9b32m\u202eevil\xff"

// poison puts text into every string that v holds.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		poison(v.Elem(), text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i), text)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range v.Len() {
				poison(v.Index(i), text)
			}
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		poison(key, text)
		poison(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	}
}

// obeyed returns what a terminal would not just show in text; newlines are.
func obeyed(text string) []string {
	var bad []string
	for i, r := range strings.ReplaceAll(text, "\n", "") {
		if r < 0x20 || 0x7F <= r && r < 0xA0 || r == '\u202e' || r == '\uFFFD' {
			bad = append(bad, fmt.Sprintf("%q at %d", r, i))
		}
	}
	return bad
}

// A journal can come with a cloned repository: no exchange in it makes us
// panic, or write what a terminal obeys.
func TestHostileExchange(t *testing.T) {
	outcomes := []recorder.Outcome{
		recorder.Pending, recorder.Answered, recorder.Unreachable, recorder.Refused, recorder.Handled, recorder.Queued,
		recorder.Unrouted, "", evil,
	}
	statuses := []verify.Status{verify.Valid, verify.Invalid, verify.Unsigned, verify.Unverified, verify.Skipped, "", evil}
	responses := map[string]*recorder.Response{
		"none":  nil,
		"empty": {},
		"odd":   {Status: -1, Size: -5, Took: -time.Hour, Truncated: true},
		"500":   {Status: 500, Body: recorder.Body{Bytes: []byte(evil)}},
		"413":   {Status: 413},
		"101":   {Status: 101},
	}
	bodies := [][]byte{
		nil, []byte(`{"a":"\u001b","b":[]}`), []byte("{\"a\":\"\u009b31m\x7f\u202e\"}"), []byte("text \x1b[2J\r\n\u202e"),
		[]byte(strings.ReplaceAll(evil, "\t", "")), {0, 1, 0x1b, 0x9b, 0xff},
	}
	for _, outcome := range outcomes {
		for _, status := range statuses {
			for name, response := range responses {
				for _, width := range []int{0, 1, 80, 140} {
					var ex recorder.Exchange
					poison(reflect.ValueOf(&ex).Elem(), evil)
					ex.Outcome, ex.Verdict.Status = outcome, status
					ex.Response = nil
					if response != nil {
						r := *response
						poison(reflect.ValueOf(&r.Headers).Elem(), evil)
						ex.Response = &r
					}
					var b bytes.Buffer
					term := New(&b, Never, env())
					term.width = width
					term.Exchange(&ex)
					if n := strings.Count(b.String(), "\n"); n > 2 {
						t.Errorf("outcome %q, response %s, %d columns: %d lines of\n%q", outcome, name, width, n, b.String())
					}
					term.Listed(&ex, time.Now())
					bare := ex
					bare.Provider, bare.Event, bare.Parent, bare.Detail, bare.Verdict.Reason = "", "", "", "", ""
					term.Exchange(&bare)
					term.Ended(&ex)
					for _, body := range bodies {
						term.Whole(&ex, body, body, body)
						frame := recorder.Frame{Dir: evil, Op: evil, Body: body, Size: -1, Code: -1, Reason: evil, Detail: evil}
						term.Frame(&ex, &frame)
					}
					if bad := obeyed(b.String()); len(bad) > 0 {
						t.Fatalf("outcome %q, status %q, response %s, %d columns: %v in\n%q", outcome, status, name, width, bad, b.String())
					}
				}
			}
		}
	}
}

func TestIndent(t *testing.T) {
	for _, body := range []string{
		`{}`, `[]`, `{"a":{},"b":[ ],"c":[1,{"d":"e, {\"\\"}],"f":-1.5e3,"g":null}`, `"a\"b"`, ` 1 `, `[[[[1,2],[3]]],true]`,
	} {
		var want bytes.Buffer
		if err := json.Indent(&want, []byte(body), "", "  "); err != nil {
			t.Fatal(err)
		}
		if got, ok := indent([]byte(body)); !ok || got != strings.TrimSpace(want.String()) {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want.String())
		}
	}
	if _, ok := indent([]byte(`{"a":`)); ok {
		t.Error("half of a text is indented")
	}
}

// What is nested too deep stays on its line, and no body becomes a flood.
func TestIndentIsBounded(t *testing.T) {
	deep := strings.Repeat("[", maxIndent+1) + "1,2" + strings.Repeat("]", maxIndent+1)
	if got, ok := indent([]byte(deep)); !ok || strings.Count(got, "\n") != 2*maxIndent || !strings.Contains(got, "\n"+strings.Repeat("  ", maxIndent)+"[1,2]\n") {
		t.Errorf("%v\n%s", ok, got)
	}
	if got, ok := indent([]byte(`{"a":` + deep + `,"b":{}}`)); !ok || !strings.HasSuffix(got, "],\n  \"b\": {}\n}") {
		t.Errorf("after what is nested deep: %v\n%s", ok, got)
	}
	for name, body := range map[string]string{
		"brackets": strings.Repeat("[", 8000) + strings.Repeat("1,", 30_000) + "1" + strings.Repeat("]", 8000),
		"objects":  strings.Repeat(`{"a":`, 8000) + "1" + strings.Repeat("}", 8000),
		"shallow":  strings.Repeat("[", maxIndent) + strings.Repeat("1,", 40_000) + "1" + strings.Repeat("]", maxIndent),
	} {
		most := maxGrowth*len(body) + 8<<10
		if got := readable([]byte(body)); len(got) > most {
			t.Errorf("%s: %d bytes become %d", name, len(body), len(got))
		}
		if got := testing.AllocsPerRun(1, func() { readable([]byte(body)) }); got > 100 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErr(t *testing.T) {
	for name, write := range map[string]func(*Terminal) error{
		"Printf":    func(t *Terminal) error { t.Printf("some words"); return t.Err() },
		"Row":       func(t *Terminal) error { t.Row("some", "words"); return t.Err() },
		"Paragraph": func(t *Terminal) error { t.Paragraph(2, "some words"); return t.Err() },
		"Error":     func(t *Terminal) error { t.Error("some", "words"); return t.Err() },
		"Exchange":  func(t *Terminal) error { t.Exchange(exchange()); return t.Err() },
		"Listed":    func(t *Terminal) error { t.Listed(exchange(), time.Now()); return t.Err() },
		"Whole":     func(t *Terminal) error { t.Whole(exchange(), nil, nil, nil); return t.Err() },
		"Message":   func(t *Terminal) error { return t.Message("some words", nil, nil, 0, false) },
	} {
		if err := write(New(&full{5}, Never, env())); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
		if err := write(New(&full{5000}, Never, env())); err != nil {
			t.Errorf("%s: %v with room", name, err)
		}
	}
}
