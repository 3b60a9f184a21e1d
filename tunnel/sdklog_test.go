package tunnel

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// The messages of the SDK have these fields, among others.
type (
	fakeBindResp struct{ ClientID, URL, Proto, Error string }
	fakeAuthResp struct{ Version, Error string }
	wrongResp    struct {
		URL   []string
		Proto string
		Error string
	}
)

func (r fakeBindResp) LogValue() slog.Value { return slog.StringValue("bind") }

func TestSDKLogFindsTheURL(t *testing.T) {
	tests := []struct {
		name string
		attr slog.Attr
		want string
	}{
		{"an answer to a bind", slog.Any("resp", &fakeBindResp{URL: "https://a", Proto: "https"}), "https://a"},
		{"an answer that is no pointer", slog.Any("resp", fakeBindResp{URL: "https://a"}), "https://a"},
		{"a refusal", slog.Any("resp", &fakeBindResp{URL: "https://a", Error: "no"}), ""},
		{"another answer", slog.Any("resp", &fakeAuthResp{}), ""},
		{"other types", slog.Any("resp", &wrongResp{}), ""},
		{"nothing", slog.Any("resp", (*fakeBindResp)(nil)), ""},
		{"nil", slog.Any("resp", nil), ""},
		{"a text", slog.String("resp", "https://a"), ""},
	}
	for _, test := range tests {
		got := ""
		h := &sdkLog{bound: func(url string) { got = url }, watch: func(slog.Record) {}}
		slog.New(h).With("a", 1).WithGroup("g").Debug("decoded response", test.attr)
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestSDKLogHandsOnWhatIsSafe(t *testing.T) {
	var out bytes.Buffer
	h := &sdkLog{
		clean: newScrubber("tok_en"), bound: func(string) {}, watch: func(slog.Record) {},
		next: slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}),
	}
	log := slog.New(h)
	log.Debug("not asked for")
	log.With("token", "tok_en").WithGroup("g").Info("tok_en \x1b[1m",
		"n", 1, "d", time.Second, "e", errors.New("tok_en\nx"), "m", &fakeAuthResp{Version: "tok_en"}, "nil", nil,
		slog.Group("in", "s", "tok_en"))
	if got := out.String(); strings.Contains(got, "tok_en") || strings.Contains(got, "not asked") ||
		!strings.Contains(got, `msg="[hidden] [1m" token=[hidden] g.n=1 g.d=1s g.e="[hidden] x" g.m=*tunnel.fakeAuthResp g.nil=<nil>`) {
		t.Errorf("%s", got)
	}
	out.Reset()
	log.Error("failed")
	if got := out.String(); !strings.Contains(got, "level=INFO msg=failed") {
		t.Errorf("an error is told beside the Error of the tunnel: %s", got)
	}
	if h.Enabled(context.Background(), slog.LevelDebug-1) {
		t.Error("what is below Debug is wanted")
	}
}

func TestGate(t *testing.T) {
	g := newGate()
	log := func(level slog.Level, message string, attrs ...any) {
		r := slog.NewRecord(time.Now(), level, message, 0)
		r.Add(attrs...)
		g.watch(r)
	}
	accept := func(kind uint32) { log(slog.LevelDebug, "tunnel Accept", "reqType", reqType(kind), "remoteAddr", "x") }
	for range 3 {
		accept(streamProxy)
	}
	accept(0)
	log(slog.LevelError, "error reading proxy header")
	log(slog.LevelError, "no tunnel found for proxy")

	waiting := func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.empty != nil
	}
	ended := make(chan string, 3)
	go func() {
		log(slog.LevelInfo, "accept failed")
		ended <- "the session"
	}()
	eventually(t, "it waits for those inside", waiting)
	g.leave()
	<-ended

	accept(streamProxy)
	go func() {
		accept(streamStopTunnel)
		ended <- "the stop"
	}()
	eventually(t, "it waits for those inside", waiting)
	go func() {
		accept(streamProxy)
		ended <- "the late one"
	}()
	g.leave()
	if got := <-ended; got != "the stop" {
		t.Errorf("%s is through first", got)
	}
	g.end()
	<-ended
	g.drain() // waits for nobody any more
	g.leave()
	g.leave()
}

type reqType uint32

// Nobody waits for ever at a gate that is forgotten.
func TestGateForgotten(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.arrive()
	_ = soon(t, definite, "close", func() bool { g.close(); return true })
	_ = soon(t, definite, "arrive", func() bool { g.arrive(); return true })
}
