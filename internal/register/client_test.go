package register

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/register/eulertest"
)

// A secret that is a part of another, or looks like the place of one, is hidden and sent
// whole.
func TestHiddenInAnother(t *testing.T) {
	for range 20 { // maps have no order
		c := &Client{Hidden: map[string]string{"a": "secret", "b": "secret-and-more", "c": "x{a}y", "d": ""}}
		if got := c.hide("secret-and-more, secret, x%7Ba%7Dy"); got != "{b}, {a}, {c}" {
			t.Fatalf("hidden: %q", got)
		}
		if got := c.fill("{c} {b} {d}", func(s string) string { return s }); got != "x{a}y secret-and-more " {
			t.Fatalf("filled in: %q", got)
		}
	}
}

// clientFor returns a client of a server that answers by handle; its pauses
// take no time and are written down.
func clientFor(t *testing.T, handle http.HandlerFunc) (*Client, *[]time.Duration) {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	c, err := NewClient(srv.URL + "/")
	must(t, err)
	c.Hidden = map[string]string{"token": "s3cr3t/t\"k"}
	var pauses []time.Duration
	c.pause = func(ctx context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return ctx.Err()
	}
	return c, &pauses
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name, method string
		idempotent   bool
		status       []int // one an attempt
		after        string
		attempts     int
		pause        time.Duration // the first; 0: one of our own
		want         int
	}{
		{"a read, after 500", "GET", false, []int{500, 502, 200}, "", 3, 0, 0},
		{"a read, for ever 500", "GET", false, []int{500, 500, 500, 500, 500}, "", 4, 0, 500},
		{"a creation, after 500", "POST", false, []int{500, 200}, "", 1, 0, 500},
		{"what may be repeated, after 500", "PUT", true, []int{500, 200}, "", 2, 0, 0},
		{"a creation, after 429", "POST", false, []int{429, 200}, "7", 2, 7 * time.Second, 0},
		{"a pause that is too long", "GET", false, []int{429, 200}, "3600", 1, 0, 429},
		{"a deletion of what is gone", "DELETE", false, []int{404, 200}, "", 1, 0, 404},
		{"a redirect", "GET", false, []int{302, 200}, "", 1, 0, 302},
	} {
		t.Run(c.name, func(t *testing.T) {
			attempts := 0
			client, pauses := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", c.after)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status[attempts])
				attempts++
				io.WriteString(w, "{}")
			})
			err := client.Do(t.Context(), Call{Method: c.method, Path: "/x", Idempotent: c.idempotent}, nil)
			if StatusOf(err) != c.want || (err == nil) != (c.want == 0) || attempts != c.attempts {
				t.Errorf("%d attempts, %v", attempts, err)
			}
			if c.pause != 0 && !slices.Equal(*pauses, []time.Duration{c.pause}) {
				t.Errorf("pauses: %v", *pauses)
			}
		})
	}
}

// What is hidden reaches the provider, in each place as it must be escaped, and
// is seen nowhere else.
func TestHidden(t *testing.T) {
	var got []string
	client, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("User-Agent"), string(body))
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":{"message":"bad token %s \u001b[31m"}}`, `s3cr3t/t\"k`)
	})
	client.Header = map[string]string{"Authorization": "Bearer {token}"}
	for _, call := range []Call{
		{Method: "POST", Path: "/bot{token}/set", Body: map[string]string{"secret": "{token}", "url": "https://x.example/?a=1&b=2"}},
		{Method: "POST", Path: "/form", Body: url.Values{"secret": {"{token}"}}},
	} {
		err := client.Do(t.Context(), call, nil)
		method, at, body := client.Show(call)
		seen := fmt.Sprint(err, method, at, body)
		if strings.Contains(seen, "s3cr3t") || strings.Contains(seen, "\x1b") || !strings.Contains(err.Error(), "bad token {token}") {
			t.Errorf("seen: %s", seen)
		}
	}
	want := []string{
		"/bots3cr3t%2Ft%22k/set", `Bearer s3cr3t/t"k`, "devhook", `{"secret":"s3cr3t/t\"k","url":"https://x.example/?a=1&b=2"}`,
		"/form", `Bearer s3cr3t/t"k`, "devhook", "secret=s3cr3t%2Ft%22k",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	client.Base = "http://127.0.0.1:1"
	if err := client.Do(t.Context(), Call{Method: "POST", Path: "/bot{token}/set"}, nil); err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("without an answer: %v", err)
	}
}

func TestHostileAnswers(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"endless", strings.Repeat("x", maxAnswer+2), "is larger than"},
		{"no JSON", "<html>", "is not the JSON"},
		{"another shape", `[1]`, "is not the JSON"},
	} {
		client, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, c.body) })
		var into struct{ ID int }
		err := client.Do(t.Context(), Call{Method: "PUT", Path: "/x"}, &into)
		var e *Error
		if !errors.As(err, &e) || !e.Unsure() || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	client, _ := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		io.WriteString(w, strings.Repeat("long ", 10000))
	})
	if err := client.Do(t.Context(), Call{Method: "PUT", Path: "/x"}, nil); err == nil || len(err.Error()) > 1000 {
		t.Errorf("got %v", err)
	}
}

func TestNewClient(t *testing.T) {
	for base, ok := range map[string]bool{
		"https://api.example": true, "http://127.0.0.1:80": true, "http://[::1]:80": true, "http://localhost:80": true,
		"http://api.example": false, "ftp://api.example": false, "https://u:p@api.example": false, "https://api.example?a=1": false,
		"api.example": false, "": false, "http://127.0.0.1.example": false,
	} {
		if _, err := NewClient(base); (err == nil) != ok {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestReachable(t *testing.T) {
	for u, want := range map[string]bool{
		"https://x.ngrok.app/hooks": true, "http://203.0.113.5:8080": true, "https://[2001:db8::1]": true,
		"http://127.0.0.1:4050": false, "http://localhost": false, "http://a.localhost:1": false, "http://[::1]:1": false,
		"http://10.0.0.1": false, "http://192.168.1.1": false, "http://100.64.0.1": false, "http://169.254.1.1": false,
		"http://[::ffff:127.0.0.1]": false, "http://box": false, "http://box.local.": false, "http://0.0.0.0": false, "http://[fe80::1%25eth0]": false,
	} {
		if got := Reachable(u); got != want {
			t.Errorf("%s: %v", u, got)
		}
	}
	for u, want := range map[string]bool{
		"https://x.example/a?b=c": true, "https://u:p@x.example": false, "https://x.example/{token}": false, "ftp://x.example": false, "x": false,
	} {
		if got := CheckURL(u) == nil; got != want {
			t.Errorf("CheckURL %s: %v", u, got)
		}
	}
}

// Ctrl-C in the middle of a call that makes something: it is made to its end,
// and taken back.
func TestInterrupted(t *testing.T) {
	for _, op := range []string{"create", "targets/create", "list"} {
		t.Run(op, func(t *testing.T) {
			api, _ := emulator(t, eulertest.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/"+op) && ctx.Err() == nil {
					cancel()
					time.Sleep(50 * time.Millisecond) // the client would give up meanwhile
				}
				api.ServeHTTP(w, r)
			}))
			defer slow.Close()
			dir := t.TempDir()
			r := begin(t, eulerOptions(storeIn(t, dir), slow.URL, "ada"))
			if err := r.Set(ctx, first); !errors.Is(err, context.Canceled) && op != "targets/create" {
				t.Errorf("got %v", err)
			}
			must(t, r.Close(t.Context()))
			wantState(t, api, "")
			if left := ledgers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
