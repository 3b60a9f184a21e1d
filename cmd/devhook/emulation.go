package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/stream/feed"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// An emulation is one run of an emulator.
type emulation struct {
	p    *program
	c    *cli.Context
	errs *terminal.Terminal
	// name is what it is, about how a client reaches it at an address.
	name  string
	about func(addr string) []string
	err   error // the first that is wrong with its flags; it serves nothing then
}

// serverFlags are those of all emulators.
func serverFlags(port string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Usage: "where to listen, an `ADDR`; port 0 is any", Value: "127.0.0.1:" + port},
		&cli.StringFlag{Name: "ready-file", Usage: "`PATH` of a file that appears, with the URL in it, when clients can come"},
		colorFlag(),
	}
}

// streamFlags are those of all emulators of streams.
func streamFlags(port string) []cli.Flag {
	return append(serverFlags(port), []cli.Flag{
		&cli.StringSliceFlag{Name: "from", Usage: "send recorded events: a `FILTER or REF`, or a file; at their own pace"},
		&cli.StringFlag{Name: "every", Usage: "the `PAUSE` before each event (default 2s for samples)"},
		&cli.StringFlag{Name: "speed", Usage: "how `FAST`: 1x is as recorded, 10x, max", Value: "1x"},
		&cli.BoolFlag{Name: "loop", Usage: "begin again at the end"},
		&cli.BoolFlag{Name: "unknown", Usage: "send an event of a type that does not exist yet, too"},
		&cli.BoolFlag{Name: "duplicate", Usage: "send each event twice"},
		&cli.BoolFlag{Name: "silent", Usage: "send no events"},
		&cli.BoolFlag{Name: "lossy", Usage: "go on while nobody is connected, as the real one does"},
		&cli.IntFlag{Name: "close-after", Usage: "end each connection after `N` events, abruptly unless --close-code is given"},
		&cli.IntFlag{Name: "close-code", Usage: "the `CODE` to end it with, 1000 to 4999"},
		&cli.StringFlag{Name: "ping", Usage: "how `OFTEN` to ping", Value: "20s"},
		storeFlag(),
	}...)
}

// newEmulation reads the flags that all have.
func (p *program) newEmulation(c *cli.Context, name string) *emulation {
	e := &emulation{p: p, c: c, errs: p.errs(c), name: name}
	if c.NArg() > 0 {
		e.note(&failure{code: 2, text: fmt.Sprintf("devhook emulate %s takes no argument %q", name, c.Args().First()), hint: "devhook help emulate " + name})
	}
	return e
}

// note keeps the first of what is wrong, if err is anything.
func (e *emulation) note(err error) { e.err = cmp.Or(e.err, err) }

func (e *emulation) log(text string) {
	e.errs.Printf("%s  %s", e.errs.Dim(e.p.now().Local().Format("15:04:05")), terminal.Safe(text))
}

func (e *emulation) duration(flag string, least time.Duration) time.Duration {
	d, err := time.ParseDuration(e.c.String(flag))
	if err != nil || d < least {
		e.note(&failure{code: 2, text: fmt.Sprintf("--%s %q is no duration of at least %v", flag, e.c.String(flag), least), hint: "write it as in 500ms or 2s"})
	}
	return d
}

// A script is what an emulator of a stream sends.
type script struct {
	round func() []timed // the events, made anew for each round
	loop  bool           // there are more rounds than one, unless --loop says otherwise
	about string         // what to say at the end; "": that all is sent
	end   func()         // called at the end, may be nil
}

// run serves h until it is interrupted, and plays sc, or what --from says, by s.
func (e *emulation) run(s *feed.Server, h http.Handler, sc script) error {
	if from := e.c.StringSlice("from"); len(from) > 0 {
		events, err := e.recorded(from)
		e.note(err)
		sc = script{round: func() []timed { return events }}
	}
	play := e.play(sc)
	return e.serve(h, func(ctx context.Context) {
		if !e.c.Bool("silent") {
			s.Play(ctx, play)
			if ctx.Err() == nil {
				e.log(cmp.Or(sc.about, "all events are sent"))
				if sc.end != nil {
					sc.end()
				}
			}
		}
	}, func() {
		s.Close(1001, "")
		for end := time.Now().Add(time.Second); s.Len() > 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		}
	})
}

// serve serves h until it is interrupted. Beside it work runs, whose context
// ends then; leave is called before connections are cut. Both may be nil.
func (e *emulation) serve(h http.Handler, work func(context.Context), leave func()) error {
	if e.err != nil {
		return e.err
	}
	l, err := listen(listening{
		from: "--listen", addr: e.c.String("listen"), given: e.c.IsSet("listen"), moved: "listening at",
		hint: "listen at any free port with --listen 127.0.0.1:0",
	}, tcp, func(format string, a ...any) { e.errs.Paragraph(0, fmt.Sprintf(format, a...)) })
	if err != nil {
		return err
	}
	ctx, stop := interruptible(e.c)
	defer stop()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		if work != nil {
			work(ctx)
		}
	}()
	lines := e.about(l.Addr().String())
	for _, line := range lines[1:] {
		e.errs.Printf("  %s", line) // commands, to be copied whole: a line break in them would be copied, too
	}
	fmt.Fprintln(e.p.stdout, lines[0])
	e.errs.Printf("  %s", e.errs.Dim("Waiting for clients. Ctrl-C ends."))
	var failed error
	if path := e.c.String("ready-file"); path != "" {
		if err := config.WriteFile(path, []byte(lines[0]+"\n")); err != nil {
			failed = &failure{code: 2, text: "--ready-file: " + err.Error(), err: err}
			stop()
		} else {
			defer os.Remove(path)
		}
	}
	select {
	case failed = <-served:
	case <-ctx.Done():
		if leave != nil {
			leave()
		}
		srv.Close()
		<-served
	}
	stop()
	<-worked
	return failed
}

// noPages refuses what a page in a browser sends: any page can send to this
// machine, and is not to set a URL here or have something sent there. Browsers
// say so in Origin with each POST, PUT and DELETE.
func noPages(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			http.Error(w, "this emulator is not for pages in a browser", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// firing has an emulator send a webhook, at POST /emulator/fire?KEY=NAME: that of the
// name, with the body of the request in the place of the sample's if it has one. The
// answer is what fire returns, or 409 with what the platform would not send. All else
// is for h.
func firing[T any](h http.Handler, key string, log func(string), fire func(ctx context.Context, name string, body []byte) (T, error)) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("POST /emulator/fire", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		fired, err := fire(r.Context(), r.URL.Query().Get(key), body)
		if err != nil {
			log(err.Error())
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(fired) // the caller may have gone
	})
	return mux
}

// secret returns what the flag refers to, without white space around it; else what the
// variable env holds, "" for an env of "".
func (e *emulation) secret(flag, env, what string) string {
	if e.err != nil { // nobody is asked for one that serves nothing
		return ""
	}
	if !e.c.IsSet(flag) {
		return e.p.getenv(env)
	}
	text, err := e.p.resolver(e.errs).Resolve(e.c.String(flag), what, "--"+flag)
	e.note(err)
	return strings.TrimSpace(text)
}

// samplePause is before each sample, if --every does not say.
const samplePause = 2 * time.Second

// everySample gives samples the pause that is between them.
func everySample(bodies [][]byte) (events []timed) {
	for _, body := range bodies {
		events = append(events, timed{samplePause, body})
	}
	return events
}

// play returns how sc is sent.
func (e *emulation) play(sc script) feed.Play {
	c := e.c
	p := feed.Play{Duplicate: c.Bool("duplicate"), Lossy: c.Bool("lossy"), CloseAfter: c.Int("close-after"), Code: c.Int("close-code")}
	if p.Code != 0 && (p.Code < 1000 || p.Code > 4999) {
		e.note(&failure{code: 2, text: fmt.Sprintf("--close-code %d is none", p.Code), hint: "write one from 1000 to 4999"})
	}
	speed, err := parseSpeed(c.String("speed"))
	e.note(err)
	pause := func(d time.Duration) time.Duration {
		if speed == 0 {
			return 0
		}
		return time.Duration(float64(d) / speed)
	}
	if c.IsSet("every") {
		every := e.duration("every", 0)
		pause = func(time.Duration) time.Duration { return every }
	}
	if c.IsSet("loop") {
		sc.loop = c.Bool("loop")
	}
	p.Events = func(yield func(time.Duration, []byte) bool) {
		for first := true; first || sc.loop; first = false {
			for _, ev := range sc.round() {
				if !yield(pause(ev.pause), ev.body) {
					return
				}
			}
		}
	}
	return p
}

type timed struct {
	pause time.Duration
	body  []byte
}

// recorded returns the recordings that args mean, each with the time that
// passed since the one before it.
func (e *emulation) recorded(args []string) ([]timed, error) {
	store, err := e.p.openIfThere(e.c)
	if err != nil {
		return nil, err
	}
	if store != nil {
		defer store.Close()
	}
	var list []*recorder.Exchange
	if recorder.IsFilterWord(args[0]) {
		f, err := recorder.ParseFilter(e.p.now(), args...)
		if err != nil {
			return nil, err
		}
		if store == nil {
			return nil, nothingRecorded()
		}
		for ex, err := range store.Query(recorder.Query{Filter: f}) {
			if err != nil {
				e.errs.Warning(err.Error())
				continue
			}
			list = append(list, ex)
		}
	} else if list, err = e.p.read(store, args, nil); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &failure{code: 2, text: "--from fits no recording", hint: "devhook list " + args[0] + " shows what there is"}
	}
	var events []timed
	var before time.Time
	for _, ex := range list {
		if err := store.LoadBody(&ex.Request.Body); err != nil {
			return nil, storeFailure(err)
		}
		var pause time.Duration
		if !before.IsZero() && ex.At.After(before) {
			pause = ex.At.Sub(before)
		}
		before = ex.At
		events = append(events, timed{pause, ex.Request.Body.Bytes})
	}
	return events, nil
}
