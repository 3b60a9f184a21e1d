package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
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
	newest    atomic.Pointer[config.Config] // that was read since, of which holds what isLive; nil: none
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

	store      *recorder.Store
	closeStore func() error // once, however often it is called
	gateway    *gateway.Gateway
	routes     *gateway.Routes
	read       []string       // files that routes were read from: devhook.yaml, and secrets
	loading    sync.WaitGroup // reads the descriptions of providers

	ngrok   tunnel.Listener // nil if there is none
	local   tunnel.Listener // nil if there is none
	inspect inspect
	streams streams
	tally   tally
	missed  missed
	warned  map[string]bool // providers that were warned of
	printMu sync.Mutex      // held while a line of --json is printed
	asides  chan any        // lines that wait to be; see printAside
	alone   sync.WaitGroup  // lines that others wait for; see printPatiently

	followed atomic.Int64 // what follow has come to
	unread   bool         // nobody reads what is printed; set before ended
	running  *recorder.Announcement

	registrations registrations
	learnedMu     sync.Mutex
	learned       map[string][]verify.Secret // guarded by learnedMu: by provider; of APIs

	// announced is the public URL that the user was told last.
	announced string
	untrusted bool // devhook.yaml waits for devhook trust
}

// run opens the doors, and returns when the user, the context or the tunnel
// service wants an end and all that was under way is done.
func (u *up) run(ctx context.Context, signals <-chan os.Signal) (err error) {
	defer u.loading.Wait()
	if err := u.configure(); err != nil {
		return err
	}
	defer u.closeMirrorDoor()
	if u.store, err = recorder.Open(u.storeDir(), recorder.Options{Log: u.log}); err != nil {
		return storeFailure(err)
	}
	u.closeStore = sync.OnceValue(u.store.Close)
	defer func() {
		if !errors.Is(err, errInterrupted) { // nothing is waited for then
			u.closeDoors()
			u.closeStore()
		}
	}()
	from, err := u.store.End()
	if err != nil {
		return storeFailure(err)
	}
	u.sayOthers()
	u.openGateway()
	if err := u.await(); err != nil {
		return err
	}
	if err := u.openInspector(); err != nil {
		return err
	}
	defer u.inspect.shut()
	if ok, err := u.connect(ctx, signals); !ok {
		return err
	}

	u.loading.Wait()
	serving, stopServing := context.WithCancel(context.Background())
	defer stopServing()
	served := u.serve(serving)
	u.asides = make(chan any, maxAsides)
	defer u.registrations.release()
	u.register()
	u.serveInspector()
	if err := u.ready(); err != nil {
		return err
	}
	defer u.notReady()
	var printing, retained sync.WaitGroup
	over := make(chan struct{})
	printing.Go(func() {
		u.alone.Wait() // the ready line is the first
		printing.Go(func() { u.printAsides(over) })
		u.follow(from)
	})
	u.startStreams(from)
	retained.Go(func() { u.retain(serving) })
	err = u.wait(ctx, signals, served)

	// The end, in the order of the flow: nobody is told to send here, nothing
	// more comes in, what is under way is delivered and recorded, and what was
	// recorded is printed.
	if !u.unregister(signals) {
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
		retained.Wait()
		closeErr := u.closeStore()
		close(over)
		u.unread = !u.awaitReader(&printing)
		u.streams.served.Wait()
		ended <- closeErr
	}()
	return u.finish(err, ended, signals)
}

// configure settles where webhooks go, and what of it is wrong before anything is
// opened. The descriptions of providers are still being read when it returns, until
// u.loading is done: no webhook is to wait for that.
func (u *up) configure() (err error) {
	if err := checkPlace("ready-file", u.readyFile); err != nil {
		return err
	}
	u.notReady() // a run that was killed can have left its file
	if u.routes, err = u.resolve(u.cfg, u.storeDir()); err != nil {
		return err
	}
	u.loading.Go(u.routes.Catalog.Load)
	if err := u.openStreams(); err != nil {
		return err
	}
	addLocalKeys(u.storeDir(), u.routes.Catalog, u.routes.Keys)
	return nil
}

func (u *up) storeDir() string {
	if dir := u.cfg.Get("store").Text(); dir != "" {
		return dir
	}
	return config.FindStore(".", recorder.Dir, u.p.getenv)
}

// sayOthers tells of those that run on the store.
func (u *up) sayOthers() {
	others, _ := allRunning(u.store) // if they cannot be known it is no matter
	for _, r := range others {
		u.say("another devhook up runs on this store, at %s (process %d): each records what comes to it, and shows what comes to both", terminal.Safe(r.URL), r.PID)
	}
}

func (u *up) openGateway() {
	u.gateway = gateway.New(gateway.Options{
		Store: u.store, HostHeader: u.cfg.Get("host-header").Text(), MaxBody: u.cfg.MaxBody(), Log: u.log,
		TakeSecret: u.takeSecret, Confirm: u.confirm,
	}, u.routes)
	u.gateway.Recall()
}

// connect opens the doors. It is not ok if they cannot be, or if the user does not
// want to wait for it, which is no error.
func (u *up) connect(ctx context.Context, signals <-chan os.Signal) (ok bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	interrupted := make(chan bool)
	go func() {
		select {
		case <-signals:
			stop()
			interrupted <- true
		case <-ctx.Done():
			interrupted <- false
		}
	}()
	err = u.openDoors(ctx)
	stop()
	if <-interrupted {
		return false, nil
	}
	return err == nil, err
}

// finish waits until all is ended, with how the store was closed, and says what it
// waits for. err is why there is an end.
func (u *up) finish(err error, ended <-chan error, signals <-chan os.Signal) error {
	patience, streams := time.NewTimer(500*time.Millisecond), time.NewTimer(2*time.Second)
	defer patience.Stop()
	defer streams.Stop()
	for {
		select {
		case closeErr := <-ended:
			if err == nil {
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
	files := u.read
	changed, unwatch := watchAll(files)
	defer func() { unwatch() }()
	var trusted <-chan struct{}
	if u.cfg.Path != "" {
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
	look := time.NewTicker(time.Second)
	defer look.Stop()
	var away time.Time
	toldLate := false // that somebody has made a devhook.yaml that was not there
	for {
		select {
		case <-look.C:
			u.tellAgain()
			if _, err := os.Stat("devhook.yaml"); err == nil && u.cfg.Path == "" && !toldLate {
				toldLate = true
				u.stays(late("devhook.yaml"))
			}
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
			if u.reload(); !slices.Equal(u.read, files) {
				unwatch()
				files = u.read
				changed, unwatch = watchAll(files)
			}
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
