package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"devhook/internal/gateway"
	"devhook/internal/loopback"
	"devhook/tunnel"
)

// openDoors opens the tunnel and the local door, as far as they are wanted.
// The error tells what the user can do.
func (u *up) openDoors(ctx context.Context) error {
	how := u.cfg.Get("tunnel").Text()
	token, source, err := u.authtoken(how)
	if err != nil {
		return err
	}
	if how == "auto" {
		if token != "" {
			how = "ngrok"
			u.say("tunnel: ngrok, because there is an authtoken (%s)", source)
		} else {
			how = "local"
			u.say("tunnel: %s, because there is no ngrok authtoken: the internet cannot reach this devhook. For a public URL, get a token at https://dashboard.ngrok.com/get-started/your-authtoken and set NGROK_AUTHTOKEN; --tunnel local says that this is meant.", u.errs.Warn("local only"))
		}
	}
	if how == "local" || u.cfg.Get("listen").Given {
		if err := u.openLocal(); err != nil {
			return err
		}
	}
	if err := u.refuseLoops(u.routes); err != nil {
		return err
	}
	if how == "ngrok" {
		return u.openNgrok(ctx, token)
	}
	return nil
}

// say tells what a person should know at the start. A program that reads the log
// takes whatever stands on stderr for a failure.
func (u *up) say(format string, a ...any) {
	if !u.agentLog.stdout {
		u.errs.Paragraph(0, fmt.Sprintf(format, a...))
	}
}

// authtoken finds ngrok's authtoken; "" if there is none.
func (u *up) authtoken(how string) (token, source string, err error) {
	if how == "local" {
		return "", "", nil
	}
	if v := u.cfg.Get("authtoken"); v.Given && v.From != "NGROK_AUTHTOKEN" {
		token, err := u.resolver.Resolve(v.Text(), "the authtoken", v.From)
		return token, v.From, err
	}
	return tunnel.FindAuthtoken(u.p.getenv)
}

func (u *up) openLocal() error {
	v := u.cfg.Get("listen")
	l, err := listen(listening{
		from: v.From, addr: v.Text(), given: v.Given, moved: "listening at",
		hint: "listen elsewhere with --listen, or at any free port with --listen 127.0.0.1:0",
	}, tunnel.Local, u.say)
	if err != nil {
		return err
	}
	u.local = l
	return nil
}

// refuseLoops refuses to forward what comes in at the local door to that door, and
// what comes from outside to the inspector, which is for this machine only.
func (u *up) refuseLoops(rt *gateway.Routes) error {
	for _, own := range []struct {
		net.Listener
		what, flag string
	}{{u.local, "door", "--listen"}, {u.inspect.listener, "inspector", "--inspect"}} {
		if own.Listener == nil {
			continue
		}
		_, door, _ := net.SplitHostPort(own.Addr().String())
		for _, r := range slices.Concat(rt.List, []gateway.Route{rt.Default}) {
			for _, to := range r.Forward {
				if to.Port() == door && loopback.Dials(to.Host) {
					return &failure{code: 2, text: "the app is to be at " + to.Host + ", which is devhook's own " + own.what, hint: "move the " + own.what + " with " + own.flag + " 127.0.0.1:0, or name the port of the app with --forward"}
				}
			}
		}
	}
	return nil
}

func (u *up) openNgrok(ctx context.Context, token string) error {
	get := func(name string) string { return u.cfg.Get(name).Text() }
	o := tunnel.NgrokOptions{
		Authtoken: token, URL: get("url"), PoolingEnabled: u.cfg.Bool("pooling-enabled"),
		Name: get("name"), Description: get("description"), Metadata: get("metadata"),
		ConnectURL: get("ngrok-connect-url"), ConnectCAs: get("ngrok-connect-cas"), ProxyURL: get("ngrok-proxy-url"),
		Version: version,
	}
	if u.verbose {
		o.Log = u.log
	}
	if o.ProxyURL == "" {
		o.ProxyURL = tunnel.ProxyFromEnvironment(u.p.getenv, o.ConnectURL)
	}
	if path := get("traffic-policy-file"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return &failure{code: 2, text: u.cfg.Get("traffic-policy-file").From + ": " + err.Error(), err: err}
		}
		o.TrafficPolicy = string(text)
	}
	l, err := tunnel.Ngrok(ctx, o)
	if err != nil {
		return err
	}
	u.ngrok = l
	return nil
}

// closeDoors closes the doors for good. A URL that is given back to ngrok is
// free for the next who asks for it.
func (u *up) closeDoors() {
	if u.local != nil {
		u.local.Close()
	}
	if u.ngrok == nil {
		return
	}
	u.ngrok.Close()
	late := time.After(3 * time.Second)
	for {
		select {
		case _, more := <-u.ngrok.Events():
			if !more {
				return
			}
		case <-late:
			return
		}
	}
}

// tunnelEvent tells of a change of the tunnel. away is when it was lost.
func (u *up) tunnelEvent(e tunnel.Event, away *time.Time) {
	u.inspect.tunnel.Store(&e)
	switch e.State {
	case tunnel.Reconnecting:
		if away.IsZero() {
			*away = e.At
		}
	case tunnel.Connected:
		if away.IsZero() && e.URL.String() == u.announced {
			return // the first, which the ready block has told of
		}
	}
	if e.State == tunnel.Connected { // whoever reads of it finds the URL there
		if err := u.writeReadyFile(); err != nil {
			u.log.Warn("cannot write the ready file", "error", err)
		}
		u.tell()
	}
	u.logTunnel(e)
	if u.cfg.Get("output").Text() == "json" {
		u.printTunnel(e)
	} else {
		u.describeTunnel(e, *away)
	}
	if e.State == tunnel.Connected {
		*away = time.Time{}
		u.announce(e.URL.String())
	}
}
