package main

import (
	"strings"

	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/verify"
)

// A place is where a provider's webhooks go, and where it is told so.
type place struct {
	provider verify.Provider
	url      string
}

// places returns one for each provider that is configured.
func (u *up) places(public string) []place { return placesOf(u.routes, public) }

func placesOf(rt *gateway.Routes, public string) []place {
	var list []place
	seen := map[string]bool{}
	add := func(id, path string) {
		if p, ok := rt.Catalog.Lookup(id); ok && !seen[p.ID+path] {
			seen[p.ID+path] = true
			list = append(list, place{p, strings.TrimRight(public, "/") + path})
		}
	}
	for _, r := range rt.List {
		if r.Provider != "" {
			add(r.Provider, r.Path)
		}
	}
	if len(rt.List) == 0 {
		if id := rt.Default.Provider; id != "" {
			add(id, "")
			return list
		}
		for _, id := range known(rt.Keys) {
			add(id, "")
		}
	}
	return list
}

// urlFor is what the dashboard of a provider is to be told.
func urlFor(rt *gateway.Routes, public, provider string) string {
	for _, pl := range placesOf(rt, public) {
		if pl.provider.ID == provider {
			return pl.url
		}
	}
	return public
}

func (u *up) describePlaces(public string) {
	places := u.places(public)
	if len(places) == 0 {
		u.errs.Printf("  wherever you pasted it: in the dashboard of each provider")
	}
	for _, pl := range places {
		u.errs.Beside("  "+u.errs.Bold(pl.provider.Name)+" ", pl.url)
		for _, step := range pl.provider.Steps(pl.url) {
			u.errs.Paragraph(4, terminal.Safe(step))
		}
	}
}
