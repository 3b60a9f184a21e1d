package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"devhook/internal/register"
)

// What an entry of register: says, and what is shown of it.
func TestRegistrations(t *testing.T) {
	c, err := setup{yaml: `register:
  - {provider: euler, account: 4242, creator: ["@a", "@b"], key: env:EULER_API_KEY, fetch_secret: true, path: /hooks}
  - {provider: tiktok_shop, app_key: k, app_secret: literal, topic: ORDER_STATUS_CHANGE, api_url: "http://127.0.0.1:4073"}
  - {provider: github, repo: a/b, event: []}
`, trust: true}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.Registrations() {
		got = append(got, r.Provider.ID+": "+r.String())
	}
	want := []string{
		"euler: account 4242, creator @a @b, key env:EULER_API_KEY, fetch-secret, path /hooks",
		"tiktok-shop: app-key k, app-secret [secret], topic ORDER_STATUS_CHANGE, api-url http://127.0.0.1:4073",
		"github: repo a/b",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// Until its API has told the secret, nothing of theirs passes.
	keys, err := c.Keys(&Resolver{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	if len(keys["euler"].Secrets) != 1 || len(keys["github"].Secrets) != 1 || len(keys["tiktok-shop"].Secrets) != 0 {
		t.Errorf("%+v", keys)
	}
	c, err = setup{yaml: "secrets: {github: known}\nregister: [{provider: github, repo: a/b}, {provider: euler, account: 1, creator: \"@a\"}]\n", trust: true}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	own := Resolver{Getenv: func(string) string { return "" }}
	if keys, err = c.Keys(&own); err != nil || len(keys["github"].Secrets) != 1 || len(keys["euler"].Secrets) != 0 {
		t.Errorf("%+v, %v", keys, err)
	}
}

// What was changed of an entry is seen, also of what is masked where it is shown; where it stands is no matter.
func TestSameEntries(t *testing.T) {
	read := func(yaml string) *Config {
		t.Helper()
		c, err := setup{yaml: yaml, trust: true}.load(t)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		was, is string
		same    bool
	}{
		{"{provider: github, repo: a/b, token: one}", "{token: one, provider: github, repo: a/b}", true},
		{"{provider: github, repo: a/b, token: one}", "{provider: github, repo: a/b, token: two}", false},
		{"{provider: github, repo: a/b}", "{provider: github, repo: a/c}", false},
		{"{provider: github, repo: a/b}", "{provider: github, repo: a/b, path: /x}", false},
		{"{provider: kick}", "{provider: twitch}", false},
	} {
		a, b := read("register: [" + c.was + "]\n").Registrations()[0], read("name: n\nregister: [" + c.is + "]\n").Registrations()[0]
		if a.Same(b) != c.same {
			t.Errorf("%s, %s: same %v", c.was, c.is, !c.same)
		}
	}
	for _, c := range []struct {
		was, is string
		same    bool
	}{
		{"{provider: euler, creator: a, secret: one, forward: 3000}", "{provider: euler, creator: a, secret: one, forward: 3000}", true},
		{"{provider: euler, creator: a, secret: one}", "{provider: euler, creator: a, secret: two}", false},
		{"{provider: euler, creator: a, forward: 3000}", "{provider: euler, creator: a, forward: 3001}", false},
		{"{provider: euler, creator: a}", "{provider: euler, creator: a, path: /x}", false},
	} {
		a, b := read("sources: [" + c.was + "]\n").Sources()[0], read("name: n\nsources: [" + c.is + "]\n").Sources()[0]
		if a.Same(b) != c.same {
			t.Errorf("%s, %s: same %v", c.was, c.is, !c.same)
		}
	}
}

func TestRegistrationErrors(t *testing.T) {
	for entry, want := range map[string]string{
		"{account: 1}":                                    "register[0]: has no provider",
		"{provider: shopify}":                             `devhook cannot register at "shopify" (known: euler`,
		"{provider: github, repo: nobody}":                "register[0].repo: ",
		"{provider: github, repo: ''}":                    "register[0].repo: is empty",
		"{provider: github, repo: [a/b, ' ']}":            "register[0].repo[1]: is empty",
		"{provider: github, token: \"-\"}":                "a prompt is for the command line",
		"{provider: github, token: ''}":                   "register[0].token: is empty",
		"{provider: github, path: hooks}":                 "register[0].path: must start with /",
		"{provider: github, api_url: \"ftp://a\"}":        "register[0].api_url: ",
		"{provider: github, repos: a/b}":                  "register[0].repos: unknown field",
		"{provider: euler, fetch_secret: perhaps}":        "register[0].fetch_secret: ",
		"{provider: euler, account: [1, 2]}":              "register[0].account: ",
		"{provider: euler, key: env:}":                    "env: names no variable",
		"{provider: github, api_url: \"https://a.test\"}": "sends credentials of github to https://a.test",
		"{provider: github, token: ghp_theirs}":           "brings credentials",
		"{provider: github, token: env:AWS_KEY}":          "reads env:AWS_KEY",
		"{provider: github, token: env:GITHUB_TOKEN}":     "",
	} {
		_, err := setup{yaml: "register: [" + entry + "]\n"}.load(t)
		if fmt.Sprint(err) == "<nil>" != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}

// What a provider is told: what was said, else its variable, else the other one.
func TestParams(t *testing.T) {
	stripe, _ := register.Lookup("stripe")
	for name, row := range map[string]struct {
		said map[string]Value
		env  map[string]string
		want string
	}{
		"nothing":           {nil, nil, "map[]"},
		"a variable":        {nil, map[string]string{"STRIPE_API_KEY": "a", "STRIPE_SECRET_KEY": "b"}, "map[key:[a]]"},
		"the other one":     {nil, map[string]string{"STRIPE_SECRET_KEY": "b"}, "map[key:[b]]"},
		"what was said":     {map[string]Value{"key": {Texts: []string{"env:K"}}}, map[string]string{"STRIPE_API_KEY": "a", "K": "c"}, "map[key:[c]]"},
		"no reference":      {map[string]Value{"event": {Texts: []string{"env:K", "x"}}}, map[string]string{"K": "c"}, "map[event:[env:K x]]"},
		"nothing behind it": {map[string]Value{"key": {Texts: []string{"env:K"}}}, nil, "the key of stripe: the variable K is not set or empty"},
		"an empty value":    {map[string]Value{"event": {Texts: []string{" "}, From: "--event"}}, nil, "--event: event is empty"},
	} {
		got, err := Params(stripe, row.said, &Resolver{Getenv: func(name string) string { return row.env[name] }})
		text := fmt.Sprint(got)
		if e := new(Error); errors.As(err, &e) {
			text = e.Text
		}
		if text != row.want {
			t.Errorf("%s: %s, want %s", name, text, row.want)
		}
	}
}
