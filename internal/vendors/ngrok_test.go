//go:build vendors

package vendors

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var wrappers = []string{"ngrok", "@expo/ngrok"}

func runNgrok(t *testing.T, v any, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"ngrok.mjs"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node is needed, and `npm ci` in this directory: %v", err)
	}
	if err := json.Unmarshal(out, v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

type npmTunnel struct {
	Name, Proto string
	PublicURL   string `json:"public_url"`
	Config      struct{ Addr string }
}

type npmRequest struct {
	ID      string
	Request struct {
		Method, URI string
		Raw         []byte
	}
	Response *struct {
		StatusCode int `json:"status_code"`
	}
}

type npmError struct {
	Name, Message string
	Body          struct {
		Code    int `json:"error_code"`
		Details struct{ Err string }
	}
	Again bool
}

// startInspected starts devhook in front of an app, and returns its door and its
// inspector.
func startInspected(t *testing.T, app string) (door, inspect string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	door = startDevhook(t, app, "--inspect", "127.0.0.1:0", "--log", log)
	text, err := os.ReadFile(log)
	m := regexp.MustCompile(`starting web service" addr=(\S+)`).FindSubmatch(text)
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, text)
	}
	return door, "http://" + string(m[1])
}

// All calls of the npm clients come back with what is right.
func TestNgrokClients(t *testing.T) {
	for _, name := range wrappers {
		t.Run(name, func(t *testing.T) {
			seen := make(chan string, 10)
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				seen <- string(body)
				w.WriteHeader(http.StatusTeapot)
			}))
			t.Cleanup(app.Close)
			door, inspect := startInspected(t, app.URL)
			post(t, door+"/hooks?a=1", http.Header{"Content-Type": {"text/plain"}}, "\x00hello")
			<-seen
			var got struct {
				Tunnels, After             struct{ Tunnels []npmTunnel }
				Detail, Started            npmTunnel
				Requests, Left             struct{ Requests []npmRequest }
				Request                    npmRequest
				Refused, Missing           npmError
				Replayed, Deleted, Stopped bool
			}
			runNgrok(t, &got, "client", name, inspect)
			if len(got.Tunnels.Tunnels) != 1 || len(got.After.Tunnels) != 1 {
				t.Fatalf("%+v", got)
			}
			for _, tun := range append(got.After.Tunnels, got.Tunnels.Tunnels[0], got.Detail, got.Started) {
				if tun.PublicURL != door || tun.Name != "command_line" || tun.Proto != "http" || tun.Config.Addr != app.URL {
					t.Errorf("%+v", tun)
				}
			}
			for _, r := range append(got.Requests.Requests, got.Request) {
				if r.Request.Method != "POST" || r.Request.URI != "/hooks?a=1" || !bytes.HasSuffix(r.Request.Raw, []byte("\r\n\r\n\x00hello")) || r.Response == nil || r.Response.StatusCode != 418 {
					t.Errorf("%+v", r)
				}
			}
			if !got.Replayed || !got.Deleted || !got.Stopped || len(got.Left.Requests) != 0 {
				t.Errorf("%+v", got)
			}
			if body := <-seen; body != "\x00hello" {
				t.Errorf("replayed as %q", body)
			}
			if e := got.Refused; e.Name != "NgrokClientError" || e.Message != "invalid tunnel configuration" || e.Body.Code != 102 || e.Body.Details.Err == "" || e.Again {
				t.Errorf("%+v", e)
			}
			if e := got.Missing; e.Name != "NgrokClientError" || e.Message != "request not found" {
				t.Errorf("%+v", e)
			}
		})
	}
}

// The wrappers, which start a program and wait for its log, take devhook for ngrok.
func TestNgrokWrappers(t *testing.T) {
	for _, name := range wrappers {
		t.Run(name, func(t *testing.T) {
			dir, bin := build(t)
			shim := fmt.Sprintf("#!/bin/sh\nexec %s up --tunnel local --listen 127.0.0.1:0 --inspect 127.0.0.1:0 --forward 127.0.0.1:9 --store %s --log stdout\n", bin, filepath.Join(dir, "store"))
			if err := os.WriteFile(filepath.Join(dir, "ngrok"), []byte(shim), 0o700); err != nil {
				t.Fatal(err)
			}
			var got struct {
				URL, API    string
				States, Log []string
			}
			runNgrok(t, &got, "connect", name, dir, "localhost:9")
			if !strings.HasPrefix(got.URL, "http://127.0.0.1:") || !strings.HasPrefix(got.API, "http://127.0.0.1:") || got.URL == got.API || fmt.Sprint(got.States) != "[connected]" || !strings.Contains(strings.Join(got.Log, "\n"), `msg="started tunnel"`) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The lines that people have in their scripts.
func TestNgrokOneLiners(t *testing.T) {
	for _, name := range []string{"curl", "jq"} {
		if out, err := exec.Command("../../.ci/need", name, name).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "thanks") }))
	t.Cleanup(app.Close)
	door, inspect := startInspected(t, app.URL)
	post(t, door+"/hooks", http.Header{}, "hello")
	for _, row := range []struct{ line, want string }{
		{`curl -s $API/api/tunnels | jq -r '.tunnels[0].public_url'`, door},
		{`curl -s $API/api/tunnels | grep -o '"public_url":"http[s]*://[^"]*' | cut -d'"' -f4`, door},
		{`curl -s $API/api/tunnels | cut -d'"' -f18`, door},
		{`curl -s $API/api/tunnels | jq -r '.tunnels[] | select(.proto=="http") | .public_url'`, door},
		{`curl -s $API/api/tunnels | jq -r '.tunnels[] | select(.name|test("command")) | .config.addr'`, app.URL},
		{`curl -s $API/api/endpoints | jq -r '.endpoints[0].url'`, door},
		{`curl -s $API/api/requests/http?limit=1 | jq -r '.requests[0].request | .method + " " + .uri'`, "POST /hooks"},
		{`curl -s $API/api/requests/http | jq -r '.requests[0].response.raw' | base64 -d | tail -n 1`, "thanks"},
		{`curl -s $API/api/status | jq -r .status`, "online"},
		{`ID=$(curl -s $API/api/requests/http | jq -r '.requests[0].id'); curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d "{\"id\":\"$ID\"}" $API/api/requests/http`, "204"},
		{`curl -s -o /dev/null -w '%{http_code}' -X DELETE $API/api/requests/http`, "204"},
		{`curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' $API/api/tunnels`, "403"},
		{`curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: text/plain' -d '{}' $API/api/tunnels`, "415"},
	} {
		cmd := exec.Command("/bin/sh", "-c", row.line)
		cmd.Env = append(os.Environ(), "API="+inspect)
		if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != row.want {
			t.Errorf("%s\n got %s (%v)\nwant %s", row.line, out, err, row.want)
		}
	}
}
