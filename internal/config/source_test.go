package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"devhook/internal/stream"
)

const (
	tokenA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	tokenB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// Where a source's secret, address and path come from.
func TestSources(t *testing.T) {
	file := "sources:\n  - {provider: tuniform, secret: env:MINE, path: /live, url: \"wss://file.test/ws\"}\n  - {provider: euler, creator: \"@x\", forward: 4000}\n"
	env := map[string]string{"MINE": tokenA, "EULER_API_KEY": "key"}
	with := func(name, value string) map[string]string {
		m := map[string]string{name: value}
		for k, v := range env {
			m[k] = v
		}
		return m
	}
	for name, row := range map[string]struct {
		setup
		want []string // provider creator url path secret
	}{
		"the file": {setup{yaml: file, env: env}, []string{"tuniform  wss://file.test/ws /live " + tokenA, "euler @x  /hooks/euler key"}},
		"its variable before the file": {
			setup{yaml: file, env: with("TUNIFORM_STREAM_TOKEN", tokenB)},
			[]string{"tuniform  wss://file.test/ws /live " + tokenB, "euler @x  /hooks/euler key"},
		},
		"a flag, with what the file says of it": {
			setup{yaml: file, env: env, flags: map[string][]string{"source": {"tuniform"}, "source-path": {"/other"}}},
			[]string{"tuniform  wss://file.test/ws /other " + tokenA},
		},
		"a secret without an id": {
			setup{env: env, flags: map[string][]string{"source": {"euler"}, "creator": {"@y"}, "secret": {"other", "tiktok=x"}}},
			[]string{"euler @y  /hooks/euler other"},
		},
		"a secret with the id of the source": {
			setup{env: env, flags: map[string][]string{"source": {"tuniform"}, "provider": {"tiktok"}, "secret": {"x", "tuniform=" + tokenB}}},
			[]string{"tuniform   /hooks/tuniform " + tokenB},
		},
		"the secret of webhooks is another": {
			setup{env: env, flags: map[string][]string{"source": {"euler"}, "creator": {"@y"}, "secret": {"euler=hook"}}},
			[]string{"euler @y  /hooks/euler key"},
		},
		"a server by variable": {
			setup{yaml: file, env: with("EULER_WS_URL", "ws://127.0.0.1:1"), flags: map[string][]string{"source": {"euler"}}},
			[]string{"euler @x ws://127.0.0.1:1 /hooks/euler key"},
		},
	} {
		row.trust = true
		c, err := row.load(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, s := range c.Sources() {
			o, err := s.Options(&Resolver{Getenv: func(name string) string { return row.env[name] }})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, fmt.Sprintf("%s %s %s %s %s", s.Provider, s.Creator, s.URL, s.Path, o.Secret))
			if _, err := stream.New(s.Provider, o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
		for _, shown := range c.Show() {
			if line := fmt.Sprint(shown); strings.Contains(line, tokenA) || strings.Contains(line, tokenB) || strings.Contains(line, "other") && strings.Contains(line, "secret other") {
				t.Errorf("%s: config shows %s", name, line)
			}
		}
	}
}

func TestSourceErrors(t *testing.T) {
	for name, row := range map[string]struct {
		setup
		want string
	}{
		"twice by flags":         {setup{flags: map[string][]string{"source": {"tuniform", "tuniform"}}}, "is there twice"},
		"a creator of nobody":    {setup{flags: map[string][]string{"creator": {"@x"}}}, "which source is meant"},
		"a URL for two":          {setup{flags: map[string][]string{"source": {"tuniform", "euler"}, "source-url": {"ws://127.0.0.1:1"}}}, "which source is meant"},
		"a secret for two":       {setup{flags: map[string][]string{"source": {"tuniform", "euler"}, "secret": {"x"}, "creator": {"x"}}}, "which source is meant"},
		"a variable with a user": {setup{env: map[string]string{"TUNIFORM_WS_URL": "wss://u:p@x.test/"}, flags: map[string][]string{"source": {"tuniform"}}}, "TUNIFORM_WS_URL: the URL of a source has no user"},
		"a path":                 {setup{flags: map[string][]string{"source": {"tuniform"}, "source-path": {"//evil.test/"}}}, "is no path"},
		"a URL for a path":       {setup{flags: map[string][]string{"source": {"tuniform"}, "source-path": {"http://evil.test/"}}}, "is no path"},
		"a path that is escaped": {setup{flags: map[string][]string{"source": {"tuniform"}, "source-path": {"/%zz"}}}, "is no path"},
		"a fragment":             {setup{flags: map[string][]string{"source": {"tuniform"}, "source-path": {"/hooks#x"}}}, "is no path"},
	} {
		_, err := row.load(t)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	for poll, want := range map[string]string{"ftp://x.test": "none that can be asked", "http://x.test/": "none that can be asked", "": "not set"} {
		c, err := setup{trust: true, yaml: "sources: [{provider: tuniform, poll: env:POLL}]"}.load(t)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Sources()[0].Options(&Resolver{Getenv: func(name string) string {
			if name == "POLL" {
				return poll
			}
			return tokenA
		}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", poll, err, want)
		}
	}
}

// What sends a secret or events elsewhere asks for trust.
func TestSourcesToTrust(t *testing.T) {
	for yaml, want := range map[string]string{
		"sources: [{provider: tuniform}]": "",
		"sources: [{provider: tuniform, secret: env:TUNIFORM_STREAM_TOKEN, url: \"ws://127.0.0.1:1\", forward: 3000}]": "",
		"sources: [{provider: tuniform, secret: env:GITHUB_TOKEN}]":                                                    "reads env:GITHUB_TOKEN",
		"sources: [{provider: tuniform, secret: \"file:/etc/passwd\"}]":                                                "reads file:/etc/passwd",
		"sources: [{provider: tuniform, url: \"wss://evil.test/ws\"}]":                                                 "sends the secret of tuniform to evil.test",
		"sources: [{provider: tuniform, forward: \"evil.test:80\"}]":                                                   "sends webhooks to evil.test:80",
		"sources: [{provider: tuniform, poll: \"https://evil.test/\"}]":                                                "takes events from a URL of its own",
		"ws_mirror: 0.0.0.0:4060": "opens a door to other machines",
	} {
		_, err := setup{yaml: yaml}.load(t)
		var u *UntrustedError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", yaml, err)
		case want != "" && (!errors.As(err, &u) || !strings.Contains(u.Error(), want)):
			t.Errorf("%s: %v, want %s", yaml, err, want)
		}
	}
}
