package stream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/internal/stream/eulertest"
	"devhook/internal/stream/feed"

	"github.com/coder/websocket"
)

// Bundles are taken apart, and each event is the very bytes that stood there.
func TestEuler(t *testing.T) {
	s := eulertest.New(eulertest.Options{Key: "k/ey+1", Creator: "viewer.one"})
	r := start(t, "euler", serveHTTP(t, s.ServeHTTP), Options{Secret: "k/ey+1"})
	samples := append(eulertest.Samples(true, time.UnixMilli(1_790_000_000_123), 7), []byte(`{ "data":{"n":12345678901234567890,"x":"\u00e9 é"} ,"type":"Odd"  }`))
	go s.Play(t.Context(), feed.Play{Events: func(yield func(time.Duration, []byte) bool) {
		for _, b := range samples {
			if !yield(0, b) {
				return
			}
		}
	}})
	const greeting = 3 // workerInfo, tiktok.connect, roomInfo
	r.until("all events", func() bool { return len(r.events) == greeting+len(samples) })
	if err := r.end(); err != nil {
		t.Error(err)
	}
	for i, want := range samples {
		if got := r.events[greeting+i]; string(got.Body) != string(want) || got.Problem != "" {
			t.Errorf("event %d is %s %s, want %s", i, got.Problem, got.Body, want)
		}
	}
	if e := r.events[0]; e.Type != "workerInfo" || len(e.DeliveryID) != 64 {
		t.Errorf("the first is %+v", e)
	}
	if e := r.events[greeting]; e.Type != "WebcastChatMessage" || e.DeliveryID != "1790000000123000701" {
		t.Errorf("the message is %+v", e)
	}
}

func TestUnbundle(t *testing.T) {
	for frame, want := range map[string]string{
		`{"timestamp":1,"messages":[]}`:                           "",
		`{"messages":[ {"a" : 1} ,` + "\n" + `{"b":2.50}, "x" ]}`: `{"a" : 1}|{"b":2.50}|"x"`,
		`{"messages":{"a":1}}`:                                    "no",
		`{"type":"x"}`:                                            "no",
		`[{"messages":[1]}]`:                                      "no",
		`{"messages":[1]`:                                         "no",
		``:                                                        "no",
		"{\"messages\":[{\"a\":\"\xff\"}]}":                       "{\"a\":\"\xff\"}",
		`{"messages":[{"a":1}],"Messages":[{"b":1}]}`:             `{"a":1}`,
	} {
		list, bundled := unbundle([]byte(frame))
		var parts []string
		for _, one := range list {
			parts = append(parts, string(one))
		}
		got := strings.Join(parts, "|")
		if !bundled {
			got = "no"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", frame, got, want)
		}
	}
}

func TestEulerCodes(t *testing.T) {
	for _, row := range []struct {
		code        int
		state       State // Closed: it gives up
		words       string
		least, most time.Duration
	}{
		{1000, Reconnecting, "a normal end", 3 * time.Second, 5 * time.Second},
		{1011, Reconnecting, "an error of the service", 3 * time.Second, 5 * time.Second},
		{4005, Waiting, "the live stream has ended", time.Minute, 72 * time.Second},
		{4006, Reconnecting, "sent nothing", 3 * time.Second, 5 * time.Second},
		{4400, Closed, "does not like the options", 0, 0},
		{4401, Closed, "the API key is not valid", 0, 0},
		{4403, Closed, "may not listen", 0, 0},
		{4404, Waiting, "the creator is not live", time.Minute, 72 * time.Second},
		{4429, Reconnecting, "too many connections", 2 * time.Minute, 10 * time.Minute},
		{4500, Reconnecting, "TikTok closed", 3 * time.Second, 5 * time.Second},
		{4555, Reconnecting, "8 hours", time.Second, 2 * time.Second},
		{4556, Reconnecting, "could not be fetched", 3 * time.Second, 5 * time.Second},
		{4557, Reconnecting, "the room", 3 * time.Second, 5 * time.Second},
		{4999, Reconnecting, "closed with 4999", 3 * time.Second, 5 * time.Second},
	} {
		t.Run(fmt.Sprint(row.code), func(t *testing.T) {
			t.Parallel()
			s := eulertest.New(eulertest.Options{Code: row.code})
			r := start(t, "euler", serveHTTP(t, s.ServeHTTP), Options{Secret: "euler-s3cret"})
			if row.state == Closed {
				var e *Error
				if err := r.wait(); !errors.As(err, &e) || !e.Refused || e.Hint == "" || !strings.Contains(e.Text, row.words) {
					t.Errorf("the error is %#v", err)
				}
				return
			}
			r.until(row.words, func() bool { return r.heard(row.state, row.words) && len(r.slept) > 0 })
			r.end()
			if d := r.slept[0]; d < row.least || d > row.most {
				t.Errorf("the next attempt is in %v", d)
			}
		})
	}
}

// A creator who goes live is found, and what may have been missed is told.
func TestEulerGoesLive(t *testing.T) {
	var n atomic.Int32
	url := serve(t, func(ws *websocket.Conn, r *http.Request) {
		if n.Add(1) < 3 {
			ws.Close(4404, "not live")
			return
		}
		send(ws, `{"type":"roomInfo","data":{}}`)
		stay(ws)
	})
	r := start(t, "euler", url, Options{Secret: "euler-s3cret"})
	r.until("an event", func() bool { return len(r.events) == 1 })
	r.end()
	gap := false
	for _, st := range r.said {
		gap = gap || st.State == Connected && st.Gap() != ""
	}
	if !gap {
		t.Errorf("no gap is told: %+v", r.said)
	}
}

func TestCreatorIsChecked(t *testing.T) {
	for name, ok := range map[string]bool{"@a.b_c-1": true, "a": true, "": false, "@": false, "a b": false, "a&apiKey=x": false, "é": false, strings.Repeat("a", 65): false} {
		if _, err := New("euler", Options{Secret: "k", Creator: name}); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
