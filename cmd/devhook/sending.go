package main

import (
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"

	"github.com/urfave/cli/v2"
)

// A sending is one run of a command that sends: replay, trigger, test or session. attack,
// deliver and shrink have one in their trying.
type sending struct {
	p         *program
	c         *cli.Context
	out, errs *terminal.Terminal
	typed     []typedChange

	cfg     *config.Config
	store   *recorder.Store // nil if there is none, and nothing is to be recorded
	gateway *gateway.Gateway
	samples []fixtures.Fixture // nil: not looked for yet
	keys    *keyring
	running *running // nil if no `devhook up` runs
	apps    *gateway.Routes

	to       *url.URL
	changes  []replay.Mutation
	saveAs   string // the file of the recipe that the changes become; "": none
	sign     replay.SignMode
	at       time.Time
	expect   replay.Expectation
	travel   travel
	plans    schedule
	junit    string          // the file of the report; "": none
	rereads  bool            // files that are sent are read anew
	down     <-chan struct{} // with watchApp: the app has gone down; else nil
	endWatch func()          // with watchApp
	round    int             // how often what is read now was sent before
	seeded   uint64          // 0: not chosen yet
	filled   uint64          // how many samples were filled in
	refs     []uint64        // the recordings that arguments name, 0 for what is none

	lenders sync.Once // of lends
	lends   []string  // the providers whose secret the running up has
	lender  *lender   // whom the gateway asks for verdicts; nil: nobody

	began    time.Time
	mu       sync.Mutex // guards what is below, and what is printed
	total    int        // 0: not known
	sent     int
	answered int
	failed   int       // were not as expected
	skipped  int       // could not be sent
	many     bool      // are chosen by a filter
	newest   uint64    // the last recording that there was at the start; 0: not looked
	last     string    // why the last one was not answered
	reported []checked // for --junit
	baseline *baseline // nil: none
	stop     error     // why nothing more can be sent
	shown    time.Time // when the bar was shown last
	unsigned map[string]bool
	apart    map[string]bool // by warnEvents
}

// prepare reads the flags that all have who send: where lines and reports go, and --to.
func (s *sending) prepare(c *cli.Context) (err error) {
	s.c, s.out, s.errs = c, s.p.out(c), s.p.errs(c)
	if err := checkPlace("junit", c.String("junit")); err != nil {
		return err
	}
	s.junit = c.String("junit")
	if c.IsSet("to") {
		s.to, err = config.ParseForward(c.String("to"))
	}
	return err
}

// begin reads the flags. Nothing is opened yet.
func (s *sending) begin(c *cli.Context) (err error) {
	if err := s.prepare(c); err != nil {
		return err
	}
	if s.changes, err = s.mutations(); err != nil {
		return err
	}
	if s.saveAs, err = s.newRecipe(); err != nil {
		return err
	}
	if s.sign, err = replay.ParseSignMode(c.String("sign")); err != nil {
		return err
	}
	if s.at, err = signedAt(c, s.p.now()); err != nil {
		return err
	}
	if text := c.String("expect"); c.IsSet("expect") {
		if s.expect, err = replay.ParseExpectation(text); err != nil {
			return err
		}
	}
	for _, name := range []string{"repeat", "concurrency"} {
		if c.Int(name) < 1 {
			return &failure{code: 2, text: fmt.Sprintf("--%s is %d; the least is 1", name, c.Int(name))}
		}
	}
	if c.IsSet("baseline") {
		if s.baseline, err = readBaseline(c.String("baseline")); err != nil {
			return err
		}
	}
	return s.readSchedule()
}

// open opens the store, to write unless this is a dry run.
func (s *sending) open() error {
	open := s.p.openToWrite
	if s.c.Bool("dry-run") {
		open = s.p.openIfThere
	}
	var err error
	if s.store, err = open(s.c); s.store == nil || err != nil {
		return err
	}
	s.running, err = findRunning(s.store)
	return storeFailure(err)
}

func (s *sending) close() {
	if s.store != nil {
		s.store.Close()
	}
}

// settle reads the configuration. named is the provider that a secret without
// an id is meant for, "" if there are several.
func (s *sending) settle(named string) (err error) {
	if s.cfg, s.keys, err = s.p.settle(s.c, s.errs, named); err != nil {
		return err
	}
	s.apps, err = s.cfg.Apps()
	return err
}

// ready makes the gateway, once the store is open and all is settled.
func (s *sending) ready() {
	o := gateway.Options{
		Store: s.store, HostHeader: s.cfg.Get("host-header").Text(), MaxBody: s.cfg.MaxBody(),
		Log: slog.New(s.errs.LogHandler(slog.LevelWarn)), Now: s.p.now,
	}
	if s.lender != nil {
		o.Judge = s.lender.judge
	}
	s.gateway = gateway.New(o, &gateway.Routes{Catalog: s.apps.Catalog, Keys: s.keys.all, Default: s.apps.Default})
}

// plan returns how ex is sent.
// round is how often it was sent before.
func (s *sending) plan(ex *recorder.Exchange, origin recorder.Origin, round int) (replay.Plan, error) {
	if ex.Provider == "" { // of a file, or not known when it was recorded
		known := *ex
		known.Provider = ex.Request.Detect(s.cfg.Catalog())
		ex = &known
	}
	p := replay.Plan{
		Source: ex, Origin: origin, Mutations: s.changes, Sign: s.sign, At: s.at, FreshID: s.c.Bool("fresh-id"),
	}
	if err := s.keys.errs[ex.Provider]; err != nil && s.sign != replay.SignNever && !s.lent(ex.Provider) {
		return p, err
	}
	moves, err := s.travelChanges(ex, round)
	if err != nil {
		return p, err
	}
	p.Mutations = append(moves, s.changes...)
	p.To, p.Route, err = s.target(ex)
	return p, err
}
