package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"devhook/internal/gateway"
	"devhook/verify"
)

// Routes returns where webhooks go and who gets through, with the secrets that
// r finds. The error is an [*Error].
func (c *Config) Routes(r *Resolver) (*gateway.Routes, error) {
	keys, err := c.Keys(r)
	if err != nil {
		return nil, err
	}
	var forward []*url.URL
	for _, text := range c.Get("forward").Texts {
		u, err := ParseForward(text)
		if err != nil {
			return nil, err
		}
		forward = append(forward, u)
	}
	timeout, err := parseTimeout(c.Get("timeout").Text())
	if err != nil {
		return nil, err
	}
	rt := &gateway.Routes{Catalog: c.catalog, Keys: keys, Default: gateway.Route{
		Forward: forward, Verify: gateway.Mode(c.Get("verify").Text()), Timeout: timeout,
	}}
	if named := c.Get("provider").Text(); named != "" {
		p, _ := c.catalog.Lookup(named)
		rt.Default.Provider = p.ID
		if err := c.checkNamed(p, rt.Default, keys, c.Get("provider").From); err != nil {
			return nil, err
		}
	}
	for _, own := range c.routes {
		one := rt.Default
		one.Path, one.Provider = own.path, own.provider
		if own.forward != nil {
			one.Forward = own.forward
		}
		if own.verify != "" {
			one.Verify = gateway.Mode(own.verify)
		}
		if own.timeout != 0 {
			one.Timeout = own.timeout
		}
		if own.provider == "" {
			one.Provider = rt.Default.Provider
		} else {
			p, _ := c.catalog.Lookup(own.provider)
			if err := c.checkNamed(p, one, keys, "the route "+own.path); err != nil {
				return nil, err
			}
		}
		rt.List = append(rt.List, one)
	}
	return rt, nil
}

// checkNamed refuses a provider that is named and whose webhooks could not be
// verified: who names it means to.
func (c *Config) checkNamed(p verify.Provider, r gateway.Route, keys map[string]verify.Keys, where string) error {
	if r.Verify == gateway.Report || r.Verify == gateway.Off {
		return nil
	}
	hint, err := p.CheckKeys(keys[p.ID])
	if err == nil {
		return nil
	}
	if hint == "" {
		hint = "set " + p.Env + ", or use --secret " + p.ID + "=env:NAME"
	}
	return &Error{
		Text: fmt.Sprintf("%s names %s, but %v", where, p.ID, err),
		Hint: hint + "; --verify report lets webhooks pass unverified",
		Err:  err,
	}
}

// Keys returns the secrets, and what goes with them, of all providers that
// have some. A secret that cannot be one of its provider is an error.
func (c *Config) Keys(r *Resolver) (map[string]verify.Keys, error) {
	keys := map[string]verify.Keys{}
	for _, id := range slices.Sorted(maps.Keys(c.secrets)) {
		v := c.secrets[id]
		p, _ := c.catalog.Lookup(id)
		k := verify.Keys{With: map[string]string{}}
		for _, ref := range v.Texts {
			text, err := r.Resolve(ref, "the secret for "+id, v.From)
			if err != nil {
				return nil, err
			}
			s := verify.NewSecret(text)
			if err := p.CheckSecret(s); err != nil {
				return nil, errorf("copy it again from where the provider shows it", "%s: %s: %v", v.From, id, err)
			}
			k.Secrets = append(k.Secrets, s)
		}
		keys[id] = k
	}
	for _, id := range slices.Sorted(maps.Keys(c.with)) {
		k := keys[id]
		if k.With == nil {
			k.With = map[string]string{}
		}
		for name, v := range c.with[id] {
			text := v.Text()
			if kind, _, ok := strings.Cut(text, ":"); ok && (kind == "env" || kind == "file") {
				var err error
				if text, err = r.Resolve(text, name+" for "+id, v.From); err != nil {
					return nil, err
				}
			}
			k.With[name] = text
		}
		keys[id] = k
	}
	return keys, nil
}

// A Shown is one line of `devhook config`.
type Shown struct{ Name, Value, From string }

// Show returns all that is settled, in the order of [Settings], with what is
// secret masked. A reference is shown, what it refers to is not.
func (c *Config) Show() []Shown {
	var list []Shown
	for _, s := range settings {
		v := c.values[s.name]
		if len(v.Texts) == 0 {
			continue
		}
		text := strings.Join(v.Texts, ", ")
		if s.secret {
			text = mask(v.Texts)
		}
		list = append(list, Shown{s.name, text, v.From})
	}
	for _, r := range c.routes {
		line, _ := r.node.Pos()
		list = append(list, Shown{"route " + r.path, r.String(), fmt.Sprintf("%s:%d", c.Path, line)})
	}
	for _, id := range slices.Sorted(maps.Keys(c.secrets)) {
		v := c.secrets[id]
		list = append(list, Shown{"secret " + id, mask(v.Texts), v.From})
	}
	for _, id := range slices.Sorted(maps.Keys(c.with)) {
		for _, name := range slices.Sorted(maps.Keys(c.with[id])) {
			v := c.with[id][name]
			list = append(list, Shown{"with " + id + "." + name, v.Text(), v.From})
		}
	}
	return list
}

func (r route) String() string {
	var parts []string
	if r.provider != "" {
		parts = append(parts, "provider "+r.provider)
	}
	for _, u := range r.forward {
		parts = append(parts, "forward "+u.String())
	}
	if r.verify != "" {
		parts = append(parts, "verify "+r.verify)
	}
	if r.timeout != 0 {
		parts = append(parts, "timeout "+r.timeout.String())
	}
	return strings.Join(parts, ", ")
}

// mask shows references, and hides values.
func mask(refs []string) string {
	shown := make([]string, len(refs))
	for i, ref := range refs {
		shown[i] = "[secret]"
		if kind, _, ok := strings.Cut(ref, ":"); ref == "-" || ok && (kind == "env" || kind == "file") {
			shown[i] = ref
		}
	}
	return strings.Join(shown, ", ")
}
