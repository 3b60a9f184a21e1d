package config

import (
	"strings"

	"devhook/verify"
)

// KnownSecrets returns every secret that is configured and can be had without
// asking: those of providers and sources, tokens beside them, and the authtoken
// of the tunnel. It is for taking them out of what is handed on; what cannot be
// had is not known here, and so cannot be found.
func (c *Config) KnownSecrets(getenv func(string) string) []verify.Secret {
	silent := Resolver{Getenv: getenv}
	var list []verify.Secret
	add := func(v Value) {
		for _, ref := range v.Texts {
			if text, err := silent.Resolve(ref, "a secret", v.From); err == nil {
				list = append(list, verify.NewSecret(text))
			}
		}
	}
	for _, v := range c.secrets {
		add(v)
	}
	for _, values := range c.with {
		for name, v := range values {
			if strings.Contains(name, "token") || strings.Contains(name, "secret") || strings.Contains(name, "password") {
				add(v)
			}
		}
	}
	for _, s := range c.sources {
		add(s.secret)
		add(s.poll)
	}
	add(c.Get("authtoken"))
	return list
}
