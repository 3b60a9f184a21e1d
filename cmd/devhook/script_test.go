package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/verify"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expected output of scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"devhook": main})
}

// TestScripts runs testdata/script/*.txtar: devhook as it is typed, against
// real servers. Each has an app of its own at $APP, which answers 200 and
// "got METHOD TARGET LENGTH SHA256", or what its path asks for (/status/500),
// and writes each request to app.log. It waits at /breakpoint/FILE until the
// file is there. At /ws it is a WebSocket, see serveWS;
// /events is a stream of events; at /checked it accepts what TikTok's
// documentation says is TikTok's, signed with s3cret. /falls/TEXT answers 500 if
// TEXT is in the body, /flaky/N 503 to the first N requests.
//
// Beside those of testscript there are the commands
//
//	ready FILE                 wait until devhook is ready, and set $URL to what it wrote to FILE, $DOOR to its host
//	send [-sign P=S] [-at D] METHOD URL [BODY-FILE] ["K: V"…]   send a request; its status and body are stdout
//	until N COMMAND…           run devhook until N lines come
//	waitfor FILE REGEXP [METHOD URL]   wait until a line of the file fits; meanwhile send, if told what
//	far ID URL-NAME            start the API of a provider, and set $URL-NAME to where it is
//	web HOST                   put a server in the place of HOST
//	inspector FILE             set $INSPECT to what a ready line in FILE names, $PORT to its port
//	ask [-host H] [-o FILE] METHOD URL [JSON]   ask the inspector; status and answer are stdout
//	ws [-hold] URL [TEXT…]     talk to a WebSocket; see cmdWS
//	status N COMMAND…          run devhook, which must end with exit code N
//	webservice FILE            set $INSPECT to where the log in FILE (--log FILE) has the inspector
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: setupScript, // what hangs is ended, and said so, shortly before the time of go test is over
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": cmdReady, "send": cmdSend, "until": cmdUntil, "waitfor": cmdWaitFor, "status": cmdStatus, "ngrok": cmdNgrok, "web": cmdWeb, "ws": cmdWS, "far": cmdFar,
			"inspector": cmdInspector, "ask": cmdAsk, "webservice": cmdWebService,
		},
	})
}

// tiktokAccepts is the check of an app, written from the documentation of TikTok
// (developers.tiktok.com/doc/webhooks-verification) and with nothing of devhook.
func tiktokAccepts(secret, header string, body []byte) bool {
	var t, s string
	for part := range strings.SplitSeq(header, ",") {
		switch k, v, _ := strings.Cut(part, "="); k {
		case "t":
			t = v
		case "s":
			s = v
		}
	}
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, t+".")
	mac.Write(body)
	at, err := strconv.ParseInt(t, 10, 64)
	age := time.Since(time.Unix(at, 0)).Abs()
	return err == nil && age <= 5*time.Minute && hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(s))
}

const patience = 30 * time.Second

func setupScript(e *testscript.Env) error {
	var mu sync.Mutex
	log := filepath.Join(e.WorkDir, "app.log")
	came := map[string]int{} // by path
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/ws") {
			serveWS(w, r)
			return
		}
		if r.URL.Path == "/events" { // sent by the server, one after the other
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 2 {
				fmt.Fprintf(w, "data: %d\n\n", i+1)
				http.NewResponseController(w).Flush()
			}
			return
		}
		body, _ := io.ReadAll(r.Body)
		line := fmt.Sprintf("%s %s %d %x", r.Method, r.RequestURI, len(body), sha256.Sum256(body))
		mu.Lock()
		defer mu.Unlock()
		if f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
			fmt.Fprintln(f, line)
			f.Close()
		}
		if code, ok := strings.CutPrefix(r.URL.Path, "/status/"); ok {
			n, _ := strconv.Atoi(code)
			w.WriteHeader(n)
			io.WriteString(w, "TypeError: user is undefined\n    at handler.js:7")
			return
		}
		if strings.HasPrefix(r.URL.Path, "/checked") && !tiktokAccepts("s3cret", r.Header.Get("TikTok-Signature"), body) {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, "not from TikTok")
			return
		}
		came[r.URL.Path]++
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/flaky/"), "/")
		if n, err := strconv.Atoi(first); err == nil && came[r.URL.Path] <= n {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if text, ok := strings.CutPrefix(r.URL.Path, "/falls/"); ok && bytes.Contains(body, []byte(text)) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if text, ok := strings.CutPrefix(r.URL.Path, "/hangs-up/"); ok && bytes.Contains(body, []byte(text)) {
			panic(http.ErrAbortHandler)
		}
		if mark, ok := strings.CutPrefix(r.URL.Path, "/breakpoint/"); ok { // as one in a debugger: until somebody goes on
			for since := time.Now(); time.Since(since) < patience; time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(filepath.Join(e.WorkDir, mark)); err == nil {
					break
				}
			}
		}
		fmt.Fprintf(w, "got %s", line)
	}))
	e.Defer(app.Close)
	e.Setenv("APP", app.URL)
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // one that is free, for an app that devhook starts
		e.Setenv("PORT", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
		ln.Close()
	}
	// Nothing of the machine's own may be found.
	e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "home", ".config"))
	e.Setenv("NO_COLOR", "")
	e.Setenv("DEVHOOK_INSPECT", "off")
	e.Setenv("TZ", "UTC")
	e.Setenv("GORACE", "atexit_sleep_ms=10") // else each process sleeps for a second at its end
	e.Setenv("GOGC", "400")                  // else a third of the time of processes that end soon goes to collecting
	setupService(e)
	return os.WriteFile(log, nil, 0o600)
}

func cmdReady(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			u := strings.TrimSpace(string(text))
			ts.Setenv("URL", u)
			_, door, _ := strings.Cut(u, "://")
			ts.Setenv("DOOR", door)
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

func cmdSend(ts *testscript.TestScript, neg bool, args []string) {
	var provider, secret string
	at := time.Now()
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-sign":
			provider, secret, _ = strings.Cut(args[1], "=")
		case "-at":
			d, err := time.ParseDuration(args[1])
			ts.Check(err)
			at = at.Add(d)
		}
		args = args[2:]
	}
	if len(args) < 2 {
		ts.Fatalf("usage: send [-sign PROVIDER=SECRET] [-at DURATION] METHOD URL [FILE] [HEADER…]")
	}
	u, err := url.Parse(args[1])
	ts.Check(err)
	m := verify.Message{Method: args[0], URL: u, Header: http.Header{}}
	for _, a := range args[2:] {
		if k, v, ok := strings.Cut(a, ": "); ok {
			m.Header.Add(k, v)
			continue
		}
		m.Body, err = os.ReadFile(ts.MkAbs(a))
		ts.Check(err)
	}
	if provider != "" {
		p, ok := verify.Lookup(provider)
		if !ok {
			ts.Fatalf("no provider %s", provider)
		}
		ts.Check(p.Scheme.Sign(&m, verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}}, verify.SignOptions{}, at))
	}
	req, err := http.NewRequest(m.Method, m.URL.String(), bytes.NewReader(m.Body))
	ts.Check(err)
	req.Header = m.Header
	resp, err := transportFor(ts, req.URL.Host).RoundTrip(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", resp.StatusCode, body)
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var text string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			continue
		}
		if text = ts.ReadFile("stdout"); strings.Count(text, "\n") == want {
			return
		}
	}
	ts.Fatalf("%v: no %d lines, but\n%s", args[1:], want, text)
}

func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var text []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if text, _ = os.ReadFile(ts.MkAbs(args[0])); re.Match(text) {
			return
		}
		if len(args) == 4 {
			req, err := http.NewRequest(args[2], args[3], nil)
			ts.Check(err)
			if resp, err := transportFor(ts, req.URL.Host).RoundTrip(req); err == nil {
				resp.Body.Close()
			}
		}
	}
	ts.Fatalf("nothing in %s fits %s:\n%s", args[0], args[1], text)
}

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%v: exit code %d, want %s\n%s", args[1:], code, args[0], ts.ReadFile("stderr"))
	}
}
