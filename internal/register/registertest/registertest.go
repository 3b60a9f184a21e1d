// Package registertest is the part of the APIs of GitHub, Kick, Stripe,
// Telegram, Twilio and Twitch that sets where their webhooks go, on this
// machine, one API a file. Routes, shapes, limits and refusals are those of the
// documentation that each file names; the words of errors are their own where
// the vendor documents none. They keep all in memory and send webhooks to this
// machine only. Those who call them are judged, too: what the vendor would
// refuse is refused here.
package registertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"devhook/verify"
)

// Options are what an API is like. The zero value is like the vendor's.
type Options struct {
	// Local takes callbacks on this machine, also without TLS, and sends to them
	// what the vendor sends: pings and challenges. Else they are refused, as the
	// vendor does, and all others are taken for reachable.
	Local bool
	// PageSize bounds the pages of lists; 0: as the vendor does.
	PageSize int
}

// maxBody bounds what a call may bring.
const maxBody = 1 << 20

// An api is what those with several routes have in common.
type api struct {
	mux *http.ServeMux
	mu  sync.Mutex // held during a call
}

// serve has calls answered by their routes, one at a time, if admit lets them in, which else
// has answered; missing answers all others.
func (a *api) serve(routes map[string]http.HandlerFunc, admit func(http.ResponseWriter, *http.Request) bool, missing http.HandlerFunc) {
	a.mux = http.NewServeMux()
	for route, do := range routes {
		a.mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			a.mu.Lock()
			defer a.mu.Unlock()
			if admit(w, r) {
				do(w, r)
			}
		})
	}
	a.mux.HandleFunc("/", missing)
}

// ServeHTTP answers a call.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

func reply(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // the caller has gone
}

// takes reports whether a callback is one that the vendor would take: over the
// internet, and https if it must be.
func (o Options) takes(callback string, secure bool) bool {
	u, err := url.Parse(callback)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	if local(u) {
		return o.Local
	}
	return !secure || u.Scheme == "https"
}

func local(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate())
}

// send sends a webhook as the provider signs it, to this machine only. It
// returns what was answered.
func (o Options) send(ctx context.Context, provider, secret, to string, header http.Header, body []byte) (int, string) {
	u, err := url.Parse(to)
	if err != nil || !o.Local || !local(u) {
		return 0, ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, ""
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	p, _ := verify.Lookup(provider)
	m := verify.Message{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}
	if err := p.Scheme.Sign(&m, verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}}, verify.SignOptions{}, time.Now()); err != nil {
		return 0, ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody)) // what is cut short is not what it is to be
	return resp.StatusCode, string(text)
}

// A Fate is what becomes of a call.
type Fate struct {
	Status int  // it is answered with this in the place of what it would be; 0: as it would be
	Cut    bool // it gets no answer: the connection ends
	Done   bool // it does its work all the same
}

// Faults are an API some of whose calls fail.
type Faults struct {
	API http.Handler
	// Fate is asked before each call, of which it is the n-th, from 1 on.
	Fate func(n int, r *http.Request) Fate

	mu sync.Mutex
	n  int // guarded by mu
}

// ServeHTTP answers a call, or lets it fail.
func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.n++
	n := f.n
	f.mu.Unlock()
	fate := f.Fate(n, r)
	if fate.Status == 0 && !fate.Cut {
		f.API.ServeHTTP(w, r)
		return
	}
	if fate.Done {
		f.API.ServeHTTP(nobody{http.Header{}}, r)
	}
	if fate.Cut {
		panic(http.ErrAbortHandler)
	}
	reply(w, fate.Status, map[string]string{"message": "Something went wrong"})
}

// nobody is who does not get an answer.
type nobody struct{ header http.Header }

func (n nobody) Header() http.Header         { return n.header }
func (n nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n nobody) WriteHeader(int)             {}
