package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// refused checks that err is one for the user, with text in what and hint.
func refused(t *testing.T, err error, what, hint string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, what) || !strings.Contains(e.Hint, hint) || hint == "" && e.Hint != "" {
		t.Errorf("got %+v, want %q and the hint %q", err, what, hint)
		if e != nil {
			t.Logf("hint %q", e.Hint)
		}
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, value, what, hint string }{
		{"max-body", "0", `--max-body: "0" bytes would be room for nothing`, "write 10mb, 500kb or a number of bytes"},
		{"max-body", "0.2", "room for nothing", "write 10mb"},
		{"max-body", "10zb", `--max-body: "10zb" is not a size`, "write 10mb, 500kb or a number of bytes"},
		{"max-body", "-1", "is not a size", "write 10mb"},
		{"timeout", "2", `"2" is not a time to wait`, "write 2s for seconds"},
		{"timeout", "soon", "is not a time to wait", "write a duration as in 30s"},
		{"verify", "enforced", `"enforced" is none of enforce, strict, report, off`, "write enforce"},
		{"host-header", "a.example\r\nX-Evil: 1", "--host-header: \"a.example\\r\\nX-Evil: 1\" is not a Host: it has a line break", "HOST:PORT"},
		{"host-header", "a\nb", "line break", "HOST:PORT"},
		{"host-header", "a\x00b", "control characters", "HOST:PORT"},
		{"host-header", "a\x7fb", "control characters", "HOST:PORT"},
		{"host-header", "a b", "it has a space in it", "HOST:PORT"},
		{"host-header", "a\tb", "it has a space in it", "HOST:PORT"},
		{"host-header", "http://a.example", "more in it than a name and a port", "HOST:PORT"},
		{"traffic-policy-file", "/no/such.yml", "--traffic-policy-file: cannot read the traffic policy /no/such.yml: ", "name a file that is there"},
		{"traffic-policy-file", ".", "it is a directory", "name a file that is there"},
		{"listen", "127.0.0.1:99999", `"127.0.0.1:99999" is not an address to listen on`, "port 0 is any"},
		{"listen", "app.example:80", `"app.example" is not an address of this machine`, "write 127.0.0.1:80"},
		{"inspect-host", "app.example:x", `"app.example:x" is no host and port`, "write NAME"},
		{"inspect-host", "*.example", `"*.example" is no host`, "write NAME"},
		{"inspect-host", "a/b", `"a/b" is no host`, "write NAME"},
		{"inspect-host", ":80", `":80" is no host`, "write NAME"},
		{"authtoken", "env:", "--authtoken: env: names no variable", "write env:NAME"},
	} {
		_, err := setup{flags: map[string][]string{tt.name: {tt.value}}}.load(t)
		refused(t, err, tt.what, tt.hint)
	}
	for name, values := range map[string][]string{
		"max-body": {"1"}, "timeout": {"1m30s"}, "host-header": {"app.example:8080"}, "traffic-policy-file": {"setting_test.go"}, "metadata": {`{"a": 1}`},
		"listen": {":0", "localhost:4050", "[::1]:0"}, "inspect": {"off"}, "inspect-host": {"app.example", "app.example:80", "[::1]:80", "::1", "10.0.0.1"},
	} {
		for _, value := range values {
			if _, err := (setup{flags: map[string][]string{name: {value}}}).load(t); err != nil {
				t.Errorf("--%s %s: %v", name, value, err)
			}
		}
	}
}

// A flag that is given nothing, as by a shell variable that is not set, is not
// taken for one that was not given.
func TestNothingIsNoValue(t *testing.T) {
	for _, name := range append(Settings(), "secret", "with") {
		for _, value := range []string{"", " "} {
			_, err := setup{flags: map[string][]string{name: {value}}}.load(t)
			switch name {
			case "name", "description", "metadata":
				if err != nil {
					t.Errorf("--%s %q: %v", name, value, err)
				}
			default:
				refused(t, err, "--"+name+" is empty", "write --"+name+" VALUE, or leave it out")
			}
		}
	}
	for yaml, want := range map[string]string{
		"provider: ''\n":                        "devhook.yaml:1:11: provider: is empty",
		"url: \"\"\n":                           "devhook.yaml:1:6: url: is empty",
		"verify: ''\n":                          "devhook.yaml:1:9: verify: is empty",
		"forward: [':3000', '']\n":              "devhook.yaml:1:20: forward[1]: is empty",
		"forward:\n":                            "forward: has no value",
		"authtoken: ''\n":                       "authtoken: is empty",
		"secrets: {tiktok: ''}\n":               "devhook.yaml:1:19: secrets.tiktok: is empty",
		"with: {tiktok-shop: {app_key: ' '}}\n": "with.tiktok-shop.app_key: is empty",
		"routes: [{path: /, forward: []}]\n":    "forward: has no value",
		"routes: [{path: /, provider: ''}]\n":   "provider: is empty",
	} {
		_, err := setup{yaml: yaml}.load(t)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", yaml, err, want)
		}
	}
	if _, err := (setup{yaml: "name: ''\ndescription: ''\nmetadata: ''\n"}).load(t); err != nil {
		t.Error(err)
	}
}

func TestAge(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"90d": 90 * day, "12h": 12 * time.Hour, "2w": 14 * day, "1w2d3h30m": 9*day + 3*time.Hour + 30*time.Minute, "1.5d": 36 * time.Hour, "45m": 45 * time.Minute,
	} {
		if got, err := ParseAge(in); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "90x", "90", "d", "0d", "-1d", "2d1w", "1d-5h", "1e9w", "infd", "nand", "40000d", "876001h", "1d1d", "soon"} {
		if got, err := ParseAge(in); err == nil {
			t.Errorf("%q is %v", in, got)
		} else {
			refused(t, err, "is not an age", "write 90d, 12h or 2w")
		}
	}
}

// What stands before an @ may be a password.
func TestErrorsHideWhatStandsBeforeAnAt(t *testing.T) {
	const password = "hunter2"
	for _, tt := range []struct{ name, value, shown string }{
		{"forward", "http://user:hunter2@host:1", `"http://…@host:1"`},
		{"forward", "user:hunter2@host:1", `"…@host:1"`},
		{"forward", "http:/user:hunter2@host:1", `"…@host:1"`},
		{"forward", "http://user:hun@hunter2@host:1", `"http://…@host:1"`},
		{"forward", "http://user:hunter2/x@host:1", `"http://…@host:1"`},
		{"forward", "ftp://user:hunter2@host", `"ftp://…@host"`},
		{"forward", "http://user:hunter2%zz@host", `"http://…@host"`},
		{"forward", "https://hunter2@host:99999", `"https://…@host:99999"`},
		{"listen", "http://user:hunter2@127.0.0.1:4050", `"http://…@127.0.0.1:4050"`},
		{"listen", "hunter2@h:4050", `"…@h"`},
		{"url", "ftp://user:hunter2@me.ngrok.app", `"ftp://…@me.ngrok.app"`},
		{"url", "https://user:hunter2@me.ngrok.app", `"https://…@me.ngrok.app"`},
		{"ngrok-connect-url", "user:hunter2@ngrok.example:443", `"…@ngrok.example:443"`},
		{"host-header", "user:hunter2@host", `"…@host"`},
		{"provider", "http://user:hunter2@host", `"http://…@host"`},
		{"tunnel", "http://user:hunter2@host", `"http://…@host"`},
		{"with", "http://user:hunter2@host", `"http://…@host"`},
	} {
		_, err := setup{flags: map[string][]string{tt.name: {tt.value}}}.load(t)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, tt.shown) || strings.Contains(e.Text+e.Hint, password) {
			t.Errorf("--%s %s: %+v, want %s", tt.name, tt.value, err, tt.shown)
		}
	}
	_, err := setup{yaml: "routes: [{path: /, forward: 'http://user:hunter2@host:1'}]\n"}.load(t)
	if err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "http://…@host:1") {
		t.Error(err)
	}
	// The proxy's password is one of those that are allowed, and masked.
	c, err := setup{flags: map[string][]string{"ngrok-proxy-url": {"http://user:hunter2@proxy:1"}}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range c.Show() {
		if strings.Contains(line.Value, password) {
			t.Errorf("shown: %+v", line)
		}
	}
}
