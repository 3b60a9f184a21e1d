package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/verify"
)

const (
	closeTimeout   = 30 * time.Second // for taking back what was registered
	firstRetry     = 15 * time.Second // after a registration that failed
	slowestRetries = 5 * time.Minute
)

// A registering keeps one registration at the URL that it was told last.
type registering struct {
	reg  *register.Registration
	urls chan string       // holds one: the newest
	set  func(url string)  // told when it is registered
	say  func(text string) // told what goes wrong
	told chan error        // gets what became of the first attempt, in the place of say; holds one; nil: nobody waits for it
	done chan struct{}     // closed when all was taken back
	err  error             // of taking back; to be read once done is closed
}

func newRegistering(reg *register.Registration) *registering {
	return &registering{reg: reg, urls: make(chan string, 1), done: make(chan struct{})}
}

// move has the registration moved to url. It is not for concurrent use.
func (g *registering) move(url string) {
	select {
	case <-g.urls: // what it has not come to yet
	default:
	}
	g.urls <- url
}

// run works until ctx ends, and then takes all back.
func (g *registering) run(ctx context.Context) {
	defer close(g.done)
	var url string
	var again <-chan time.Time
	pause := firstRetry
	told := g.told
	for {
		select {
		case <-ctx.Done():
			g.err = closeRegistration(g.reg)
			return
		case url = <-g.urls:
			pause = firstRetry
		case <-again:
		}
		again = nil
		err := g.reg.Set(ctx, url)
		waits := told
		if told = nil; waits != nil {
			waits <- err
		}
		switch {
		case err == nil:
			g.set(url)
			continue
		case ctx.Err() != nil || waits != nil:
			continue
		}
		text := "not registered: " + err.Error()
		var e *register.Error
		if errors.As(err, &e) && (e.Unsure() || e.Status == http.StatusTooManyRequests) {
			text += fmt.Sprintf("; it is tried again in %s", pause)
			again = time.After(pause)
			pause = min(2*pause, slowestRetries)
		}
		g.say(text)
	}
}

// closeRegistration takes back what was registered, also after Ctrl-C.
func closeRegistration(reg *register.Registration) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return reg.Close(ctx)
}

// apiFailure returns the failure of a provider's API; nil for nil.
func apiFailure(err error) error {
	var f *failure
	var no *register.Refusal
	switch status := register.StatusOf(err); {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.As(err, &no):
		return &failure{code: 2, text: err.Error(), hint: no.Hint, err: err}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &failure{code: 3, text: err.Error(), hint: "are the credentials right, and of this account?", err: err}
	default:
		return &failure{code: 1, text: err.Error(), err: err}
	}
}

// stepText is a step, for people.
func stepText(t *terminal.Terminal, s register.Step) string {
	about := terminal.Safe(s.Change.About)
	switch s.Undo.Result {
	case register.Reverted:
		about = t.Good("taken back") + ": " + about
	case register.Gone:
		about = "not there any more: " + about
	case register.Left:
		about = t.Warn("left as it is") + ": " + about + " (" + terminal.Safe(s.Undo.Why) + ")"
	case register.Later:
		about = "left for later: " + about + " (" + terminal.Safe(s.Undo.Why) + ")"
	default:
		if s.Err != nil {
			return t.Bad("not taken back") + ": " + about + ": " + terminal.Safe(s.Err.Error())
		}
		return t.Good("done") + ": " + about
	}
	if s.Old {
		about += ", of a devhook that is gone"
	}
	return about
}

// stepLine is a step, as a line of --json.
func stepLine(provider string, s register.Step) event {
	line := struct {
		Provider string `json:"provider"`
		Key      string `json:"key"`
		About    string `json:"about"`
		URL      string `json:"url,omitempty"`
		Result   string `json:"result"`
		Why      string `json:"why,omitempty"`
		Old      bool   `json:"old,omitempty"`
	}{provider, s.Change.Key, s.Change.About, s.Change.URL, cmp.Or(string(s.Undo.Result), "done"), s.Undo.Why, s.Old}
	if s.Err != nil {
		line.Result, line.Why = "failed", s.Err.Error()
	}
	return event{"step", line}
}

// registeredText says where webhooks go, and what is left to do by hand.
func registeredText(t *terminal.Terminal, provider, url string) string {
	if steps := byHandSteps(provider, url); len(steps) > 0 {
		return t.Bold(provider) + " sends its webhooks to the URL in its dashboard, which no API sets: " + terminal.Safe(strings.Join(steps, "; "))
	}
	return t.Bold(provider) + " sends its webhooks to " + terminal.Safe(url)
}

// byHandSteps are those that remain where no call sets the URL.
func byHandSteps(provider, url string) []string {
	known, _ := verify.Lookup(provider)
	if p, ok := register.Lookup(provider); ok && p.URLByHand {
		return known.Steps(url)
	}
	return nil
}

func registeredLine(provider, account, url string) event {
	return event{"registered", struct {
		Provider string   `json:"provider"`
		Account  string   `json:"account"`
		URL      string   `json:"url"`
		ByHand   []string `json:"by_hand,omitempty"`
	}{provider, account, url, byHandSteps(provider, url)}}
}

func (r *registerRun) say(provider string, s register.Step) {
	if r.c.Bool("json") {
		r.p.line(stepLine(provider, s)) // who does not read is not told
		return
	}
	r.out.Printf("%s", stepText(r.out, s))
}

func (r *registerRun) registered(reg *register.Registration, url string, stays bool) {
	if r.c.Bool("json") {
		r.p.line(registeredLine(r.provider.ID, reg.Account(), url))
		return
	}
	r.out.Printf("%s", registeredText(r.out, r.provider.ID, url))
	if stays && r.c.Bool("keep") {
		r.out.Printf("%s", r.out.Dim("Ctrl-C ends, and leaves it registered; devhook register --cleanup takes it back."))
	} else if stays {
		r.out.Printf("%s", r.out.Dim("Ctrl-C takes it back."))
	}
}
