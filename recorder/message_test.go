package recorder

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestParseMessage(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Request
	}{
		{"CRLF", "POST /a?b=%zz HTTP/1.1\r\nHost: h.example\r\nContent-Length: 5\r\n\r\nhello",
			Request{Method: "POST", URL: "https://h.example/a?b=%zz", Proto: "HTTP/1.1",
				Headers: http.Header{"Host": {"h.example"}, "Content-Length": {"5"}}, Body: Body{Bytes: []byte("hello")}, Size: 5}},
		{"LF, and a line break that an editor added", "POST / HTTP/1.1\nhost: h\ncontent-length: 5\n\nhello\n",
			Request{Method: "POST", URL: "https://h/", Proto: "HTTP/1.1",
				Headers: http.Header{"Host": {"h"}, "Content-Length": {"5"}}, Body: Body{Bytes: []byte("hello")}, Size: 5}},
		{"no length: all the rest", "PUT / HTTP/1.1\nHost: localhost:3000\n\nhello\r\n\n",
			Request{Method: "PUT", URL: "http://localhost:3000/", Proto: "HTTP/1.1",
				Headers: http.Header{"Host": {"localhost:3000"}}, Body: Body{Bytes: []byte("hello\r\n\n")}, Size: 8}},
		{"chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
			Request{Method: "POST", URL: "https://h/", Proto: "HTTP/1.1", Headers: http.Header{"Host": {"h"}}, Body: Body{Bytes: []byte("abcde")}, Size: 5}},
		{"the whole URL", "POST http://h/a HTTP/1.1\r\n\r\n",
			Request{Method: "POST", URL: "http://h/a", Proto: "HTTP/1.1", Headers: http.Header{}, Body: Body{Bytes: []byte{}}}},
		{"behind a proxy", "GET / HTTP/1.0\nX-Forwarded-Proto: http\nHost: h\n\n",
			Request{Method: "GET", URL: "http://h/", Proto: "HTTP/1.0", Headers: http.Header{"Host": {"h"}, "X-Forwarded-Proto": {"http"}}, Body: Body{Bytes: []byte{}}}},
		{"the server as a whole", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
			Request{Method: "OPTIONS", URL: "https://h", Proto: "HTTP/1.1", Headers: http.Header{"Host": {"h"}}, Body: Body{Bytes: []byte{}}}},
		{"binary, and two values", "\r\nPOST / HTTP/1.1\nA: 1\na: 2\n\n\x00\xff",
			Request{Method: "POST", URL: "http://localhost/", Proto: "HTTP/1.1", Headers: http.Header{"A": {"1", "2"}}, Body: Body{Bytes: []byte("\x00\xff")}, Size: 2}},
	} {
		list, err := Parse([]byte(tt.text))
		if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0].Request, tt.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", tt.name, err, list, tt.want)
		}
	}
}

func TestParseExchanges(t *testing.T) {
	one := `{"v":1,"provider":"tiktok","request":{"method":"POST","url":"https://h/a","headers":{"x-a":["1"],"X-A":["2"]},"body":"hi"}}`
	list, err := Parse([]byte("\n" + one + "\n" + `{"v":1,"type":"ready","url":"x"}` + "\n" +
		`{"v":1,"type":"exchange","exchange":` + one + "}\n" + strings.ReplaceAll(one, ",", ",\n  ")))
	if err != nil || len(list) != 3 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	for i, ex := range list {
		r := ex.Request
		if ex.Provider != "tiktok" || r.Size != 2 || string(r.Body.Bytes) != "hi" || len(r.Headers["X-A"]) != 2 {
			t.Errorf("exchange %d: %+v", i, ex)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "neither",
		"hello":                          "neither",
		"POST /a\n\nx":                   "neither",
		"POST a HTTP/1.1\n\n":            "does not begin with a /",
		"POST / HTTP/1.1\nno colon\n\nx": "header",
		"POST / HTTP/1.1\nContent-Length: 9\n\nx":             "has 1 bytes",
		"POST / HTTP/1.1\nContent-Length: 1\n\nxy":            "has 2 bytes",
		"POST /a b HTTP/1.1\n\n":                              "write %20",
		"POST / HTTP/1.1\nContent-Length: -1\n\nx":            "not a length",
		"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nzz\n": "chunked",
		`{"a":1}`:                               "has no request",
		"\xff\xfeP\x00":                         "UTF-16",
		`{"request":{"url":"/a"}}`:              "not an absolute",
		`{"request":{"url":"ftp://h/"}}`:        "not an absolute",
		`{"v":9,"request":{"url":"http://h/"}}`: "newer",
		`{"request":{"url":"http://h/"}`:        "not JSON",
		`{"request":{"url":"http://h/","body":{"sha256":"` + strings.Repeat("a", 64) + `"}}}`: "in a file of a store",
	} {
		if list, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", text, list, err, want)
		}
	}
	if _, err := Parse([]byte("hello")); !errors.Is(err, ErrFormat) {
		t.Errorf("%v is no ErrFormat", err)
	}
}

// Law: what was parsed, written as JSON, is parsed alike.
func FuzzParse(f *testing.F) {
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: h\r\n\r\nx"))
	f.Add([]byte(`{"request":{"url":"https://h/"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := Parse(text)
		if err != nil {
			return
		}
		for _, ex := range list {
			if _, err := ParseURL(ex.Request.URL); err != nil {
				continue // net/http would have refused it
			}
			written, err := ex.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(written)
			if err != nil || len(again) != 1 {
				t.Fatalf("%s: %v", written, err)
			}
			got, want := again[0].Request, ex.Request
			if string(got.Body.Bytes) != string(want.Body.Bytes) {
				t.Errorf("body %q was %q", got.Body.Bytes, want.Body.Bytes)
			}
			got.Body, want.Body = Body{}, Body{}
			if len(want.Headers) == 0 {
				got.Headers, want.Headers = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		}
	})
}

func TestPathOf(t *testing.T) {
	for absolute, want := range map[string]string{
		"http://h":             "/",
		"http://h/":            "/",
		"http://h?next=/a":     "/",
		"http://h/a%2fb//?c=/": "/a%2fb//",
		"https://[::1]:1/a?":   "/a",
		"/a":                   "/",
	} {
		if got := PathOf(absolute); got != want {
			t.Errorf("PathOf(%q) = %q, want %q", absolute, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, tt := range []struct{ url, host, path, query string }{
		{"https://h/a?b=1", "h", "/a", "b=1"},
		{"https://h", "h", "/", ""},
		{"https://h?x", "h", "/", "x"},
		{"http://a:b:c/x#y?z", "a:b:c", "/x#y", "z"},
		{"http://h//x/%2F", "h", "//x//", ""},
	} {
		u, err := ParseURL(tt.url)
		if err != nil || u.Host != tt.host || u.Path != tt.path || u.RawQuery != tt.query {
			t.Errorf("%s: %+v, %v", tt.url, u, err)
		}
	}
	if u, err := ParseURL("http://h/%zz"); err == nil {
		t.Errorf("a broken escape: %v", u)
	}
}
