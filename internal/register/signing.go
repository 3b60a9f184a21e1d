package register

import (
	"cmp"
	"crypto/rand"

	"devhook/verify"
)

// A signing is the secret that webhooks are to be signed with: what the user has
// given, else one that is made up, lives in memory only, and stands in calls as
// {webhook-secret}. 26 letters and digits are what each provider takes.
type signing struct {
	s     Settings
	value string
	told  bool
}

func newSigning(s Settings, c *Client) *signing {
	g := &signing{s: s, value: cmp.Or(s.Get(webhookSecretName), rand.Text())}
	c.Hidden[webhookSecretName] = g.value
	return g
}

// tell tells the secret before it is used, because what comes at once is
// signed with it.
func (g *signing) tell() {
	if !g.told {
		g.s.TakeSecret(verify.NewSecret(g.value))
		g.told = true
	}
}
