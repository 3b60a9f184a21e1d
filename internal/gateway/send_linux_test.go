package gateway

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"devhook/recorder"
	"devhook/replay"
)

// What is not sent, because who sends it has ended, leaves no file open.
func TestSendInterruptedClosesTheBody(t *testing.T) {
	rt := forwardTo(t, "http://127.0.0.1:1")
	r := newRig(t, rt, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := []byte(strings.Repeat("x", recorder.MaxInline+1))
	src := &recorder.Exchange{Request: recorder.Request{Method: "POST", URL: "http://h/", Body: recorder.Body{Bytes: body}, Size: int64(len(body))}}
	ex, err := r.g.Send(ctx, replay.Plan{Source: src, Origin: recorder.Replay, To: rt.Default.Forward[0]})
	if err != nil || ex.Request.Body.Sum == "" || !strings.HasPrefix(ex.Detail, "interrupted") {
		t.Fatalf("%+v, %v", ex, err)
	}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(fds) == 0 {
		t.Fatal(fds, err)
	}
	for _, fd := range fds {
		if name, _ := os.Readlink(fd); filepath.Base(name) == ex.Request.Body.Sum {
			t.Errorf("%s is open still", name)
		}
	}
}
