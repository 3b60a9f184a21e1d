//go:build browser

package inspector_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// The page in a real browser, in front of a real devhook: `make browser`.

const (
	tiktokSecret = "s3cret-of-tiktok"
	githubSecret = "s3cret-of-github"
	patience     = 30 * time.Second // for what takes milliseconds on a machine that is not loaded
)

var devhook string // the program, built for these tests

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "devhook-browser")
	if err != nil {
		panic(err)
	}
	devhook = filepath.Join(dir, "devhook")
	build := exec.Command("go", "build", "-o", devhook, "devhook/cmd/devhook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s", out)
		os.Exit(1)
	}
	code := m.Run()
	stopBrowser()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A site is a devhook with an app behind it.
type site struct {
	t       *testing.T
	dir     string
	url     string // of the public door
	inspect string
	app     *httptest.Server
	cmd     *exec.Cmd
	ended   chan struct{}

	mu   sync.Mutex
	seen []arrived // what the app got; guarded by mu
}

// An arrived is a webhook at the app.
type arrived struct {
	method, target string
	header         http.Header
	body           []byte
}

func newSite(t *testing.T, before ...func(*site)) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	for _, f := range before {
		f(s)
	}
	s.app = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.app.Close)
	s.start("127.0.0.1:0", "127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

// answer is the app: /status/N answers N, /json an error in JSON, all else is fine.
func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.seen = append(s.seen, arrived{r.Method, r.RequestURI, r.Header.Clone(), body})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var code int
	if _, err := fmt.Sscanf(r.URL.Path, "/status/%d", &code); err == nil {
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"error":"user is undefined","at":"handlers/gift.js:42"}`)
		return
	}
	io.WriteString(w, `{"received":true}`)
}

func (s *site) start(listen, inspect string) {
	s.t.Helper()
	s.cmd = exec.Command(devhook, "up", "--tunnel", "local", "--listen", listen, "--inspect", inspect, "--forward", s.app.URL, "--store", filepath.Join(s.dir, ".devhook"), "--json")
	s.cmd.Dir = s.dir
	s.cmd.Env = []string{"HOME=" + s.dir, "PATH=" + os.Getenv("PATH"), "TIKTOK_CLIENT_SECRET=" + tiktokSecret, "GITHUB_WEBHOOK_SECRET=" + githubSecret, "NO_COLOR=1"}
	s.cmd.Stderr = &testWriter{s.t}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	var ready struct{ URL, Inspect string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil || ready.Inspect == "" {
		s.t.Fatalf("devhook up: %v: %s", err, line)
	}
	s.url, s.inspect = ready.URL, ready.Inspect
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		io.Copy(io.Discard, lines)
		cmd.Wait()
	}(s.cmd, s.ended)
}

func (s *site) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

type testWriter struct{ t *testing.T }

func (w *testWriter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("error")) {
		w.t.Logf("devhook: %s", p)
	}
	return len(p), nil
}

// send sends a webhook to the public door.
func (s *site) send(path, body string, headers ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequest("POST", s.url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

// api calls devhook's own API and returns the exchange of the answer.
func (s *site) api(path, body string) map[string]any {
	s.t.Helper()
	resp, err := http.Post(s.inspect+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s: %d %v %v", path, resp.StatusCode, answer, err)
	}
	ex, _ := answer["exchange"].(map[string]any)
	return ex
}

func (s *site) trigger(fixture string) string {
	s.t.Helper()
	return s.api("/devhook/v1/trigger", fmt.Sprintf(`{"fixture":%q}`, fixture))["id"].(string)
}

// last is what the app got last.
func (s *site) last() arrived {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return arrived{}
	}
	return s.seen[len(s.seen)-1]
}

// One browser is for all tests; each has a tab of its own.
var browser struct {
	sync.Once
	ctx    context.Context
	cancel []context.CancelFunc
	err    error
}

func stopBrowser() {
	for i := len(browser.cancel) - 1; i >= 0; i-- {
		browser.cancel[i]()
	}
}

// A tab is a page in the browser, which fails the test for what should never be: an
// error in a script, a dialog, a violation of the policy, a request to elsewhere.
type tab struct {
	t   *testing.T
	ctx context.Context
	own string // the host that it may ask

	mu      sync.Mutex
	trouble []string      // guarded by mu
	allowed []string      // guarded by mu
	heard   chan struct{} // closed when all was heard
}

const lastWord = "this test has ended"

func newTab(t *testing.T, s *site, width, height int64) *tab {
	t.Helper()
	browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-dev-shm-usage", true))
		alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(alloc)
		browser.ctx, browser.cancel = ctx, []context.CancelFunc{stop, cancel}
		browser.err = chromedp.Do(ctx)
	})
	if browser.err != nil {
		t.Fatalf("no browser: %v", browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	own, _ := url.Parse(s.inspect)
	b := &tab{t: t, ctx: ctx, own: own.Host, heard: make(chan struct{})}
	messages := chromedp.Console(ctx)
	go func() {
		defer close(b.heard)
		for m, err := range messages {
			if err != nil || m.Text == lastWord {
				return
			}
			if m.Type != "log" && m.Type != "info" && m.Type != "debug" {
				b.note(fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			}
		}
	}()
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	command(b, network.Enable, network.EnableParams{})
	command(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		document.addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI));
	`})
	b.size(width, height)
	t.Cleanup(func() {
		b.eval(`console.log("`+lastWord+`")`, nil)
		select {
		case <-b.heard:
		case <-time.After(patience):
			t.Error("the browser says nothing any more")
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.trouble {
			t.Errorf("in the browser: %s", text)
		}
	})
	return b
}

// hear runs in the loop that reads from the browser, and calls it not.
func (b *tab) hear(event any) {
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		b.note("dialog: " + e.Message)
		go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && u.Host != b.own && u.Scheme != "blob" && u.Scheme != "data" {
			b.note("asks elsewhere: " + e.Request.URL)
		}
	}
}

func (b *tab) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.allowed {
		if strings.Contains(text, a) {
			return
		}
	}
	b.trouble = append(b.trouble, text)
}

// allow names errors that the test makes on purpose.
func (b *tab) allow(texts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, texts...)
}

func command[P, R any](b *tab, c cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, c, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.wait(`document.documentElement.dataset.ready === "yes" && document.getElementById("live").dataset.state === "live"`)
}

// eval puts the value of an expression, which may be a promise, into what into points
// to; nil: it is not looked at.
func (b *tab) eval(expression string, into any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 4*patience)
	defer cancel()
	if into == nil {
		expression = "Promise.resolve(" + expression + ").then(() => 0)"
	}
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
	if err == nil && into != nil {
		err = json.Unmarshal(value, into)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

func (b *tab) text(expression string) string {
	b.t.Helper()
	var s string
	b.eval("String("+expression+")", &s)
	return s
}

// wait waits until an expression is true.
func (b *tab) wait(expression string) {
	b.t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(15 * time.Millisecond) {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(until) || b.ctx.Err() != nil {
			b.t.Fatalf("never true: %s (%v)\nat %s, pane: %.400s\nfault: %s", expression, err, b.text("location.href"), b.text(`document.getElementById("pane")?.innerText`), b.text(`document.getElementById("fault")?.innerText`))
		}
	}
}

// press presses keys as a keyboard does: where a script prevents what a key does by
// itself, no letter is written.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key}
		code := map[string]int64{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "Delete": 46}[key]
		switch {
		case code != 0:
			down.WindowsVirtualKeyCode = code
			if key == "Enter" {
				down.Text = "\r"
			}
		default:
			down.Text = key
			down.WindowsVirtualKeyCode = int64(strings.ToUpper(key)[0])
		}
		command(b, input.DispatchKeyEvent, down)
		command(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, WindowsVirtualKeyCode: down.WindowsVirtualKeyCode})
	}
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.wait("document.querySelector(" + strconv.Quote(selector) + ")")
	b.eval("document.querySelector("+strconv.Quote(selector)+").click()", nil)
}

// fill writes into a field as one who types does.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`(() => { const f = document.querySelector(%q); f.focus(); f.value = %q; f.setSelectionRange?.(f.value.length, f.value.length); f.dispatchEvent(new Event("input", { bubbles: true })); })()`, selector, text), nil)
}

// dark chooses the colours that the system asks for.
func (b *tab) dark(is bool) {
	b.t.Helper()
	scheme := "light"
	if is {
		scheme = "dark"
	}
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}
