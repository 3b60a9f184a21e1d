package main

import (
	"errors"
	"net/http"
	"strings"

	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/verify"
)

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
	return event{"step", struct {
		Provider string `json:"provider"`
		register.Facts
	}{provider, s.Facts()}}
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
