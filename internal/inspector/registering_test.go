package inspector

import (
	"net/http/httptest"
	"strings"
	"testing"

	"devhook/internal/register"
	"devhook/internal/register/registertest"
)

// What would be registered is told without the token, and nothing is. The provider's API is
// asked only if it may be.
func TestRegister(t *testing.T) {
	api := registertest.NewGitHub(registertest.Options{}, registerToken, "repos/octocat/hello")
	far := httptest.NewServer(api)
	t.Cleanup(far.Close)
	host := strings.TrimPrefix(far.URL, "http://")
	b := newBench(t, func(o *Options) { o.AllowTo = []string{host} })
	b.registerAt = far.URL
	before := api.State()
	r := b.must(200, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]},"dry_run":true}`)
	for _, want := range []string{`"method":"POST","url":"` + far.URL + `/repos/octocat/hello/hooks"`, "https://me.example/hooks"} {
		if !strings.Contains(string(r.body), want) {
			t.Errorf("%s is not in %s", want, r.body)
		}
	}
	if strings.Contains(string(r.body), registerToken) || api.State() != before {
		t.Errorf("it shows the token, or has done something: %s", r.body)
	}
	b.must(502, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/none"]},"dry_run":true}`)
	b.must(422, "POST", "/devhook/v1/register", `{"provider":"github","dry_run":true}`)
	if v := b.must(200, "POST", "/devhook/v1/register", `{"provider":"slack","dry_run":true}`).json(t); len(v["steps"].([]any)) == 0 {
		t.Errorf("by hand: %v", v)
	}
	b.must(404, "POST", "/devhook/v1/register", `{"provider":"none","dry_run":true}`)
	b.must(400, "POST", "/devhook/v1/register", `{"provider":"github","api_url":"http://evil.example","dry_run":true}`)

	b.must(400, "POST", "/devhook/v1/register", `{"provider":"github","path":"hooks"}`)
	b.must(400, "POST", "/devhook/v1/register", `{"provider":"github","timeout":"1h"}`)
	if api.State() != before {
		t.Error("it has done something")
	}

	closed := newBench(t)
	closed.registerAt = far.URL
	if r := closed.must(403, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]},"dry_run":true}`); !strings.Contains(string(r.body), "--allow-to "+host) {
		t.Errorf("an address that nobody allowed: %s", r.body)
	}
	closed.must(403, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]}}`)
	if api.State() != before {
		t.Error("it has registered at an address that nobody allowed")
	}
	closed.must(200, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]},"dry_run":true}`, "Authorization: Bearer "+benchToken)
}

// What is registered is held until it is taken back, and nobody takes back what another
// holds; what the dead have left is cleaned up.
func TestRegisterHolds(t *testing.T) {
	api := registertest.NewGitHub(registertest.Options{}, registerToken, "repos/octocat/hello")
	far := httptest.NewServer(api)
	t.Cleanup(far.Close)
	b := newBench(t, func(o *Options) { o.AllowTo = []string{strings.TrimPrefix(far.URL, "http://")} })
	b.registerAt = far.URL
	before := api.State()
	v := b.must(200, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]}}`).json(t)
	mark, _ := v["mark"].(string)
	if mark == "" || v["url"] != "https://me.example/hooks" || len(v["done"].([]any)) != 1 || v["calls"] != nil || api.State() == before {
		t.Errorf("registered: %v", v)
	}
	if r := b.must(200, "GET", "/devhook/v1/register", ""); !strings.Contains(string(r.body), `"mark":"`+mark+`"`) {
		t.Errorf("the list: %s", r.body)
	}
	b.must(404, "DELETE", "/devhook/v1/register/none", "")
	if r := b.must(200, "POST", "/devhook/v1/register/cleanup", `{}`).json(t); len(r["done"].([]any)) != 0 {
		t.Errorf("what is held is cleaned up: %v", r)
	}
	if v := b.must(200, "DELETE", "/devhook/v1/register/"+mark, "").json(t); v["done"].([]any)[0].(map[string]any)["result"] != "reverted" {
		t.Errorf("taken back: %v", v)
	}
	if api.State() != before {
		t.Errorf("there is left %s", api.State())
	}

	// Another of the store holds one, and dies.
	p, _ := register.Lookup("github")
	reg, err := register.Open(register.Options{Store: b.store, Provider: p, API: far.URL, Values: map[string][]string{"repo": {"octocat/hello"}, "token": {registerToken}}, Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := reg.Set(t.Context(), "https://other.example/hooks"); err != nil {
		t.Fatal(err)
	}
	if r := b.must(409, "DELETE", "/devhook/v1/register/"+reg.Mark(), ""); !strings.Contains(string(r.body), "holds it") {
		t.Errorf("%s", r.body)
	}
	if err := reg.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := b.must(409, "DELETE", "/devhook/v1/register/"+reg.Mark(), ""); !strings.Contains(string(r.body), "cleanup") {
		t.Errorf("%s", r.body)
	}
	if v := b.must(200, "POST", "/devhook/v1/register/cleanup", `{"provider":"github"}`).json(t); len(v["done"].([]any)) != 1 || api.State() != before {
		t.Errorf("cleaned up: %v, and there is left %s", v, api.State())
	}
}

// A test that never comes is waited for as long as was said; all is taken back.
func TestRegisterTests(t *testing.T) {
	api := registertest.NewGitHub(registertest.Options{}, registerToken, "repos/octocat/hello")
	far := httptest.NewServer(api)
	t.Cleanup(far.Close)
	b := newBench(t, func(o *Options) { o.AllowTo = []string{strings.TrimPrefix(far.URL, "http://")} })
	b.registerAt = far.URL
	before := api.State()
	v := b.must(200, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]},"test":true,"timeout":"200ms"}`).json(t)
	if v["test"].(map[string]any)["timed_out"] != true || v["mark"] != nil || api.State() != before {
		t.Errorf("%v, and there is left %s", v, api.State())
	}
}

// A secret is taken from the commands of the user alone.
func TestRegisterTakesSecrets(t *testing.T) {
	b := newBench(t)
	const said = `{"provider":"github","secret":"agreed-0123"}`
	b.must(403, "POST", "/devhook/v1/register/secret", said)
	b.must(403, "POST", "/devhook/v1/register/secret", said, "Authorization: Bearer wrong")
	own := "Authorization: Bearer " + benchToken
	b.must(400, "POST", "/devhook/v1/register/secret", `{"provider":"github","secret":""}`, own)
	b.must(404, "POST", "/devhook/v1/register/secret", `{"provider":"none","secret":"x"}`, own)
	if len(b.told) > 0 {
		t.Errorf("was told %q", b.told)
	}
	b.must(200, "POST", "/devhook/v1/register/secret", said, own)
	if len(b.told) != 1 || b.told[0] != "github agreed-0123" {
		t.Errorf("was told %q", b.told)
	}
}

// What is registered is listed, with whether its devhook lives.
func TestRegistrations(t *testing.T) {
	far := httptest.NewServer(registertest.NewGitHub(registertest.Options{}, registerToken, "repos/octocat/hello"))
	t.Cleanup(far.Close)
	b := newBench(t)
	if v := b.must(200, "GET", "/devhook/v1/register", "").json(t); len(v["registrations"].([]any)) != 0 {
		t.Errorf("there is %v", v)
	}
	p, _ := register.Lookup("github")
	reg, err := register.Open(register.Options{Store: b.store, Provider: p, API: far.URL, Values: map[string][]string{"repo": {"octocat/hello"}, "token": {registerToken}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := reg.Set(t.Context(), "https://me.example/hooks"); err != nil {
		t.Fatal(err)
	}
	r := b.must(200, "GET", "/devhook/v1/register?provider=github", "")
	if !strings.Contains(string(r.body), `"url":"https://me.example/hooks"`) || !strings.Contains(string(r.body), `"running":true`) || strings.Contains(string(r.body), registerToken) {
		t.Errorf("%s", r.body)
	}
	if v := b.must(200, "GET", "/devhook/v1/register?provider=stripe", "").json(t); len(v["registrations"].([]any)) != 0 {
		t.Errorf("of another: %v", v)
	}
	if err := reg.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := b.must(200, "GET", "/devhook/v1/register", "").json(t); len(v["registrations"].([]any)) != 0 {
		t.Errorf("taken back: %v", v)
	}
}
