package tunnel

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

// A connectProxy is an HTTP proxy that knows CONNECT and nothing else.
type connectProxy struct {
	user string      // "name:password"; empty: anybody
	deny string      // status line in place of a connection
	held bool        // it does not answer
	to   string      // where all connections lead; empty: where they should
	seen chan string // the addresses asked for
	late sync.WaitGroup
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.seen <- r.Method + " " + r.RequestURI
	c, in, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user))
	switch {
	case p.held:
		_, _ = io.Copy(io.Discard, in)
	case p.user != "" && r.Header.Get("Proxy-Authorization") != want:
		_, _ = fmt.Fprintf(c, "HTTP/1.1 407 Who \x1b[1mis\x07 it, %s?\r\nProxy-Authenticate: Basic\r\n\r\n", r.Header.Get("Proxy-Authorization"))
	case p.deny != "":
		_, _ = io.WriteString(c, p.deny)
	default:
		address := r.RequestURI
		if p.to != "" {
			address = p.to
		}
		up, err := net.Dial("tcp", address)
		if err != nil {
			_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
			return
		}
		defer up.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
		p.late.Go(func() {
			_, _ = io.Copy(up, in)
			_ = up.Close()
		})
		_, _ = io.Copy(c, up)
	}
}

// startProxy starts p, with TLS or without, and returns its URL.
func startProxy(t *testing.T, p *connectProxy, secure bool) *httptest.Server {
	t.Helper()
	p.seen = make(chan string, 64)
	hs := httptest.NewUnstartedServer(p)
	if secure {
		hs.StartTLS()
	} else {
		hs.Start()
	}
	t.Cleanup(func() {
		hs.Close()
		p.late.Wait()
	})
	return hs
}

func TestProxyHTTP(t *testing.T) {
	t.Parallel()
	const user, password = "ann", "p:a ss/@%"
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			srv := start(t)
			p := &connectProxy{user: user + ":" + password}
			hs := startProxy(t, p, secure)
			o := options(t, srv)
			scheme, host, _ := strings.Cut(hs.URL, "://")
			o.ProxyURL = scheme + "://" + user + ":p%3Aa%20ss%2F%40%25@" + host
			c, err := o.resolve()
			if err != nil {
				t.Fatal(err)
			}
			if secure {
				c.proxyTLS = hs.Client().Transport.(*http.Transport).TLSClientConfig
			}
			l, err := open(t.Context(), c, usual)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			serve(t, l, hello)
			if _, err := get(t, srv, l.URL().String()); err != nil {
				t.Error(err)
			}
			if got, want := <-p.seen, "CONNECT "+srv.ConnectURL(); got != want {
				t.Errorf("the proxy was asked for %q, want %q", got, want)
			}
			wantEvent(t, l, Connected)
			srv.DropSessions()
			wantEvent(t, l, Reconnecting)
			wantEvent(t, l, Connected)
			if got := <-p.seen; !strings.HasPrefix(got, "CONNECT ") {
				t.Errorf("the reconnect asked for %q", got)
			}
		})
	}
}

func TestProxyFails(t *testing.T) {
	const secret = "proxy-pass-word"
	const gone = "127.0.0.1:1" // nobody listens there, nor will by chance
	tests := []struct {
		name  string
		proxy *connectProxy
		url   string // in place of the proxy's
		lim   limits
		text  string
		hint  string
	}{
		{
			name:  "the user is unknown",
			proxy: &connectProxy{user: "bob:other"},
			text:  "the proxy PROXY refused a connection to SERVICE: 407 Who [1mis it, Basic [hidden]?",
			hint:  "USER:PASSWORD",
		},
		{
			name:  "the address is forbidden",
			proxy: &connectProxy{deny: "HTTP/1.1 403 Forbidden by policy\r\nContent-Length: 4\r\n\r\nbody"},
			text:  "the proxy PROXY refused a connection to SERVICE: 403 Forbidden by policy",
			hint:  "--ngrok-proxy-url",
		},
		{
			name:  "it cannot reach the service",
			proxy: &connectProxy{to: gone},
			text:  "the proxy PROXY refused a connection to SERVICE: 502 Bad Gateway",
			hint:  "--ngrok-proxy-url",
		},
		{
			name:  "its answer has no end",
			proxy: &connectProxy{deny: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)},
			text:  "the proxy PROXY gives no connection to SERVICE: its answer is no proper HTTP, or has no end",
			hint:  "--ngrok-proxy-url",
		},
		{
			name:  "it does not speak HTTP",
			proxy: &connectProxy{deny: "220 mail.example ESMTP\r\n\r\n"},
			text:  "the proxy PROXY gives no connection to SERVICE: malformed HTTP",
			hint:  "--ngrok-proxy-url",
		},
		{
			name:  "it is silent",
			proxy: &connectProxy{held: true},
			lim:   impatient,
			text:  "the proxy PROXY does not answer",
			hint:  "--ngrok-proxy-url",
		},
		{
			name: "it is not there",
			url:  "http://" + gone,
			text: "the proxy PROXY refused the connection",
			hint: "--ngrok-proxy-url",
		},
		{
			name: "it is not there, SOCKS",
			url:  "socks5://" + gone,
			text: "the proxy PROXY refused the connection",
			hint: "--ngrok-proxy-url",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := start(t)
			o := options(t, srv)
			at := test.url
			if test.proxy != nil {
				at = startProxy(t, test.proxy, false).URL
			}
			scheme, host, _ := strings.Cut(at, "://")
			o.ProxyURL = scheme + "://ann:" + secret + "@" + host
			noLeaks(t)
			err := soon(t, definite, "the error", func() error {
				lim := test.lim
				if lim == (limits{}) {
					lim = quick
				}
				_, err := openWith(t, o, lim)
				return err
			})
			e := wantError(t, err, "")
			want := strings.NewReplacer("PROXY", host, "SERVICE", srv.ConnectURL()).Replace(test.text)
			if !strings.HasPrefix(e.Text, want) {
				t.Errorf("text %q, want %q", e.Text, want)
			}
			if !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q, want %q in it", e.Hint, test.hint)
			}
			coded := base64.StdEncoding.EncodeToString([]byte("ann:" + secret))
			for _, text := range []string{e.Error(), e.Hint, e.Err.Error()} {
				if strings.Contains(text, secret) || strings.Contains(text, coded) {
					t.Errorf("the password is in %q", text)
				}
			}
		})
	}
}

// Bytes that come in one piece with the proxy's answer belong to the service.
func TestProxyKeepsEarlyBytes(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\n\r\nearly")
			_, _ = io.WriteString(theirs, " and late")
		}
	}()
	c, err := connect(t.Context(), ours, "h:1", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != "early and late" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestProxyHeedsTheContext(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := soon(t, definite, "the end", func() error {
		_, err := connect(ctx, ours, "h:1", http.Header{})
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestProxySOCKS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, scheme, user, url, text string
	}{
		{name: "anybody may", scheme: "socks5"},
		{name: "those with a password may", scheme: "socks5h", user: "ann:pass", url: "ann:pass@"},
		{
			name: "others may not", scheme: "socks5", user: "ann:pass", url: "ann:secret-word@",
			text: "the proxy PROXY gives no connection to SERVICE: ",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := start(t)
			proxy := socksServer(t, test.user)
			o := options(t, srv)
			o.ProxyURL = test.scheme + "://" + test.url + proxy
			l, err := openWith(t, o, quick)
			if test.text != "" {
				want := strings.NewReplacer("PROXY", proxy, "SERVICE", srv.ConnectURL()).Replace(test.text)
				if e := wantError(t, err, ""); !strings.HasPrefix(e.Text, want) || strings.Contains(e.Error()+e.Err.Error(), "secret-word") {
					t.Errorf("text %q, want %q", e.Text, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			serve(t, l, hello)
			if _, err := get(t, srv, l.URL().String()); err != nil {
				t.Error(err)
			}
		})
	}
}

// socksServer is a SOCKS proxy, RFC 1928, for TCP to IPv4 addresses and names.
func socksServer(t *testing.T, user string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if up := socksHandshake(c, user); up != nil {
					defer up.Close()
					wg.Go(func() {
						_, _ = io.Copy(up, c)
						_ = up.Close()
					})
					_, _ = io.Copy(c, up)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// socksHandshake returns the connection that c asks for, or nil.
func socksHandshake(c net.Conn, user string) net.Conn {
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(c, b)
		return b
	}
	read(int(read(2)[1])) // version, methods
	if user == "" {
		_, _ = c.Write([]byte{5, 0})
	} else {
		_, _ = c.Write([]byte{5, 2}) // RFC 1929
		name := string(read(int(read(2)[1])))
		password := string(read(int(read(1)[0])))
		if name+":"+password != user {
			_, _ = c.Write([]byte{1, 1})
			return nil
		}
		_, _ = c.Write([]byte{1, 0})
	}
	var host string
	switch read(4)[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	up, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(binary.BigEndian.Uint16(read(2)))))
	if err != nil {
		_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return nil
	}
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return up
}

func TestProxyOfAnUnknownKind(t *testing.T) {
	for _, url := range []string{"ftp://ann:secret@h", "http://", "http://ann:secret@[::1", "http://h:port", "http://a%3Ab:secret@h"} {
		_, err := Ngrok(t.Context(), NgrokOptions{Authtoken: ngroktest.Authtoken, ProxyURL: url})
		e := wantError(t, err, "")
		if !errors.Is(err, ErrOption) || strings.Contains(e.Error()+e.Hint, "secret") {
			t.Errorf("%s: %v, hint %q", url, e, e.Hint)
		}
	}
}

// A proxy can be silent for longer than one attempt to connect may take.
func TestSilentProxyOfOneAttempt(t *testing.T) {
	c := &config{address: "service:443", proxy: &url.URL{Scheme: "http", Host: "proxy:80"}, scrubber: newScrubber()}
	for _, reached := range []bool{true, false} {
		e, kind := c.translate(&dialError{&proxyError{err: context.DeadlineExceeded, reached: reached}})
		if e.Text != "the proxy proxy:80 does not answer" || kind != passing {
			t.Errorf("reached %v: %q, kind %v", reached, e.Text, kind)
		}
	}
}
