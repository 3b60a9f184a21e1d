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
// r finds. handed are the IDs of providers that hand their secret over, or have
// done so: they may be named without one. The error is an [*Error].
func (c *Config) Routes(r *Resolver, handed ...string) (*gateway.Routes, error) {
	rt, err := c.Apps()
	if err != nil {
		return nil, err
	}
	if rt.Keys, err = c.Keys(r); err != nil {
		return nil, err
	}
	check := func(one gateway.Route, who, letPass string) error {
		if p, ok := rt.Catalog.Lookup(one.Provider); ok && slices.Contains(handed, p.ID) {
			return nil
		}
		return checkNamed(rt, one, who, letPass)
	}
	named := c.Get("provider").From + " names " + rt.Default.Provider
	if err := check(rt.Default, named, "--verify report"); err != nil {
		return nil, err
	}
	for i, own := range c.routes {
		who := "the route " + own.path + " names " + own.provider
		if own.provider == "" {
			who = named + ", for the route " + own.path + " too"
		}
		if err := check(rt.List[i], who, own.letPass()); err != nil {
			return nil, err
		}
	}
	return rt, nil
}

// Apps is [Config.Routes] without any keys, for who only wants to know where
// webhooks go.
func (c *Config) Apps() (*gateway.Routes, error) {
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
	rt := &gateway.Routes{Catalog: c.catalog, Default: gateway.Route{
		Provider: c.Get("provider").Text(), Forward: forward,
		Verify: gateway.Mode(c.Get("verify").Text()), Timeout: timeout,
	}}
	if p, ok := c.catalog.Lookup(rt.Default.Provider); ok {
		rt.Default.Provider = p.ID
	}
	for _, own := range c.routes {
		one := rt.Default
		one.Path = own.path
		if own.provider != "" {
			one.Provider = own.provider
		}
		if own.forward != nil {
			one.Forward = own.forward
		}
		if own.verify != "" {
			one.Verify = gateway.Mode(own.verify)
		}
		if own.timeout != 0 {
			one.Timeout = own.timeout
		}
		one.Ack = own.ack.gateway()
		rt.List = append(rt.List, one)
	}
	return rt, nil
}

// checkNamed refuses a provider that is named and whose webhooks could not be
// verified: who names it means to. who says where it is named, letPass what
// would have them pass nevertheless.
func checkNamed(rt *gateway.Routes, r gateway.Route, who, letPass string) error {
	p, named := rt.Catalog.Lookup(r.Provider)
	if !named || r.Verify == gateway.Report || r.Verify == gateway.Off {
		return nil
	}
	hint, err := p.CheckKeys(rt.Keys[p.ID])
	if err == nil {
		return nil
	}
	if hint == "" {
		hint = "set " + p.Env + ", or use --secret " + p.ID + "=env:NAME"
	}
	return &Error{
		Text: fmt.Sprintf("%s, but %v", who, err),
		Hint: hint + "; " + letPass + " lets webhooks pass unverified",
		Err:  err,
	}
}

// Known returns the ids, sorted, of the providers for which there is a
// reference to a secret or a value beside it. Whether the references lead
// anywhere is not looked at.
func (c *Config) Known() []string {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(c.secrets)), maps.Keys(c.with))
	slices.Sort(ids)
	return slices.Compact(ids)
}

// SecretFrom returns where it is said which secret the provider called id has, as
// devhook.yaml:3, or the name of a variable; "" if that is not said.
func (c *Config) SecretFrom(id string) string { return c.secrets[id].From }

// Keys returns the secrets, and what goes with them, of all providers that
// have some. The error is as of [Config.KeysOf].
func (c *Config) Keys(r *Resolver) (map[string]verify.Keys, error) {
	all := map[string]verify.Keys{}
	for _, id := range c.Known() {
		k, err := c.KeysOf(r, id)
		if err != nil {
			return nil, err
		}
		all[id] = k
	}
	c.awaitTold(all)
	c.AddFetch(all)
	return all, nil
}

// AddFetch lets the providers whose keys are fetched fetch them.
func (c *Config) AddFetch(all map[string]verify.Keys) {
	if c.fetch == nil {
		return
	}
	for _, p := range c.catalog.Fetching() {
		k := all[p.ID]
		k.Fetch = c.fetch
		all[p.ID] = k
	}
}

// KeysOf returns the secrets, and what goes with them, of the provider that is
// called id or has it as an alias; zero Keys if nothing is known. Only what
// they refer to is looked up. A secret that cannot be one of the provider, or
// a reference that leads nowhere, is an [*Error].
func (c *Config) KeysOf(r *Resolver, id string) (verify.Keys, error) {
	p, _ := c.catalog.Lookup(id)
	v, with := c.secrets[p.ID], c.with[p.ID]
	if len(v.Texts) == 0 && len(with) == 0 {
		return verify.Keys{}, nil
	}
	k := verify.Keys{With: map[string]string{}}
	for _, ref := range v.Texts {
		text, err := r.Resolve(ref, "the secret for "+p.ID, v.From)
		if err != nil {
			return verify.Keys{}, err
		}
		s := verify.NewSecret(text)
		if err := p.CheckSecret(s); err != nil {
			return verify.Keys{}, errorf("copy it again from where the provider shows it", "%s: %s: %v", v.From, p.ID, err)
		}
		k.Secrets = append(k.Secrets, s)
	}
	for _, name := range slices.Sorted(maps.Keys(with)) {
		v := with[name]
		text := v.Text()
		if isRef(text) {
			var err error
			if text, err = r.Resolve(text, name+" for "+p.ID, v.From); err != nil {
				return verify.Keys{}, err
			}
		}
		k.With[name] = text
	}
	return k, nil
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
	for _, own := range c.sources {
		list = append(list, own.show())
	}
	for _, r := range c.register {
		list = append(list, Shown{"register " + r.Provider.ID, r.String(), r.From})
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

// mask shows references, and hides values.
func mask(refs []string) string {
	shown := make([]string, len(refs))
	for i, ref := range refs {
		shown[i] = "[secret]"
		if ref == "-" || isRef(ref) {
			shown[i] = ref
		}
	}
	return strings.Join(shown, ", ")
}
