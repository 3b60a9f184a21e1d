package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// source is a webhook of TikTok, as it was recorded.
func source() *recorder.Exchange {
	body := `{"event":"video.publish.completed" , "create_time":1615338610,"big":12345678901234567890,` +
		`"content":"{\"share_id\":\"v.1\",\"n\":[1.50,{\"a\":\"é\/\"}]}","a":1,"a":2}`
	return &recorder.Exchange{
		ID: "01JABCDEFGHJKMNPQRSTVWXYZ0", Seq: 7, Provider: "tiktok", Event: "video.publish.completed",
		Target: "http://127.0.0.1:3000/base/hooks/tiktok?x=1&y=%zz",
		Request: recorder.Request{
			Method: "POST", URL: "https://me.ngrok.app/hooks/tiktok?x=1&y=%zz", Proto: "HTTP/1.1",
			Headers: http.Header{
				"Host": {"me.ngrok.app"}, "Content-Type": {"application/json"}, "X-A": {"1", "2"},
				"Content-Length": {"200"}, "Tiktok-Signature": {"t=1,s=00"},
			},
			Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body)),
		},
		Response: &recorder.Response{Status: 200, Body: recorder.Body{Bytes: []byte("ok")}, Size: 2},
	}
}

var now = time.Unix(1_800_000_000, 0)

func tiktok(t *testing.T) (verify.Provider, verify.Keys) {
	t.Helper()
	p, ok := verify.Lookup("tiktok")
	if !ok {
		t.Fatal("no tiktok")
	}
	return p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("client secret")}}
}

func mustParse(t *testing.T, list ...string) []Mutation {
	t.Helper()
	var all []Mutation
	for _, text := range list {
		m, err := Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		all = append(all, m)
	}
	return all
}

// What is changed is changed, every other byte stays, and the source, too.
func TestMutations(t *testing.T) {
	body := string(source().Request.Body.Bytes)
	swap := func(old, new string) string {
		if strings.Count(body, old) != 1 {
			t.Fatalf("%q is not there once", old)
		}
		return strings.Replace(body, old, new, 1)
	}
	for _, tt := range []struct {
		change string
		want   string // the body
	}{
		{"set create_time=50.00", swap("1615338610", "50.00")},
		{"set create_time=soon", swap("1615338610", `"soon"`)},
		{"set create_time=", swap("1615338610", `""`)},
		{"set create_time=\"a\"", swap("1615338610", `"a"`)},
		{"set create_time={\"a\": 1}", swap("1615338610", `{"a": 1}`)},
		{"set-string create_time=7", swap("1615338610", `"7"`)},
		{"set content.share_id=a\"b", swap(`\"v.1\"`, `\"a\\\"b\"`)},
		{"set content.n.0=2", swap("1.50", "2")},
		{"set content.n.1.a=x=y", swap(`\"é\/\"`, `\"x=y\"`)},
		{"set a=3", swap(`"a":2`, `"a":3`)}, // of duplicates the last
		{"create x.y=1", swap(`"a":2}`, `"a":2,"x":{"y":1}}`)},
		{"create-string x=1", swap(`"a":2}`, `"a":2,"x":"1"}`)},
		{"unset create_time", swap(` "create_time":1615338610,`, ` `)},
		{"unset content.share_id", swap(`\"share_id\":\"v.1\",`, "")},
		{"body hello", "hello"},
		{"body base64:/w==", "\xff"},
	} {
		src := source()
		ex, err := Plan{Source: src, Origin: recorder.Replay, Mutations: mustParse(t, tt.change), Sign: SignNever}.Build(nil, now)
		if err != nil {
			t.Errorf("%s: %v", tt.change, err)
			continue
		}
		if got := string(ex.Request.Body.Bytes); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.change, got, tt.want)
		}
		if ex.Request.Size != int64(len(tt.want)) || ex.Request.Headers.Get("Content-Length") != strconv.Itoa(len(tt.want)) {
			t.Errorf("%s: size %d, Content-Length %s", tt.change, ex.Request.Size, ex.Request.Headers.Get("Content-Length"))
		}
		if ex.Parent != src.ID || !reflect.DeepEqual(ex.Changes, []string{tt.change}) || ex.Origin != recorder.Replay {
			t.Errorf("%s: %s of %s, changes %q", tt.change, ex.Origin, ex.Parent, ex.Changes)
		}
		if !reflect.DeepEqual(src, source()) {
			t.Fatalf("%s: the source has changed", tt.change)
		}
	}
}

func TestMutationsOfTheRest(t *testing.T) {
	for _, tt := range []struct {
		change string
		want   func(r *recorder.Request)
	}{
		{"method PUT", func(r *recorder.Request) { r.Method = "PUT" }},
		{"path /other", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/other?x=1&y=%zz" }},
		{"path /other?a", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/other?a" }},
		{"path /a/%2F//b", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/a/%2F//b?x=1&y=%zz" }},
		{"query x=a b&c", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/hooks/tiktok?x=a+b%26c&y=%zz" }},
		{"query new=1", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/hooks/tiktok?x=1&y=%zz&new=1" }},
		{"header X-A: 3", func(r *recorder.Request) { r.Headers["X-A"] = []string{"3"} }},
		{"header x-b:", func(r *recorder.Request) { r.Headers["X-B"] = []string{""} }},
		{"add-header X-A: 3", func(r *recorder.Request) { r.Headers["X-A"] = []string{"1", "2", "3"} }},
		{"unset-header x-a", func(r *recorder.Request) { delete(r.Headers, "X-A") }},
		{"header Host: b.example", func(r *recorder.Request) {
			r.Headers["Host"] = []string{"b.example"}
			r.URL = "https://b.example/hooks/tiktok?x=1&y=%zz"
		}},
		{"path /a?", func(r *recorder.Request) { r.URL = "https://me.ngrok.app/a" }},
	} {
		want := source().Request
		want.Headers["Content-Length"] = []string{strconv.Itoa(int(want.Size))}
		tt.want(&want)
		ex, err := Plan{Source: source(), Mutations: mustParse(t, tt.change), Sign: SignNever}.Build(nil, now)
		if err != nil {
			t.Errorf("%s: %v", tt.change, err)
		} else if !reflect.DeepEqual(ex.Request, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.change, ex.Request, want)
		}
	}
	bare := &recorder.Exchange{Request: recorder.Request{Method: "POST", URL: "https://me.ngrok.app/"}}
	ex, err := Plan{Source: bare, Mutations: mustParse(t, "header X-A: 3"), Sign: SignNever}.Build(nil, now)
	if err != nil || ex.Request.Headers.Get("X-A") != "3" {
		t.Errorf("of a request without headers: %+v, %v", ex, err)
	}
}

func TestLargeBodyIsNotRead(t *testing.T) {
	large := Body([]byte(strings.Repeat("x", 2000)))
	if _, err := Parse(large.String()); err == nil || len(large.String()) > 200 {
		t.Errorf("a large body says %.80q, and that is read", large)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "unknown change",
		"sett a=1":                 "near: set",
		"set a":                    "there is no =",
		"set =1":                   "empty",
		"set a..b=1":               "a name is empty",
		"unset ":                   "empty",
		"header X":                 "no colon",
		"header a b: c":            "not the name of a header",
		"header X: a\r\nB: c":      "no line breaks",
		"unset-header":             "not the name of a header",
		"query a":                  "no =",
		"method CONNECT":           "is for proxies",
		"header content-length: 5": "follows from the body",
		"header Connection: x":     "of one connection",
		"method GE T":              "not a method",
		"path x":                   "does not begin with a /",
		"path /a b":                `" " cannot stand in a path`,
		"path /a\r\nX: y":          "cannot stand in a path",
		"path /a%zz?b=%zz":         `invalid URL escape "%zz"`,
		"body base64:!":            "illegal base64",
	} {
		var e *Error
		if m, err := Parse(text); !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", text, m, err, want)
		}
	}
}

// What cannot be done is an error that says what there is instead.
func TestBuildRefuses(t *testing.T) {
	for _, tt := range []struct {
		change, want, hint string
		edit               func(ex *recorder.Exchange)
	}{
		{change: "set create_tme=1", want: "create_tme: not there (the document has create_time", hint: "--create"},
		{change: "set content.share=1", want: "content.share: not there (content has share_id", hint: "--create"},
		{change: "unset nope", want: "nope: not there"},
		{change: "set a=1", want: "there is no body", edit: func(ex *recorder.Exchange) { ex.Request.Body = recorder.Body{} }},
		{change: "set a=b=1", want: "a: not there", hint: `a = in a name is written \=, as in a\=b`, edit: func(ex *recorder.Exchange) { ex.Request.Body.Bytes = []byte(`{"a=b":0}`) }},
		{change: "set a=1", want: "not JSON: line 1, column 1", hint: "--body @FILE", edit: func(ex *recorder.Exchange) { ex.Request.Body.Bytes = []byte("a=1&b=2") }},
		{change: "set a=1", want: "compressed (Content-Encoding: gzip)", edit: func(ex *recorder.Exchange) {
			ex.Request.Body.Bytes = []byte("\x1f\x8b")
			ex.Request.Headers["Content-Encoding"] = []string{"gzip"}
		}},
		{change: "method PUT", want: "recording #7 of 900 bytes cannot be sent again: not all of its body was kept", hint: "--body @FILE", edit: func(ex *recorder.Exchange) {
			ex.Request.Truncated, ex.Request.Size = true, 900
		}},
	} {
		src := source()
		if tt.edit != nil {
			tt.edit(src)
		}
		_, err := Plan{Source: src, Mutations: mustParse(t, tt.change), Sign: SignNever}.Build(nil, now)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, tt.want) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%s: %v (%+v), want %q and a hint with %q", tt.change, err, e, tt.want, tt.hint)
		}
	}
	whole := source()
	whole.Request.Truncated = true
	if _, err := (Plan{Source: whole, Mutations: mustParse(t, "body x"), Sign: SignNever}).Build(nil, now); err != nil {
		t.Errorf("with a body of its own: %v", err)
	}
}

// What is sent is signed anew, and what was named by hand stays as it was given.
func TestSigning(t *testing.T) {
	p, keys := tiktok(t)
	signer := Keys(p, keys)
	old := source().Request.Headers.Get("Tiktok-Signature")
	for _, tt := range []struct {
		name    string
		mode    SignMode
		signer  Signer
		changes []string
		at      time.Time
		valid   bool
		header  string // of the signature; "": a new one
	}{
		{name: "auto", mode: SignAuto, signer: signer, valid: true},
		{name: "the zero value", signer: signer, valid: true},
		{name: "changed", signer: signer, changes: []string{"set create_time=1", "unset a"}, valid: true},
		{name: "always", mode: SignAlways, signer: signer, valid: true},
		{name: "never", mode: SignNever, signer: signer, header: old},
		{name: "no secret", signer: Keys(p, verify.Keys{}), header: old},
		{name: "at another time", signer: signer, at: now.Add(-time.Hour)},
		{name: "its own signature", signer: signer, changes: []string{"header tiktok-signature: t=1,s=11"}, header: "t=1,s=11"},
		{name: "none", signer: signer, changes: []string{"unset-header TikTok-Signature"}, header: "-"},
	} {
		var list []Mutation
		for _, c := range tt.changes {
			list = append(list, mustParse(t, c)...)
		}
		ex, err := Plan{Source: source(), Mutations: list, Sign: tt.mode, At: tt.at}.Build(tt.signer, now)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		m, err := ex.Request.Message()
		if err != nil {
			t.Fatal(err)
		}
		if v := p.Scheme.Verify(m, keys, now); (v.Status == verify.Valid) != tt.valid {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if !tt.at.IsZero() {
			if v := p.Scheme.Verify(m, keys, tt.at); v.Status != verify.Valid {
				t.Errorf("%s, then: %+v", tt.name, v)
			}
		}
		got := ex.Request.Headers.Get("Tiktok-Signature")
		if tt.header == "" && got == old || tt.header == "-" && got != "" || tt.header != "" && tt.header != "-" && got != tt.header {
			t.Errorf("%s: the signature is %q", tt.name, got)
		}
	}
	unknown := source()
	unknown.Provider = ""
	for name, plan := range map[string]struct {
		p      Plan
		signer Signer
	}{
		"no secret":           {Plan{Source: source()}, Keys(p, verify.Keys{})},
		"no provider":         {Plan{Source: unknown}, signer},
		"an unknown provider": {Plan{Source: source()}, func(string) (verify.Provider, verify.Keys, bool) { return verify.Provider{}, verify.Keys{}, false }},
	} {
		plan.p.Sign = SignAlways
		var e *Error
		if _, err := plan.p.Build(plan.signer, now); !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a provider never signs is sent without a signature, unless one is asked for.
func TestNeverSigned(t *testing.T) {
	p, _ := verify.Lookup("mollie")
	signer := Keys(p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("s3cret")}})
	classic := &recorder.Exchange{Provider: "mollie", Request: recorder.Request{
		Method: "POST", URL: "https://example.com/hooks", Headers: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: recorder.Body{Bytes: []byte("id=tr_d0b0E3EA3v")}, Size: 16,
	}}
	for mode, want := range map[SignMode]bool{SignAuto: false, "": false, SignAlways: true} {
		ex, err := Plan{Source: classic, Sign: mode}.Build(signer, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := ex.Request.Headers.Get("X-Mollie-Signature") != ""; got != want {
			t.Errorf("%q: signed is %v", mode, got)
		}
	}
}

// A parameter that is named stays as it is given, also where the signature would
// stand; one that another change has replaced does not come back.
func TestNamedParameterStays(t *testing.T) {
	p, ok := verify.Lookup("tencent-live")
	if !ok {
		t.Fatal("no tencent-live")
	}
	signer := Keys(p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("token")}})
	for _, tt := range []struct {
		changes []string
		query   string // without what is signed anew
	}{
		{[]string{"query Sign=00"}, "a=1&RequestTime=1800000000&Sign=00"},
		{[]string{"query RequestTime=7", "query Sign=00", "query a=%"}, "a=%25&RequestTime=7&Sign=00"},
		{[]string{"query Sign=00", "path /x?b=2&RequestTime=1"}, "b=2&RequestTime=1800000000&Sign=" + signed},
	} {
		src := source()
		src.Provider = "tencent-live"
		src.Request.URL = "https://me.ngrok.app/cb?a=1&RequestTime=1&Sign=11"
		ex, err := Plan{Source: src, Mutations: mustParse(t, tt.changes...)}.Build(signer, now)
		if err != nil {
			t.Errorf("%q: %v", tt.changes, err)
			continue
		}
		if _, query, _ := strings.Cut(ex.Request.URL, "?"); query != tt.query {
			t.Errorf("%q: the query is %s, want %s", tt.changes, query, tt.query)
		}
	}
}

// signed is the SHA-256 of token1800000000, in hexadecimal digits.
const signed = "dd8699c7175cbb806ab1ef3e568e606f525db9ed3e52d8bc15eb624fae1d656e"

func TestDoubt(t *testing.T) {
	for text, want := range map[string]string{
		`set a={"x":1`:           "the text ends too soon",
		`create a=[1,2`:          "the text ends too soon",
		`set a="x`:               "the text ends too soon",
		`set a={x:1}`:            "a name in double quotes is missing",
		`set a={"x":1}`:          "",
		`set a=x`:                "",
		`set a=`:                 "",
		`set a=01`:               "",
		`set-string a={"x":1`:    "",
		`header A: {"x":1`:       "",
		`create-string a=["x":1`: "",
	} {
		if got := Doubt(mustParse(t, text)[0]); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAppOf(t *testing.T) {
	src := source()
	if app, ok := AppOf(src); !ok || app.String() != "http://127.0.0.1:3000/base" {
		t.Errorf("%v, %v", app, ok)
	}
	for target, from := range map[string]string{"http://127.0.0.1:1/base?q": "http://h/?q", "http://127.0.0.1:1/base": "http://h/", "http://127.0.0.1:1/base/x": "http://h/x"} {
		if app, ok := AppOf(&recorder.Exchange{Target: target, Request: recorder.Request{URL: from}}); !ok || app.String() != "http://127.0.0.1:1/base" {
			t.Errorf("%s: %v, %v", target, app, ok)
		}
	}
	for _, target := range []string{"", "http://127.0.0.1:3000/other"} {
		src.Target = target
		if app, ok := AppOf(src); ok {
			t.Errorf("%q: %v", target, app)
		}
	}
	src.Request.URL, src.Target = "http://h", "http://127.0.0.1:1/"
	if app, ok := AppOf(src); !ok || *app != (url.URL{Scheme: "http", Host: "127.0.0.1:1"}) {
		t.Errorf("%v, %v", app, ok)
	}
}

func TestExpectations(t *testing.T) {
	answered := func(status int, body string) *recorder.Exchange {
		return &recorder.Exchange{Outcome: recorder.Answered, Response: &recorder.Response{Status: status, Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body))}}
	}
	for _, tt := range []struct {
		want string
		sent *recorder.Exchange
		why  string
	}{
		{"2xx", answered(204, ""), ""},
		{"2XX", answered(204, ""), ""},
		{"200", answered(201, ""), "expected 200, got 201"},
		{"200, 404", answered(404, ""), ""},
		{"50x", answered(503, ""), ""},
		{"same", answered(200, "ok"), ""},
		{"same", answered(201, "ok"), "status 201 was 200"},
		{"same", answered(200, "no"), "its body of 2 bytes differs"},
		{"5xx", &recorder.Exchange{Outcome: recorder.Unreachable, Response: &recorder.Response{Status: 502}}, "did not answer"},
	} {
		e, err := ParseExpectation(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if why := e.Check(tt.sent, source()); (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("%s of %d: %q, want %q", tt.want, tt.sent.Response.Status, why, tt.why)
		}
	}
	for _, text := range []string{"", "ok", "20", "2xxx", "600", "200,", "xxx", "-20"} {
		if _, err := ParseExpectation(text); err == nil {
			t.Errorf("%q is an expectation", text)
		}
	}
	if why := (Expectation{}).Check(answered(500, ""), source()); why != "" {
		t.Errorf("nothing is expected, and %s", why)
	}
}

// What an editor makes of a message is what is sent.
func TestEdit(t *testing.T) {
	src := source()
	text, err := EditText(&src.Request)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "Content-Length") {
		t.Error("the length is there to edit")
	}
	same, err := ParseEdit(&src.Request, append(text, '\n')) // as editors end a text
	if err != nil || len(same) != 0 {
		t.Errorf("nothing was edited, and %v, %v", same, err)
	}
	edited := strings.NewReplacer(
		"POST /hooks/tiktok?x=1&y=%zz", "PUT /hooks/tiktok?x=2", "X-A: 2\n", "", "Content-Type: application/json", "Content-Type: text/plain\nX-New: n",
		"Tiktok-Signature: t=1,s=00\n", "", "1615338610", "5",
	).Replace(string(text))
	changes, err := ParseEdit(&src.Request, []byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	ex, err := Plan{Source: src, Mutations: changes, Sign: SignNever}.Build(nil, now)
	if err != nil {
		t.Fatal(err)
	}
	r := ex.Request
	want := http.Header{
		"Host": {"me.ngrok.app"}, "Content-Type": {"text/plain"}, "X-A": {"1"}, "X-New": {"n"},
		"Content-Length": {strconv.Itoa(int(r.Size))},
	}
	if r.Method != "PUT" || r.URL != "https://me.ngrok.app/hooks/tiktok?x=2" || !reflect.DeepEqual(r.Headers, want) ||
		string(r.Body.Bytes) != strings.Replace(string(source().Request.Body.Bytes), "1615338610", "5", 1) {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"", "hello", "POST\n\nx", "{}"} {
		if m, err := ParseEdit(&src.Request, []byte(bad)); err == nil {
			t.Errorf("%q is taken: %v", bad, m)
		}
	}
	src.Request.Body.Bytes = []byte("a\x00b")
	if _, err := EditText(&src.Request); !errors.Is(err, ErrNotText) {
		t.Errorf("a binary body: %v", err)
	}
}

// A body that is not in memory is not taken for an empty one.
func TestLargeBody(t *testing.T) {
	src := source()
	src.Request.Body = recorder.Body{Sum: strings.Repeat("0", 64)}
	if text, err := EditText(&src.Request); !errors.Is(err, ErrNotText) || !strings.Contains(err.Error(), "32 MiB") {
		t.Errorf("%q, %v", text, err)
	}
	for _, change := range []string{"set a=1", "create a=1", "unset a"} {
		_, err := Plan{Source: src, Mutations: mustParse(t, change)}.Build(nil, now)
		if err == nil || !strings.Contains(err.Error(), "32 MiB") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func TestDiff(t *testing.T) {
	a, b := source().Request, source().Request
	if d := Diff(&a, &b); len(d) != 0 {
		t.Errorf("the same differs: %v", d)
	}
	ex, err := Plan{Source: source(), Sign: SignNever, Mutations: mustParse(t,
		"method PUT", "path /b", "query x=2", "header X-A: 1", "unset-header Tiktok-Signature", "set content.n.0=2", "create new=1", "unset event",
	)}.Build(nil, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{
		{"method", []string{"POST"}, []string{"PUT"}},
		{"path", []string{"/hooks/tiktok"}, []string{"/b"}},
		{"query x", []string{"1"}, []string{"2"}},
		{"header Content-Length", []string{"200"}, []string{"135"}},
		{"header Tiktok-Signature", []string{"t=1,s=00"}, nil},
		{"header X-A", []string{"1", "2"}, []string{"1"}},
		{"body content.n.0", []string{"1.50"}, []string{"2"}},
		{"body new", nil, []string{"1"}},
		{"body event", []string{`"video.publish.completed"`}, nil},
	}
	if got := Diff(&a, &ex.Request); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for query, want := range map[string][]Difference{
		"?y=%zz&x=1":   {{"query", []string{"x=1&y=%zz"}, []string{"y=%zz&x=1"}}}, // only the order
		"?x=1&x=2&z":   {{"query x", []string{"1"}, []string{"1", "2"}}, {"query y", []string{"%zz"}, nil}, {"query z", nil, []string{""}}},
		"?x=1&y=%7Azz": {{"query y", []string{"%zz"}, []string{"%7Azz"}}},
		"":             {{"query", []string{"x=1&y=%zz"}, nil}},
	} {
		other := a
		other.URL = "https://me.ngrok.app/hooks/tiktok" + query
		if got := Diff(&a, &other); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q\nwant %q", query, got, want)
		}
	}
	b.Body.Bytes = []byte("not JSON")
	if d := Diff(&a, &b); len(d) != 1 || d[0].What != "body" {
		t.Errorf("%q", d)
	}
}

// What has too many values is compared as a whole, and says so.
func TestDiffOfMuch(t *testing.T) {
	many := strings.Repeat("0,", 300_000)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for _, c := range []struct {
		h               http.Header
		a, b            string
		what, old, grew string
	}{
		{nil, `{"a":[` + many + `1]}`, `{"a":[` + many + `22]}`, "body a", `600003 bytes, from 600001 on "1]"`, `600004 bytes, from 600001 on "22]"`},
		{form, strings.Repeat("a&", 100_000) + "1", strings.Repeat("a&", 100_000) + "22", "body", `200001 bytes, from 200000 on "1"`, `200002 bytes, from 200000 on "22"`},
	} {
		message := func(body string) *recorder.Request {
			return &recorder.Request{Headers: c.h, Body: recorder.Body{Bytes: []byte(body)}}
		}
		want := []Difference{{c.what, []string{"too much to compare by value: " + c.old}, []string{"too much to compare by value: " + c.grew}}}
		if got := Diff(message(c.a), message(c.b)); !reflect.DeepEqual(got, want) {
			t.Errorf("%.500q, want %q", got, want)
		}
	}
}

func TestDiffResponse(t *testing.T) {
	a := &recorder.Response{Status: 200, Headers: http.Header{"X-A": {"1"}}, Body: recorder.Body{Bytes: []byte(`{"a":1,"s":"{\"b\":1}"}`)}}
	b := &recorder.Response{Status: 500, Headers: http.Header{"X-B": {"1"}}, Body: recorder.Body{Bytes: []byte(`{"s":"{\"b\":2}", "a":1}`)}}
	want := []Difference{
		{"status", []string{"200"}, []string{"500"}},
		{"header X-A", []string{"1"}, nil},
		{"header X-B", nil, []string{"1"}},
		{"body s.b", []string{"1"}, []string{"2"}},
	}
	if got := DiffResponse(a, b); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := DiffResponse(nil, a); len(got) != 3 || got[0].Old != nil {
		t.Errorf("%+v", got)
	}
	if got := DiffResponse(nil, nil); got != nil {
		t.Errorf("%+v", got)
	}
	form := func(body string) *recorder.Response {
		return &recorder.Response{Headers: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: recorder.Body{Bytes: []byte(body)}}
	}
	want = []Difference{{"body b", []string{"2"}, []string{"3"}}}
	if got := DiffResponse(form("a=1&b=2"), form("b=3&a=1")); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What is no UTF-8 is base64 in the JSON of a difference, and the rest stands as it is.
func TestDifferenceInJSON(t *testing.T) {
	list := Diff(
		&recorder.Request{Method: "POST", URL: "http://h/a", Headers: http.Header{"A": {"\xff<1>"}}},
		&recorder.Request{Method: "POST", URL: "http://h/a", Headers: http.Header{"A": {"<2>"}}},
	)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(b.String()); !strings.Contains(got, `"old":[{"base64":"/zwxPg=="}]`) || !strings.Contains(got, `"new":["<2>"]`) {
		t.Errorf("%s", got)
	}
}
