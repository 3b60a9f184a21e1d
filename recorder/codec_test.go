package recorder

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"devhook/verify"
)

var update = flag.Bool("update", false, "write golden files anew")

func sample() *Exchange {
	return &Exchange{
		ID: "01JD7Q8V9T4K2M6N8P0R2S4T6V", Seq: 128,
		At:     time.Date(2026, 11, 21, 14, 2, 11, 482_913_000, time.UTC),
		Origin: Replay, Parent: "01JD7Q8V9T4K2M6N8P0R2S4T6A", Changes: []string{"set data.amount=5"},
		Provider: "tiktok", Event: "video.publish.completed", DeliveryID: "d-1",
		DuplicateOf: "01JD7Q8V9T4K2M6N8P0R2S4T6B", Route: "/hooks/tiktok",
		Target: "http://127.0.0.1:3000/hooks/tiktok?a=%zz",
		Request: Request{
			Method: "POST", URL: "https://x.ngrok.app/hooks/tiktok?a=%zz&\xff", Proto: "HTTP/1.1",
			Headers: http.Header{
				"Host": {"x.ngrok.app"}, "Content-Type": {"application/json"},
				"X-Twice": {"a", "b"}, "X-Latin": {"caf\xe9"},
			},
			Body: Body{Bytes: []byte(`{"a":"é</script>\u2028"}`)}, Size: 24, Remote: "1.2.3.4:567", Truncated: true,
		},
		Verdict: verify.Verdict{Status: verify.Invalid, Reason: verify.Stale, Detail: "old", Hint: "look at the clock"},
		Outcome: Answered, Detail: "more",
		Response: &Response{
			Status: 200, Headers: http.Header{"X-A": {"1"}}, Body: Body{Bytes: []byte("\xff\x00")},
			Size: 2, Truncated: true, Took: 37 * time.Millisecond,
		},
		App: &Response{Status: 500, Body: Body{Bytes: []byte("no")}, Size: 2, Took: time.Second},
	}
}

func TestGolden(t *testing.T) {
	got, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "exchange-v1.json")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("encoded:\n%s\nwant:\n%s", got, want)
	}
	var back Exchange
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, sample()) {
		t.Errorf("decoded:\n%+v\nwant:\n%+v", &back, sample())
	}
}

// Members that are not known are absent, never null or empty.
func TestEncodeLeavesOutTheUnknown(t *testing.T) {
	got, _ := json.Marshal(&Exchange{
		ID: "01JD7Q8V9T4K2M6N8P0R2S4T6V", Seq: 1, Request: Request{Method: "GET", URL: "http://a/"},
		Verdict: verify.Verdict{Status: verify.Skipped}, Outcome: Pending,
	})
	want := `{"v":1,"id":"01JD7Q8V9T4K2M6N8P0R2S4T6V","seq":1,"at":"0001-01-01T00:00:00.000000Z",` +
		`"request":{"method":"GET","url":"http://a/","size":0},"verdict":{"status":"skipped"},"outcome":"pending"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A terminal that shows the journal must not obey what a webhook brought.
func TestEncodeEscapesControls(t *testing.T) {
	got := appendText(nil, "a\x1b[2Jb\u009bc\x7fd\u00a0é\u2028\n\r\t\"\\")
	want := `"a\u001b[2Jb\u009bc\u007fd` + "\u00a0é\u2028" + `\n\r\t\"\\"`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"a later format":           `{"v":2}`,
		"a body that leads out":    `{"v":1,"request":{"body":{"sha256":"../../etc/passwd"}}}`,
		"base64 with stray bits":   `{"v":1,"request":{"url":{"base64":"YWF="}}}`,
		"an object of other names": `{"v":1,"request":{"url":{"base32":"YWE="}}}`,
		"no JSON":                  `{"v":1`,
	} {
		if err := json.Unmarshal([]byte(in), new(Exchange)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What is written is JSON, and read back it is the same.
func FuzzExchange(f *testing.F) {
	f.Add("POST", "http://h/p?q", "X-A", "v", []byte("body"), "event", []byte("answer"))
	f.Add("P\xff", "\xff", "\x00", "\u0080\u009f\u2028", []byte("\xed\xa0\x80"), "\x1b", []byte{0, 255})
	f.Fuzz(func(t *testing.T, method, url, name, value string, body []byte, event string, answer []byte) {
		if !utf8.ValidString(name) || strings.EqualFold(name, "base64") {
			return // net/http lets no such header name in
		}
		ex := sample()
		ex.Request.Method, ex.Request.URL, ex.Event = method, url, event
		ex.Request.Headers = http.Header{name: {value, value}}
		ex.Request.Body = Body{Bytes: body}
		ex.Response.Body = Body{Bytes: answer}
		raw, _ := ex.MarshalJSON()
		if !json.Valid(raw) {
			t.Fatalf("not JSON: %q", raw)
		}
		var back Exchange
		if err := back.unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		if len(body) == 0 {
			ex.Request.Body.Bytes = nil
		}
		if len(answer) == 0 {
			ex.Response.Body.Bytes = nil
		}
		if !reflect.DeepEqual(&back, ex) {
			t.Fatalf("got  %+v\nwant %+v", &back, ex)
		}
		var same Exchange
		if s := (spelled{b: raw}); !s.exchange(&same) || !reflect.DeepEqual(&same, &back) {
			t.Fatalf("as it is spelled: %+v\nby encoding/json:  %+v", &same, &back)
		}
	})
}

// What is spelled otherwise is not taken for something else: encoding/json reads it.
func TestSpelledOtherwise(t *testing.T) {
	raw, _ := sample().MarshalJSON()
	for name, in := range map[string]string{
		"white space":           strings.Replace(string(raw), `"seq":`, `"seq":  `, 1),
		"a line end":            strings.Replace(string(raw), `,"seq":`, ",\n\"seq\":", 1),
		"a blank before":        strings.Replace(string(raw), `"seq":`, `"seq" :`, 1),
		"an unknown member":     strings.Replace(string(raw), `"seq":`, `"new":1,"seq":`, 1),
		"a name in capitals":    strings.Replace(string(raw), `"seq":`, `"SEQ":`, 1),
		"an escape of a letter": strings.Replace(string(raw), `"tiktok"`, `"tikt\u2028k"`, 1),
		"another escape":        strings.Replace(string(raw), `"tiktok"`, `"tik\/tok"`, 1),
		"null":                  strings.Replace(string(raw), `"truncated":true`, `"truncated":null`, 1),
		"a fraction":            strings.Replace(string(raw), `"size":24`, `"size":24.0`, 1),
		"a newer format":        strings.Replace(string(raw), `"v":1`, `"v":2`, 1),
		"a sum that is none":    strings.Replace(string(raw), `"body":"`, `"body":{"sha256":"../a"},"x":"`, 1),
		"half of it":            string(raw[:len(raw)/2]),
		"more behind it":        string(raw) + " ",
		"nothing":               "",
	} {
		var ex Exchange
		if s := (spelled{b: []byte(in)}); in == string(raw) || s.exchange(&ex) {
			t.Errorf("%s: was read: %+v", name, &ex)
		}
		for n := range raw { // whatever is missing, nothing panics
			s := spelled{b: raw[:n]}
			if s.exchange(&ex) {
				t.Errorf("%d bytes were read", n)
			}
		}
	}
}

// Blanks behind commas and colons, as Python's json.dumps writes them, are read like none.
func TestSpelledWithBlanks(t *testing.T) {
	blanks := []byte(`{"v": 1, "id": "01JD7Q8V9T4K2M6N8P0R2S4T6V", "seq": 7, "changes": ["a", "b: c, d"], ` +
		`"request": {"method": "POST", "url": "http://h/a?b=c, d", "headers": {"X": ["1", "2"], "Y": ["3"]}, "body": "{\"a\": 1, \"b\": [2, 3]}", "size": 21}, ` +
		`"verdict": {"status": "valid"}, "outcome": "answered", "response": {"status": 200, "took_ns": 5}}`)
	var quick, slow Exchange
	if s := (spelled{b: blanks}); !s.exchange(&quick) {
		t.Fatalf("not read: %s", blanks)
	}
	if err := slow.unmarshal(blanks); err != nil || !reflect.DeepEqual(&quick, &slow) {
		t.Errorf("got  %+v\nwant %+v (%v)", &quick, &slow, err)
	}
}

// A body in a file is written in pieces; the result is as if it were in memory.
func TestWriteJSONOfLargeBodies(t *testing.T) {
	s := open(t, t.TempDir())
	for name, body := range map[string][]byte{
		"text with runes over the seams":  []byte(strings.Repeat("aé€😀\"\n\u009b", MaxInline/8)),
		"binary":                          bytes.Repeat([]byte{0, 0xff, 'a', 0xc3}, MaxInline/2),
		"text with a cut rune at the end": append(bytes.Repeat([]byte("é"), MaxInline), 0xc3),
	} {
		ex := sample()
		ex.Request.Body = spool(t, s, body)
		if ex.Request.Body.Sum == "" {
			t.Fatalf("%s: not in a file", name)
		}
		var got bytes.Buffer
		if err := s.WriteJSON(&got, ex); err != nil {
			t.Fatal(err)
		}
		ex.Request.Body = Body{Bytes: body}
		want, _ := ex.MarshalJSON()
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: differs from the form in memory", name)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	ex := sample()
	ex.Request.Body.Bytes = bytes.Repeat([]byte(`{"a":1} `), 128)
	for b.Loop() {
		e := newEntry()
		e.enc.exchange(ex)
		e.free()
	}
}
