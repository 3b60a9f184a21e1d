package config

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"

	"devhook/internal/register"
	"devhook/internal/yamlx"
	"devhook/verify"
)

// A Registration is an entry of register: in devhook.yaml.
type Registration struct {
	Provider register.Provider
	Values   map[string]Value // by Param.Name; references for those that are secret
	API      string           // "" for the provider's own
	Path     string           // of the callback; "" for that of the provider's route
	From     string           // "devhook.yaml:7"
}

// Registrations returns the entries of register:, in their order.
func (c *Config) Registrations() []Registration { return c.register }

// Registering is c with other entries of register:.
func (c *Config) Registering(list []Registration) *Config {
	other := *c
	other.register = list
	return &other
}

// Params returns what a provider is told: what was said, else what its
// variables hold, with secrets in the place of what refers to them. The error
// is an [*Error].
func Params(p register.Provider, said map[string]Value, r *Resolver) (map[string][]string, error) {
	values := map[string][]string{}
	for _, param := range p.Params {
		v := said[param.Name]
		for _, env := range []string{param.Env, param.OtherEnv} {
			if len(v.Texts) > 0 || r.Getenv(env) == "" {
				continue
			}
			v = Value{Texts: []string{r.Getenv(env)}, From: env}
			if param.Kind == register.Secret {
				v.Texts = []string{"env:" + env}
			}
		}
		for _, text := range v.Texts {
			if isBlank(text) {
				return nil, errorf("give it a value", "%s: %s is empty", v.From, param.Name)
			}
			if param.Kind == register.Secret {
				var err error
				if text, err = r.Resolve(text, "the "+param.Name+" of "+p.ID, v.From); err != nil {
					return nil, err
				}
			}
			values[param.Name] = append(values[param.Name], text)
		}
	}
	return values, nil
}

// awaitTold gives the providers whose secret will be told by their API one that
// nobody has, so that until then nothing of theirs passes.
func (c *Config) awaitTold(all map[string]verify.Keys) {
	for _, r := range c.register {
		said := register.Settings{Values: map[string][]string{}}
		for name, v := range r.Values {
			said.Values[name] = v.Texts
		}
		if k := all[r.Provider.ID]; r.Provider.Tells != nil && r.Provider.Tells(said) && len(k.Secrets) == 0 {
			k.Secrets = []verify.Secret{verify.NewSecret(rand.Text())}
			all[r.Provider.ID] = k
		}
	}
}

// readRegister reads what is to be registered while devhook is up.
func (f *file) readRegister(n yamlx.Node) error {
	for _, item := range n.List() {
		r := Registration{Values: map[string]Value{}, From: f.from(item)}
		var named bool
		err := item.Each(func(name string, value, _ yamlx.Node) (err error) {
			if name == "provider" {
				named = true
				r.Provider, err = registrable(value)
			}
			return err
		})
		if err == nil && !named {
			err = item.Errorf("has no provider")
		}
		if err == nil {
			err = f.registerFields(r.Provider).Read(&r, item)
		}
		if err != nil {
			return err
		}
		f.register = append(f.register, r)
	}
	return nil
}

func registrable(n yamlx.Node) (register.Provider, error) {
	id, err := n.Label()
	if err != nil {
		return register.Provider{}, err
	}
	if p, ok := verify.Lookup(id); ok {
		id = p.ID
	}
	p, ok := register.Lookup(id)
	if !ok {
		var known []string
		for _, p := range register.Providers() {
			known = append(known, p.ID)
		}
		return p, misplaced(n, errorf("devhook register "+id+" tells what to do by hand", "devhook cannot register at %s (known: %s)", quoted(id), strings.Join(known, ", ")))
	}
	return p, nil
}

// registerFields are the keys of an entry for p.
func (f *file) registerFields(p register.Provider) yamlx.Fields[*Registration] {
	fields := yamlx.Fields[*Registration]{
		"provider": func(*Registration, yamlx.Node) error { return nil }, // was read first
		"api_url": func(r *Registration, n yamlx.Node) (err error) {
			r.API, err = n.Label()
			if _, bad := register.NewClient(r.API); err == nil && bad != nil {
				return n.Errorf("%v", bad)
			}
			f.risk(n, "sends credentials of %s to %s", p.ID, r.API)
			return err
		},
		"path": func(r *Registration, n yamlx.Node) (err error) {
			if r.Path, err = n.Label(); err == nil && !strings.HasPrefix(r.Path, "/") {
				err = n.Errorf("must start with /")
			}
			return err
		},
	}
	for _, param := range p.Params {
		fields[strings.ReplaceAll(param.Name, "-", "_")] = func(r *Registration, n yamlx.Node) error {
			v, err := f.readParam(param, n)
			r.Values[param.Name] = v
			return err
		}
	}
	return fields
}

func (f *file) readParam(param register.Param, n yamlx.Node) (Value, error) {
	v := Value{From: f.from(n), Given: true}
	if param.Kind == register.Flag {
		on, err := n.Bool()
		if on {
			v.Texts = []string{"true"}
		}
		return v, err
	}
	items := []yamlx.Node{n}
	if param.Kind == register.Many {
		items = n.List()
	}
	for _, item := range items {
		text, err := f.readText(param, item)
		if err != nil {
			return v, err
		}
		v.Texts = append(v.Texts, text)
	}
	return v, nil
}

// readText reads one text of a param: what is secret, as a reference to it.
func (f *file) readText(param register.Param, n yamlx.Node) (string, error) {
	if param.Kind == register.Secret {
		ref, err := secretRef(n)
		if err == nil && !isRef(ref) {
			f.risk(n, "brings credentials: webhooks would be registered in the account of whoever wrote it")
		}
		f.weighRef(n, ref, param.Env)
		return f.relative(ref), err
	}
	text, err := n.Scalar()
	if err == nil && isBlank(text) {
		err = misplaced(n, errEmpty)
	}
	if err == nil && param.Check != nil {
		if bad := param.Check(text); bad != nil {
			err = n.Errorf("%v", bad)
		}
	}
	return text, err
}

// Same reports whether r and o register the same, wherever they stand.
func (r Registration) Same(o Registration) bool {
	texts := func(a, b Value) bool { return slices.Equal(a.Texts, b.Texts) }
	return r.Provider.ID == o.Provider.ID && r.API == o.API && r.Path == o.Path && maps.EqualFunc(r.Values, o.Values, texts)
}

// String is the entry in a line, with what is secret masked.
func (r Registration) String() string {
	var parts []string
	for _, param := range r.Provider.Params {
		v := r.Values[param.Name]
		switch {
		case len(v.Texts) == 0:
		case param.Kind == register.Secret:
			parts = append(parts, param.Name+" "+mask(v.Texts))
		case param.Kind == register.Flag:
			parts = append(parts, param.Name)
		default:
			parts = append(parts, param.Name+" "+strings.Join(v.Texts, " "))
		}
	}
	for _, p := range []struct{ name, value string }{{"api-url", r.API}, {"path", r.Path}} {
		if p.value != "" {
			parts = append(parts, p.name+" "+p.value)
		}
	}
	return strings.Join(parts, ", ")
}
