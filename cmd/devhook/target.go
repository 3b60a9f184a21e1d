package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/loopback"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// target returns the app that ex goes to: --to; or where it went the first
// time, unless the running `devhook up` has another app for it now; or the app
// that devhook.yaml has for it. See [appFor] for what went to another machine.
func (s *sending) target(ex *recorder.Exchange) (app *url.URL, route string, err error) {
	switch {
	case s.to != nil:
		return s.to, ex.Route, nil
	case s.running != nil:
		return appFor(ex, changedURL(ex, s.changes), s.running.routes())
	}
	if first, ok := replay.AppOf(ex); ok && loopback.Dials(first.Host) {
		return first, ex.Route, nil
	}
	return appFor(ex, changedURL(ex, s.changes), s.apps)
}

// appFor returns the app that ex goes to, and the name of the route: where it went
// the first time, if webhooks still go there now; or where they go that are sent to
// asked, which is the URL of ex as it was changed. Another machine has to be named now, by
// a forward or a route: what a recording says can be the word of a stranger, who would get
// a webhook of his choice, signed with the user's secret.
func appFor(ex *recorder.Exchange, asked string, now *gateway.Routes) (app *url.URL, route string, err error) {
	first, hasFirst := replay.AppOf(ex)
	if hasFirst && now.Has(first) {
		return first, ex.Route, nil
	}
	u, err := recorder.ParseURL(asked)
	if err != nil {
		return nil, "", err
	}
	r, name, err := now.Find(u.Path)
	switch {
	case err == nil && len(r.Forward) > 0:
		return r.Forward[0], name, nil
	case hasFirst && loopback.Dials(first.Host):
		return first, ex.Route, nil
	case len(now.Default.Forward) > 0: // what no route takes is refused when it comes in, not when it is sent
		return now.Default.Forward[0], "", nil
	case hasFirst:
		what := "it"
		if ex.Seq != 0 {
			what = fmt.Sprintf("#%d", ex.Seq)
		}
		return nil, "", &failure{code: 2, text: fmt.Sprintf("%s went to %s, which is another machine, and no forward names that now", what, first), hint: "if it is to go there again: --to " + first.String()}
	}
	return nil, "", &failure{code: 2, text: "there is no app to send it to", hint: "name one with --to :3000, or run devhook up --forward :3000"}
}

// changedURL returns the URL of ex as it is sent.
func changedURL(ex *recorder.Exchange, changes []replay.Mutation) string {
	req := recorder.Request{URL: ex.Request.URL}
	for _, m := range changes {
		if replay.ChangesPath(m) {
			m.Apply(&req) // has no reason to fail
		}
	}
	return req.URL
}

// names reports whether a forward or a route names the host of app.
func names(rt *gateway.Routes, app *url.URL) bool {
	same := func(u *url.URL) bool { return u.Scheme == app.Scheme && u.Host == app.Host }
	return slices.ContainsFunc(slices.Concat(rt.List, []gateway.Route{rt.Default}), func(r gateway.Route) bool {
		return slices.ContainsFunc(r.Forward, same)
	})
}

// address returns the webhook of f as the provider would send it: to the URL
// of the running devhook up, and to the path of the provider's route.
func (s *sending) address(f fixtures.Fixture) *recorder.Exchange { return s.addressAt(f, s.takePath()) }

// addressAt is address to a path, if it is not empty.
func (s *sending) addressAt(f fixtures.Fixture, path string) *recorder.Exchange {
	public, routes := "", s.apps
	if s.running != nil {
		public, routes = s.running.URL, s.running.routes()
	}
	if path == "" && f.Exchange.Request.Proto == recorder.ProtoStream {
		path = s.sourcePath(f.Provider)
	}
	return addressed(f, public, s.to, path, routes)
}

// sourcePath is where the app takes the events of a platform's stream, "" if nothing says.
func (s *sending) sourcePath(platform string) string {
	if s.running != nil {
		for _, source := range s.running.Sources { // the first, of several creators
			if source.Source == platform {
				return source.Path
			}
		}
		return ""
	}
	return sourcePath(s.cfg, platform)
}

// sourcePath is the one of cfg.
func sourcePath(cfg *config.Config, platform string) string {
	for _, source := range cfg.Sources() { // the first, of several creators
		if source.Provider == platform {
			return source.Path
		}
	}
	return ""
}

// takePath returns the path of the app, if it has one, and takes it from it: it is the
// whole URL then, and not where others begin. It is called before anything is sent.
func (s *sending) takePath() (path string) {
	path, s.to = trial.Handler(s.to)
	return path
}

// misplaced says what to do about an app that has nothing at the path of a sample, or at the
// one that --to has made of a recording's, "" if status tells of nothing like that. Only who
// wrote the app knows where it takes webhooks.
func (s *sending) misplaced(ex *recorder.Exchange, origin recorder.Origin, status string) string {
	if status != "404" && status != "405" || s.c.IsSet("path") {
		return ""
	}
	if path, app := trial.Handler(s.to); origin == recorder.Replay && path != "" {
		return fmt.Sprintf("the path of --to goes before that of the recording: --to %s --path %s takes its place", app, path)
	}
	if origin != recorder.Trigger {
		return ""
	}
	app, _, err := s.target(ex)
	if err != nil || ex.Provider == "" {
		return ""
	}
	lasting := "a route with provider: " + ex.Provider
	if ex.Request.Proto == recorder.ProtoStream {
		lasting = "path: of a source with provider: " + ex.Provider
	}
	return fmt.Sprintf("the app has nothing at %s, where this sample goes: --to :%s/PATH names another path; so does %s in devhook.yaml",
		strings.TrimRight(app.Path, "/")+recorder.PathOf(ex.Request.URL), cmp.Or(app.Port(), "3000"), lasting)
}

// addressed returns the webhook of f, sent to public, "" for where f says, and
// there to at, or the path of the provider's route, or the one of f. An app that --forward
// names with a path takes all webhooks there: the path of f is not put behind it. It says
// nothing of an app to that is named in its place, nil for none.
func addressed(f fixtures.Fixture, public string, to *url.URL, at string, routes *gateway.Routes) *recorder.Exchange {
	ex := f.Exchange
	ex.Provider, ex.ID, ex.Seq, ex.Response = f.Provider, "", 0, nil
	ex.Target = "" // a sample goes where webhooks go here, whatever it says of itself
	root, target := recorder.SplitURL(ex.Request.URL)
	if public != "" {
		root, _ = recorder.SplitURL(public)
	}
	path, query, hasQuery := strings.Cut(target, "?")
	i := slices.IndexFunc(routes.List, func(r gateway.Route) bool { return r.Provider == f.Provider })
	switch {
	case at != "":
		path = at
	case i >= 0:
		path = routes.List[i].Path
	case to == nil && len(routes.List) == 0 && len(routes.Default.Forward) > 0:
		if own, _ := trial.Handler(routes.Default.Forward[0]); own != "" {
			path = "/"
		}
	}
	if hasQuery {
		path += "?" + query
	}
	ex.Request.URL = root + path
	ex.Request.Headers = ex.Request.Headers.Clone()
	if ex.Request.Headers == nil {
		ex.Request.Headers = http.Header{}
	}
	_, host, _ := strings.Cut(root, "://")
	ex.Request.Headers["Host"] = []string{host}
	ex.Request.Remote = "127.0.0.1"
	return &ex
}
