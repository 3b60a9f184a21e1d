package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// frame is an event of a stream, as a source hands it to Send.
func frame(body string) *recorder.Exchange {
	return &recorder.Exchange{
		At: time.Date(2026, 11, 21, 14, 2, 11, 0, time.UTC), Provider: "tuniform", Event: "donation", DeliveryID: "0123",
		Request: recorder.Request{
			Method: "POST", URL: "https://stream.test/hooks/tuniform", Proto: recorder.ProtoStream,
			Headers: http.Header{"Content-Type": {"application/json"}, "Host": {"stream.test"}},
			Body:    recorder.Body{Bytes: []byte(body)}, Size: int64(len(body)),
		},
	}
}

// An event of a stream goes where the routes have its path go, byte for byte and
// in mode strict, too; what is made of it later is still one.
func TestSendStream(t *testing.T) {
	var got []string
	a := app(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), b))
	})
	copies := make(chan string, 1)
	other := app(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		copies <- string(b)
	})
	rt := forwardTo(t, a)
	both := append(rt.Default.Forward, forwardTo(t, other).Default.Forward...)
	rt.List = []Route{{Path: "/hooks", Forward: both, Verify: Strict}}
	rt.Default.Forward = nil
	rt.Keys = map[string]verify.Keys{"euler": {Secrets: []verify.Secret{verify.NewSecret("s")}}}
	r := newRig(t, rt, Options{})

	const body = ` {"type":"donation","amount":50.00} `
	src := frame(body)
	src.Detail = "odd"
	ex := r.sent(replay.Plan{Source: src, Origin: recorder.Stream, Sign: replay.SignNever})
	if ex.Outcome != recorder.Answered || ex.Verdict.Status != verify.Skipped || ex.Provider != "tuniform" || ex.Event != "donation" ||
		ex.DeliveryID != "0123" || ex.Route != "/hooks" || ex.Parent != "" || ex.Detail != "odd" || !ex.At.Equal(src.At) {
		t.Errorf("recorded as %+v", ex)
	}
	if want := "POST /hooks/tuniform application/json " + body; len(got) != 1 || got[0] != want {
		t.Errorf("the app got %q, want %q", got, want)
	}
	if c := <-copies; c != body {
		t.Errorf("the copy is %q", c)
	}

	if second := r.sent(replay.Plan{Source: frame(body), Origin: recorder.Stream, To: both[0]}); second.DuplicateOf != ex.ID || second.Outcome != recorder.Answered || ex.DuplicateOf != "" {
		t.Errorf("the same once more: %+v", second)
	}
	again := r.get(string(ex.ID))
	again.Provider = "euler" // whose webhooks are signed
	change, err := replay.Parse("set type=raid")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		mutations       []replay.Mutation
		event, delivery string
	}{{nil, "donation", "0123"}, {[]replay.Mutation{change}, "raid", ""}} {
		ex := r.sent(replay.Plan{Source: again, Origin: recorder.Replay, To: both[0], Mutations: row.mutations})
		if ex.Event != row.event || ex.DeliveryID != row.delivery || ex.Provider != "euler" || ex.Verdict.Status != verify.Skipped || len(ex.Request.Headers) != 2 {
			t.Errorf("sent again: %+v", ex)
		}
	}
	always := replay.Plan{Source: again, Origin: recorder.Replay, To: both[0], Sign: replay.SignAlways}
	if _, err := r.g.Send(t.Context(), always); err == nil || !strings.Contains(err.Error(), "no signature") {
		t.Errorf("signed: %v", err)
	}
}

// Without an app it is recorded, and with one that is down, too.
func TestSendStreamWithoutApp(t *testing.T) {
	r := newRig(t, &Routes{Catalog: verify.Builtin()}, Options{})
	large := `{"type":"donation","message":"` + strings.Repeat("x", recorder.MaxInline) + `"}`
	ex := r.sent(replay.Plan{Source: frame(large), Origin: recorder.Stream, Sign: replay.SignNever})
	if got := r.get("last"); got.ID != ex.ID || got.Outcome != recorder.Handled || got.Response != nil || got.Detail == "" || got.Request.Size != int64(len(large)) {
		t.Errorf("recorded as %+v", got)
	}
	nobody, _ := url.Parse("http://127.0.0.1:1")
	ex = r.sent(replay.Plan{Source: frame(`{}`), Origin: recorder.Stream, To: nobody, Sign: replay.SignNever})
	if ex.Outcome != recorder.Unreachable || ex.Target != "http://127.0.0.1:1/hooks/tuniform" {
		t.Errorf("recorded as %+v", ex)
	}
}
