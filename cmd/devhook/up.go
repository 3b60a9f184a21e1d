package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/internal/watch"
	"devhook/recorder"
	"devhook/tunnel"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) upCommand() *cli.Command {
	return &cli.Command{
		Name: "up", Aliases: []string{"listen"}, Usage: "open a door for webhooks: verify, record, forward",
		ArgsUsage: "[APP…]",
		Description: `Opens a public URL through ngrok, or a local one, and forwards what comes in.

  devhook up --forward :3000
  devhook up --forward :3000 --provider tiktok --secret env:TIKTOK_CLIENT_SECRET
  devhook up --tunnel local --listen 127.0.0.1:4050
  devhook up --forward :3000 --json | jq .
  devhook up --forward :3000 --source tuniform --secret env:TUNIFORM_STREAM_TOKEN

The first Ctrl-C ends in order, the second at once.`,
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "forward", Aliases: []string{"f", "forward-to"}, Usage: "the `APP`: 3000, :3000, HOST:PORT or a URL; each further one gets a copy"},
			&cli.StringFlag{Name: "tunnel", Usage: "`HOW` to be reached: auto, ngrok or local"},
			&cli.StringFlag{Name: "listen", Usage: "the local door's `ADDR`; port 0 is any"},
			&cli.StringFlag{Name: "url", Usage: "the ngrok `URL` or domain to ask for"},
			&cli.StringFlag{Name: "authtoken", Usage: "`REF` to ngrok's authtoken: env:NAME, file:PATH or -"},
			&cli.StringFlag{Name: "ngrok-connect-url", Usage: "`HOST:PORT` of the ngrok service"},
			&cli.StringFlag{Name: "ngrok-connect-cas", Usage: "`FILE` of the certificates it is checked with; or trusted, host"},
			&cli.StringFlag{Name: "ngrok-proxy-url", Usage: "`URL` of a proxy on the way to it (default: HTTPS_PROXY)"},
			&cli.StringFlag{Name: "traffic-policy-file", Usage: "`FILE` with the endpoint's traffic policy"},
			&cli.BoolFlag{Name: "pooling-enabled", Usage: "share the URL with other endpoints"},
			&cli.StringFlag{Name: "name", Usage: "the endpoint's `NAME`"},
			&cli.StringFlag{Name: "description", Usage: "the endpoint's description, a `TEXT`"},
			&cli.StringFlag{Name: "metadata", Usage: "the endpoint's metadata, a `TEXT`"},
			&cli.StringFlag{Name: "provider", Aliases: []string{"verify-webhook"}, Usage: "the `ID` of the provider whose webhooks come in (default: detected)"},
			&cli.StringSliceFlag{Name: "secret", Aliases: []string{"verify-webhook-secret"}, Usage: "`[ID=]REF` to a provider's secret: env:NAME, file:PATH or -; several are tried in turn"},
			&cli.StringSliceFlag{Name: "with", Usage: "what a scheme needs beside the secret, `[ID.]NAME=VALUE`"},
			&cli.StringSliceFlag{Name: "accept-handshake", Usage: "take the secret that the provider `ID` hands over: the first that comes"},
			&cli.BoolFlag{Name: "confirm", Usage: "confirm the subscriptions that providers ask about (Amazon SNS)"},
			&cli.StringFlag{Name: "verify", Usage: "`WHO` gets through: enforce, strict, report or off"},
			&cli.StringSliceFlag{Name: "source", Usage: "listen to a stream, too: `NAME` is tuniform or euler; --secret is its token then"},
			&cli.StringFlag{Name: "creator", Usage: "whose stream it is, `@NAME` (euler)"},
			&cli.StringFlag{Name: "source-url", Usage: "another `URL` than the platform's, as of devhook emulate"},
			&cli.StringFlag{Name: "source-path", Usage: "the `PATH` of the app that gets the events (default /hooks/NAME)"},
			&cli.StringFlag{Name: "ws-mirror", Usage: "hand events on to overlays that connect to `[ADDR]` (default " + defaultMirror + ")"},
			&cli.StringFlag{Name: "host-header", Usage: "what the app sees as Host: rewrite, preserve or a `VALUE`"},
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` an app may take to answer"},
			&cli.StringFlag{Name: "max-body", Usage: "the largest body that is taken, a `SIZE`"},
			&cli.StringFlag{Name: "keep-age", Usage: "how `LONG` recordings are kept: 90d, 12h, off"},
			&cli.StringFlag{Name: "keep-size", Usage: "the `SIZE` up to which they are kept: 10gb, off"},
			&cli.StringFlag{Name: "inspect", Usage: "the inspector's `ADDR`, or off; port 0 is any"},
			&cli.StringSliceFlag{Name: "inspect-host", Usage: "a further `NAME` that the inspector may be asked by"},
			&cli.StringSliceFlag{Name: "allow-to", Usage: "a `HOST` that the inspector may send to, beside the apps"},
			&cli.StringFlag{Name: "config", Usage: "the `FILE` to read in place of devhook.yaml"},
			&cli.StringFlag{Name: "output", Usage: "`WHAT` to print: auto, lines, json or quiet"},
			&cli.BoolFlag{Name: "json", Usage: "the same as --output json"},
			&cli.StringFlag{Name: "ready-file", Usage: "`PATH` of a file that appears, with the URL in it, when webhooks can come"},
			&cli.BoolFlag{Name: "api-control", Usage: "let who closes the tunnel in ngrok's API end devhook"},
			&cli.StringFlag{Name: "log", Usage: "write the lines of ngrok's log to `WHERE`: stdout (alone then), stderr or a file"},
			&cli.StringFlag{Name: "log-format", Usage: "of --log: logfmt or json, a `NAME`", Value: "logfmt"},
			&cli.BoolFlag{Name: "verbose", Usage: "tell more"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.up(c, c.Args().Slice()) },
	}
}

// httpCommand is for hands that know ngrok.
func (p *program) httpCommand() *cli.Command {
	cmd := p.upCommand()
	cmd.Name, cmd.Aliases, cmd.Hidden = "http", nil, true
	return cmd
}

// source returns what c's flags, the environment and devhook.yaml say.
func (p *program) source(c *cli.Context, args []string) config.Source {
	trust, err := config.UserTrust()
	trusted := trust.Has
	if err != nil {
		trusted = func(string, []byte) bool { return false }
	}
	return config.Source{
		Dir: ".", File: c.String("config"), Getenv: p.getenv, Trusted: trusted, Fetch: &fetched,
		Flag: func(name string) []string {
			switch {
			case name == "output" && c.Bool("json"):
				return []string{"json"}
			case name == "forward":
				if all := append(c.StringSlice("forward"), args...); len(all) > 0 {
					return all
				}
				return nil
			case !c.IsSet(name):
				return nil
			case name == "secret" || name == "with" || name == "source" || name == "inspect-host" || name == "allow-to":
				return c.StringSlice(name)
			case name == "pooling-enabled":
				return []string{fmt.Sprint(c.Bool(name))}
			}
			return []string{c.String(name)}
		},
	}
}

// load settles the configuration. A file that is not trusted is asked about if
// there is a terminal to ask at.
func (p *program) load(src config.Source) (*config.Config, error) {
	cfg, err := config.Load(src)
	var untrusted *config.UntrustedError
	if errors.As(err, &untrusted) && terminal.IsTerminal(p.stdin) && terminal.IsTerminal(p.stderr) {
		if err := p.askTrust(untrusted); err != nil {
			return nil, err
		}
		return config.Load(src)
	}
	return cfg, err
}

// resolver finds secrets, and asks for those that are to be typed.
func (p *program) resolver(errs *terminal.Terminal) *config.Resolver {
	r := &config.Resolver{Getenv: p.getenv, Warn: func(text string) { errs.Printf("%s %s", errs.Warn("devhook: warning:"), text) }}
	if f, ok := p.stdin.(*os.File); ok && terminal.IsTerminal(f) {
		r.Prompt = func(label string) (string, error) { return errs.ReadSecret(f, label) }
	}
	return r
}

// up is `devhook up` from its flags to its end.
func (p *program) up(c *cli.Context, args []string) error {
	errs, err := p.terminal(c, p.stderr)
	if err != nil {
		return err
	}
	src := p.source(c, args)
	cfg, err := p.load(src)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if c.Bool("verbose") {
		level = slog.LevelDebug
	}
	u := &up{
		p: p, cfg: cfg, src: src, errs: errs, out: terminal.New(p.stdout, terminal.Color(c.String("color")), p.getenv),
		log: slog.New(errs.LogHandler(level)), resolver: p.resolver(errs),
		verbose: c.Bool("verbose"), readyFile: c.String("ready-file"), accept: c.StringSlice("accept-handshake"),
	}
	if c.Bool("confirm") {
		u.confirm = &fetched
	}
	if u.agentLog, err = p.openAgentLog(c); err != nil {
		return err
	}
	defer u.agentLog.close()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if c.Bool("api-control") {
		ctx, end := context.WithCancel(c.Context)
		defer end()
		c.Context, u.endByAPI = ctx, end
	}
	signal.Ignore(syscall.SIGPIPE) // who stops reading what is printed does not stop the webhooks
	err = u.run(c.Context, signals)
	if err != nil && !errors.Is(err, errInterrupted) {
		u.agentLog.write(levelCritical, "command failed", "err", cause(err))
	}
	return err
}

// An up is one run of `devhook up`.
type up struct {
	p         *program
	cfg       *config.Config
	src       config.Source
	out, errs *terminal.Terminal
	log       *slog.Logger
	resolver  *config.Resolver
	verbose   bool
	readyFile string
	accept    []string         // providers whose secret is to be taken
	confirm   verify.Fetcher   // visits what confirms a subscription; nil: none
	onReady   func(url string) // for the demo; may be nil
	brief     bool             // says less of what is to be done
	agentLog  agentLog
	endByAPI  func() // nil: who closes the tunnel in ngrok's API closes nothing

	store   *recorder.Store
	gateway *gateway.Gateway
	routes  *gateway.Routes

	ngrok   tunnel.Listener // nil if there is none
	local   tunnel.Listener // nil if there is none
	inspect inspect
	streams streams
	tally   tally
	warned  map[string]bool // providers that were warned of
	printMu sync.Mutex      // held while a line of --json is printed
	running *recorder.Announcement

	registrations []*ownRegistration
	learnedMu     sync.Mutex
	learned       map[string][]verify.Secret // guarded by learnedMu: by provider; of APIs

	// announced is the public URL that the user was told last.
	announced string
	untrusted bool // devhook.yaml waits for devhook trust
}

// run opens the doors, and returns when the user, the context or the tunnel
// service wants an end and all that was under way is done.
func (u *up) run(ctx context.Context, signals <-chan os.Signal) (err error) {
	for _, note := range u.cfg.Notes {
		u.log.Warn(note)
	}
	if err := u.checkReadyFile(); err != nil {
		return err
	}
	u.notReady() // a run that was killed can have left its file
	dir := u.cfg.Get("store").Text()
	if dir == "" {
		dir = config.FindStore(".", recorder.Dir, u.p.getenv)
	}
	if u.routes, err = u.cfg.Routes(u.resolver, u.handed(u.cfg.Catalog(), dir)...); err != nil {
		return err
	}
	if err := u.openStreams(); err != nil {
		return err
	}
	defer u.closeMirrorDoor()
	addLocalKeys(dir, u.routes.Catalog, u.routes.Keys)
	if u.store, err = recorder.Open(dir, recorder.Options{Log: u.log}); err != nil {
		return storeFailure(err)
	}
	var closeStore sync.Once
	defer func() {
		if !errors.Is(err, errInterrupted) { // nothing is waited for then
			u.closeDoors()
			closeStore.Do(func() { u.store.Close() })
		}
	}()
	from, err := u.store.End()
	if err != nil {
		return storeFailure(err)
	}
	u.gateway = gateway.New(gateway.Options{
		Store: u.store, HostHeader: u.cfg.Get("host-header").Text(), MaxBody: u.cfg.MaxBody(), Log: u.log,
		TakeSecret: u.takeSecret, Confirm: u.confirm,
	}, u.routes)
	u.gateway.Recall()
	if err := u.await(); err != nil {
		return err
	}
	if err := u.openInspector(); err != nil {
		return err
	}
	defer u.inspect.shut()

	starting, stopStarting := context.WithCancel(ctx)
	interrupted := make(chan struct{})
	go func() { // Ctrl-C while connecting
		select {
		case <-signals:
			close(interrupted)
			stopStarting()
		case <-starting.Done():
		}
	}()
	err = u.openDoors(starting)
	stopStarting()
	select {
	case <-interrupted:
		return nil
	default:
	}
	if err != nil {
		return err
	}

	serving, stopServing := context.WithCancel(context.Background())
	defer stopServing()
	served := u.serve(serving)

	for _, pl := range u.places("") {
		u.out.MakeRoom(pl.provider.ID)
	}
	registering, stopRegistering := context.WithCancel(context.Background())
	defer stopRegistering()
	u.register(registering)
	u.serveInspector()
	if err := u.ready(); err != nil {
		return err
	}
	defer u.notReady()
	followed := make(chan struct{})
	go func() { // behind the ready line, which is the first
		defer close(followed)
		u.follow(from)
	}()
	u.startStreams(from)
	retained := make(chan struct{})
	go func() {
		defer close(retained)
		u.retain(serving)
	}()
	err = u.wait(ctx, signals, served)

	// The end, in the order of the flow: nobody is told to send here, nothing
	// more comes in, what is under way is delivered and recorded, and what was
	// recorded is printed.
	if !u.unregister(stopRegistering, signals) {
		return errInterrupted
	}
	stopServing()
	u.streams.stop()
	ended := make(chan error, 1) // of the store
	go func() {
		for range cap(served) {
			<-served
		}
		u.inspect.end() // what it has sent is under way
		u.streams.work.Wait()
		u.gateway.Wait()
		u.closeDoors()
		<-retained
		var closeErr error
		closeStore.Do(func() { closeErr = u.store.Close() })
		<-followed
		u.streams.served.Wait()
		ended <- closeErr
	}()
	patience, streams := time.NewTimer(500*time.Millisecond), time.NewTimer(2*time.Second)
	defer patience.Stop()
	defer streams.Stop()
	for {
		select {
		case closeErr := <-ended:
			if err == nil && closeErr != nil {
				err = storeFailure(closeErr)
			}
			u.end(err)
			return err
		case <-patience.C:
			u.errs.Printf("finishing what is under way; Ctrl-C again to stop at once")
		case <-streams.C:
			u.gateway.EndStreams()
			u.inspect.interrupt()
			u.streams.interrupt() // what is still to be delivered is recorded
		case <-signals:
			return errInterrupted
		}
	}
}

// serve takes webhooks in by all doors. What comes out of the channel, once
// for each, is why a door shut.
func (u *up) serve(ctx context.Context) chan error {
	var doors []gateway.Door
	if u.ngrok != nil {
		doors = append(doors, gateway.Door{Listener: u.ngrok, URL: u.ngrok.URL, Forwarded: true})
	}
	if u.local != nil {
		doors = append(doors, gateway.Door{Listener: u.local, URL: u.local.URL})
	}
	served := make(chan error, len(doors))
	for _, d := range doors {
		go func() { served <- u.gateway.Serve(ctx, d) }()
	}
	return served
}

// wait returns when there is a reason to end: nil if the user wants it.
func (u *up) wait(ctx context.Context, signals <-chan os.Signal, served chan error) error {
	var changed, trusted <-chan struct{}
	if u.cfg.Path != "" {
		w := watch.File(u.cfg.Path)
		defer w.Close()
		changed = w.C
		if t, err := config.UserTrust(); err == nil {
			w := watch.File(t.Path())
			defer w.Close()
			trusted = w.C
		}
	}
	var settled <-chan time.Time // editors save in several steps
	var events <-chan tunnel.Event
	if u.ngrok != nil {
		events = u.ngrok.Events()
	}
	var away time.Time
	for {
		select {
		case <-signals:
			return nil
		case <-ctx.Done():
			return nil
		case err := <-served:
			served <- nil // run counts the doors
			u.lastEvents(events, &away)
			return err
		case err := <-u.streams.ended:
			return err
		case e, ok := <-events:
			if !ok {
				events = nil
				break
			}
			u.tunnelEvent(e, &away)
			if e.State == tunnel.Closed {
				return e.Err
			}
		case <-changed:
			settled = time.After(100 * time.Millisecond)
		case <-trusted:
			if u.untrusted {
				settled = time.After(100 * time.Millisecond)
			}
		case <-settled:
			settled = nil
			u.reload()
		}
	}
}

// lastEvents tells of what happened to the tunnel before its door shut.
func (u *up) lastEvents(events <-chan tunnel.Event, away *time.Time) {
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			u.tunnelEvent(e, away)
		default:
			return
		}
	}
}

// reload takes in a devhook.yaml that was saved. One that is wrong changes
// nothing.
func (u *up) reload() {
	cfg, err := config.Load(u.src)
	if err == nil && cfg.Path != u.cfg.Path { // as an editor or git can have it for a moment
		err = fmt.Errorf("%s is not there any more", u.cfg.Path)
	}
	var rt *gateway.Routes
	if err == nil {
		rt, err = cfg.Routes(u.resolver, u.handed(cfg.Catalog(), u.store.Path())...)
	}
	if err == nil {
		err = u.refuseLoops(rt)
	}
	if err == nil {
		addLocalKeys(u.store.Path(), rt.Catalog, rt.Keys)
		u.gateway.SetRoutes(rt)
		u.relearn()
		u.routes = rt
		u.tell()
	}
	u.untrusted = errors.As(err, new(*config.UntrustedError))
	if err != nil {
		f := explain(err)
		u.errs.Error(f.text, f.hint)
		u.errs.Printf("%s stays as it was", filepath.Base(u.cfg.Path))
		return
	}
	var later []string
	for _, name := range config.Settings() {
		switch name {
		case "forward", "provider", "verify", "timeout": // are in the routes
			continue
		}
		if strings.Join(cfg.Get(name).Texts, "\n") != strings.Join(u.cfg.Get(name).Texts, "\n") {
			later = append(later, name)
		}
	}
	if !slices.EqualFunc(cfg.Sources(), u.cfg.Sources(), config.Stream.Same) {
		later = append(later, "sources")
	}
	if !slices.EqualFunc(cfg.Registrations(), u.cfg.Registrations(), func(a, b config.Registration) bool { return a.String() == b.String() }) {
		later = append(later, "register")
	}
	u.errs.Printf("%s was read again", terminal.Safe(cfg.Path))
	if len(later) > 0 {
		u.errs.Printf("  what it says of %s counts from the next start on", strings.Join(later, ", "))
	}
}

// follow prints what is recorded, by whichever process, until the store is
// closed.
func (u *up) follow(from recorder.Cursor) {
	mode := u.cfg.Get("output").Text()
	if u.agentLog.stdout {
		mode = "quiet"
	}
	for ex, err := range u.store.FollowEnds(context.Background(), from) {
		if err != nil {
			u.log.Warn("cannot read a recording", "error", err)
			continue
		}
		if ex.Ending != nil { // it was counted and shown when it opened
			u.showEnded(ex, mode)
			continue
		}
		u.tally.add(ex)
		u.warnOpen(ex)
		u.logExchange(ex)
		switch mode {
		case "json":
			u.printExchange(ex)
		case "quiet":
		default:
			u.out.Exchange(ex)
		}
	}
}

// showEnded prints that a WebSocket has ended. Copies are over as soon as they
// are open, which is not worth a line.
func (u *up) showEnded(ex *recorder.Exchange, mode string) {
	switch {
	case mode == "quiet" || ex.Origin != recorder.Live:
	case mode == "json":
		u.printEnded(ex)
	default:
		u.out.Ended(ex)
	}
}

// warnOpen says once of each provider that its webhooks pass unverified,
// because no secret of it is known.
func (u *up) warnOpen(ex *recorder.Exchange) {
	if ex.Origin != recorder.Live || ex.Verdict.Reason != verify.NoSecret || u.warned[ex.Provider] {
		return
	}
	if u.warned == nil {
		u.warned = map[string]bool{}
	}
	u.warned[ex.Provider] = true
	what := "pass unverified, because its secret is not known"
	if ex.Outcome == recorder.Refused {
		what = "are refused, because its secret is not known"
	}
	u.log.Warn(fmt.Sprintf("webhooks of %s %s: %s", terminal.Safe(ex.Provider), what, terminal.Safe(ex.Verdict.Hint)))
}
