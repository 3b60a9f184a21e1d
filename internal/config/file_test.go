package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each mistake in devhook.yaml has its place and says what to do.
func TestMistakesHavePlaceAndHint(t *testing.T) {
	for _, tt := range []struct{ yaml, what, hint string }{
		{"froward: 3000\n", "devhook.yaml:1:1: froward: unknown field (near: forward", "write forward:"},
		{"max-body: 1kb\n", "devhook.yaml:1:1: max-body: unknown field", "write max_body:"},
		{"routes:\n\t- path: /a\n", "devhook.yaml:2:1: not YAML:", "write spaces: YAML takes no tabs here"},
		{"routes:\n  /a.b: tiktok\n", "devhook.yaml:2:3: routes./a.b: unknown field", "write - {path: /a.b, provider: ID}"},
		{"nonsense: 1\n", "unknown field", "devhook help up lists the settings"},
		{"port: 3000\n", "unknown field", "write forward: 3000, or another port of the app"},
		{"routes:\n  - {path: /a, proivder: tiktok}\n", "devhook.yaml:2:16: routes[0].proivder: unknown field", "write provider:"},
		{"providers:\n  own:\n    shceme: hmac\n", "devhook.yaml:3:5: providers.own.shceme: unknown field", "write scheme:"},
		{"providers:\n  id: own\n  scheme: hmac\n", "devhook.yaml:2:7: providers.id: must be a mapping", "write each under its id"},
		{"providers:\n  - id: own\n", "devhook.yaml:2:3: providers: must be a mapping", "write each under its id"},
		{"providers:\n  own: {signature: X-Sig}\n", "devhook.yaml:2:20: providers.own.signature: must be a mapping", ""},
		{"routes:\n  - {path: /a, provider: stripe, secret: env:A}\n", "devhook.yaml:2:34: routes[0].secret: unknown field", "write secrets: {ID: env:NAME} beside routes:"},
		{"max_body: 0\n", `devhook.yaml:1:11: max_body: "0" bytes would be room for nothing`, "write 10mb"},
		{"timeout: 2\n", `devhook.yaml:1:10: timeout: "2" is not a time to wait`, "write 2s for seconds"},
		{"routes:\n  - path: /a\n    timeout: 2\n", `devhook.yaml:3:14: routes[0].timeout: "2" is not a time to wait`, "write 2s for seconds"},
		{"routes: [{path: /, timeout: 0s}]\n", "is not a time to wait", "write a duration"},
		{"routes: [{path: /, forward: app}]\n", "devhook.yaml:1:29: routes[0].forward: \"app\" is not an app's address", "write a port"},
		{"host_header: \"a\\nb\"\n", "devhook.yaml:1:14: host_header: \"a\\nb\" is not a Host: it has a line break", "HOST:PORT"},
		{"keep: {age: 90x}\n", `devhook.yaml:1:13: keep.age: "90x" is not an age`, "write 90d, 12h or 2w"},
		{"keep: {age: 90}\n", "devhook.yaml:1:13: keep.age:", "write 90d, 12h or 2w"},
		{"keep: {size: 10zb}\n", `devhook.yaml:1:14: keep.size: "10zb" is not a size`, "write 10mb"},
		{"keep: {aeg: 90d}\n", "devhook.yaml:1:8: keep.aeg: unknown field", "write age:"},
		{"keep: forever\n", "devhook.yaml:1:7: keep: must be a mapping", ""},
		{"secrets: {tiktk: env:A}\n", "devhook.yaml:1:11: secrets.tiktk: unknown provider \"tiktk\" (near: tiktok", "write tiktok; devhook providers lists all"},
		{"with: {tiktok-shpo: {app_key: env:A}}\n", "devhook.yaml:1:8: with.tiktok-shpo: unknown provider", "write tiktok-shop"},
		{"with: {tiktok-shop: {app_kee: env:A}}\n", "devhook.yaml:1:22: with.tiktok-shop.app_kee: tiktok-shop knows no \"app_kee\" (known: app_key", "devhook providers tiktok-shop"},
		{"verify: off\nprovider: tictok\n", "devhook.yaml:2:11: provider: unknown provider", "write tiktok"},
		{"routes: [{path: /, provider: tictok, verify: off}]\n", "devhook.yaml:1:30: routes[0].provider: unknown provider", "write tiktok"},
		{"secrets: {tiktok: a, tiktok_business: b}\n", "devhook.yaml:1:22: secrets.tiktok_business: is there twice: it is another name for tiktok", ""},
		{"secrets: {tiktok: 'env:'}\n", "devhook.yaml:1:19: secrets.tiktok: env: names no variable", "write env:NAME"},
		{"secrets: {tiktok: ['file:']}\n", "devhook.yaml:1:20: secrets.tiktok[0]: file: names no file", "write file:PATH"},
		{"url: https://me:pw@x.ngrok.app\n", "devhook.yaml:1:6: url: \"https://…@x.ngrok.app\" has a user in it", "write a domain"},

		{"forward: 3000\n<<: *base\n", "devhook.yaml:2:1: merge keys (<<) are not understood", "write out the settings"},
		{"forward: &f 3000\n<<: {verify: off}\n", "devhook.yaml:2:1: merge keys (<<) are not understood", "write out the settings"},
		{"# <<: *r\nroutes:\n  - {<<: *r, path: /a}\n", "devhook.yaml:3:6: merge keys", "write out"},
		{"secrets:\n  tiktok: *x\n", "devhook.yaml:2:11: aliases (as *name) are not understood", "in quotes"},
		{"forward: &a 3000\nname: *a\n", "devhook.yaml:2:7: name: aliases (as *name) are not understood", "in quotes"},
		{"providers:\n  own: {<<: *p}\n", "devhook.yaml:2:9: merge keys", "write out"},
	} {
		_, err := setup{yaml: tt.yaml}.load(t) // not trusted: what is wrong is told first
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Text, tt.what) || !strings.Contains(e.Hint, tt.hint) || tt.hint == "" && e.Hint != "" {
			t.Errorf("%q:\n got %+v\nwant %s (%s)", tt.yaml, err, tt.what, tt.hint)
		}
	}
	for _, yaml := range []string{"keep: {age: 90d, size: 10gb}\n", "keep: {age: 2w}\n", "secrets: {tiktok_business: x}\nwith: {tiktok_shop: {app-key: x}}\n"} {
		if _, err := (setup{yaml: yaml}).load(t); err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
	}
}

func TestReasonsToTrust(t *testing.T) {
	_, err := setup{yaml: "authtoken: 2abcTheirs\ntraffic_policy_file: policy.yml\n"}.load(t)
	var u *UntrustedError
	if !errors.As(err, &u) {
		t.Fatal(err)
	}
	want := []string{
		"line 1 brings an authtoken: the tunnel would open in the ngrok account of whoever wrote it",
		"line 2 has ngrok apply the traffic policy policy.yml, which decides who gets in and where requests go",
	}
	if strings.Join(u.Reasons, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", u.Reasons)
	}
	if strings.Contains(err.Error(), "2abcTheirs") {
		t.Error("the authtoken is shown")
	}
	yaml := "inspect: off\nlisten: 127.0.0.1:0\nauthtoken: \"-\"\nsecrets: {tiktok: \"a:b\", tiktok-shop: env:TIKTOK_SHOP_APP_SECRET}\n"
	if _, err := (setup{yaml: yaml}).load(t); err != nil && errors.As(err, &u) {
		t.Errorf("what risks nothing: %q", u.Reasons)
	}
}

// Paths in devhook.yaml start from where it is, and not from where devhook
// was started.
func TestPathsStartFromTheFile(t *testing.T) {
	top := resolved(t.TempDir())
	deep := filepath.Join(top, "deep")
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		fileName:     "authtoken: file:token\ntraffic_policy_file: policy.yml\nsecrets: {tiktok: file:secret}\n",
		"token":      "t0ken\n",
		"secret":     "s3cret\n",
		"policy.yml": "on_http_request: []\n",
		"other.yaml": "authtoken: file:" + filepath.Join(top, "token") + "\ntraffic_policy_file: " + filepath.Join(top, "policy.yml") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(deep)
	none := func(string) string { return "" }
	for _, file := range []string{"", "../" + fileName, filepath.Join(top, fileName), "../other.yaml"} {
		c, err := Load(Source{Dir: ".", File: file, Getenv: homeAt(top)})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		r := &Resolver{Getenv: none}
		if got, err := r.Resolve(c.Get("authtoken").Text(), "the authtoken", ""); got != "t0ken" {
			t.Errorf("%s: authtoken %q, %v", file, got, err)
		}
		if _, err := os.ReadFile(c.Get("traffic-policy-file").Text()); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := c.Keys(r); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	// Those of flags start from here.
	flag := func(name string) []string {
		if name == "traffic-policy-file" {
			return []string{"policy.yml"}
		}
		return nil
	}
	if _, err := Load(Source{Dir: ".", Getenv: homeAt(top), Flag: flag}); err == nil {
		t.Error("a flag's path starts from devhook.yaml")
	}
}

func TestNoSuchFile(t *testing.T) {
	s := setup{}.source(t)
	s.File = filepath.Join(s.Dir, "nosuch.yaml")
	_, err := Load(s)
	refused(t, err, "cannot read the configuration "+s.File+": ", "name a file that is there, or none")
	_, err = setup{yaml: "forward: 3000\ntraffic_policy_file: nosuch.yml\n", trust: true}.load(t)
	refused(t, err, "devhook.yaml:2: cannot read the traffic policy ", "name a file that is there")
}
