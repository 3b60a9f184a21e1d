package inspector

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"testing"

	"devhook/recorder"
)

// hostile are what a sender may put anywhere.
var hostile = []string{
	`<script>alert(1)</script>`,
	`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>`,
	`<!doctype html><html><body onload=alert(1)><iframe src="javascript:alert(1)"></iframe>`,
	`"><img src=x onerror=alert(1)>`,
	`</script><script>alert(1)</script>`,
	"data: x\n\nevent: evil\ndata: y\n\n", // of an event stream
	"\r\n\r\nevent: evil\r\ndata: y\r\n\r\n",
	"\x1b]0;title\x07\x1b[2J", "\u202egnp.exe", "\x00\xff\xfe", "%s%n{{.}}${x}",
	`{"a":"</script>","b":"\u003cscript\u003e"}`,
	"\xef\xbb\xbf<html>", // a byte order mark, as sniffing looks for
	"%PDF-1.7\n", "GIF89a/*", "PK\x03\x04",
}

// No bytes of a webhook come as a page, a script, a style or an image, whatever they
// are and whatever they say that they are.
func TestHostileBytesAreInert(t *testing.T) {
	b := newBench(t)
	types := []string{"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", "text/css", "multipart/x-mixed-replace; boundary=x", "bogus\r\nX: y"}
	for i, text := range hostile {
		head := http.Header{"Content-Type": {types[i%len(types)]}, "Content-Disposition": {"inline"}, "X-<Script>": {text}, "Refresh": {"0;url=//evil.test"}}
		ex := b.record(recorder.Exchange{
			Event: text, DeliveryID: text, Detail: text, Route: text, Changes: []string{text},
			Request: recorder.Request{URL: "http://127.0.0.1:1/" + text, Headers: head, Body: recorder.Body{Bytes: []byte(text)}},
		}, recorder.Response{Headers: head, Body: recorder.Body{Bytes: []byte(text)}})
		for _, path := range []string{"/body", "/response", "/response?of=app"} {
			r := b.must(200, "GET", fmt.Sprintf("/devhook/v1/exchanges/%d%s", ex.Seq, path), "")
			if string(r.body) != text {
				t.Errorf("%q comes as %q", text, r.body)
			}
			inert(t, fmt.Sprintf("%q at %s", text, path), r)
		}
		for _, path := range []string{"", "/frames", "/diff/1"} {
			r := b.must(200, "GET", fmt.Sprintf("/devhook/v1/exchanges/%d%s", ex.Seq, path), "")
			if r.header.Get("Content-Type") != "application/json" || !json.Valid(r.body) {
				t.Errorf("%q at %s comes as %s", text, path, r.header.Get("Content-Type"))
			}
		}
	}
	// A part of a body is the same, and so is what is not there.
	r := b.call("GET", "/devhook/v1/exchanges/1/body", "", "Range: bytes=0-3")
	if r.status != 206 && r.status != 200 {
		t.Errorf("a range: %d", r.status)
	}
	for _, name := range hostile {
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			continue // no URL
		}
		for _, path := range []string{"/devhook/v1/exchanges/", "/devhook/v1/providers/", "/"} {
			r := b.call("GET", path+strings.NewReplacer("/", "%2f", "%", "%25", " ", "%20", "?", "%3f", "#", "%23", `"`, "%22", "<", "%3c", ">", "%3e").Replace(name), "")
			if r.status != 404 && r.status != 409 || r.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s%q: %d %s", path, name, r.status, r.header.Get("Content-Type"))
			}
		}
	}
	r = b.must(200, "GET", "/metrics", "")
	if kind, _, _ := mime.ParseMediaType(r.header.Get("Content-Type")); kind != "text/plain" {
		t.Errorf("metrics are %s", kind)
	}
}

// inert checks that no browser makes anything of r.
func inert(t *testing.T, what string, r reply) {
	t.Helper()
	kind, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	if err != nil || kind != "application/octet-stream" && kind != "text/plain" {
		t.Errorf("%s has the type %q", what, r.header.Get("Content-Type"))
	}
	disposition, params, err := mime.ParseMediaType(r.header.Get("Content-Disposition"))
	if err != nil || disposition != "attachment" || strings.ContainsAny(params["filename"], `<>"/\`) {
		t.Errorf("%s has the disposition %q", what, r.header.Get("Content-Disposition"))
	}
	policy := r.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-") {
		t.Errorf("%s has the policy %q", what, policy)
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s is sniffed", what)
	}
	for _, name := range []string{"Refresh", "X-<Script>", "Location", "Set-Cookie", "Content-Encoding"} {
		if r.header.Get(name) != "" {
			t.Errorf("%s has the header %s of the webhook", what, name)
		}
	}
}

// What is recorded cannot make an event of a stream, or end one.
func TestHostileEvents(t *testing.T) {
	b := newBench(t)
	s := b.follow("/devhook/v1/events?view=full", "")
	for _, text := range hostile {
		b.record(recorder.Exchange{Event: text, Request: recorder.Request{Body: recorder.Body{Bytes: []byte(text)}}}, recorder.Response{})
	}
	for i := range 2 * len(hostile) {
		e := s.next()
		if e.name != "exchange" {
			t.Fatalf("event %d is %q", i, e.name)
		}
		var ex recorder.Exchange
		if err := json.Unmarshal([]byte(e.data), &ex); err != nil {
			t.Fatalf("event %d: %v: %s", i, err, e.data)
		}
		if got := string(ex.Request.Body.Bytes); ex.Outcome == recorder.Answered && ex.Event != got {
			t.Errorf("event %d has %q and %q", i, ex.Event, got)
		}
	}
}
