package main

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"devhook/internal/config"
	"devhook/internal/fetch"
	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// fetched holds the keys that are named by a URL. There is one, so that reading
// devhook.yaml again does not forget what it has.
var fetched fetch.Client

// A keyring is the keys of all providers, as far as they can be had.
type keyring struct {
	all  map[string]verify.Keys
	errs map[string]error // why those of a provider cannot be had
}

// known are the IDs of the providers whose secret is in keys, sorted.
func known(keys map[string]verify.Keys) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		if len(keys[id].Secrets) > 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// settle reads the configuration for a command that signs or verifies, and the
// secrets in it. One that cannot be had matters only to who needs it. named is
// the provider that a secret without an id is meant for, "" for none.
func (p *program) settle(c *cli.Context, errs *terminal.Terminal, named string) (*config.Config, *keyring, error) {
	src := p.source(c, nil)
	flag := src.Flag
	src.Flag = func(name string) []string {
		if name == "provider" && named != "" {
			return []string{named}
		}
		return flag(name)
	}
	cfg, err := p.load(src)
	if err != nil {
		return nil, nil, err
	}
	k := &keyring{all: map[string]verify.Keys{}, errs: map[string]error{}}
	resolver := p.resolver(errs)
	for _, id := range cfg.Known() {
		keys, err := cfg.KeysOf(resolver, id)
		if err != nil {
			k.errs[id] = err
			continue
		}
		k.all[id] = keys
	}
	addLocalKeys(p.storeDir(c), cfg.Catalog(), k.all)
	cfg.AddFetch(k.all)
	return cfg, k, nil
}

// knownSecrets returns all secrets that can be had without asking: those that are
// configured, that are in the store, and what registering takes from the
// environment.
func (p *program) knownSecrets(cfg *config.Config, store string) []verify.Secret {
	list := cfg.KnownSecrets(p.getenv)
	local := map[string]verify.Keys{}
	addLocalKeys(store, cfg.Catalog(), local)
	for _, k := range local {
		list = append(list, k.Secrets...)
	}
	for _, one := range register.Providers() {
		for _, param := range one.Params {
			if param.Kind != register.Secret {
				continue
			}
			for _, name := range []string{param.Env, param.OtherEnv} {
				if name != "" && p.getenv(name) != "" {
					list = append(list, verify.NewSecret(p.getenv(name)))
				}
			}
		}
	}
	return list
}

// signedAt reads --at; the time is zero if it is not given.
func signedAt(c *cli.Context, now time.Time) (time.Time, error) {
	if !c.IsSet("at") {
		return time.Time{}, nil
	}
	return parseTime(c.String("at"), now)
}

// parseTime reads a TIME, or now.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	t, err := recorder.ParseTime(now, text)
	if err != nil {
		return t, &failure{
			code: 2, text: "--at " + strconv.Quote(text) + " is not a time", err: err,
			hint: "write unix seconds (10 digits) or milliseconds (13), 2026-11-21T14:00:00Z, or a duration from now as in -5m",
		}
	}
	return t, nil
}
