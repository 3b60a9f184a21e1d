package interchange

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123_456_000, time.UTC)

// samples are exchanges of every kind, with what is hard to write.
func samples() []*recorder.Exchange {
	body := func(s string) recorder.Body { return recorder.Body{Bytes: []byte(s)} }
	list := []*recorder.Exchange{
		{
			Provider: "tiktok", Event: "video.publish.completed", DeliveryID: "d", Route: "/hooks", Target: "http://127.0.0.1:3000/hooks?a=1",
			Request: recorder.Request{
				URL: "https://x.ngrok.app/hooks//a%2f?a=%zz&b=c+d&=&b", Headers: http.Header{
					"Content-Type": {"application/json"}, "Host": {"x.ngrok.app"}, "X-Two": {"a", "b"}, "X-Empty": {""}, "Cookie": {"a=b; c=d"},
				}, Body: body(`{"a":"it's \"é\" </script> ` + "`" + ` $(id) {{x}} # ! % \\ "}`), Remote: "1.2.3.4:5",
			},
			Verdict: verify.Verdict{Status: verify.Valid}, Outcome: recorder.Answered,
			Response: &recorder.Response{Status: 302, Headers: http.Header{"Location": {"/x"}, "Set-Cookie": {"s=1; Path=/; HttpOnly"}}, Body: body("ok"), Size: 2, Took: 37123456},
			App:      &recorder.Response{Status: 500, Body: body("\xff"), Size: 1},
		},
		{
			Event: "x\n# y\u202e; rm -rf /", Changes: []string{"set a=1"},
			Request:  recorder.Request{URL: "https://x.example/\xff?q=#h", Headers: http.Header{"X-Latin": {"caf\xe9"}, "X-Esc": {"\x1b[2J'$(id)`id`\""}}, Body: body("\x00\x01'\xff\n\n")},
			Outcome:  recorder.Refused,
			Response: &recorder.Response{Status: 403, Headers: http.Header{"Content-Type": {"image/png"}}, Body: body("\x89PNG\x00"), Size: 6, Truncated: true},
			Verdict:  verify.Verdict{Status: verify.Invalid, Reason: verify.BadSignature, Detail: "no", Hint: "do"},
		},
		{Request: recorder.Request{URL: "https://x.example", Truncated: true, Size: 99}, Outcome: recorder.Pending},
		{Request: recorder.Request{URL: "https://x.example?x", Headers: http.Header{"Content-Length": {"0"}}}, Outcome: recorder.Unreachable, Detail: "refused"},
		{Request: recorder.Request{URL: "https://x.example/a", Body: body("### \n<script>\nGET /\n")}, Outcome: recorder.Queued},
		{Request: recorder.Request{URL: "https://x.example/a", Body: body(strings.Repeat("long ", 20_000))}, Outcome: recorder.Unrouted, Verdict: verify.Verdict{Status: verify.Skipped}},
	}
	for i, ex := range list {
		ex.ID = recorder.ID(fmt.Sprintf("01JD7Q8V9T4K2M6N8P0R2S4T%02d", i))
		ex.Seq, ex.At, ex.Origin = uint64(10+3*i), noon.Add(time.Duration(i)*time.Second), recorder.Live
		ex.Request.Method, ex.Request.Proto = "POST", "HTTP/1.1"
		if !ex.Request.Truncated {
			ex.Request.Size = int64(len(ex.Request.Body.Bytes))
		}
	}
	return list
}

func written(t *testing.T, f Format, list []*recorder.Exchange) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, f)
	w.Version = "1"
	w.Frames = func(ex *recorder.Exchange) ([]recorder.Frame, error) { return framesOf[ex.ID], nil }
	w.File = func(ex *recorder.Exchange, body []byte) (string, error) { return fmt.Sprintf("body-%d", ex.Seq), nil }
	for _, ex := range list {
		if err := w.Write(ex); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(text []byte) (list []*recorder.Exchange, err error) {
	r := Reader{Now: noon, Frames: func(ex *recorder.Exchange, frames []recorder.Frame) { framesOf[ex.ID] = frames }}
	for ex, err := range r.Read(bytes.NewReader(text)) {
		if err != nil {
			return list, err
		}
		list = append(list, ex)
	}
	return list, nil
}

// framesOf are the messages of WebSockets that were read last.
var framesOf = map[recorder.ID][]recorder.Frame{}

// The messages of a WebSocket go with the exchange that opened it, whatever they are.
func TestFramesThereAndBack(t *testing.T) {
	open := samples()[2]
	open.Request.Truncated, open.Request.Size = false, 0
	open.Outcome, open.Response = recorder.Answered, &recorder.Response{Status: 101}
	open.Ending = &recorder.Ending{At: noon, In: 3, Out: 3, Detail: "closed by the app: 1000"}
	want := []recorder.Frame{
		{N: 1, At: noon, Dir: recorder.In, Op: recorder.OpText, Body: []byte("h\u00e9 \u2028 <script>\n"), Size: 17},
		{N: 2, At: noon, Dir: recorder.Out, Op: recorder.OpText, Body: []byte("\xff cut"), Size: 900, Truncated: true, Detail: "no UTF-8"},
		{N: 3, At: noon, Dir: recorder.Out, Op: recorder.OpBinary, Body: []byte{0, 255}, Size: 2, Fragments: 3, Wire: 7},
		{N: 5, At: noon, Dir: recorder.In, Op: recorder.OpPing, Body: []byte("p"), Size: 1},
		{N: 6, At: noon, Dir: recorder.Out, Op: recorder.OpText},
		{N: 7, At: noon.Add(time.Second), Dir: recorder.Out, Op: recorder.OpClose, Code: 1000, Reason: "done"},
		{N: 8, At: noon.Add(time.Second), Dir: recorder.In, Op: recorder.OpUnread, Detail: "it is no WebSocket"},
	}
	for _, f := range []Format{HAR, NDJSON} {
		framesOf = map[recorder.ID][]recorder.Frame{open.ID: want}
		first := written(t, f, []*recorder.Exchange{open})
		clear(framesOf)
		list, err := read(first)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if got := framesOf[open.ID]; fmt.Sprint(got) != fmt.Sprint(want) || list[0].Ending == nil {
			t.Errorf("%s: got %v\nwant %v", f, got, want)
		}
		if again := written(t, f, list); !bytes.Equal(again, first) {
			t.Errorf("%s: became\n%s\nwant\n%s", f, again, first)
		}
	}
}

// As Chrome writes it.
func TestWebSocketOfABrowser(t *testing.T) {
	clear(framesOf)
	list, err := read([]byte(`{"log":{"entries":[{"startedDateTime":"2026-11-21T12:00:00Z","_resourceType":"websocket","request":{"method":"GET","url":"wss://a.example/ws"},
"response":{"status":101},"_webSocketMessages":[{"type":"send","time":1763726400.123456,"opcode":1,"data":"hi"},{"type":"receive","time":1763726401,"opcode":2,"data":"AP8="},
{"type":"error","time":1763726402,"opcode":-1,"data":"Connection closed"}]}]}}`))
	if err != nil || len(list) != 1 || list[0].Request.URL != "https://a.example/ws" {
		t.Fatal(list, err)
	}
	got := framesOf[list[0].ID]
	if len(got) != 3 || string(got[0].Body) != "hi" || got[0].Dir != recorder.In || got[0].At.UnixMicro() != 1763726400123456 ||
		!bytes.Equal(got[1].Body, []byte{0, 255}) || got[1].Dir != recorder.Out || got[1].Op != recorder.OpBinary || got[1].N != 2 || got[1].Size != 2 ||
		got[2].Op != recorder.OpUnread || got[2].Detail != "Connection closed" || got[2].Body != nil || got[2].Size != 0 {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{`"opcode":1,"type":"send","_devhook":{"n":1,"dir":"up","op":"text"}`, `"opcode":2,"data":"§"`, `"opcode":77`, `"opcode":1,"time":1e15`} {
		if _, err := read([]byte(`{"log":{"entries":[{"request":{"url":"wss://x/"},"response":{"status":101},"_webSocketMessages":[{` + bad + `}]}]}}`)); err == nil || !strings.Contains(err.Error(), "message 1 of its WebSocket") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, fine := range map[string]bool{"x.example:80": true, "[::1]:80": true, "b\u00fccher.example": true, "x\\u0000": false, "a b": false, "x\\n": false} {
		_, err := read([]byte(`{"request":{"url":"https://` + host + `/p"}}`))
		if fine != (err == nil) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// An answer has a status of three digits, and took what a time can be.
func TestAnswers(t *testing.T) {
	for _, status := range []string{"65736", "-1", "1000"} {
		for _, text := range []string{
			`{"log":{"entries":[{"request":{"url":"https://x/"},"response":{"status":` + status + `}}]}}`,
			`{"request":{"url":"https://x/"},"response":{"status":` + status + `}}`,
			`{"request":{"url":"https://x/"},"response":{"status":200},"app":{"status":` + status + `}}`,
		} {
			if _, err := read([]byte(text)); err == nil || !strings.Contains(err.Error(), "status "+status) {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	for text, want := range map[string]time.Duration{
		`{"log":{"entries":[{"time":1e300,"request":{"url":"https://x/"},"response":{"status":200}}]}}`: 0,
		`{"log":{"entries":[{"time":-1,"request":{"url":"https://x/"},"response":{"status":200}}]}}`:    0,
		`{"log":{"entries":[{"time":1.5,"request":{"url":"https://x/"},"response":{"status":200}}]}}`:   1500 * time.Microsecond,
		`{"request":{"url":"https://x/"},"response":{"status":200,"took_ns":-7}}`:                       0,
	} {
		list, err := read([]byte(text))
		if err != nil || len(list) != 1 || list[0].Response.Took != want {
			t.Errorf("%s: %v, %v", text, list, err)
		}
	}
}

// What is exported, imported into a store with other numbers and exported again
// is the same, also of what is imported twice over.
func TestThereAndBack(t *testing.T) {
	for _, f := range []Format{HAR, NDJSON} {
		first := written(t, f, samples())
		text := first
		for range 3 {
			list, err := read(text)
			if err != nil || len(list) != len(samples()) {
				t.Fatalf("%s: %d exchanges, %v", f, len(list), err)
			}
			for i, ex := range list {
				if ex.Origin != recorder.Import || ex.Seq != 0 {
					t.Errorf("%s: origin %s, number %d", f, ex.Origin, ex.Seq)
				}
				ex.Seq = uint64(100 + i)
			}
			// as a journal keeps it
			for _, ex := range list {
				kept, err := json.Marshal(ex)
				if err == nil {
					err = json.Unmarshal(kept, ex)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if text = written(t, f, list); !bytes.Equal(text, first) {
				t.Fatalf("%s: became\n%s\nwant\n%s", f, text, first)
			}
		}
	}
	list, err := read(written(t, NDJSON, samples()))
	if err != nil {
		t.Fatal(err)
	}
	if har := written(t, HAR, list); !bytes.Equal(har, written(t, HAR, samples())) {
		t.Error("by way of NDJSON the HAR is another")
	}
	if text := written(t, HAR, nil); !json.Valid(text) {
		t.Errorf("a HAR of nothing: %s", text)
	}
}

// A HAR says in its own words what _devhook says.
func TestHARWithoutDevhook(t *testing.T) {
	var har map[string]any
	if err := json.Unmarshal(written(t, HAR, samples()), &har); err != nil {
		t.Fatal(err)
	}
	for _, e := range har["log"].(map[string]any)["entries"].([]any) {
		delete(e.(map[string]any), "_devhook")
	}
	text, _ := json.Marshal(har)
	list, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range samples() {
		got := list[i]
		if !bytes.Equal(got.Request.Body.Bytes, want.Request.Body.Bytes) || !got.At.Equal(want.At) || got.Request.Headers.Get("Content-Type") != want.Request.Headers.Get("Content-Type") {
			t.Errorf("%d: %+v", i, got.Request)
		}
		if want.Response != nil && (got.Response.Status != want.Response.Status || !bytes.Equal(got.Response.Body.Bytes, want.Response.Body.Bytes) || got.Outcome != recorder.Answered) {
			t.Errorf("%d: %+v", i, got.Response)
		}
		if want.Response == nil && (got.Response != nil || got.Outcome != recorder.Unreachable) {
			t.Errorf("%d: outcome %s", i, got.Outcome)
		}
	}
}

// As a browser writes it: HTTP/2, params, a fragment, a compressed answer.
func TestHAROfABrowser(t *testing.T) {
	list, err := read([]byte(`{"log":{"version":"1.2","pages":[{"id":"p"}],"entries":[{"startedDateTime":"2026-11-21T13:00:00.5+01:00","time":12.5,
"request":{"method":"POST","url":"https://a.example/x?y#z","httpVersion":"h2","headers":[{"name":":authority","value":"a.example"},{"name":":path","value":"/x"},{"name":"x-a","value":"1"}],
"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"&"}]}},
"response":{"status":200,"headers":[{"name":"content-encoding","value":"gzip"},{"name":"set-cookie","value":"a=1\nb=2"}],"content":{"text":"aGk=","encoding":"base64"}}},
{"startedDateTime":"2026-11-21T13:00:00Z","request":{"method":"POST","url":"https://a.example/","postData":{"mimeType":"multipart/form-data; boundary=lost",
"params":[{"name":"a","value":"1"},{"name":"f","fileName":"f.txt","contentType":"text/plain","value":"x"}]}},"response":{"status":200}}],"comment":""},"x":1}`))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	form := http.Request{Method: "POST", Header: list[1].Request.Headers, Body: io.NopCloser(bytes.NewReader(list[1].Request.Body.Bytes))}
	if file, head, err := form.FormFile("f"); err != nil || head.Filename != "f.txt" || head.Size != 1 || form.FormValue("a") != "1" {
		t.Errorf("%v, %v: %s", file, err, list[1].Request.Body.Bytes)
	}
	if c := list[0].Response.Headers["Set-Cookie"]; !slices.Equal(c, []string{"a=1", "b=2"}) {
		t.Errorf("cookies %q", c)
	}
	ex := list[0]
	if ex.Request.URL != "https://a.example/x?y" || ex.Request.Headers.Get("X-A") != "1" || ex.Request.Headers.Get("Host") != "a.example" || len(ex.Request.Headers) != 3 ||
		string(ex.Request.Body.Bytes) != "a+b=%26" || string(ex.Response.Body.Bytes) != "hi" || ex.Response.Headers.Get("Content-Encoding") != "" || ex.Response.Took != 12500*time.Microsecond {
		t.Errorf("%+v %+v", ex.Request, ex.Response)
	}
}

// What mitmdump has written is what has passed, byte for byte. A flow of TCP, which is left
// out, and one that failed are added by hand.
func TestFlows(t *testing.T) {
	text, err := os.ReadFile("testdata/mitmproxy-8.1.1.flows")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, `13:4:type;3:tcp;}129:4:type;4:http;7:request;73:6:method;3:GET;6:scheme;5:https;4:host;6:a.test;4:port;3:443#4:path;2:/x;}5:error;16:3:msg;7:timeout;}}`...)
	var skipped []string
	clear(framesOf)
	r := Reader{Now: noon, Skipped: func(text string) { skipped = append(skipped, text) }, Frames: func(ex *recorder.Exchange, frames []recorder.Frame) { framesOf[ex.ID] = frames }}
	var list []*recorder.Exchange
	for ex, err := range r.Read(bytes.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ex)
	}
	if len(list) != 3 || len(skipped) != 1 {
		t.Fatalf("%d exchanges, and %q", len(list), skipped)
	}
	a, ws, failed := list[0], list[1], list[2]
	body, err := gzip.NewReader(bytes.NewReader(a.Request.Body.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if plain, _ := io.ReadAll(body); string(plain) != `{"a":1}` || a.Request.URL != "http://hooks.example.com/hooks//a?b=%zz&c" || a.Request.Headers.Get("X-Latin") != "caf\xe9" ||
		fmt.Sprint(a.Request.Headers["X-Two"]) != "[1 2]" || a.Response.Status != 202 || string(a.Response.Body.Bytes) != "ok" || a.Response.Took <= 0 || a.At.Year() != 2026 || a.Request.Remote == "" {
		t.Errorf("%+v %+v", a, a.Response)
	}
	frames := framesOf[ws.ID]
	if len(frames) != 2 || frames[0].Dir != recorder.In || string(frames[0].Body) != "hi" || frames[1].Op != recorder.OpBinary || string(frames[1].Body) != "\x00\xff" {
		t.Errorf("%+v", frames)
	}
	if failed.Request.URL != "https://a.test/x" || failed.Outcome != recorder.Unreachable || !strings.Contains(failed.Detail, "timeout") || !failed.Request.Truncated {
		t.Errorf("%+v", failed)
	}
}

// Names of headers are as in recordings, however a file spells them: else no signature is found under them.
func TestHeadersOfJSON(t *testing.T) {
	list, err := read([]byte(`{"request":{"url":"http://x.example/","headers":{"TikTok-Signature":["t=1"],"x-a":["2"],"X-A":["1"]}},"response":{"status":200,"headers":{"content-type":["a/b"]}}}`))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	h := list[0].Request.Headers
	if h.Get("TikTok-Signature") != "t=1" || !slices.Equal(h.Values("X-A"), []string{"1", "2"}) || len(h) != 2 || list[0].Response.Headers.Get("Content-Type") != "a/b" {
		t.Errorf("got %v, %v", h, list[0].Response.Headers)
	}
}

// What a browser loads without HTTP is passed over.
func TestSkipped(t *testing.T) {
	var skipped []string
	r := Reader{Now: noon, Skipped: func(text string) { skipped = append(skipped, text) }}
	n := 0
	for _, err := range r.Read(strings.NewReader(`{"log":{"entries":[{"request":{"url":"data:image/png;base64,AA"}},{"request":{"url":"https://x/"}},{"request":{"url":"wss://x/"}}]}}`)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 || fmt.Sprint(skipped) != "[entry 1 is left out: data: is not HTTP entry 3 is left out: wss: is not HTTP]" {
		t.Errorf("%d, and %q", n, skipped)
	}
}

// deepFlow is a flow with so many lists in each other.
func deepFlow(n int) string {
	list := "0:~"
	for range n {
		list = fmt.Sprintf("%d:%s]", len(list), list)
	}
	list = "4:type;4:http;1:x;" + list
	return fmt.Sprintf("%d:%s}", len(list), list)
}

// Where a flow lacks the time at which its request began, it has not taken as long as since
// the year 1, and what is no number is no time.
func TestFlowWithoutTimes(t *testing.T) {
	for _, start := range []string{"", "15:timestamp_start;3:nan^"} {
		member := func(name, value string) string {
			return fmt.Sprintf("%d:%s;%d:%s}", len(name), name, len(value), value)
		}
		flow := "4:type;4:http;" + member("request", "6:method;4:POST,6:scheme;5:https,9:authority;1:h,4:path;1:/,"+start) +
			member("response", "11:status_code;3:200#13:timestamp_end;12:1794924131.5^")
		list, err := read(fmt.Appendf(nil, "%d:%s}", len(flow), flow))
		if err != nil || len(list) != 1 || list[0].Response == nil || list[0].Response.Took != 0 || list[0].At.Year() < 2020 {
			t.Errorf("%q: %v, %v", start, list, err)
		}
	}
}

// Of what devhook up --json has printed the exchanges are read, and other lines are none. A
// member "type" beside a request is one that is not known.
func TestLinesOfUp(t *testing.T) {
	list, err := read([]byte(`{"v":1,"type":"ready","url":"https://x.example","forward":["http://127.0.0.1:3000"]}
{"v":1,"type":"exchange","exchange":{"v":1,"request":{"method":"PUT","url":"https://x/1"}}}
{"type":"odd","request":{"url":"https://x/2"}}
{"v":1,"type":"end","exchanges":1}
`))
	if err != nil || len(list) != 2 || list[0].Request.Method != "PUT" || list[0].Request.URL != "https://x/1" || list[1].Request.URL != "https://x/2" {
		t.Errorf("read %v, %v", list, err)
	}
}

// Errors say where, and what to do.
func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "the file is empty",
		"\n":                              "the file is empty",
		"4096:9:websocket;0:~8:response;": "flow 1: the file ends in the middle of it",
		"14:4:type;4:http;}":              "flow 1: its URL",
		deepFlow(60):                      "flow 1: it is no tnetstring",
		"14:4:type;4:http;]":              "flow 1: it is no tnetstring",
		"14:4:type;9:http;}":              "flow 1: it is no tnetstring",
		"13:4:type;3:tcp;}x":              "flow 2: it is no tnetstring",
		"hello":                           "neither HAR",
		"{}":                              "line 1, column 1: exchange 1: it has no request",
		`{"info":{"name":"a collection of Postman"},"item":[]}`:                                "copy a request as cURL",
		"### a\nPOST https://x/\n":                                                             "neither HAR",
		"{\"request\":{\"url\":\"https://x/\"}}\n{\"request\":3}":                              "line 2, column 1: exchange 2: request is a number",
		"{\"request\":{\"url\":\"https://x/\"}}\n{\"request\":{\"url\":\"/x\"}}":               "line 2, column 1: exchange 2: its URL",
		"{\"request\":{\"url\":\"https://x/\"}}\n\n{\"a\":]":                                   "line 3, column 6: exchange 2: invalid character",
		`{"request":{"url":"https://x/"`:                                                       "the file ends in the middle",
		`{"request":{"url":"https://x/","body":{"sha256":"` + strings.Repeat("a", 64) + `"}}}`: "in a file of a store",
		`{"request":{"url":"https://x/","method":"G T"}}`:                                      "its method",
		`{"request":{"url":"https://x/","proto":"HTTP/1.1\r\nA: b"}}`:                          "its protocol",
		`{"request":{"url":"file:///etc/passwd"}}`:                                             "its URL",
		`{"request":{"url":"https://x/","headers":{"A\r\nB":["c"]}}}`:                          "no name of a header",
		`{"request":{"url":"https://x/","headers":{"A":["c\r\nd"]}}}`:                          "line break",
		`{"request":{"url":"https://x/"},"outcome":"odd"}`:                                     "its outcome",
		`{"v":9,"request":{"url":"https://x/"}}`:                                               "newer devhook",
		`{"at":"1900-01-01T00:00:00Z","request":{"url":"https://x/"}}`:                         "in the year 1900",
		`{"at":"2262-01-01T00:00:00Z","request":{"url":"https://x/"}}`:                         "in the year 2262",
		`{"v":1,"log":{"entries":[{"request":{"url":"https://x/"}}]}}`:                         `a HAR has "log" before everything else`,
		`{"log":{}}`:             "this HAR has no entries",
		`{"log":{"entries":{}}}`: "want [",
		`{"log":{"entries":[{"request":{"url":"https://x/"}},{"request":{"url":"/x"}}]}}`:                     "entry 2: its URL",
		`{"log":{"entries":[{"request":{"url":"https://x/","postData":{"text":"§","_encoding":"base64"}}}]}}`: "is not base64",
		`{"a":` + strings.Repeat("[", 20_000):                                                                 "exceeded max depth",
		"POST / HTTP/1.1\nContent-Length: 5\n\nab":                                                            "Content-Length is 5",
	} {
		list, err := read([]byte(text))
		if err == nil {
			t.Errorf("%.60s: read as %v", text, list)
			continue
		}
		said := err.Error()
		if e := new(Error); errors.As(err, &e) {
			said += " " + e.Hint
		}
		if !strings.Contains(said, want) {
			t.Errorf("%.60s: %s, want %s", text, said, want)
		}
	}
}

// Nothing of a webhook gets out of the quotes, lines and comments that it is
// written in.
func TestHostile(t *testing.T) {
	for _, f := range []Format{Curl, HTTP, Hurl} {
		text := string(written(t, f, samples()))
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == '\u202e' || r == 0xFFFD }); i >= 0 {
			t.Errorf("%s: %q is in it", f, text[i:i+10])
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "# y") || strings.HasPrefix(line, "; rm") {
				t.Errorf("%s: the comment ended: %s", f, line)
			}
		}
	}
	if got := strings.Count(string(written(t, HTTP, samples())), "###"); got != len(samples()) {
		t.Errorf("%d requests in the .http file", got)
	}
	w := NewWriter(new(bytes.Buffer), HTTP)
	if err := w.Write(samples()[1]); err == nil {
		t.Error("a binary body stands in a .http file")
	}
}

// A curl command that was exported is read as the request it was made of, where
// its body is no other program's.
func TestCurlThereAndBack(t *testing.T) {
	ex := samples()[0]
	list, err := read(written(t, Curl, []*recorder.Exchange{ex, ex}))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	got := list[1].Request
	want := ex.Request.Headers.Clone()
	want.Set("Content-Length", fmt.Sprint(ex.Request.Size))
	if got.URL != ex.Request.URL || !bytes.Equal(got.Body.Bytes, ex.Request.Body.Bytes) || got.Method != "POST" || fmt.Sprint(got.Headers) != fmt.Sprint(want) {
		t.Errorf("got %+v\nwant %+v", got, ex.Request)
	}
	whole := &recorder.Exchange{Request: recorder.Request{Method: "OPTIONS", URL: "https://x.example", Proto: "HTTP/1.1"}}
	text := written(t, Curl, []*recorder.Exchange{whole})
	list, err = read(text)
	if err != nil || len(list) != 1 || list[0].Request.URL != whole.Request.URL || list[0].Request.Target() != "*" || !bytes.Contains(text, []byte("--request-target '*'")) {
		t.Errorf("OPTIONS * is read as %+v, %v, of %s", list, err, text)
	}
	ex.Request.Method, ex.Request.Body, ex.Request.Headers = "HEAD", recorder.Body{}, http.Header{"Content-Length": {"0"}}
	if text := written(t, Curl, []*recorder.Exchange{ex}); !bytes.Contains(text, []byte("--head")) || bytes.Contains(text, []byte("--data")) {
		t.Errorf("curl takes no data beside --head, not even none: %s", text)
	}
}

func TestFormats(t *testing.T) {
	if err := NewWriter(new(bytes.Buffer), "xml").Write(samples()[0]); err == nil || !slices.Contains(Formats(), HAR) {
		t.Error("xml is written")
	}
}

// However many lines there are, few are remembered, and one exchange is no more
// than it may be.
func TestPosition(t *testing.T) {
	text := strings.Repeat("ab\n", 1000) + "cd"
	p := &position{in: strings.NewReader(text), most: 1 << 20, keep: 10}
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{p}); err != nil {
		t.Fatal(err)
	}
	if line, column := p.of(3001); line != 1001 || column != 2 || len(p.lines) > 10 {
		t.Errorf("line %d, column %d, with %d lines in memory", line, column, len(p.lines))
	}
	p = &position{in: strings.NewReader(strings.Repeat("x", 1000)), most: 100, keep: 10}
	buf := make([]byte, 60)
	for i, want := range []error{nil, nil, errTooLarge} {
		if _, err := p.Read(buf); err != want {
			t.Errorf("read %d: %v", i, err)
		}
	}
	p.next()
	if _, err := p.Read(buf); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, format := range Formats() {
		var b bytes.Buffer
		w := NewWriter(&b, format)
		w.Write(samples()[0])
		w.Close()
		f.Add(b.Bytes())
	}
	f.Add([]byte("13:4:type;3:tcp;}52:4:type;4:http;7:request;24:4:port;3:443#4:path;2:/x,}}"))
	f.Add([]byte("curl -sSLX PUT 'a.example' -d @x -F 'a=b;type=c' -u a:b $'\\x41\\u00e9' \\\n --json \"{\\\"a\\\"}\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := read(text)
		if err != nil || len(list) == 0 { // an empty file is an error
			return
		}
		for _, format := range []Format{HAR, NDJSON} { // what was read can be handed on
			first := written(t, format, list)
			again, err := read(first)
			if err != nil {
				t.Fatalf("%s: %v\n%s", format, err, first)
			}
			if second := written(t, format, again); !bytes.Equal(first, second) {
				t.Errorf("%s: %s\nbecame\n%s", format, first, second)
			}
		}
		for _, format := range []Format{Curl, HTTP, Hurl} {
			written(t, format, list)
		}
	})
}
