//go:build vendors

package vendors

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/stream/eulertest"
	"devhook/internal/stream/feed"
	"devhook/internal/stream/tuniformtest"
)

// A heard is one thing that the client of the npm packages tells.
type heard struct {
	Open   bool
	Ping   bool
	Frame  []byte
	Binary bool
	Close  int
	Reason string
	Name   string // that the vendor's SDK has for the code
	Status int
	Body   string
}

// listen runs the client until it ends or has told n things, pings aside.
func listen(t *testing.T, n int, env []string, args ...string) (all []heard, pinged bool) {
	t.Helper()
	cmd := exec.Command("node", append([]string{"stream.mjs"}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node is needed, and `npm ci` in this directory: %v", err)
	}
	late := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for lines := bufio.NewScanner(out); len(all) < n && lines.Scan(); {
		var h heard
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		if h.Ping {
			pinged = true
			continue
		}
		all = append(all, h)
	}
	return all, pinged
}

// events gives bodies without a pause.
func events(bodies [][]byte) feed.Play {
	return feed.Play{Events: func(yield func(time.Duration, []byte) bool) {
		for _, b := range bodies {
			if !yield(50*time.Millisecond, b) {
				return
			}
		}
	}}
}

func serve(t *testing.T, s *feed.Server) string {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.CloseClientConnections)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

// What the npm client ws hears of the Tuniform emulator is what the platform
// documents.
func TestTuniformEmulator(t *testing.T) {
	token := strings.Repeat("0a", 32)
	s := tuniformtest.New(tuniformtest.Options{Token: token, Ping: 20 * time.Millisecond})
	url := serve(t, s)
	for query, want := range map[string]string{"": "Missing 'token' query parameter", "?token=0": "Invalid or expired token"} {
		got, _ := listen(t, 1, nil, "tuniform", url+"/ws"+query)
		if len(got) != 1 || got[0].Status != 401 || got[0].Body != want {
			t.Errorf("%s: %+v, want %s", query, got, want)
		}
	}
	samples := tuniformtest.Samples(true, time.Now())
	go s.Play(t.Context(), events(samples))
	got, pinged := listen(t, 2+len(samples), nil, "tuniform", url+"/ws?token="+token)
	if len(got) != 2+len(samples) || !got[0].Open || string(got[1].Frame) != tuniformtest.Hello || !pinged {
		t.Fatalf("pinged %v, heard %+v", pinged, got)
	}
	for i, want := range samples {
		if h := got[2+i]; string(h.Frame) != string(want) || h.Binary {
			t.Errorf("frame %d is %s", i, h.Frame)
		}
	}
}

// The URL of the vendor's SDK is understood, and its close codes are known by
// the names that it has for them.
func TestEulerEmulator(t *testing.T) {
	s := eulertest.New(eulertest.Options{Key: "k e/y+", Creator: "@viewer.one"})
	env := []string{"EULER_WS_URL=" + serve(t, s)}
	samples := eulertest.Samples(true, time.Now(), 1)
	for mode, frames := range map[string]int{"bundle": 1, "single": 3} {
		ctx := t.Context()
		go s.Play(ctx, events(samples))
		got, _ := listen(t, 1+frames+len(samples), env, "euler", "viewer.one", "k e/y+", mode)
		if len(got) != 1+frames+len(samples) {
			t.Fatalf("%s: heard %+v", mode, got)
		}
		var types []string
		for _, h := range got[1:] {
			var one struct {
				Type     string
				Messages []struct{ Type string }
			}
			if err := json.Unmarshal(h.Frame, &one); err != nil || (one.Type == "") == (mode == "single") {
				t.Errorf("%s: %v %s", mode, err, h.Frame)
			}
			types = append(types, one.Type)
			for _, m := range one.Messages {
				types = append(types, m.Type)
			}
		}
		for _, want := range []string{"workerInfo", "tiktok.connect", "roomInfo", "WebcastChatMessage", "WebcastFutureMessage"} {
			if !slices.Contains(types, want) {
				t.Errorf("%s: no %s in %v", mode, want, types)
			}
		}
	}
	for _, row := range []struct {
		name, key, mode string
		code            int
	}{{"viewer.one", "wrong", "", 4401}, {"somebody", "k e/y+", "", 4404}, {"", "k e/y+", "", 4400}, {"viewer.one", "k e/y+", "raw", 4400}} {
		got, _ := listen(t, 2, env, "euler", row.name, row.key, row.mode)
		if len(got) != 2 || got[1].Close != row.code || got[1].Name == "" {
			t.Errorf("%s: %+v, want %d and a name", row.name, got, row.code)
		}
	}
}
