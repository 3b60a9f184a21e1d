package tunnel

import (
	"cmp"
	"strings"
)

const (
	tokenHint = "copy the authtoken from https://dashboard.ngrok.com/get-started/your-authtoken and set NGROK_AUTHTOKEN, " +
		"or use --authtoken env:NAME"
	casHint     = "if a proxy or firewall opens TLS here, trust its authority with --ngrok-connect-cas FILE, or host for those of this machine"
	domainHint  = "reserve the domain at https://dashboard.ngrok.com/domains, or ask for another with --url"
	billingHint = "see https://dashboard.ngrok.com/billing"
	updateHint  = "install a newer devhook"
	startAgain  = "start devhook up again"
)

// hints are for the codes a user of a tunnel meets; see
// https://ngrok.com/docs/errors/reference.
var hints = map[string]string{
	"ERR_NGROK_102":  billingHint,
	"ERR_NGROK_103":  "write to support@ngrok.com",
	"ERR_NGROK_105":  tokenHint,
	"ERR_NGROK_106":  tokenHint,
	"ERR_NGROK_107":  tokenHint,
	"ERR_NGROK_108":  "stop another agent, see https://dashboard.ngrok.com/agents",
	"ERR_NGROK_109":  updateHint,
	"ERR_NGROK_115":  "see https://dashboard.ngrok.com/ip-restrictions",
	"ERR_NGROK_119":  updateHint,
	"ERR_NGROK_120":  updateHint,
	"ERR_NGROK_121":  updateHint,
	"ERR_NGROK_123":  "verify your email address at https://dashboard.ngrok.com/user/settings",
	"ERR_NGROK_300":  tokenHint,
	"ERR_NGROK_305":  domainHint,
	"ERR_NGROK_306":  domainHint,
	"ERR_NGROK_313":  domainHint,
	"ERR_NGROK_314":  domainHint,
	"ERR_NGROK_318":  domainHint,
	"ERR_NGROK_319":  domainHint,
	"ERR_NGROK_320":  domainHint,
	"ERR_NGROK_334":  "another agent is online with this URL: stop it, or ask for another with --url, or share it with --pooling-enabled",
	"ERR_NGROK_337":  billingHint,
	"ERR_NGROK_338":  "write to support@ngrok.com",
	"ERR_NGROK_348":  "stop another agent, see https://dashboard.ngrok.com/agents",
	"ERR_NGROK_4018": "sign up at https://dashboard.ngrok.com/signup, " + tokenHint + "; --tunnel local needs no account",
}

// hintFor returns what to do about a code of the service: at least where to
// read about it.
func hintFor(code string) string {
	if code == "" {
		return "see https://status.ngrok.com"
	}
	return cmp.Or(hints[code], "see https://ngrok.com/docs/errors/"+strings.ToLower(code))
}

// hopeless are the refusals of an authentication that no later attempt can
// turn: they say that the account or its authtoken is not, or no longer, good
// for a session. A limit of sessions, or an address that is not allowed, can
// pass.
var hopeless = map[string]bool{
	"ERR_NGROK_100": true, "ERR_NGROK_102": true, "ERR_NGROK_103": true,
	"ERR_NGROK_105": true, "ERR_NGROK_106": true, "ERR_NGROK_107": true,
	"ERR_NGROK_109": true, "ERR_NGROK_110": true, "ERR_NGROK_118": true,
	"ERR_NGROK_119": true, "ERR_NGROK_120": true, "ERR_NGROK_121": true,
	"ERR_NGROK_122": true, "ERR_NGROK_123": true, "ERR_NGROK_124": true,
	"ERR_NGROK_125": true, "ERR_NGROK_300": true, "ERR_NGROK_4018": true,
}

// networkHint is for a service that cannot be reached.
func (c *config) networkHint() string {
	switch {
	case c.proxy != nil:
		return "check the network, and the proxy in --ngrok-proxy-url or HTTPS_PROXY"
	case c.custom:
		return "check --ngrok-connect-url and the network; where only a proxy leads out, name it with --ngrok-proxy-url"
	}
	return "check the network and the firewall; where only a proxy leads out, name it with --ngrok-proxy-url"
}
