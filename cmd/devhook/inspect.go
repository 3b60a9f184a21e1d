package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/internal/loopback"
	"devhook/recorder"
	"devhook/replay"
	"devhook/tunnel"
	"devhook/verify"
)

// An inspect is the inspector of one `devhook up`, and its port.
type inspect struct {
	listener net.Listener // nil if there is none
	handler  *inspector.Inspector
	serving  atomic.Pointer[http.Handler] // handler, or what answers before there is one
	server   *http.Server
	shared   bool // other machines can reach it
	token    string
	started  time.Time
	ready    atomic.Bool
	tunnel   atomic.Pointer[tunnel.Event] // the last; nil before the first
	sending  context.Context              // of what it sends
	stop     context.CancelFunc
}

// openInspector takes the port, so that one that is taken is known before a
// tunnel opens. Until serveInspector, who asks there is told to ask again.
func (u *up) openInspector() error {
	v := u.cfg.Get("inspect")
	if v.Text() == "off" {
		return nil
	}
	l, err := listen(listening{
		from: v.From, addr: v.Text(), given: v.Given, moved: "the inspector is at",
		hint: "have the inspector elsewhere with --inspect, at any free port with --inspect 127.0.0.1:0, or not at all with --inspect off",
	}, tcp, u.say)
	if err != nil {
		return err
	}
	in := &u.inspect
	in.listener, in.token, in.started = l, rand.Text(), u.p.now()
	in.shared = !loopback.Is(l.Addr().String())
	in.sending, in.stop = context.WithCancel(context.Background())
	in.handle(inspector.Starting(u.inspectorOptions()))
	in.server = &http.Server{
		Handler: in, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(u.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := in.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			u.log.Warn("the inspector has ended", "error", err)
		}
	}()
	u.agentLog.write(slog.LevelInfo, "starting web service", "addr", l.Addr().String())
	return nil
}

func (in *inspect) handle(h http.Handler) { in.serving.Store(&h) }

// ServeHTTP answers at the port.
func (in *inspect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*in.serving.Load()).ServeHTTP(w, r)
}

// url is where the inspector is reached from this machine.
func (in *inspect) url() string {
	addr := in.listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port(addr.String()))
}

// entry is the URL to open: with the token, where one is needed.
func (in *inspect) entry() string { return in.url() + in.signing() }

func (in *inspect) signing() string {
	if in.shared {
		return "/?token=" + in.token
	}
	return ""
}

// elsewhere are the URLs that other machines can open.
func (in *inspect) elsewhere() (list []string) {
	for _, u := range fromElsewhere(in.listener.Addr()) {
		list = append(list, u+in.signing())
	}
	return list
}

// mostElsewhere is how many addresses of a machine are told: some have one for each container.
const mostElsewhere = 4

// fromElsewhere are the URLs at which other machines reach a port that is open at all addresses
// of this one; none of one that is open at one address.
func fromElsewhere(addr net.Addr) (list []string) {
	at, ok := addr.(*net.TCPAddr)
	if !ok || !at.IP.IsUnspecified() {
		return nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, one := range all {
		if n, ok := one.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && len(list) < mostElsewhere && (n.IP.To4() != nil || at.IP.To4() == nil) {
			list = append(list, "http://"+net.JoinHostPort(n.IP.String(), port(at.String())))
		}
	}
	return list
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// serveInspector answers at the port, once the doors are open.
func (u *up) serveInspector() {
	in := &u.inspect
	if in.listener == nil {
		return
	}
	in.handler = inspector.New(u.inspectorOptions())
	in.handle(in.handler)
}

// inspectorOptions are what the inspector shows and does.
func (u *up) inspectorOptions() inspector.Options {
	in := &u.inspect
	o := inspectorOf(u.store, u.cfg, u.gateway.Routes, u.publicURL)
	o.Addr, o.Hosts, o.AllowTo = in.listener.Addr().String(), u.cfg.Get("inspect-host").Texts, u.cfg.Get("allow-to").Texts
	o.Token, o.Shared, o.Log, o.Now = in.token, in.shared, u.log, u.p.now
	o.Agent = inspector.Agent{Name: u.cfg.Get("name").Text(), Pooling: u.cfg.Bool("pooling-enabled"), End: u.endByAPI}
	o.Status, o.Settings, o.Examine, o.Secrets = u.status, u.settings, u.examine, u.secrets
	o.SaveFixture, o.KeyPair, o.Registrar = u.saveFixture, u.keyPair, u.registrar()
	o.Plan, o.Send = u.gateway.Plan, u.send
	return o
}

// send sends what the inspector was asked to.
func (u *up) send(asked context.Context, p replay.Plan) (*recorder.Exchange, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(asked)) // a page that is left does not call back what it has sent
	defer cancel()
	defer context.AfterFunc(asked, func() {
		if errors.Is(asked.Err(), context.DeadlineExceeded) { // what has a time of its own waits for no app beyond it
			cancel()
		}
	})()
	defer context.AfterFunc(u.inspect.sending, cancel)()
	return u.gateway.Send(ctx, p)
}

// inspectorOf are the Options that an inspector has of a store, a configuration, where
// webhooks go now and the public URL.
func inspectorOf(store *recorder.Store, cfg *config.Config, routes func() *gateway.Routes, public func() string) inspector.Options {
	dir := besideConfig(cfg, store.Path(), "fixtures")
	return inspector.Options{
		Version: version, Store: store, Keep: cfg.Keep, ParseApp: config.ParseForward,
		Catalog:   func() *verify.Catalog { return routes().Catalog },
		Keys:      func() map[string]verify.Keys { return routes().Keys },
		URL:       func(provider string) string { return urlFor(routes(), public(), provider) },
		RedactKey: func() ([]byte, error) { return redactKey(store.Path()) },
		Fixtures:  func() ([]fixtures.Fixture, error) { return allFixtures(dir) },
		Address: func(f fixtures.Fixture, to *url.URL, at string) *recorder.Exchange {
			if at == "" && f.Exchange.Request.Proto == recorder.ProtoStream {
				at = sourcePath(cfg, f.Provider)
			}
			return addressed(f, public(), to, at, routes())
		},
		App: func(ex *recorder.Exchange, changes []replay.Mutation) (*url.URL, string, error) {
			return appFor(ex, changedURL(ex, changes), routes())
		},
		IsApp: func(app *url.URL) bool { return names(routes(), app) },
	}
}

// end lets nobody in any more and waits for what is under way.
func (in *inspect) end() {
	in.ready.Store(false)
	if in.handler == nil {
		return
	}
	in.handler.Close()
	in.server.Shutdown(context.Background()) // interrupt bounds it
}

// interrupt waits for no app any longer.
func (in *inspect) interrupt() {
	if in.server == nil {
		return
	}
	in.stop()
	time.AfterFunc(time.Second, func() { in.server.Close() }) // who does not read his answer
}

// shut frees the port; of what end has closed nothing is left to do.
func (in *inspect) shut() {
	if in.listener == nil {
		return
	}
	in.stop()
	in.server.Close()
	if in.handler != nil {
		in.handler.Close()
	}
	in.listener.Close()
}

// status tells the inspector how this devhook fares. It may be called at any time.
func (u *up) status() inspector.Status {
	in, rt := &u.inspect, u.gateway.Routes()
	s := inspector.Status{
		V: 1, Version: version, PID: os.Getpid(), Started: in.started.UTC(), Ready: in.ready.Load(), Store: u.store.Path(), Inspect: in.url(),
		URL: u.publicURL(), Forward: texts(rt.Default.Forward), Routes: toldRoutes(rt), Provider: rt.Default.Provider, Verify: string(rt.Default.Verify), Secrets: known(rt.Keys),
		Malformed: u.gateway.Malformed(), NotRecorded: u.gateway.NotRecorded(),
		Tunnel: inspector.Tunnel{Kind: "local", State: string(tunnel.Connected), Since: in.started.UTC()},
	}
	if abs, err := filepath.Abs(s.Store); err == nil {
		s.Store = abs
	}
	_, s.Mirror = u.toldStreams()
	s.Sources = u.faringStreams()
	if u.local != nil {
		s.Listen = u.local.Addr().String()
	}
	if u.ngrok != nil {
		s.Tunnel.Kind = "ngrok"
	}
	if e := in.tunnel.Load(); e != nil {
		s.Tunnel.State, s.Tunnel.Since = string(e.State), e.At.UTC()
		if e.Err != nil {
			s.Tunnel.Error = e.Err.Error()
		}
	}
	return toldUnsigned(s)
}

// settings are those that hold now, for whoever looks at the inspector.
func (u *up) settings() []inspector.Setting {
	var list []inspector.Setting
	add := func(cfg *config.Config, live bool) {
		for _, s := range cfg.Show() {
			if isLive(s.Name) == live {
				list = append(list, inspector.Setting{Name: s.Name, Value: s.Value, From: s.From})
			}
		}
	}
	add(cmp.Or(u.newest.Load(), u.cfg), true)
	add(u.cfg, false)
	return list
}

// secrets are all that are known, also those that were typed or handed over.
func (u *up) secrets() []verify.Secret {
	secrets := u.p.knownSecrets(u.cfg, u.store.Path())
	for _, k := range u.gateway.Routes().Keys {
		secrets = append(secrets, k.Secrets...)
	}
	return secrets
}

// saveFixture makes a sample of the project of a recording. A page names samples
// only, and no files.
func (u *up) saveFixture(s inspector.SaveFixture) (path string, replaced []string, err error) {
	if strings.Count(s.Name, "/") != 1 || strings.ContainsAny(s.Name[:1], "./") || strings.Contains(s.Name, `\`) || strings.HasSuffix(s.Name, ".json") {
		return "", nil, &inspector.Error{Status: http.StatusBadRequest, Text: "the name is not PROVIDER/EVENT", Hint: "name it as in tiktok/my-event"}
	}
	rt := u.gateway.Routes()
	k := keeping{store: u.store, catalog: rt.Catalog, secrets: u.secrets(), dir: besideConfig(u.cfg, u.store.Path(), "fixtures"), raw: s.Raw, force: s.Force}
	path, _, replaced, err = k.save(s.Ref, s.Name)
	var bad *failure
	switch {
	case errors.As(err, &bad) && errors.Is(err, fs.ErrExist):
		return "", nil, &inspector.Error{Status: http.StatusConflict, Text: bad.text, Hint: `"force": true replaces it`}
	case err != nil:
		return "", nil, told(err)
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path, replaced, nil
}
