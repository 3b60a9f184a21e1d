package main

import (
	"encoding/json"
	"net/url"
	"os"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/recorder"
)

// A running is what a running `devhook up` tells the other commands of its
// store: where it is reached, and where its apps are.
type running struct {
	V      int    `json:"v"`
	PID    int    `json:"pid"`
	URL    string `json:"url"`
	Listen string `json:"listen,omitempty"`
	// Inspect is the URL of the inspector, Token what the user's own commands
	// show there: nobody else can read this file.
	Inspect string             `json:"inspect,omitempty"`
	Token   string             `json:"token,omitempty"`
	Forward []string           `json:"forward,omitempty"`
	Routes  []inspector.Route  `json:"routes,omitempty"`
	Sources []inspector.Source `json:"sources,omitempty"`
	Mirror  string             `json:"ws_mirror,omitempty"`
}

// tell says to the other commands of the store what they need to know.
func (u *up) tell() {
	r := running{V: 1, PID: os.Getpid(), URL: u.publicURL(), Forward: texts(u.routes.Default.Forward), Routes: toldRoutes(u.routes)}
	r.Sources, r.Mirror = u.toldStreams()
	if u.local != nil {
		r.Listen = u.local.Addr().String()
	}
	if u.inspect.listener != nil {
		r.Inspect, r.Token = u.inspect.url(), u.inspect.token
	}
	u.moveRegistrations(r)
	about, err := json.Marshal(r)
	if err == nil && u.running == nil {
		u.running, err = u.store.Announce(about)
	} else if err == nil {
		err = u.running.Update(about)
	}
	if err != nil {
		u.log.Warn("replay and trigger will not find this devhook", "error", err)
	}
}

// tellAgain says it once more if somebody has removed the store, as who wants to begin
// with an empty one does: the commands are to find this devhook in the next one.
func (u *up) tellAgain() {
	if u.running == nil || !u.running.Lost() {
		return
	}
	if u.tell(); u.running.Lost() { // told of; not every second
		u.running.Close()
		u.running = nil
	}
}

// toldRoutes are the routes of rt as others are told of them.
func toldRoutes(rt *gateway.Routes) (list []inspector.Route) {
	for _, r := range rt.List {
		list = append(list, inspector.Route{Path: r.Path, Provider: r.Provider, Forward: texts(r.Forward), Verify: string(r.Verify)})
	}
	return list
}

func texts(list []*url.URL) []string {
	var all []string
	for _, u := range list {
		all = append(all, u.String())
	}
	return all
}

// findRunning returns the newest running `devhook up` of the store, nil if
// there is none.
func findRunning(store *recorder.Store) (*running, error) {
	list, err := allRunning(store)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// allRunning returns all of them, the newest first.
func allRunning(store *recorder.Store) ([]*running, error) {
	texts, err := store.Announced()
	if err != nil {
		return nil, err
	}
	var list []*running
	for _, about := range texts {
		var r running
		if json.Unmarshal(about, &r) == nil && r.V == 1 { // else of another version, or just being written
			list = append(list, &r)
		}
	}
	return list, nil
}

// routes returns where r sends webhooks.
func (r *running) routes() *gateway.Routes {
	rt := &gateway.Routes{Default: gateway.Route{Forward: addresses(r.Forward)}}
	for _, one := range r.Routes {
		rt.List = append(rt.List, gateway.Route{Path: one.Path, Provider: one.Provider, Forward: addresses(one.Forward)})
	}
	return rt
}

func addresses(list []string) []*url.URL {
	var all []*url.URL
	for _, text := range list {
		if u, err := config.ParseForward(text); err == nil {
			all = append(all, u)
		}
	}
	return all
}
