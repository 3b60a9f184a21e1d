package tencenttest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the platform does with each answer, over real connections.
func TestEffects(t *testing.T) {
	pause := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, answer, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), " ")
		if answer == "sleep" {
			<-pause
			return
		}
		n, _ := strconv.Atoi(status)
		w.WriteHeader(n)
		io.WriteString(w, answer)
	}))
	defer app.Close()
	defer close(pause)
	const gift, message = "Live.CallbackBeforeSendGift", "Group.CallbackBeforeSendMsg"
	ok := func(code string) string { return `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":` + code + `}` }
	for _, c := range []struct {
		command, more string
		status        int
		answer, want  string
	}{
		{gift, "", 200, ok("0"), "the gift is sent"},
		{gift, "", 200, ok("1"), "the gift is rejected"},
		{gift, "", 200, ok("102150"), "the client sees 102150"},
		{gift, "", 500, ok("0"), "HTTP 500 is a failure: the gift is BLOCKED"},
		{gift, "", 200, "OK", "the gift is BLOCKED"},
		{gift, "", 200, "{}", "the gift is BLOCKED"},
		{gift, "", 200, "sleep", "no answer is a failure: the gift is BLOCKED"},
		{gift, notBlock, 200, "OK", "the gift is sent, as"},
		{message, "", 200, ok("0"), "the message is delivered"},
		{message, "", 200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"MsgBody":[]}`, "delivered, changed"},
		{message, "", 200, ok("1"), "the client sees 10016"},
		{message, "", 200, ok("2"), "its sender sees success"},
		{message, "", 200, ok("10150"), "the client sees 10150"},
		{message, "", 404, "", "the message is delivered"},
		{message, "", 200, "sleep", "no answer is a failure: the message is delivered"},
		{"Live.CallbackAfterCreateRoom", "", 200, ok("0"), "taken note of"},
		{"Live.CallbackAfterCreateRoom", "", 502, "", "the callback is lost"},
	} {
		path := url.PathEscape(fmt.Sprint(c.status, " ", c.answer))
		s := New(Options{Set: Config{URL: app.URL + "/" + path, Commands: []string{c.command, c.more}}})
		f, err := s.Fire(t.Context(), c.command, nil)
		if err != nil || !strings.Contains(f.Effect, c.want) {
			t.Errorf("%s %d %s: %q, %v", c.command, c.status, c.answer, f.Effect, err)
		}
		if c.answer == "sleep" && (f.Took < patience || f.Answer != "timeout") {
			t.Errorf("gave up after %s: %s", f.Took, f.Answer)
		}
	}
}

// A new URL gets callbacks once it is in effect; until then the old one does.
func TestEffective(t *testing.T) {
	var came []string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came = append(came, r.URL.Path)
		if !strings.HasPrefix(r.URL.RawQuery, "SdkAppid=1400000000&CallbackCommand=Live.CallbackAfterCreateRoom&contenttype=json&ClientIP=") {
			t.Errorf("query %s", r.URL.RawQuery)
		}
	}))
	defer app.Close()
	now := time.Now()
	commands := []string{"Live.CallbackAfterCreateRoom"}
	s := New(Options{Set: Config{app.URL + "/old", commands}, Effective: 2 * time.Minute, Now: func() time.Time { return now }})
	s.SetConfig(Config{app.URL + "/new", commands})
	for range 2 {
		if _, err := s.Fire(t.Context(), commands[0], nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Minute)
	}
	if strings.Join(came, " ") != "/old /new" {
		t.Errorf("came at %v", came)
	}
	for _, command := range []string{"Live.CallbackBeforeSendGift", ""} {
		if _, err := s.Fire(t.Context(), command, nil); !errors.Is(err, errNotSent) {
			t.Errorf("%q: %v", command, err)
		}
	}
}

// Calls that are not as documented are refused, all with HTTP 200.
func TestRefusals(t *testing.T) {
	srv := httptest.NewServer(New(Options{Key: "key"}))
	defer srv.Close()
	const right = "sdkappid=1400000000&identifier=administrator&usersig=x&random=1&contenttype=json"
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/v4/live_config/get_callback?" + right, "{}", "70003"},
		{"POST", "/v4/live_config/get_callback?" + strings.Replace(right, "random=1", "random=4294967296", 1), "{}", "100002"},
		{"POST", "/v4/live_config/get_callback?" + strings.Replace(right, "json", "xml", 1), "{}", "100002"},
		{"POST", "/v4/live_config/get_callback?" + strings.Replace(right, "1400000000", "1", 1), "{}", "60006"},
		{"GET", "/v4/live_config/get_callback?" + right, "", "60004"},
		{"POST", "/v4/other", "{}", "60004"},
	} {
		req, err := http.NewRequest(c.method, srv.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(string(text), `"ErrorCode":`+c.want+`,`) || !strings.Contains(string(text), `"ActionStatus":"FAIL"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, resp.StatusCode, text)
		}
	}
}
