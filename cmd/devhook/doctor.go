package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/tunnel"

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
configuration, 6 the store, 3 the tunnel, 1 the clock, 4 an app.

  devhook doctor
  devhook doctor --json
  devhook doctor --offline`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "offline", Usage: "ask nobody on the internet"},
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
			&cli.StringFlag{Name: "config", Usage: "the `FILE` to read in place of devhook.yaml"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.doctor(c) },
	}
}

// A finding is what was found of one thing.
type finding struct {
	V      int    `json:"v"`
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn or fail
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
	code   int    // of exit, if it failed
}

// An examination is one run of the doctor.
type examination struct {
	p    *program
	c    *cli.Context
	out  *terminal.Terminal
	cfg  *config.Config
	fail *failure // the first
	err  error    // of writing
}

func (p *program) doctor(c *cli.Context) error {
	out, err := p.out(c)
	if err != nil {
		return err
	}
	x := &examination{p: p, c: c, out: out}
	x.configuration()
	running := x.store()
	if x.cfg != nil {
		x.secrets()
		if c.Bool("offline") {
			x.tell(finding{Check: "tunnel", Status: "warn", Detail: "not looked at, nor the clock: --offline"})
		} else {
			x.tunnel()
			x.clock()
		}
		x.apps(running)
	}
	if x.err == nil && x.fail != nil {
		return x.fail
	}
	return x.err
}

// tell prints f, and keeps the first that failed.
func (x *examination) tell(f finding) {
	f.V = 1
	if f.Status == "fail" && x.fail == nil {
		x.fail = &failure{code: f.code, text: f.Check + ": " + f.Detail, hint: f.Hint}
	}
	if x.c.Bool("json") {
		x.err = errors.Join(x.err, x.p.line(f))
		return
	}
	mark := map[string]string{"ok": x.out.Good("ok  "), "warn": x.out.Warn("note"), "fail": x.out.Bad("FAIL")}[f.Status]
	x.out.Printf("%s  %-8s %s", mark, f.Check, terminal.Safe(f.Detail))
	if f.Hint != "" {
		x.out.Printf("                %s", terminal.Safe(f.Hint))
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
	switch {
	case err != nil:
		x.tell(failed("config", err))
		return
	case cfg.Path == "":
		x.tell(finding{Check: "config", Status: "ok", Detail: "no devhook.yaml here or above; the defaults hold"})
	default:
		x.tell(finding{Check: "config", Status: "ok", Detail: cfg.Path})
	}
	x.cfg = cfg
}

// maxExamined is how many recordings are read, the newest.
const maxExamined = 1000

// store looks at the recordings, and returns the devhook up that runs on them, if
// one does.
func (x *examination) store() *running {
	dir := x.p.storeDir(x.c)
	store, err := x.p.openToRead(x.c)
	if errors.Is(err, fs.ErrNotExist) {
		if err := x.p.missingStore(x.c, err); err != nil {
			x.tell(failed("store", err))
			return nil
		}
		x.tell(finding{Check: "store", Status: "ok", Detail: "nothing is recorded yet; devhook up will make " + dir})
		return nil
	}
	if err != nil {
		x.tell(failed("store", storeFailure(err)))
		return nil
	}
	defer store.Close()
	count, damaged := 0, 0
	for _, err := range store.Query(recorder.Query{Newest: maxExamined}) {
		switch {
		case err == nil:
			count++
		case errors.As(err, new(*recorder.DamagedError)):
			damaged++
		default:
			x.tell(failed("store", storeFailure(err)))
			return nil
		}
	}
	f := finding{Check: "store", Status: "ok", Detail: fmt.Sprintf("%s: %d recordings", dir, count)}
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
	}
	x.tell(f)
	r, err := findRunning(store)
	if err != nil {
		x.tell(failed("up", storeFailure(err)))
		return nil
	}
	if r == nil {
		x.tell(finding{Check: "up", Status: "ok", Detail: "no devhook up runs on this store"})
		return nil
	}
	state := finding{Check: "up", Status: "ok", Detail: "runs at " + r.URL}
	if s, err := r.status(x.c.Context); err == nil && s.Tunnel.State != "" && s.Tunnel.State != string(tunnel.Connected) {
		state = finding{Check: "up", Status: "fail", Detail: "its tunnel is " + s.Tunnel.State + ": " + s.Tunnel.Error, code: 3}
	}
	x.tell(state)
	return r
}

// secrets looks which can be had.
func (x *examination) secrets() {
	errs, err := x.p.terminal(x.c, x.p.stderr)
	if err != nil {
		x.err = err
		return
	}
	_, keys, err := x.p.settle(x.c, errs, "")
	if err != nil {
		x.tell(failed("secrets", err))
		return
	}
	for _, id := range slices.Sorted(maps.Keys(keys.errs)) {
		x.tell(failed("secrets", keys.errs[id]))
	}
	var known []string
	for id, k := range keys.all {
		if len(k.Secrets) > 0 {
			known = append(known, id)
		}
	}
	slices.Sort(known)
	if len(known) == 0 {
		x.tell(finding{Check: "secrets", Status: "warn", Detail: "none is known: signatures cannot be checked", Hint: "devhook providers ID tells where a provider has its secret"})
		return
	}
	x.tell(finding{Check: "secrets", Status: "ok", Detail: "known for " + strings.Join(known, ", ")})
}

// patienceOfDoctor is how long it waits for anybody.
const patienceOfDoctor = 10 * time.Second

func (x *examination) tunnel() {
	get := func(name string) string { return x.cfg.Get(name).Text() }
	if get("tunnel") == "local" {
		x.tell(finding{Check: "tunnel", Status: "ok", Detail: "local: the internet cannot reach it, as devhook.yaml has it"})
		return
	}
	token, source, err := tunnel.FindAuthtoken(x.p.getenv)
	if v := x.cfg.Get("authtoken"); v.Given && v.From != "NGROK_AUTHTOKEN" {
		token, source, err = "configured", v.From, nil
	}
	switch {
	case err != nil:
		x.tell(failed("authtoken", err))
	case token == "":
		x.tell(finding{Check: "authtoken", Status: "warn", Detail: "there is none: devhook up has a local door only", Hint: "get one at https://dashboard.ngrok.com/get-started/your-authtoken and set NGROK_AUTHTOKEN"})
	default:
		x.tell(finding{Check: "authtoken", Status: "ok", Detail: source})
	}
	o := tunnel.NgrokOptions{ConnectURL: get("ngrok-connect-url"), ConnectCAs: get("ngrok-connect-cas"), ProxyURL: get("ngrok-proxy-url"), Version: version}
	if o.ProxyURL == "" {
		o.ProxyURL = tunnel.ProxyFromEnvironment(x.p.getenv, o.ConnectURL)
	}
	ctx, cancel := context.WithTimeout(x.c.Context, patienceOfDoctor)
	defer cancel()
	d, err := tunnel.Diagnose(ctx, o)
	if err != nil {
		x.tell(failed("tunnel", err))
		return
	}
	x.tell(finding{Check: "tunnel", Status: "ok", Detail: fmt.Sprintf("%s answers in %s (region %s)", d.Address, d.Latency.Round(time.Millisecond), d.Region)})
}

// maxSkew is how wrong a clock may be. The strictest of providers allow a signature
// to be minutes old; two machines are a second or so apart.
const maxSkew = 30 * time.Second

func (x *examination) clock() {
	ctx, cancel := context.WithTimeout(x.c.Context, patienceOfDoctor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, clockURL, nil)
	if err != nil {
		x.err = errors.Join(x.err, err)
		return
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	before := x.p.now()
	resp, err := client.Do(req)
	if err != nil {
		cause := err
		if u := new(url.Error); errors.As(err, &u) {
			cause = u.Err
		}
		x.tell(finding{Check: "clock", Status: "warn", Detail: "cannot be held against another: " + cause.Error()})
		return
	}
	resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		x.tell(finding{Check: "clock", Status: "warn", Detail: req.Host + " does not tell the time"})
		return
	}
	now := x.p.now()
	ours := before.Add(now.Sub(before) / 2)
	skew := ours.Sub(theirs).Round(time.Second)
	if skew.Abs() <= maxSkew {
		x.tell(finding{Check: "clock", Status: "ok", Detail: "right, to " + (max(skew.Abs(), time.Second)).String()})
		return
	}
	way := "ahead"
	if skew < 0 {
		way = "behind"
	}
	x.tell(finding{Check: "clock", Status: "fail", Detail: fmt.Sprintf("%s %s: signatures will be too old or too new", skew.Abs(), way), Hint: "set it by the network, as timedatectl set-ntp true does", code: 1})
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

func (x *examination) app(app *url.URL) {
	ctx, cancel := context.WithTimeout(x.c.Context, patienceOfDoctor)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(app))
	if err != nil {
		cause := err
		if op := new(net.OpError); errors.As(err, &op) {
			cause = op.Err
		}
		x.tell(finding{Check: "app", Status: "fail", Detail: app.String() + ": " + cause.Error(), Hint: "start the app, or correct forward", code: 4})
		return
	}
	conn.Close()
	x.tell(finding{Check: "app", Status: "ok", Detail: app.String() + " takes connections"})
}
