package config

import (
	"runtime"
	"slices"
	"testing"

	"devhook/verify"
)

// A route has its provider from itself or from above; in both cases who names
// one means to have its webhooks verified.
func TestRoutesThatInheritAProviderNeedItsSecret(t *testing.T) {
	const top = "provider: tiktok\nverify: report\n"
	_, err := setup{yaml: top + "routes: [{path: /hooks, verify: enforce}]\n"}.routes(t)
	refused(t, err, "devhook.yaml:1 names tiktok, for the route /hooks too, but ", "TIKTOK_CLIENT_SECRET")
	refused(t, err, "", "verify: report in that route lets webhooks pass unverified")
	_, err = setup{yaml: "verify: report\nroutes: [{path: /hooks, verify: strict}]\n", flags: map[string][]string{"provider": {"tiktok"}}}.routes(t)
	refused(t, err, "--provider names tiktok, for the route /hooks too, but ", "TIKTOK_CLIENT_SECRET")
	_, err = setup{yaml: "routes: [{path: /hooks, provider: tiktok}]\n"}.routes(t)
	refused(t, err, "the route /hooks names tiktok, but ", "--verify report lets")

	for _, s := range []setup{
		{yaml: top + "routes: [{path: /hooks}]\n"},
		{yaml: top + "routes: [{path: /hooks, verify: off}]\n", trust: true},
		{yaml: top + "routes: [{path: /hooks, verify: enforce}]\n", env: map[string]string{"TIKTOK_CLIENT_SECRET": "x"}},
	} {
		rt, err := s.routes(t)
		if err != nil {
			t.Errorf("%q: %v", s.yaml, err)
		} else if rt.List[0].Provider != "tiktok" {
			t.Errorf("%q: %+v", s.yaml, rt.List[0])
		}
	}
}

func TestKeysOfOneProvider(t *testing.T) {
	s := setup{
		yaml: "secrets: {tiktok: [env:A, env:B], github: env:UNSET, stripe: file:nosuch, standard-webhooks: env:BAD}\nwith: {tiktok-shop: {app_key: abcdef}}\n",
		env:  map[string]string{"A": "a", "B": "b", "BAD": "whsec_$$$"}, trust: true,
	}
	c, err := s.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Known(), []string{"github", "standard-webhooks", "stripe", "tiktok", "tiktok-shop"}; !slices.Equal(got, want) {
		t.Errorf("known %q, want %q", got, want)
	}
	r := &Resolver{Getenv: func(name string) string { return s.env[name] }}
	for _, id := range []string{"tiktok", "tiktok_business", "TikTok"} {
		k, err := c.KeysOf(r, id)
		if err != nil || len(k.Secrets) != 2 {
			t.Errorf("%s: %+v, %v", id, k, err)
		}
	}
	if k, err := c.KeysOf(r, "tiktok-shop"); err != nil || len(k.Secrets) != 0 || k.With["app_key"] != "abcdef" {
		t.Errorf("%+v, %v", k, err)
	}
	for _, id := range []string{"euler", "nosuch", ""} {
		if k, err := c.KeysOf(r, id); err != nil || !isZero(k) {
			t.Errorf("%s: %+v, %v", id, k, err)
		}
	}
	_, err = c.KeysOf(r, "github")
	refused(t, err, "the secret for github: the variable UNSET is not set or empty", Assign(runtime.GOOS, "UNSET", "…"))
	_, err = c.KeysOf(r, "standard-webhooks")
	refused(t, err, "standard-webhooks: ", "copy it again")
	_, err = c.KeysOf(r, "stripe")
	refused(t, err, "the secret for stripe: cannot read ", "put it into ")
	if _, err = c.Keys(r); err == nil {
		t.Error("all keys, though some are not to be had")
	}
	none, err := setup{}.load(t)
	if err != nil || len(none.Known()) != 0 {
		t.Errorf("%q, %v", none.Known(), err)
	}
}

func isZero(k verify.Keys) bool { return k.Secrets == nil && k.With == nil }

func TestReferencesThatNameNothing(t *testing.T) {
	for ref, want := range map[string][2]string{
		"tiktok=env:":         {"the secret for tiktok: env: names no variable", "write env:NAME, as in env:TIKTOK_CLIENT_SECRET"},
		"tiktok=env:$SECRET":  {"the secret for tiktok: what follows env: is not the name of a variable", "without $"},
		"tiktok=file:":        {"the secret for tiktok: file: names no file", "write file:PATH"},
		"tiktok=file:/no/one": {"the secret for tiktok: cannot read /no/one: ", "put it into /no/one, or name another file with file:PATH"},
		"tiktok=env:NOPE":     {"the variable NOPE is not set or empty", Assign(runtime.GOOS, "NOPE", "…")},
		"tiktok=":             {"the secret for tiktok is empty", "use env:NAME"},
	} {
		_, err := setup{flags: map[string][]string{"secret": {ref}}}.routes(t)
		refused(t, err, want[0], want[1])
	}
}
