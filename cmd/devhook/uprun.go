package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/internal/watch"
	"devhook/recorder"
	"devhook/tunnel"
	"devhook/verify"
)

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
	if err := checkPlace("ready-file", u.readyFile); err != nil {
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
	var loading sync.WaitGroup // while doors open; no webhook is to wait for it
	defer loading.Wait()
	loading.Go(u.routes.Catalog.Load)
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
	if others, err := allRunning(u.store); err == nil { // else it is no matter
		for _, r := range others {
			u.say("another devhook up runs on this store, at %s (process %d): each records what comes to it, and shows what comes to both", terminal.Safe(r.URL), r.PID)
		}
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

	loading.Wait()
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
		rt.Catalog.Load()
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
