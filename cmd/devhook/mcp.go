package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/internal/mcp"
	"devhook/internal/redact"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) mcpCommand() *cli.Command {
	return &cli.Command{
		Name: "mcp", Usage: "let an assistant look at webhooks (Model Context Protocol)",
		Description: `Talks MCP over stdin and stdout: for a client to start, not for a terminal. Its tools
list, show and explain recordings, wait for the next, and tell of providers. With
--allow-send they also replay, trigger and attack, to the apps that the running
devhook up or devhook.yaml forwards to and to no other.

  claude mcp add devhook -- devhook mcp
  codex mcp add devhook -- devhook mcp --allow-send

It works beside a running devhook up and without one.`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "allow-send", Usage: "offer the tools that send: replay, trigger and attack"},
			&cli.StringSliceFlag{Name: "allow-to", Usage: "a `HOST` to send to, beside the apps, while no devhook up runs"},
			&cli.StringSliceFlag{Name: "secret", Usage: "`[ID=]REF` to a provider's secret: env:NAME or file:PATH"},
			&cli.StringSliceFlag{Name: "with", Usage: "what a scheme needs beside the secret, `[ID.]NAME=VALUE`"},
			configFlag(),
		}, commonFlags()...),
		Action: p.mcp,
	}
}

func (p *program) mcp(c *cli.Context) error {
	if terminal.IsTerminal(p.stdin) {
		return &failure{code: 2, text: "devhook mcp is for a client to start, and stdin is a terminal", hint: "devhook help mcp shows how clients are told"}
	}
	if _, _, err := p.settle(c, p.errs(c), ""); err != nil { // what is wrong is told at once, and not in an answer
		return err
	}
	api := &mcpAPI{p: p, c: c, errs: terminal.New(io.Discard, terminal.Never, p.getenv), direct: &http.Transport{}} // which warns once
	ctx, stop := interruptible(c)
	defer stop()
	err := mcp.Serve(ctx, mcp.Options{Version: version, API: api, Masker: api.masker, AllowSend: c.Bool("allow-send")}, io.NopCloser(p.stdin), p.stdout)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// An mcpAPI is devhook's API for the tools: that of the running devhook up, which
// has the apps and secrets of its flags; else one of this process, made anew for
// each request, so that it has what is configured then.
type mcpAPI struct {
	p      *program
	c      *cli.Context
	errs   *terminal.Terminal
	direct *http.Transport // to this machine, without a proxy
}

// RoundTrip answers a request of a tool.
func (a *mcpAPI) RoundTrip(req *http.Request) (*http.Response, error) {
	dir := a.p.storeDir(a.c)
	sends := req.Method == http.MethodPost && a.c.Bool("allow-send")
	store, err := recorder.Open(dir, recorder.Options{ReadOnly: true, Log: slog.New(a.errs.LogHandler(slog.LevelWarn))})
	switch {
	case errors.Is(err, fs.ErrNotExist) && !sends:
		return nil, errors.New("nothing is recorded yet at " + dir + ": the user has to start devhook up in the same project, or name the store with devhook mcp --store DIR")
	case errors.Is(err, fs.ErrNotExist):
		return a.local(req, nil)
	case err != nil:
		return nil, err
	}
	now, err := findRunning(store)
	store.Close()
	if err != nil {
		return nil, err
	}
	if now == nil || now.Inspect == "" {
		return a.local(req, now)
	}
	resp, err := a.remote(req, now)
	if op := new(net.OpError); errors.As(err, &op) && op.Op == "dial" { // it has ended meanwhile
		return a.local(req, now)
	}
	return resp, err
}

// remote asks the inspector of the running devhook. It shows its token in the cookie
// of a page and not as a command would, because who has it in hand may send anywhere.
func (a *mcpAPI) remote(req *http.Request, now *running) (*http.Response, error) {
	at, err := url.Parse(now.Inspect)
	if err != nil {
		return nil, err
	}
	there := req.Clone(req.Context())
	there.URL.Scheme, there.URL.Host, there.Host = at.Scheme, at.Host, at.Host
	there.AddCookie(inspector.Cookie(at.Host, now.Token))
	return a.direct.RoundTrip(there)
}

// local answers by an API of this process. now may be nil.
func (a *mcpAPI) local(req *http.Request, now *running) (resp *http.Response, err error) {
	in, done, err := a.inspector(now)
	if err != nil {
		return nil, err
	}
	defer done()
	defer in.Close()
	defer func() {
		if fault := recover(); fault != nil { // ends the answer, and not the tools
			err = fmt.Errorf("a fault in devhook, please report it: %v", fault)
		}
	}()
	here := req.Clone(req.Context())
	here.URL.Host, here.Host = inMemory, inMemory
	answer := &inHand{header: http.Header{}}
	in.ServeHTTP(answer, here)
	answer.WriteHeader(http.StatusOK) // if nothing was written
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: answer.status, Status: fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status)),
		Header: answer.header, Body: io.NopCloser(&answer.body), Request: req,
	}, nil
}

// inMemory is the address of an API that no network leads to.
const inMemory = "127.0.0.1:1"

// inspector makes an API of what the commands know. done frees what it has.
func (a *mcpAPI) inspector(now *running) (in *inspector.Inspector, done func(), err error) {
	cfg, keys, err := a.p.settle(a.c, a.errs, "")
	if err != nil {
		return nil, nil, errors.New(explain(err).text)
	}
	routes, err := cfg.Apps()
	if err != nil {
		return nil, nil, errors.New(explain(err).text)
	}
	routes.Keys = keys.all
	log := slog.New(a.errs.LogHandler(slog.LevelWarn))
	store, err := recorder.Open(a.p.storeDir(a.c), recorder.Options{ReadOnly: !a.c.Bool("allow-send"), Log: log})
	if err != nil {
		return nil, nil, err
	}
	apps, public := *routes, lastURL(store)
	if now != nil {
		there := now.routes()
		apps.List, apps.Default, public = there.List, there.Default, now.URL
	}
	gate := gateway.New(gateway.Options{
		Store: store, HostHeader: cfg.Get("host-header").Text(), MaxBody: cfg.MaxBody(), Log: log, Now: a.p.now,
	}, routes)
	nothing := errors.New("this devhook only looks")
	o := inspectorOf(store, cfg, func() *gateway.Routes { return &apps }, func() string { return public })
	o.Addr, o.AllowTo, o.Log, o.Now = inMemory, a.c.StringSlice("allow-to"), log, a.p.now
	o.Status = func() inspector.Status {
		return inspector.Status{V: 1, Version: version, Store: store.Path(), URL: public}
	}
	o.Settings = func() []inspector.Setting { return nil }
	o.Secrets = func() []verify.Secret { return a.p.knownSecrets(cfg, store.Path()) }
	o.SaveFixture = func(inspector.SaveFixture) (string, []string, error) { return "", nil, nothing }
	o.KeyPair = func(verify.Provider, bool) (string, string, error) { return "", "", nothing }
	o.Plan, o.Send = gate.Plan, gate.Send
	return inspector.New(o), func() {
		gate.Wait()
		store.Close()
	}, nil
}

// lastURL is where the last devhook up of the store was reached.
func lastURL(store *recorder.Store) string {
	text, err := os.ReadFile(filepath.Join(store.Path(), "last-url"))
	if url := strings.TrimSpace(string(text)); err == nil && url != "" {
		return url
	}
	return "https://PUBLIC-URL-OF-DEVHOOK-UP"
}

// masker takes credentials, and the secrets that are known, out of what a model
// reads: those of this command's flags, and all that export leaves out.
func (a *mcpAPI) masker() func(recorder.Exchange) recorder.Exchange {
	var secrets []verify.Secret
	if cfg, keys, err := a.p.settle(a.c, a.errs, ""); err == nil {
		secrets = a.p.knownSecrets(cfg, a.p.storeDir(a.c))
		for _, k := range keys.all {
			secrets = append(secrets, k.Secrets...)
		}
	}
	r := redact.Credentials(secrets...)
	return func(ex recorder.Exchange) recorder.Exchange {
		masked, _ := r.Exchange(ex)
		return masked
	}
}

// An inHand is an answer that is kept in memory.
type inHand struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header is that of [http.ResponseWriter].
func (a *inHand) Header() http.Header { return a.header }

// WriteHeader is that of [http.ResponseWriter].
func (a *inHand) WriteHeader(status int) { a.status = cmp.Or(a.status, status) }

// Write is that of [http.ResponseWriter].
func (a *inHand) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
