package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"devhook/internal/neterr"
	"devhook/tunnel"
)

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
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfDoctor)
	defer cancel()
	d, err := tunnel.Diagnose(ctx, o)
	if err != nil {
		f := failed("tunnel", err)
		if token == "" && get("tunnel") != "ngrok" { // devhook up would not go that way
			f.Status = "warn"
		}
		x.tell(f)
		return
	}
	x.tell(finding{Check: "tunnel", Status: "ok", Detail: fmt.Sprintf("%s answers in %s (region %s)", d.Address, d.Latency.Round(time.Millisecond), d.Region)})
}

// maxSkew is how wrong a clock may be. The strictest of providers allow a signature
// to be minutes old; two machines are a second or so apart.
const maxSkew = 30 * time.Second

func (x *examination) clock() {
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfDoctor)
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
		x.tell(finding{Check: "clock", Status: "warn", Detail: "cannot be held against " + req.Host + ": " + befell(err)})
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

func (x *examination) app(app *url.URL) {
	ctx, cancel := context.WithTimeout(x.ctx, patienceOfDoctor)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(app))
	if err != nil {
		x.tell(finding{Check: "app", Status: "fail", Detail: app.String() + ": " + befell(err), Hint: "start the app, or correct forward", code: 4})
		return
	}
	conn.Close()
	x.tell(finding{Check: "app", Status: "ok", Detail: app.String() + " takes connections"})
}

// befell is what befell a connection, without where it was to lead: whoever tells of it
// says that.
func befell(err error) string {
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err
	}
	if dns := new(net.DNSError); errors.As(err, &dns) {
		return dns.Err
	}
	if op := new(net.OpError); errors.As(err, &op) {
		err = op.Err
	}
	if call := new(os.SyscallError); errors.As(err, &call) {
		err = call.Err
	}
	return neterr.Text(err)
}
