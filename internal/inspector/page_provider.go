package inspector

import (
	"net/http"

	"devhook/fixtures"
	"devhook/recorder"
	"devhook/verify"
)

// A providerPane is a provider, and what can be done with it here.
type providerPane struct {
	provider
	Pasting []string
	Samples []fixtures.Told
	Recent  []row
	Damaged string // samples of the user's that cannot be read
}

// recentOfProvider is how many of a provider's webhooks its page shows.
const recentOfProvider = 5

func (in *Inspector) providersPage(w http.ResponseWriter, r *http.Request) {
	list := struct{ Known, Other []provider }{}
	keys := in.o.Keys()
	for _, p := range in.o.Catalog().Providers() {
		if d := in.provider(p, keys); d.Known {
			list.Known = append(list.Known, d)
		} else {
			list.Other = append(list.Other, d)
		}
	}
	in.show(w, r, http.StatusOK, "Providers", "providers", list)
}

func (in *Inspector) providerPage(w http.ResponseWriter, r *http.Request) {
	catalog := in.o.Catalog()
	p, ok := catalog.Lookup(r.PathValue("id"))
	if !ok {
		in.show(w, r, http.StatusNotFound, "No such provider", "trouble", problem{"There is no provider " + r.PathValue("id"), "The list of providers has all that devhook knows."})
		return
	}
	pane := providerPane{provider: in.provider(p, in.o.Keys()), Pasting: in.o.Status().pasting()}
	all, err := in.o.Fixtures()
	if err != nil {
		pane.Damaged = err.Error()
	}
	for _, f := range all {
		if f.Provider == p.ID {
			pane.Samples = append(pane.Samples, f.Tell())
		}
	}
	pane.Recent = in.recent(p.ID, catalog)
	in.show(w, r, http.StatusOK, p.Name, "provider", pane)
}

// recentPart is what the page of a provider has of its newest webhooks, when others came.
func (in *Inspector) recentPart(w http.ResponseWriter, r *http.Request) {
	in.part(w, "recent", in.recent(r.PathValue("id"), in.o.Catalog()))
}

// recent are the newest webhooks of a provider, without copies for further apps.
func (in *Inspector) recent(id string, catalog *verify.Catalog) (list []row) {
	in.back(0, func(ex *recorder.Exchange) bool {
		if ex.Provider == id && ex.Origin != recorder.Mirror {
			list = append(list, in.row(summarized(ex), catalog))
		}
		return len(list) < recentOfProvider
	})
	return list
}
