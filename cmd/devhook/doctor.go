package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/internal/stream"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/tunnel"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// clockURL is whose clock this machine's is held against, as no signature holds
// where that is wrong. It is asked for nothing but its header Date.
const clockURL = "https://dashboard.ngrok.com/"

func (p *program) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look whether all is well, and tell what is not",
		Description: `Looks at devhook.yaml, the store, the secrets, the way to ngrok, the clock and the apps.
It changes nothing. The exit code is that of the first thing that is wrong: 2 the
configuration, 6 the store, 3 the tunnel or a source, 1 the clock, 4 an app.

  devhook doctor
  devhook doctor --json
  devhook doctor --offline`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "offline", Usage: "ask nobody on the internet"},
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: p.doctor,
	}
}

// A finding is what was found of one thing.
type finding struct {
	Check, Status, Detail, Hint string // as inspector.Finding has them
	code                        int    // of exit, if it failed
}

func (f finding) told() inspector.Finding {
	return inspector.Finding{V: 1, Check: f.Check, Status: f.Status, Detail: f.Detail, Hint: f.Hint}
}

// An examination is one run of the doctor: of a command, or of a devhook up that is asked.
type examination struct {
	p    *program
	ctx  context.Context
	cfg  *config.Config
	tell func(finding)

	c    *cli.Context // of the command
	out  *terminal.Terminal
	fail *failure // the first
	err  error    // of writing
}

func (p *program) doctor(c *cli.Context) error {
	out := p.out(c)
	x := &examination{p: p, ctx: c.Context, c: c, out: out}
	x.tell = x.print
	x.configuration()
	running := x.store()
	if x.cfg != nil {
		x.secrets()
		x.internet(c.Bool("offline"))
		x.apps(running)
	}
	if x.err == nil && x.fail != nil {
		return x.fail
	}
	return x.err
}

// examine is the doctor of a devhook up that runs.
func (u *up) examine(ctx context.Context, offline bool) (list []inspector.Finding) {
	x := &examination{p: u.p, ctx: ctx, cfg: u.cfg, tell: func(f finding) { list = append(list, f.told()) }}
	x.configured()
	x.readable(u.store)
	x.running(u.status())
	x.known(u.gateway.Routes().Keys)
	x.internet(offline)
	x.appsOf(u.gateway.Routes())
	return list
}

// internet looks at what is far away, unless nobody is to be asked there.
func (x *examination) internet(offline bool) {
	if offline {
		x.tell(finding{Check: "tunnel", Status: "warn", Detail: "not looked at, nor the clock: --offline"})
		return
	}
	x.tunnel()
	x.clock()
}

// print prints f, and keeps the first that failed.
func (x *examination) print(f finding) {
	if f.Status == "fail" && x.fail == nil {
		x.fail = &failure{code: f.code, text: f.Check + ": " + f.Detail, hint: f.Hint}
		if x.out.Lasts() && !x.c.Bool("json") { // it stands a few lines above
			x.fail.text, x.fail.hint = f.Check+": see above", ""
		}
	}
	if x.c.Bool("json") {
		x.err = errors.Join(x.err, x.p.line(f.told()))
		return
	}
	mark := map[string]string{"ok": x.out.Good("ok  "), "warn": x.out.Warn("note"), "fail": x.out.Bad("FAIL")}[f.Status]
	const columns = 17
	x.out.Hanging(fmt.Sprintf("%s  %-10s ", mark, f.Check), columns, terminal.Safe(f.Detail))
	if f.Hint != "" {
		x.out.Paragraph(columns, terminal.Safe(f.Hint))
	}
	x.err = errors.Join(x.err, wrote(x.out.Err()))
}

// failed makes a finding of an error.
func failed(check string, err error) finding {
	f := explain(err)
	return finding{Check: check, Status: "fail", Detail: f.text, Hint: f.hint, code: f.code}
}

func (x *examination) configuration() {
	cfg, err := config.Load(x.p.source(x.c, nil))
	if err != nil {
		x.tell(failed("config", err))
		return
	}
	x.cfg = cfg
	x.configured()
}

func (x *examination) configured() {
	f := finding{Check: "config", Status: "ok", Detail: x.cfg.Path}
	if f.Detail == "" {
		f.Detail = "no devhook.yaml here or above; the defaults hold"
	}
	x.tell(f)
}

// canMake returns why the store, which is not there and was not named, could not be made.
func canMake(dir string) error {
	tried, err := os.MkdirTemp(filepath.Dir(dir), ".devhook-")
	if err != nil {
		return err
	}
	return os.Remove(tried)
}

// maxExamined is how many recordings are read, the newest.
const maxExamined = 1000

// store looks at the recordings, and returns the devhook up that runs on them, if
// one does.
func (x *examination) store() *running {
	dir := x.p.storeDir(x.c)
	store, err := x.p.openUsual(x.c)
	if err != nil {
		x.tell(failed("store", err))
		return nil
	}
	if store == nil {
		if err := canMake(dir); err != nil {
			x.tell(failed("store", storeFailure(fmt.Errorf("%s, which is not there, cannot be made: %w", dir, err))))
			return nil
		}
		x.tell(finding{Check: "store", Status: "ok", Detail: "nothing is recorded yet; devhook up will make " + dir})
		return nil
	}
	defer store.Close()
	if !x.readable(store) {
		return nil
	}
	r, err := findRunning(store)
	if err != nil {
		x.tell(failed("up", storeFailure(err)))
		return nil
	}
	if r == nil {
		x.tell(finding{Check: "up", Status: "ok", Detail: "no devhook up runs on this store"})
		return nil
	}
	s, _ := r.status(x.ctx) // who does not answer has no state
	s.URL = r.URL
	x.running(s)
	return r
}

// running tells of the devhook up of a store.
func (x *examination) running(s inspector.Status) {
	state := finding{Check: "up", Status: "ok", Detail: "runs at " + s.URL}
	if s.Tunnel.State != "" && s.Tunnel.State != string(tunnel.Connected) {
		state = finding{Check: "up", Status: "fail", Detail: "its tunnel is " + s.Tunnel.State + ": " + s.Tunnel.Error, code: 3}
	}
	x.tell(state)
	for _, source := range s.Sources {
		f := finding{Check: "source", Status: "ok", Detail: nameOf(source) + " is " + source.State}
		switch stream.State(source.State) {
		case "": // not known
			continue
		case stream.Connected:
		case stream.Connecting, stream.Waiting:
			f.Status = "warn"
		default:
			f.Status, f.code = "fail", 3
		}
		if f.Status != "ok" && source.Error != "" {
			f.Detail += ": " + source.Error
		}
		x.tell(f)
	}
}

// readable looks whether store can be read and written to; false: not at all.
func (x *examination) readable(store *recorder.Store) bool {
	dir, count, damaged := store.Path(), 0, 0
	for _, err := range store.Query(recorder.Query{Newest: maxExamined}) {
		switch {
		case err == nil:
			count++
		case errors.As(err, new(*recorder.DamagedError)):
			damaged++
		default:
			x.tell(failed("store", storeFailure(err)))
			return false
		}
	}
	f := finding{Check: "store", Status: "ok", Detail: dir + ": " + countOf(count, "recording", "recordings")}
	if count == maxExamined {
		f.Detail = fmt.Sprintf("%s: the newest %d recordings can be read", dir, count)
	}
	if damaged > 0 {
		f.Status, f.Detail, f.Hint = "warn", fmt.Sprintf("%s, and %d that cannot be read", f.Detail, damaged), "the others can; devhook list tells which lines they are"
	}
	if probe, err := os.CreateTemp(dir, ".doctor-*"); err != nil {
		f = failed("store", storeFailure(err))
	} else {
		probe.Close()
		os.Remove(probe.Name())
		if err := store.Room(); err != nil {
			f = failed("store", storeFailure(err))
		}
	}
	x.tell(f)
	return true
}

// secrets looks which can be had.
func (x *examination) secrets() {
	_, keys, err := x.p.settle(x.c, x.p.errs(x.c), "")
	if err != nil {
		x.tell(failed("secrets", err))
		return
	}
	for _, id := range slices.Sorted(maps.Keys(keys.errs)) {
		x.tell(failed("secrets", keys.errs[id]))
	}
	if len(keys.errs) == 0 || len(known(keys.all)) > 0 { // else it is said why none is known
		x.known(keys.all)
	}
}

func (x *examination) known(keys map[string]verify.Keys) {
	known := known(keys)
	if len(known) == 0 {
		x.tell(finding{Check: "secrets", Status: "warn", Detail: "none is known: signatures cannot be checked", Hint: "devhook providers ID tells where a provider has its secret"})
		return
	}
	x.tell(finding{Check: "secrets", Status: "ok", Detail: "known for " + strings.Join(known, ", ")})
}

// apps looks whether somebody listens where webhooks go.
func (x *examination) apps(r *running) {
	routes, err := x.cfg.Apps()
	if err != nil {
		x.tell(failed("app", err))
		return
	}
	if r != nil {
		routes = r.routes()
	}
	x.appsOf(routes)
}

func (x *examination) appsOf(routes *gateway.Routes) {
	seen := map[string]bool{}
	for _, route := range append([]gateway.Route{routes.Default}, routes.List...) {
		for _, app := range route.Forward {
			if !seen[app.Host] {
				seen[app.Host] = true
				x.app(app)
			}
		}
	}
	if len(seen) == 0 {
		x.tell(finding{Check: "app", Status: "ok", Detail: "none is named: devhook up answers by itself"})
	}
}
