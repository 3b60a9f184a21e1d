package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/register/eulertest"
	"devhook/internal/register/shoptest"
	"devhook/internal/register/tencenttest"
)

// TestDocs runs each command line of README.md and docs/ as it stands there, those of
// one document one after the other, in a directory of its own with a few recordings, and
// wants exit code 0. What goes on until Ctrl-C is interrupted once it has said that it
// waits.
func TestDocs(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, path := range append(files, "../../README.md") {
		var commands []string
		for _, line := range commandLines(t, path) {
			switch words := strings.Fields(line); words[0] {
			case "devhook":
				commands = append(commands, line)
			case "make":
				if len(words) > 1 && !bytes.Contains(makefile, []byte("\n"+words[1]+":")) {
					t.Errorf("%s: the Makefile has no target %s", path, words[1])
				}
			case "export":
			default:
				t.Errorf("%s: what is to be done with %q?", path, line)
			}
		}
		if seen += len(commands); len(commands) == 0 {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			d := newDocs(t)
			for _, line := range commands {
				env := d.env
				stop := func() {}
				if besideUp.MatchString(line) {
					env = append(slices.Clone(env), "DEVHOOK_STORE="+t.TempDir()) // what they have sent is nobody's example
					_, stop = startUp(t, d.app, d.bin, d.dir, env)
				}
				runDoc(t, d.bin, d.dir, env, filepath.Base(path), d.here.Replace(line))
				stop()
			}
		})
	}
	if seen < 10 {
		t.Errorf("only %d commands were found", seen)
	}
}

// A docs is where the commands of a document run.
type docs struct {
	bin, dir string // of devhook; where they are typed
	env      []string
	app      string
	here     *strings.Replacer // puts the test's own app in the place of the document's
}

// newDocs makes a directory with the devhook.yaml that README.md shows and a few
// recordings, an app, and the APIs that commands register at.
func newDocs(t *testing.T) docs {
	t.Helper()
	exe, err := os.Executable() // is devhook too; see TestMain
	if err != nil {
		t.Fatal(err)
	}
	d := docs{dir: t.TempDir()}
	d.bin = filepath.Join(d.dir, "bin")
	if err := os.Mkdir(d.bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(d.bin, "devhook")); err != nil {
		t.Fatal(err)
	}
	serve := func(h http.Handler) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	d.app = serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	d.env = append(os.Environ(), "PATH="+d.bin, "HOME="+d.dir, "XDG_CONFIG_HOME="+d.dir, "TIKTOK_CLIENT_SECRET=s3cret", "GITHUB_WEBHOOK_SECRET=s3cret",
		"TUNIFORM_STREAM_TOKEN="+strings.Repeat("ab", 32), "EULER_API_KEY=s3cret",
		"NGROK_AUTHTOKEN=", "NO_COLOR=1", "DEVHOOK_STORE=", "DEVHOOK_INSPECT=127.0.0.1:0", "GORACE=atexit_sleep_ms=10", "GOGC=400",
		"DEVHOOK_EULER_API_URL="+serve(eulertest.New(eulertest.Options{})),
		"DEVHOOK_TENCENT_LIVE_API_URL="+serve(tencenttest.New(tencenttest.Options{})), "TENCENT_SDK_SECRET_KEY=s3cret",
		"DEVHOOK_TIKTOK_SHOP_API_URL="+serve(shoptest.New(shoptest.Options{AppSecret: "s3cret"})),
		"TIKTOK_SHOP_APP_KEY=abcdef", "TIKTOK_SHOP_APP_SECRET=s3cret", "TIKTOK_SHOP_ACCESS_TOKEN=s3cret", "TIKTOK_SHOP_CIPHER=x")
	d.env = append(d.env, farEnv(t)...)
	record(t, d.app, d.bin, d.dir, d.env)
	// The app on port 3000 that the documents speak of is the test's own.
	_, port, _ := strings.Cut(strings.TrimPrefix(d.app, "http://"), ":")
	d.here = strings.NewReplacer(":3000", ":"+port, ":4000", ":"+port, "127.0.0.1:4041", "127.0.0.1:0")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n")
	yaml, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md has no devhook.yaml")
	}
	if err := os.WriteFile(filepath.Join(d.dir, "devhook.yaml"), []byte(d.here.Replace(yaml)), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// besideUp are the commands that want a running devhook up.
var besideUp = regexp.MustCompile(`devhook (register (euler|github|kick|stripe|telegram|tencent|tiktok-shop|twilio|twitch)|emulate tiktok)\b`)

// finds are the commands that end with exit code 1 where they find something.
var finds = regexp.MustCompile(`devhook (attack|shrink)\b`)

// commandLines returns the commands in a document: the lines of sh blocks, and
// the indented ones that begin with make or devhook.
func commandLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	indented := regexp.MustCompile(`^    (make|devhook) `)
	var lines []string
	block := ""
	for line := range strings.Lines(string(text)) {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```") && block == "":
			block = trimmed
		case strings.HasPrefix(trimmed, "```"):
			block = ""
		case block == "```sh" && trimmed != "", block == "" && indented.MatchString(line):
			command, _, _ := strings.Cut(trimmed, "#")
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines
}

// record puts a few webhooks into the store.
func record(t *testing.T, app, bin, dir string, env []string) {
	t.Helper()
	url, stop := startUp(t, app, bin, dir, env)
	for range 3 {
		req := fixtures.Request(t, "tiktok/video.upload.failed", "s3cret")
		var err error
		if req.URL, err = req.URL.Parse(url + req.RequestURI); err != nil {
			t.Fatal(err)
		}
		req.RequestURI = ""
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	stop()
}

// startUp starts a devhook up and returns where it is, and what ends it.
func startUp(t *testing.T, app, bin, dir string, env []string) (url string, stop func()) {
	t.Helper()
	ready := filepath.Join(dir, "ready")
	cmd := exec.Command(filepath.Join(bin, "devhook"), "up", "--tunnel", "local", "--listen", "127.0.0.1:0", "--forward", app, "--ready-file", ready)
	cmd.Dir, cmd.Env = dir, env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); url == "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(ready)
		url = strings.TrimSpace(string(text))
	}
	return url, func() {
		t.Helper()
		cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

func runDoc(t *testing.T, bin, dir string, env []string, doc, line string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env = dir, env
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	goesOn := besideUp.MatchString(line) || regexp.MustCompile(`devhook (up|http|tail|emulate)\b`).MatchString(line)
	started := time.Now()
	for {
		select {
		case err := <-done:
			if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 && finds.MatchString(line) {
				return // the app of this test answers 200 to everything
			}
			if early := strings.HasPrefix(line, "devhook tail") && !goesOn && err != nil && err.Error() == "signal: interrupt"; err != nil && !early { // early: it did not listen for signals yet
				t.Errorf("%s: %s: %v\n%s", doc, line, err, out)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
		said := out.String()
		if goesOn && (strings.Contains(said, "Waiting for webhooks") || strings.Contains(said, "Waiting for clients") || strings.Contains(said, "Ctrl-C takes it back") || strings.Contains(said, `"type":"ready"`) || strings.Contains(said, `"msg":"started tunnel"`) ||
			strings.HasPrefix(line, "devhook tail") && time.Since(started) > 300*time.Millisecond) {
			cmd.Process.Signal(os.Interrupt)
			goesOn = false
		}
		if time.Since(started) > patience {
			cmd.Process.Kill()
			t.Errorf("%s: %s: did not end\n%s", doc, line, out)
			return
		}
	}
}

// A lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
