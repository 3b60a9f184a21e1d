//go:build vendors

package vendors

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each app of docs/frameworks.md runs as it stands there, and `devhook attack` finds
// nothing wrong with it.
func TestFrameworks(t *testing.T) {
	text, err := os.ReadFile("../../docs/frameworks.md")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	python := "python3"
	if exec.Command(python, "-c", "import django, fastapi, flask, uvicorn").Run() != nil {
		python = "/usr/bin/python3" // where the packages of the system are
	}
	php := []string{"php", "-d", "display_errors=0", "-d", "opcache.revalidate_freq=0", "-S", "127.0.0.1:3000"}
	dir, bin := build(t)
	for name, how := range map[string]struct {
		file string
		run  []string
	}{
		"Express": {"app.js", []string{"node"}},
		"Flask":   {"app.py", []string{python}},
		"FastAPI": {"app.py", []string{python}},
		"Django":  {"app.py", []string{python}},
		"PHP":     {"index.php", php},
		"Sinatra": {"app.rb", []string{"ruby"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, section, _ := strings.Cut(string(text), "\n## "+name+"\n")
			section, _, _ = strings.Cut(section, "\n## ")
			_, code, _ := strings.Cut(section, "\n```")
			_, code, _ = strings.Cut(code, "\n") // the language
			code, _, ok := strings.Cut(code, "\n```")
			if !ok {
				t.Fatal("there is no app")
			}
			if command := strings.Join(append(php, "index.php"), " "); name == "PHP" && !strings.Contains(code, command) {
				t.Errorf("it does not say: %s", command)
			}
			port := free(t)
			own := t.TempDir()
			if err := os.WriteFile(filepath.Join(own, how.file), []byte(strings.ReplaceAll(code, "3000", port)), 0o600); err != nil {
				t.Fatal(err)
			}
			args := strings.Split(strings.ReplaceAll(strings.Join(append(how.run, how.file), "\n"), "3000", port), "\n")
			app := exec.Command(args[0], args[1:]...)
			app.Dir, app.Env = own, append(environ(), "NODE_PATH="+modules)
			var said bytes.Buffer
			app.Stdout, app.Stderr = &said, &said
			if err := app.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { app.Wait(); close(ended) }()
			defer func() { app.Process.Kill(); <-ended }()
			for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				conn, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err == nil {
					conn.Close()
					break
				}
				select {
				case <-ended:
					t.Fatalf("it ended:\n%s", said.String())
				default:
				}
				if time.Now().After(end) {
					app.Process.Kill()
					<-ended
					t.Fatalf("it does not listen:\n%s", said.String())
				}
			}
			attack := exec.Command(bin, "attack", "github/push", "--to", ":"+port)
			attack.Dir, attack.Env = own, append(environ(), "DEVHOOK_STORE="+filepath.Join(dir, name))
			if out, err := attack.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("\ncontrol ")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// free returns a port that nobody has.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
