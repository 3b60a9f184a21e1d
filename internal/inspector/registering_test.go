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
	if r := b.must(403, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]}}`); !strings.Contains(string(r.body), "devhook register github") {
		t.Errorf("%s", r.body)
	}
	b.must(502, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/none"]},"dry_run":true}`)
	b.must(422, "POST", "/devhook/v1/register", `{"provider":"github","dry_run":true}`)
	if v := b.must(200, "POST", "/devhook/v1/register", `{"provider":"slack","dry_run":true}`).json(t); len(v["steps"].([]any)) == 0 {
		t.Errorf("by hand: %v", v)
	}
	b.must(404, "POST", "/devhook/v1/register", `{"provider":"none","dry_run":true}`)
	b.must(400, "POST", "/devhook/v1/register", `{"provider":"github","api_url":"http://evil.example","dry_run":true}`)

	closed := newBench(t)
	closed.registerAt = far.URL
	if r := closed.must(403, "POST", "/devhook/v1/register", `{"provider":"github","params":{"repo":["octocat/hello"]},"dry_run":true}`); !strings.Contains(string(r.body), "--allow-to "+host) {
		t.Errorf("an address that nobody allowed: %s", r.body)
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
