package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// A sending is one run of `devhook replay` or `devhook trigger`: what both do
// with the webhooks that they have found.
type sending struct {
	p         *program
	c         *cli.Context
	out, errs *terminal.Terminal
	typed     []typedChange

	cfg     *config.Config
	store   *recorder.Store // nil if there is none, and nothing is to be recorded
	gateway *gateway.Gateway
	keys    *keyring
	running *running // nil if no `devhook up` runs
	apps    *gateway.Routes

	to      *url.URL
	changes []replay.Mutation
	sign    replay.SignMode
	at      time.Time
	expect  replay.Expectation

	mu       sync.Mutex // guards what is below, and what is printed
	total    int        // 0: not known
	sent     int
	answered int
	failed   int    // were not as expected
	skipped  int    // could not be sent
	many     bool   // are chosen by a filter
	newest   uint64 // the last recording that there was at the start; 0: not looked
	last     string // why the last one was not answered
	stop     error  // why nothing more can be sent
	unsigned map[string]bool
}

// begin reads the flags. Nothing is opened yet.
func (s *sending) begin(c *cli.Context) (err error) {
	s.c = c
	if s.out, err = s.p.out(c); err != nil {
		return err
	}
	if s.errs, err = s.p.terminal(c, s.p.stderr); err != nil {
		return err
	}
	if text := c.String("to"); text != "" || c.IsSet("to") {
		if s.to, err = config.ParseForward(text); err != nil {
			return err
		}
	}
	if s.changes, err = s.mutations(); err != nil {
		return err
	}
	if s.sign, err = replay.ParseSignMode(c.String("sign")); err != nil {
		return err
	}
	if text := c.String("at"); c.IsSet("at") {
		if s.at, err = parseTime(text, s.p.now()); err != nil {
			return err
		}
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
	return nil
}

// open opens the store, to write unless this is a dry run.
func (s *sending) open() error {
	var err error
	if s.c.Bool("dry-run") {
		if s.store, err = s.p.openToRead(s.c); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	} else {
		s.store, err = recorder.Open(s.p.storeDir(s.c), recorder.Options{Log: slog.New(s.errs.LogHandler(slog.LevelWarn))})
	}
	if err != nil {
		return storeFailure(err)
	}
	s.running, err = findRunning(s.store)
	if err != nil {
		return storeFailure(err)
	}
	return nil
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
	s.gateway = gateway.New(gateway.Options{
		Store: s.store, HostHeader: s.cfg.Get("host-header").Text(), MaxBody: s.cfg.MaxBody(),
		Log: slog.New(s.errs.LogHandler(slog.LevelWarn)), Now: s.p.now,
	}, &gateway.Routes{Catalog: s.apps.Catalog, Keys: s.keys.all, Default: s.apps.Default})
}

// plan returns how ex is sent.
func (s *sending) plan(ex *recorder.Exchange, origin recorder.Origin) (replay.Plan, error) {
	if ex.Provider == "" { // of a file, or not known when it was recorded
		known := *ex
		known.Provider = detected(s.cfg.Catalog(), ex)
		ex = &known
	}
	p := replay.Plan{
		Source: ex, Origin: origin, Mutations: s.changes, Sign: s.sign, At: s.at, FreshID: s.c.Bool("fresh-id"),
	}
	if err := s.keys.errs[ex.Provider]; err != nil && s.sign != replay.SignNever {
		return p, err
	}
	var err error
	p.To, p.Route, err = s.target(ex, origin)
	return p, err
}

// target returns the app that ex goes to: --to; or where it went the first
// time, unless the running `devhook up` has another app for it now; or the app
// that devhook.yaml has for it.
func (s *sending) target(ex *recorder.Exchange, origin recorder.Origin) (app *url.URL, route string, err error) {
	if s.to != nil {
		return s.to, ex.Route, nil
	}
	first, hasFirst := replay.AppOf(ex)
	var now *gateway.Routes
	if s.running != nil {
		now = s.running.routes()
		if hasFirst && now.Has(first) {
			return first, ex.Route, nil
		}
	} else if hasFirst {
		return first, ex.Route, nil
	} else {
		now = s.apps
	}
	u, err := recorder.ParseURL(s.changedURL(ex))
	if err != nil {
		return nil, "", err
	}
	r, name, err := now.Find(u.Path)
	switch {
	case err == nil && len(r.Forward) > 0:
		return r.Forward[0], name, nil
	case hasFirst:
		return first, ex.Route, nil
	case len(now.Default.Forward) > 0: // what no route takes is refused when it comes in, not when it is sent
		return now.Default.Forward[0], "", nil
	}
	return nil, "", &failure{code: 2, text: "there is no app to send it to", hint: "name one with --to :3000, or run devhook up --forward :3000"}
}

// changedURL returns the URL of ex as it is sent.
func (s *sending) changedURL(ex *recorder.Exchange) string {
	req := recorder.Request{URL: ex.Request.URL}
	for _, m := range s.changes {
		if replay.ChangesPath(m) {
			m.Apply(&req) // has no reason to fail
		}
	}
	return req.URL
}

// send sends all that sources gives, and returns the failure that it comes to.
func (s *sending) send(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.c.Context))
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	stopped := make(chan struct{})
	done := make(chan struct{})
	defer close(done)
	go func() { // the first ends the sending, the second what is under way
		select {
		case <-signals:
			close(stopped)
		case <-done:
			return
		}
		select {
		case <-signals:
			cancel()
		case <-done:
		}
	}()

	room := make(chan struct{}, s.c.Int("concurrency"))
	var wg sync.WaitGroup
	var firstErr error
	for range s.c.Int("repeat") {
		for ex, err := range sources {
			if err != nil {
				firstErr = err
				break
			}
			select {
			case room <- struct{}{}:
			case <-stopped:
			}
			if isClosed(stopped) || s.broken() != nil {
				break
			}
			wg.Go(func() {
				defer func() { <-room }()
				if err := s.one(ctx, ex, origin); err != nil {
					s.breakOff(err)
				}
			})
		}
		if firstErr != nil || isClosed(stopped) || s.broken() != nil {
			break
		}
	}
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case s.broken() != nil:
		return s.broken()
	case firstErr != nil:
		return firstErr
	}
	return s.result(isClosed(stopped))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// one sends one webhook and prints what became of it. The error is why nothing
// more can be sent.
func (s *sending) one(ctx context.Context, ex *recorder.Exchange, origin recorder.Origin) error {
	plan, err := s.plan(ex, origin)
	if err != nil {
		return err
	}
	done, err := s.gateway.Send(ctx, plan)
	var bad *replay.Error
	if errors.Is(err, replay.ErrTruncated) && s.many { // is no reason to leave out the others
		s.mu.Lock()
		defer s.mu.Unlock()
		s.skipped++
		s.errs.Printf("%s %s", s.errs.Warn("devhook: warning:"), terminal.Safe(err.Error()))
		return nil
	}
	if errors.As(err, &bad) {
		return err
	}
	if err != nil {
		return storeFailure(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	if done.Outcome == recorder.Answered {
		s.answered++
	} else {
		s.last = done.Detail
	}
	s.errs.Progress("")
	s.warnUnsigned(done, plan)
	why := s.expect.Check(done, ex)
	switch {
	case s.c.Bool("json"):
		if err := s.p.printJSON(s.store, done); err != nil {
			return storeFailure(err)
		}
	case s.out.Lasts() && s.sent > manySent && why == "" && done.Outcome == recorder.Answered && done.Response.Status < 400:
	default:
		s.out.Exchange(done)
	}
	if why != "" {
		s.failed++
		s.errs.Printf("%s #%d: %s", s.errs.Bad("devhook: not as expected:"), done.Seq, terminal.Safe(why))
	}
	if s.sent > manySent {
		s.errs.Progress(s.tally())
	}
	return nil
}

// manySent is from how many on only trouble gets a line on a screen, and a count
// tells of the rest.
const manySent = 20

// tally says how many were sent, and what became of them. mu is held.
func (s *sending) tally() string {
	text := fmt.Sprintf("%d sent: %d answered", s.sent, s.answered)
	if s.total > 0 {
		text = fmt.Sprintf("%d of %d sent: %d answered", s.sent, s.total, s.answered)
	}
	if n := s.sent - s.answered; n > 0 {
		text += fmt.Sprintf(", %d not", n)
	}
	if s.skipped > 0 {
		text += fmt.Sprintf("; %d left out", s.skipped)
	}
	if s.failed > 0 {
		text += fmt.Sprintf("; %d not as expected", s.failed)
	}
	return text
}

// warnUnsigned says once of each provider that its webhooks were not signed
// anew. mu is held.
func (s *sending) warnUnsigned(done *recorder.Exchange, plan replay.Plan) {
	id := plan.Source.Provider
	if plan.Sign != replay.SignAuto || id == "" || s.unsigned[id] {
		return
	}
	p, ok := s.cfg.Catalog().Lookup(id)
	if !ok {
		return
	}
	hint, err := p.CheckSign(s.keys.all[p.ID])
	if err == nil && done.Request.Size > verify.MaxBody {
		hint, err = "its recorded signature is sent", errors.New("its body is over 32 MiB")
	}
	if err == nil {
		return
	}
	if s.unsigned == nil {
		s.unsigned = map[string]bool{}
	}
	s.unsigned[id] = true
	what := "is not signed anew"
	if plan.Origin == recorder.Trigger {
		what = "is not signed"
	}
	s.errs.Printf("%s %s %s: %v; %s", s.errs.Warn("devhook: warning:"), terminal.Safe(id), what, err, terminal.Safe(hint))
}

// breakOff notes why nothing more can be sent.
func (s *sending) breakOff(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		s.stop = err
	}
}

func (s *sending) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop
}

// result says what became of all, and returns the failure that it comes to.
func (s *sending) result(interrupted bool) error {
	s.errs.Progress("")
	if s.sent > 1 || interrupted {
		s.total = 0
		s.errs.Printf("%s", s.tally())
	}
	switch {
	case s.sent > 0 && s.answered == 0:
		f := &failure{code: 4, text: "the app did not answer: " + s.last}
		if s.last == "connection refused" {
			f.hint = "start the app, or name another with --to"
		}
		return f
	case s.answered < s.sent:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d were not answered", s.sent-s.answered, s.sent)}
	case s.failed > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d answers were not as expected", s.failed, s.sent)}
	case s.skipped > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d could not be sent", s.skipped)}
	case interrupted:
		return &failure{code: 1, text: "interrupted before all was sent"}
	case s.sent == 0:
		return &failure{code: 2, text: "nothing fits the filter: nothing was sent", hint: "devhook list shows what there is"}
	}
	return nil
}
