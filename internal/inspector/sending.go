package inspector

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devhook/replay"
)

// aim completes p with the app that its source goes to, if p names none, and
// refuses an address that no forward and no route names: a page that got past the
// guard must not have devhook talk to the rest of the network. free lets any
// address pass.
func (in *Inspector) aim(p *replay.Plan, free bool) error {
	if p.To == nil {
		app, route, ok := in.o.App(p.Source)
		if !ok {
			return &Error{http.StatusConflict, "there is no app to send it to", `name one as "to", or run devhook up --forward :3000`}
		}
		p.To, p.Route = app, route
	}
	if free || in.o.IsApp(p.To) || in.allowed(p.To) {
		return nil
	}
	return &Error{http.StatusForbidden, p.To.Host + " is no app of this devhook", "devhook up --allow-to " + p.To.Host + " lets the inspector send there"}
}

func (in *Inspector) allowed(to *url.URL) bool {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	return slices.ContainsFunc(in.o.AllowTo, func(host string) bool {
		return strings.EqualFold(host, to.Hostname()) || strings.EqualFold(host, net.JoinHostPort(to.Hostname(), port))
	})
}

// mayAim reports whether r comes from who may send anywhere: who has the token in
// hand, as the commands of the same user have.
func (in *Inspector) mayAim(r *http.Request) bool { return newGuard(&in.o, nil).bears(r) }
