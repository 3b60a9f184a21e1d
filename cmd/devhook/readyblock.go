package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/internal/loopback"
	"devhook/internal/terminal"
	"devhook/tunnel"
)

// describeReady is the ready block, for people.
func (u *up) describeReady(public string) {
	t := u.errs
	row := func(name, format string, a ...any) { t.Row(name, fmt.Sprintf(format, a...)) }
	others := func(urls []string) {
		for _, u := range urls {
			row("", "%s   (from other machines)", u)
		}
	}
	t.Printf("")
	if u.ngrok != nil {
		row("Public", "%s", t.Bold(terminal.Safe(public)))
		if u.local != nil {
			row("Local", "%s", u.local.URL())
		}
	} else if addr := u.local.Addr().String(); loopback.Is(addr) {
		row("Local", "%s   (this machine only)", t.Bold(public))
	} else {
		row("Local", "%s", t.Bold(public))
	}
	if u.local != nil {
		others(fromElsewhere(u.local.Addr()))
	}
	u.describeForwards()
	if app := u.routes.Default.Forward; len(u.routes.List) == 0 && len(app) > 0 && based(app[0]) { // others have it for the whole URL
		base := terminal.Safe(strings.TrimRight(app[0].EscapedPath(), "/"))
		row("", "%s goes before each path, and what comes to / goes to it alone", base)
	}
	sources, mirror := u.toldStreams()
	describeStreams(u.errs, sources, mirror, time.Time{})
	if u.inspect.listener != nil {
		row("Inspector", "%s", u.inspect.entry())
		others(u.inspect.elsewhere())
	}
	rows(u.errs, "Verify", u.describeVerify())
	records := terminal.Safe(u.store.Path())
	if !u.brief { // else it is gone before anybody could look
		records += "   devhook list, devhook show last"
	}
	row("Records", "%s", records)
	row("Keeps", "%s", u.describeKeep())
	if u.cfg.Path != "" {
		row("Config", "%s", terminal.Safe(u.cfg.Path))
	}
	if places := u.places(public); len(places) > 0 && !u.brief {
		heading := "Paste"
		if to := u.routes.Default.Forward; len(u.routes.List) == 0 && len(to) > 0 && !based(to[0]) { // else the path is said
			heading += ", and behind it the path at which your app takes webhooks"
		}
		if u.ngrok == nil {
			heading += " (once this door has a public URL)"
		}
		t.Printf("")
		t.Paragraph(2, heading+":")
		u.describePlaces(public)
	}
	t.Printf("")
	t.Printf("  %s", t.Dim("Waiting for webhooks. Ctrl-C ends."))
}

// based reports whether an app has a path that goes before that of each webhook.
func based(app *url.URL) bool { return strings.Trim(app.Path, "/") != "" }

func (u *up) describeForwards() {
	rows(u.errs, "Forwards", forwards(u.routes))
}

// rows are rows of one name, which the first of them has.
func rows(t *terminal.Terminal, name string, texts []string) {
	for i, text := range texts {
		t.Row([]string{name, ""}[min(i, 1)], text)
	}
}

// forwards says where webhooks go, a line each.
func forwards(rt *gateway.Routes) []string {
	list := rt.List
	if len(list) == 0 {
		list = []gateway.Route{rt.Default}
	}
	var lines []string
	for _, r := range list {
		line := terminal.Safe(forwardedTo(texts(r.Forward)))
		if r.Path != "" {
			line = terminal.Safe(r.Path) + "  ->  " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// describeVerify is who gets through now.
func (u *up) describeVerify() []string { return describeVerify(u.errs, u.verifying()) }

// verifying is the part of [up.status] that is of who gets through.
func (u *up) verifying() inspector.Status {
	rt := u.gateway.Routes()
	return toldUnsigned(inspector.Status{Routes: toldRoutes(rt), Verify: string(rt.Default.Verify), Provider: rt.Default.Provider, Secrets: known(rt.Keys)})
}

// describeTunnel tells of a change of the tunnel.
func (u *up) describeTunnel(e tunnel.Event, away time.Time) {
	at := u.errs.Dim(e.At.Local().Format("15:04:05"))
	switch e.State {
	case tunnel.Reconnecting:
		u.errs.Printf("%s  %s: %s", at, u.errs.Warn("tunnel lost, reconnecting"), terminal.Safe(fmt.Sprint(e.Err)))
		var refused *tunnel.Error
		if errors.As(e.Err, &refused) && refused.Code != "" { // it will not pass by itself
			u.errs.Printf("          %s", terminal.Safe(refused.Hint))
		}
	case tunnel.Connected:
		pause := ""
		if !away.IsZero() {
			pause = " after " + e.At.Sub(away).Round(100*time.Millisecond).String()
		}
		u.errs.Printf("%s  %s%s: %s", at, u.errs.Good("tunnel is up"), pause, terminal.Safe(e.URL.String()))
	}
}
