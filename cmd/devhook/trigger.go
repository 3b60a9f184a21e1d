package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devhook/fixtures"
	"devhook/internal/gateway"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) triggerCommand() *cli.Command {
	s := &sending{p: p}
	return &cli.Command{
		Name: "trigger", Usage: "send a sample webhook, signed, without the provider", ArgsUsage: "PROVIDER/EVENT",
		Description: `Samples are those that devhook brings, and before them those of your project: the
files fixtures/PROVIDER/EVENT.json beside devhook.yaml (devhook save makes them).

  devhook trigger --list tiktok
  devhook trigger tiktok/video.publish.completed
  devhook trigger stripe/invoice.paid --set data.object.amount_due=4200
  devhook trigger github/push --header 'X-GitHub-Event: ping' --dry-run

It goes to the app of the running devhook up, or of devhook.yaml.`,
		Flags: slices.Concat(
			under("Which sample",
				&cli.BoolFlag{Name: "list", Usage: "list the samples, of one provider or of all"},
			),
			s.flags(),
		),
		Action: s.trigger,
	}
}

func (s *sending) trigger(c *cli.Context) error {
	if err := s.begin(c); err != nil {
		return err
	}
	if c.Bool("list") {
		return s.listFixtures(c)
	}
	if c.NArg() != 1 {
		return &failure{code: 2, text: fmt.Sprintf("trigger takes one PROVIDER/EVENT, not %d", c.NArg()), hint: "devhook trigger --list"}
	}
	if arg := c.Args().First(); (strings.HasSuffix(arg, ".json") || strings.HasSuffix(arg, ".http")) && (isThere(arg) || !strings.Contains(arg, "/")) {
		return &failure{code: 2, text: arg + " is a file, and trigger takes PROVIDER/EVENT", hint: "devhook replay " + arg + " sends it"}
	}
	id, name, _ := strings.Cut(c.Args().First(), "/")
	named := ""
	if c.IsSet("secret") || c.IsSet("with") { // which then are the provider's
		named = id
	}
	if err := s.settle(named); err != nil {
		return err
	}
	all := s.fixturesOf(id)
	sample, err := s.sample(all, id, name)
	if err != nil {
		return err
	}
	f, err := s.made(sample)
	if err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	s.ready()
	s.total = max(0, c.Int("repeat")-s.plans.skip)
	s.plans.shuffle = false // there is one
	path := s.takePath()
	ex := s.addressAt(f, path)
	return s.sendOrShow(func(yield func(*recorder.Exchange, error) bool) {
		if !s.rereads && s.round == 0 {
			yield(ex, nil)
			return
		}
		var err error
		if s.rereads {
			sample, err = s.sample(s.fixturesOf(id), id, name)
		}
		if err == nil {
			f, err = s.made(sample)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		yield(s.addressAt(f, path), nil)
	}, recorder.Trigger)
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
	if s.to != nil { // the path of another app says nothing of this one
		routes = &gateway.Routes{List: routes.List}
	}
	return addressed(f, public, path, routes)
}

// takePath returns the path of the app, if it has one, and takes it from it: it is the
// whole URL then, and not where others begin. It is called before anything is sent.
func (s *sending) takePath() string {
	if s.to == nil || !hasPath(s.to) {
		return ""
	}
	path, app := s.to.EscapedPath(), *s.to
	app.Path, app.RawPath = "", ""
	s.to = &app
	return path
}

func hasPath(app *url.URL) bool { return strings.Trim(app.Path, "/") != "" }

// misplaced says what to do about an app that has nothing at the path of a sample, "" if
// status tells of nothing like that. Only who wrote the app knows where it takes webhooks.
func (s *sending) misplaced(ex *recorder.Exchange, origin recorder.Origin, status string) string {
	if origin != recorder.Trigger || status != "404" && status != "405" || s.c.IsSet("path") {
		return ""
	}
	app, _, err := s.target(ex)
	if err != nil || ex.Provider == "" {
		return ""
	}
	_, at := recorder.SplitURL(ex.Request.URL)
	at, _, _ = strings.Cut(at, "?")
	return fmt.Sprintf("the app has nothing at %s, where this sample goes: --to :%s/PATH names another path; so does a route with provider: %s in devhook.yaml",
		strings.TrimRight(app.Path, "/")+at, cmp.Or(app.Port(), "3000"), ex.Provider)
}

// addressed returns the webhook of f, sent to public, "" for where f says, and
// there to path, or the path of the provider's route, or the one of f. An app that is named
// with a path takes all webhooks there: the path of f is not put behind it.
func addressed(f fixtures.Fixture, public, to string, routes *gateway.Routes) *recorder.Exchange {
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
	case to != "":
		path = to
	case i >= 0:
		path = routes.List[i].Path
	case len(routes.List) == 0 && len(routes.Default.Forward) > 0 && hasPath(routes.Default.Forward[0]):
		path = "/"
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
