package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/gateway"
)

// A setup is a directory with a devhook.yaml, flags and an environment.
type setup struct {
	yaml  string
	flags map[string][]string
	env   map[string]string
	trust bool
}

func (s setup) source(t *testing.T) Source {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yml"), []byte("on_http_request: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.yaml != "" {
		if err := os.WriteFile(filepath.Join(dir, fileName), []byte(s.yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Source{
		Dir: dir, Getenv: func(name string) string { return s.env[name] },
		Flag:    func(name string) []string { return s.flags[name] },
		Trusted: func(string, []byte) bool { return s.trust },
	}
}

func (s setup) load(t *testing.T) (*Config, error) {
	t.Helper()
	return Load(s.source(t))
}

func (s setup) routes(t *testing.T) (*gateway.Routes, error) {
	t.Helper()
	c, err := s.load(t)
	if err != nil {
		return nil, err
	}
	return c.Routes(&Resolver{Getenv: func(name string) string { return s.env[name] }})
}

func TestPrecedence(t *testing.T) {
	s := setup{
		yaml:  "verify: strict\nforward: 3001\ntimeout: 5s\nurl: https://file.example\n",
		flags: map[string][]string{"url": {"https://flag.example"}, "secret": {"stripe=-"}},
		env:   map[string]string{"DEVHOOK_STORE": "/env/store", "NGROK_AUTHTOKEN": "token"},
	}
	c, err := s.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"url":       "https://flag.example|--url",
		"store":     "/env/store|DEVHOOK_STORE",
		"verify":    "strict|devhook.yaml:1",
		"forward":   "3001|devhook.yaml:2",
		"tunnel":    "auto|default",
		"authtoken": "token|NGROK_AUTHTOKEN",
		"metadata":  "|",
	} {
		v := c.Get(name)
		if got := v.Text() + "|" + filepath.Base(v.From); got != want && v.Text()+"|"+v.From != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, line := range c.Show() {
		if strings.Contains(line.Value, "token") || line.Name == "secret stripe" && line.Value != "-" {
			t.Errorf("shown: %+v", line)
		}
	}
}

func TestForward(t *testing.T) {
	for in, want := range map[string]string{
		"3000": "http://127.0.0.1:3000", ":3000": "http://127.0.0.1:3000", "app:80": "http://app:80",
		"http://localhost:3000/base": "http://localhost:3000/base", "https://h": "https://h", "[::1]:5": "http://[::1]:5",
		"http://h:1/": "http://h:1/",
	} {
		if u, err := ParseForward(in); err != nil || u.String() != want {
			t.Errorf("ParseForward(%s) = %v, %v; want %s", in, u, err, want)
		}
	}
	for _, in := range []string{"", "app", "0", "65536", "ftp://h:1", "http://", "http://u:p@h:1", "http://h:1/?q", "http://h:1/#f", "[::1]", "http://h:99999", ":x", "h:", "-1", "http://h:"} {
		if u, err := ParseForward(in); err == nil {
			t.Errorf("ParseForward(%q) = %v", in, u)
		}
	}
}

func TestRoutes(t *testing.T) {
	s := setup{
		yaml: `
forward: [":3000", "http://localhost:9/base"]
verify: strict
secrets: {tiktok: env:TIKTOK_CLIENT_SECRET, tiktok_shop: env:TIKTOK_SHOP_APP_SECRET}
with: {tiktok-shop: {app_key: abcdef}}
routes:
  - {path: /hooks/tiktok, provider: tiktok}
  - {path: /cb, provider: tencent-live, forward: ":4000", verify: report, timeout: 2s}
  - path: /open
    verify: enforce
`,
		env: map[string]string{"TIKTOK_CLIENT_SECRET": "a", "TIKTOK_SHOP_APP_SECRET": "b"},
	}
	rt, err := s.routes(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(rt.List) != 3 || len(rt.Keys["tiktok"].Secrets) != 1 || rt.Keys["tiktok-shop"].With["app_key"] != "abcdef" {
		t.Fatalf("%+v", rt)
	}
	a, b, c := rt.List[0], rt.List[1], rt.List[2]
	if a.Provider != "tiktok" || a.Verify != gateway.Strict || len(a.Forward) != 2 || a.Timeout != 30*time.Second {
		t.Errorf("%+v", a)
	}
	if b.Provider != "tencent-live" || b.Verify != gateway.Report || b.Forward[0].Port() != "4000" || b.Timeout != 2*time.Second {
		t.Errorf("%+v", b)
	}
	if c.Provider != "" || c.Verify != gateway.Enforce {
		t.Errorf("%+v", c)
	}
}

func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		flags map[string][]string
		env   map[string]string
		id    string
		n     int
		err   string // a part of the error and its hint
	}{
		"usual variable":       {env: map[string]string{"TIKTOK_CLIENT_SECRET": "x"}, id: "tiktok", n: 1},
		"flag with an id":      {flags: map[string][]string{"secret": {"stripe=env:S"}}, env: map[string]string{"S": "whsec_x"}, id: "stripe", n: 1},
		"flag of the provider": {flags: map[string][]string{"provider": {"github"}, "secret": {"file:" + file}}, id: "github", n: 1},
		"rotation":             {flags: map[string][]string{"secret": {"github=a", "github=b"}}, id: "github", n: 2},
		"an alias":             {flags: map[string][]string{"secret": {"tiktok_business=x"}}, id: "tiktok", n: 1},
		"base64 is no id":      {flags: map[string][]string{"provider": {"github"}, "secret": {"abc=def="}}, id: "github", n: 1},
		"flag over variable":   {flags: map[string][]string{"secret": {"tiktok=x", "tiktok=y"}}, env: map[string]string{"TIKTOK_CLIENT_SECRET": "z"}, id: "tiktok", n: 2},
		"whose":                {flags: map[string][]string{"secret": {"env:S"}}, err: "whose secret"},
		"unset":                {flags: map[string][]string{"secret": {"tiktok=env:NOPE"}}, err: "NOPE is not set"},
		"no file":              {flags: map[string][]string{"secret": {"tiktok=file:/no/such"}}, err: "/no/such"},
		"nobody to ask":        {flags: map[string][]string{"secret": {"tiktok=-"}}, err: "no terminal"},
		"empty":                {flags: map[string][]string{"secret": {"tiktok="}}, err: "is empty"},
		"no base64":            {flags: map[string][]string{"secret": {"standard-webhooks=whsec_$$$"}}, err: "base64"},
		"named without":        {flags: map[string][]string{"provider": {"tiktok"}}, err: "TIKTOK_CLIENT_SECRET"},
		"named, half":          {flags: map[string][]string{"provider": {"tiktok-shop"}, "secret": {"x"}}, err: "app_key"},
		"named, reported":      {flags: map[string][]string{"provider": {"tiktok"}, "verify": {"report"}}, id: "github", n: 0},
		"unknown provider":     {flags: map[string][]string{"provider": {"tictok"}}, err: "tiktok"},
		"unknown with":         {flags: map[string][]string{"with": {"tiktok-shop.app_kee=x"}}, err: "app_key"},
		"with":                 {flags: map[string][]string{"provider": {"tiktok-shop"}, "secret": {"x"}, "with": {"app_key=k"}}, id: "tiktok-shop", n: 1},
	} {
		t.Run(name, func(t *testing.T) {
			rt, err := setup{flags: tt.flags, env: tt.env}.routes(t)
			if tt.err != "" {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(e.Text+" "+e.Hint, tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(rt.Keys[tt.id].Secrets); n != tt.n {
				t.Errorf("%d secrets, want %d", n, tt.n)
			}
		})
	}
}

// A secret on the command line is taken, with one warning that does not repeat
// it.
func TestLiteralSecretIsWarnedOf(t *testing.T) {
	c, err := setup{flags: map[string][]string{"secret": {"tiktok=hunter2", "tiktok=hunter3"}}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	r := &Resolver{Getenv: func(string) string { return "" }, Warn: func(text string) { warnings = append(warnings, text) }}
	for range 2 {
		if _, err := c.Routes(r); err != nil {
			t.Fatal(err)
		}
	}
	if len(warnings) != 1 || strings.Contains(warnings[0], "hunter") {
		t.Errorf("%q", warnings)
	}
	for _, line := range c.Show() {
		if strings.Contains(line.Value, "hunter") {
			t.Errorf("shown: %+v", line)
		}
	}
}

// What editors and shells put around a secret in a file is none of it.
func TestSecretInAnyEncoding(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{
		"s3cret\r\n":                     "s3cret",
		"\ufeffs3cret\r\n":               "s3cret",
		"\xff\xfes\x003\x00\r\x00\n\x00": "s3",
		"\xfe\xff\x00s\x003\x00\n":       "s3",
		"\xff\xfe3":                      "\xff\xfe3", // bytes
		"\xff":                           "\xff",
		"\xff\xfe":                       "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := new(Resolver).Resolve("file:"+file, "x", "--secret")
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v: want %q", text, got, err, want)
		}
	}
}

// A file is read each time, and told of; what a shell's <(…) writes can be read once, and
// is remembered.
func TestFilesOfSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	io.WriteString(in, "once\n")
	in.Close()
	pipe := fmt.Sprintf("/dev/fd/%d", out.Fd())
	if _, err := os.Stat(pipe); err != nil {
		t.Logf("no names of open files here: %v", err)
		pipe = file
	}
	r := &Resolver{}
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := r.Resolve("file:"+file, "x", "--secret")
		if err != nil || got != want {
			t.Errorf("%q, %v: want %q", got, err, want)
		}
		if got, err = r.Resolve("file:"+pipe, "y", "--secret"); err != nil || pipe != file && got != "once" {
			t.Errorf("of the pipe: %q, %v", got, err)
		}
	}
	if !slices.Equal(r.Files, []string{file}) {
		t.Errorf("files that can be read again: %q", r.Files)
	}
}

func TestFileErrors(t *testing.T) {
	for yaml, want := range map[string]string{
		"froward: 3000\n":                                                     "devhook.yaml:1:1: froward: unknown field (near: forward",
		"verify: enforce\nverify: off\n":                                      "2:1: verify: is there twice",
		"verify: sometimes\n":                                                 `1:9: verify: "sometimes" is none of enforce`,
		"routes:\n  - {path: hooks}\n":                                        "2:12: routes[0].path: must start with /",
		"routes:\n  - {provider: tiktok}\n":                                   "has no path",
		"routes:\n  - {path: /a}\n  - {path: /a/}\n":                          "is there twice",
		"routes:\n  - {path: /a, provider: tictok}":                           "unknown provider \"tictok\" (near: tiktok",
		"secrets: {tictok: env:X}\n":                                          "unknown provider \"tictok\"",
		"forward: [":                                                          "devhook.yaml:1:",
		"timeout: soon\n":                                                     "not a time to wait",
		"max_body: huge\n":                                                    "not a size",
		"ngrok_connect_url: evil\n":                                           "unknown field",
		"sources: [{creator: x}]\n":                                           "has no provider (known: tuniform, euler)",
		"sources: [{provider: tunifrom}]\n":                                   "tuniform",
		"sources: [{provider: euler}]\n":                                      "needs a creator",
		"sources: [{provider: tuniform, url: \"ws://192.0.2.1/ws\"}]\n":       "in the clear",
		"sources: [{provider: tuniform, url: \"wss://x.test/ws?token=1\"}]\n": "no user, query or fragment",
		"sources: [{provider: tuniform, path: hooks}]\n":                      "is no path",
		"sources: [{provider: tuniform, secret: -}]\n":                        "a prompt is for the command line",
		"sources: [{provider: tuniform}, {provider: tuniform, path: /b}]\n":   "is there twice",
		"providers:\n  own:\n    shceme: hmac\n":                              "devhook.yaml:3:5: providers.own.shceme: unknown field (near: scheme",
	} {
		_, err := setup{yaml: yaml, trust: true}.load(t)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", yaml, err, want)
		}
	}
	for _, yaml := range []string{"", "# nothing\n", "---\n"} {
		if _, err := (setup{yaml: yaml}).load(t); err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
	}
	// A literal secret must not come back in an error.
	_, err := setup{yaml: "secrets: {tiktok: hunter2, tiktok: [hunter2\n"}.load(t)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// What a stranger's file must not do without the user's word.
func TestTrust(t *testing.T) {
	for yaml, asks := range map[string]bool{
		"forward: :3000\nsecrets: {tiktok: env:TIKTOK_CLIENT_SECRET}\n":         false,
		"with: {tiktok-shop: {app_key: env:TIKTOK_SHOP_APP_KEY}}\n":             false,
		"authtoken: env:NGROK_AUTHTOKEN\n":                                      false,
		"secrets: {tiktok: env:AWS_SECRET}\n":                                   true,
		"secrets: {tiktok: [env:TIKTOK_CLIENT_SECRET, env:OTHER]}\n":            true,
		"secrets: {tiktok: file:/etc/passwd}\n":                                 true,
		"with: {tiktok-shop: {app_key: env:AWS_SECRET}}\n":                      true,
		"authtoken: env:AWS_SECRET\n":                                           true,
		"forward: http://evil.example:80\n":                                     true,
		"routes: [{path: /, forward: evil.example:80}]\n":                       true,
		"forward: http://localhost:1\n":                                         false,
		"verify: off\n":                                                         true,
		"providers: {own: {scheme: token, signature: {in: header, name: X}}}\n": true,
		"routes: [{path: /, verify: off}]\n":                                    true,
		"verify: report\n":                                                      false,
		"listen: 0.0.0.0:4050\n":                                                true,
		"listen: 127.0.0.1:4050\n":                                              false,
		"traffic_policy_file: policy.yml\n":                                     true,
		"authtoken: 2abcTheirs\n":                                               true,
	} {
		env := map[string]string{"TIKTOK_SHOP_APP_SECRET": "x"}
		_, err := setup{yaml: yaml, env: env}.load(t)
		var u *UntrustedError
		if errors.As(err, &u) != asks || err != nil && !asks {
			t.Errorf("%q: %v, asks for trust: want %v", yaml, err, asks)
		}
		if _, err := (setup{yaml: yaml, env: env, trust: true}).load(t); err != nil {
			t.Errorf("%q, trusted: %v", yaml, err)
		}
	}
}

func TestTrustFile(t *testing.T) {
	f := TrustFile{filepath.Join(t.TempDir(), "a", "trusted.json")}
	if f.Has("/x", []byte("1")) {
		t.Error("trusts what it does not know")
	}
	for _, path := range []string{"/x", "/y"} {
		if err := f.Add(path, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if !f.Has("/x", []byte("1")) || f.Has("/x", []byte("2")) || f.Has("/z", []byte("1")) {
		t.Error("trusts another content or path, or not what it should")
	}
}

// A command that sets a variable is one of the system's shell.
func TestAssign(t *testing.T) {
	for goos, want := range map[string]string{"linux": "export A=b", "windows": `$env:A="b"`} {
		if got := Assign(goos, "A", "b"); got != want {
			t.Errorf("%s: %s, want %s", goos, got, want)
		}
	}
}
