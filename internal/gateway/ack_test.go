package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

const allowed = `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`

// callback is a callback of Tencent, unsigned, at a route that only reports.
func (r *rig) callback(command string) (status int, body string, took time.Duration) {
	r.t.Helper()
	started := time.Now()
	resp, err := http.Post("http://"+r.addr+"/?SdkAppid=1&CallbackCommand="+command, "application/json", strings.NewReader(`{"CallbackCommand":"`+command+`"}`))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text), time.Since(started)
}

func callbacks(t *testing.T, app http.HandlerFunc, ack *Ack) *rig {
	t.Helper()
	srv := httptest.NewServer(app)
	t.Cleanup(srv.Close)
	to, _ := url.Parse(srv.URL)
	return newRig(t, &Routes{Default: Route{Provider: "tencent-live", Verify: Report, Forward: []*url.URL{to}, Ack: ack}}, Options{})
}

// The platform blocks its users until the callback before an event is
// answered: 50 at once have their answer in its 2 s, though the app has none.
func TestCallbacksBeforeAnEventDoNotWaitForABreakpoint(t *testing.T) {
	goOn := make(chan struct{})
	r := callbacks(t, func(w http.ResponseWriter, _ *http.Request) {
		<-goOn
		io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":1}`)
	}, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			status, body, took := r.callback("Live.CallbackBeforeSendGift")
			if status != 200 || body != allowed || took < 1400*time.Millisecond {
				t.Errorf("%d %s after %v", status, body, took)
			}
		})
	}
	all.Wait()
	close(goOn)
	for _, ex := range r.recorded(50) {
		if ex.Outcome != recorder.Answered || string(ex.Response.Body.Bytes) != allowed || string(ex.App.Body.Bytes) != `{"ActionStatus":"OK","ErrorCode":1}` ||
			ex.Detail != "the sender heard allow after 1.5s, in place of the app" {
			t.Fatalf("%+v", ex)
		}
	}
}

func TestWhatTheProviderDoesNotUnderstandIsReplaced(t *testing.T) {
	var app http.HandlerFunc
	r := callbacks(t, func(w http.ResponseWriter, req *http.Request) { app(w, req) }, nil)
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-App", "1")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	const own = `{"ActionStatus":"OK", "ErrorInfo":"ä", "ErrorCode":102100}`
	n := 0
	for _, tt := range []struct {
		name, command string
		app           http.HandlerFunc
		status        int
		body          string // what the sender hears
		detail        string
	}{
		{"what it understands", "Live.CallbackBeforeSendGift", says(200, own), 200, own, ""},
		{"text", "Group.CallbackAfterSendMsg", says(200, "OK"), 200, allowed, "it is not a JSON object"},
		{"half JSON", "Group.CallbackAfterSendMsg", says(200, own[:30]), 200, allowed, "it is not a JSON object"},
		{"other JSON", "Group.CallbackAfterSendMsg", says(200, `{"ErrorCode":0}`), 200, allowed, "it has no ActionStatus"},
		{"a list", "Group.CallbackAfterSendMsg", says(200, `[{"ActionStatus":"OK","ErrorCode":0}]`), 200, allowed, "it is not a JSON object"},
		{"nothing", "Group.CallbackAfterSendMsg", says(204, ""), 200, allowed, "it is empty, and JSON is demanded"},
		{"too much", "Group.CallbackAfterSendMsg", says(200, `{"ActionStatus":"`+strings.Repeat("x", 1<<20)+`","ErrorCode":0}`), 200, allowed, "it answered more than 1 MiB"},
		{"an error after the event", "Group.CallbackAfterSendMsg", says(503, "later"), 503, "later", ""},
		{"an error before it", "Group.CallbackBeforeSendMsg", says(503, "later"), 200, allowed, "it answered 503"},
		{"half an answer", "Group.CallbackBeforeSendMsg", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, own)
		}, 200, allowed, "its answer has no end"},
	} {
		app = tt.app
		n++
		status, body, _ := r.callback(tt.command)
		ex := r.recorded(n)[n-1]
		replaced := tt.detail != ""
		if status != tt.status || body != tt.body || !strings.HasSuffix(ex.Detail, tt.detail) || (ex.App != nil) != replaced || ex.Outcome != recorder.Answered {
			t.Errorf("%s: %d %q, recorded %q, app %+v", tt.name, status, body, ex.Detail, ex.App)
		}
		if ex.Response.Status != status || string(ex.Response.Body.Bytes) != body || (ex.Response.Headers.Get("X-App") == "1") == replaced {
			t.Errorf("%s: recorded is %+v", tt.name, ex.Response)
		}
	}
}

// A webhook that could not be recorded is not acknowledged, whatever stands in.
func TestNothingStandsInForTheDisk(t *testing.T) {
	goOn := make(chan struct{})
	r := callbacks(t, func(w http.ResponseWriter, _ *http.Request) { <-goOn }, &Ack{Rules: []AckRule{{Event: recorder.Glob("*"), Now: true}}})
	defer close(goOn)
	if status, _, _ := r.callback("Live.CallbackBeforeSendGift"); status != 200 {
		t.Fatal(status)
	}
	r.store.Close()
	defer func() { r.stop = func() error { return nil } }() // the store is closed already
	if status, body, _ := r.callback("Live.CallbackBeforeSendGift"); status != 503 || !strings.Contains(body, "not_recorded") {
		t.Errorf("%d %s", status, body)
	}
}

// A route's rules, in their order.
func TestAckOfARoute(t *testing.T) {
	own := &verify.Answer{Status: 201, Header: http.Header{"X-Own": {"1"}}, Body: []byte("own")}
	for _, tt := range []struct {
		ack  *Ack
		want string
	}{
		{&Ack{Off: true}, "200 app"},
		{&Ack{Rules: []AckRule{{Event: recorder.Glob("Live.*"), Now: true, Name: "reject"}}}, `200 {"ActionStatus":"OK","ErrorInfo":"","ErrorCode":1}`},
		{&Ack{Rules: []AckRule{{Event: recorder.Glob("Group.*"), Now: true, Name: "reject"}, {Event: recorder.Glob("*"), Now: true, Answer: own}}}, "201 own"},
		{&Ack{Rules: []AckRule{{Event: recorder.Glob("*"), After: time.Millisecond, Name: "discard"}}}, `200 {"ActionStatus":"OK","ErrorInfo":"","ErrorCode":2}`},
		{&Ack{Rules: []AckRule{{Event: recorder.Glob("*"), Now: true, Name: "unheard-of"}}}, "200 " + allowed},
		{&Ack{Rules: []AckRule{{Event: recorder.Glob("Other.*"), Now: true, Name: "reject"}}}, "200 " + allowed},
	} {
		goOn := make(chan struct{})
		r := callbacks(t, func(w http.ResponseWriter, _ *http.Request) {
			<-goOn // until something has stood in for it
			io.WriteString(w, "app")
		}, tt.ack)
		if tt.ack.Off {
			close(goOn)
		}
		status, body, _ := r.callback("Live.CallbackBeforeSendGift")
		if !tt.ack.Off {
			close(goOn)
		}
		if got := fmt.Sprint(status, " ", body); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.ack, got, tt.want)
		}
		if ex := r.recorded(1)[0]; !bytes.Equal(ex.Answer().Body.Bytes, []byte("app")) {
			t.Errorf("%+v: the app's answer is recorded as %+v", tt.ack, ex.Answer())
		}
	}
}

func TestDeliveriesAreBounded(t *testing.T) {
	var ds deliveries
	for i := range maxDeliveries + 10 {
		if again := ds.note(fmt.Sprint(i), recorder.ID(fmt.Sprint("id", i))); again != "" {
			t.Fatal(i, again)
		}
	}
	if got := ds.note("11", ""); got != "id11" {
		t.Errorf("11: %q", got)
	}
	if got := ds.note("0", ""); got != "" || len(ds.first) != maxDeliveries || len(ds.order) != maxDeliveries {
		t.Errorf("0: %q, of %d", got, len(ds.first))
	}
}

// What is forged must not make the real one look like a repetition, and what
// devhook sends itself is no delivery.
func TestOnlyWhatPassedIsADelivery(t *testing.T) {
	r := newRig(t, &Routes{
		Default: Route{Provider: "tiktok", Verify: Enforce},
		Keys:    map[string]verify.Keys{"tiktok": {Secrets: []verify.Secret{verify.NewSecret(secret)}}},
	}, Options{})
	body := `{"client_key":"k","event":"video.publish.completed","create_time":1,"user_openid":"u","content":"{}"}`
	p, _ := verify.Lookup("tiktok")
	for _, key := range []string{"wrong", secret, secret} {
		u, _ := url.Parse("http://" + r.addr + "/hooks")
		m := verify.Message{Method: "POST", URL: u, Header: http.Header{}, Body: []byte(body)}
		if err := p.Scheme.Sign(&m, verify.Keys{Secrets: []verify.Secret{verify.NewSecret(key)}}, verify.SignOptions{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequest("POST", u.String(), strings.NewReader(body))
		req.Header = m.Header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	list := r.recorded(3)
	if list[0].Outcome != recorder.Refused || list[0].DuplicateOf != "" || list[1].DuplicateOf != "" || list[2].DuplicateOf != list[1].ID {
		t.Errorf("%s %q, %q, %q", list[0].Outcome, list[0].DuplicateOf, list[1].DuplicateOf, list[2].DuplicateOf)
	}
}
