// Package stream listens to platforms that push events through a WebSocket to
// whoever dials out: no webhook, no tunnel. A [Source] is one such connection
// that is kept up; a [Mirror] hands events on to overlays on this machine. What
// becomes of an event is left to who is given it.
//
// # Security
//
// The platforms want their secret in the query of the URL. It is put there when
// dialing and nowhere else: a Source takes it out of every text and error that
// it gives, also where the far side has put it.
//
// # Concurrency
//
// A Source is run once, by one goroutine; what it calls is called one at a time.
package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"devhook/internal/loopback"
)

// An Event is one event of a source.
type Event struct {
	// Body is the event byte for byte as it was received.
	Body []byte
	Type string // what the platform calls the event, "" if it does not say
	// DeliveryID tells one event from another: the platform's own id, or the
	// SHA-256 of Body in hex. Two that are alike have the same.
	DeliveryID string
	At         time.Time // when its frame had come in, UTC
	Binary     bool      // its frame was binary
	// Problem is how it breaks the platform's own rules, "" mostly. It is an
	// event nevertheless.
	Problem string
}

// State is how a source fares.
type State string

// The states of a [Source].
const (
	Connecting   State = "connecting"
	Connected    State = "connected"
	Reconnecting State = "reconnecting" // lost; Retry tells when it dials again
	Waiting      State = "waiting"      // there is nothing to listen to now; Retry tells when it looks again
	Polling      State = "polling"      // polling has begun to fail, or to work again, as Detail says
	Slow         State = "slow"         // events wait for the app, and the stream waits for them
	Closed       State = "closed"       // for good
)

// A Status is a change of a source.
type Status struct {
	State State
	At    time.Time
	// Account is whose events these are, as the platform says it.
	Account string
	// Hello is the greeting that Account is from, byte for byte; mostly nil.
	Hello []byte
	// Detail is why, in the platform's words where it has any. It has no secret
	// in it, but it can come from outside.
	Detail string
	Retry  time.Duration
	// From and To bound the time in which events may have been missed; zero if
	// none can have been. Neither platform sends again what nobody heard.
	From, To time.Time
}

// Gap says which events may be missing, "" if none.
func (s Status) Gap() string {
	if s.From.IsZero() {
		return ""
	}
	const layout = "15:04:05"
	return fmt.Sprintf("events between %s and %s may be missing", s.From.Local().Format(layout), s.To.Local().Format(layout))
}

// An Error is why a source cannot go on, and what to do about it.
type Error struct {
	Text, Hint string
	// Refused says that the platform will not have us; otherwise what the
	// source was told makes no sense.
	Refused bool
}

func (e *Error) Error() string { return e.Text }

// Options are what a [Source] works with. The zero value of all but Secret,
// and Creator where a platform needs it, will do.
type Options struct {
	// Secret is the platform's token or key. [Source] never shows it.
	Secret  string
	Creator string // whose stream it is, with @ or without
	URL     string // another server than the platform's own
	// Poll, if it is not nil, is asked for events while the stream is down.
	Poll      Poller
	PollEvery time.Duration // 0: 10 s

	Silence  time.Duration // after so long without a frame or ping the stream counts as lost; 0: 90 s
	MaxFrame int64         // bytes; 0: 8 MiB. A larger one ends the connection
	// Proxy is as of [http.Transport]; nil: none.
	Proxy func(*http.Request) (*url.URL, error)

	Now   func() time.Time                                        // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) (ended bool) // waits for d, or reports that ctx ended; nil: by the clock
	Rand  func() float64                                          // from 0 to 1; nil: math/rand
}

const dialTimeout = 30 * time.Second // to the end of the handshake

// A Source is one stream. Make one with [New].
type Source struct {
	o    Options
	kind *platform
	base *url.URL

	tellMu sync.Mutex // held while tell is called
	tell   func(Status)
	seen   recentIDs // sums of the events that have come, for what is polled
	// pollTrouble is why the last poll failed, "" if it did not.
	pollTrouble string
}

// New returns the source of the platform with the given name. Nothing is dialed
// yet. The error is an [*Error].
func New(name string, o Options) (*Source, error) {
	p := find(name)
	if p == nil {
		return nil, &Error{Text: fmt.Sprintf("unknown source %q (known: %s)", name, strings.Join(Names(), ", "))}
	}
	s := &Source{o: o, kind: p}
	if s.o.Secret == "" {
		return nil, &Error{Text: p.name + " needs a " + p.secret, Hint: "set " + p.env}
	}
	if p.check != nil {
		if bad := p.check(o.Secret); bad != "" {
			return nil, &Error{Text: "the " + p.secret + " of " + p.name + " " + bad, Hint: "copy it again from where " + p.name + " shows it"}
		}
	}
	s.o.Creator = strings.TrimPrefix(o.Creator, "@")
	if p.creator && !isCreator(s.o.Creator) {
		return nil, &Error{Text: fmt.Sprintf("%s needs a creator, and %q is none", p.name, o.Creator), Hint: "write the name as TikTok shows it: --creator @name"}
	}
	raw := cmp.Or(o.URL, p.url)
	if err := CheckURL(raw); err != nil {
		return nil, err
	}
	s.base, _ = url.Parse(raw)
	s.o.Silence = cmp.Or(o.Silence, 90*time.Second)
	s.o.MaxFrame = cmp.Or(o.MaxFrame, 8<<20)
	s.o.PollEvery = cmp.Or(o.PollEvery, 10*time.Second)
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	if s.o.Sleep == nil {
		s.o.Sleep = sleep
	}
	if s.o.Rand == nil {
		s.o.Rand = rand.Float64
	}
	return s, nil
}

// URL returns where the stream is, without the secret.
func (s *Source) URL() string { return s.base.String() }

// Run keeps the stream up until ctx ends or the platform refuses us for good,
// which is an [*Error]. It gives each event to deliver, in order and one at a
// time; an error of deliver ends the run and is returned. What has come in when
// ctx ends is delivered still. While deliver takes its time, events wait, and
// once they fill the queue the stream waits too. tell is told each change,
// beside deliver.
func (s *Source) Run(ctx context.Context, deliver func(Event) error, tell func(Status)) error {
	s.tell = tell
	q := newQueue()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	delivered := make(chan error, 1)
	go func() {
		err := q.each(deliver)
		if err != nil {
			cancel(err) // nobody takes events any more
		}
		delivered <- err
	}()
	err := s.listen(ctx, q)
	q.close()
	err = errors.Join(err, <-delivered)
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.say(Status{State: Closed, Detail: text})
	return err
}

func (s *Source) say(st Status) {
	s.tellMu.Lock()
	defer s.tellMu.Unlock()
	st.At = s.o.Now().UTC()
	st.Detail = s.clean(st.Detail)
	s.tell(st)
}

// clean takes the secret out of text, in each way it can be written in a URL,
// and bounds it.
func (s *Source) clean(text string) string {
	for _, form := range []string{s.o.Secret, url.QueryEscape(s.o.Secret), url.PathEscape(s.o.Secret)} {
		text = strings.ReplaceAll(text, form, "[secret]")
	}
	const most = 500 // bytes
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// CheckURL checks the address of a stream. In the clear it may only lead to
// this machine, because the secret goes there. The error is an [*Error].
func CheckURL(raw string) error {
	bad := func(what string) error {
		return &Error{Text: "the URL of a source " + what, Hint: "write wss://HOST/PATH, or ws://127.0.0.1:PORT/PATH for a server on this machine"}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return bad("is malformed") // err has it, and it may have a secret in it
	case u.Scheme != "ws" && u.Scheme != "wss":
		return bad("has to begin with wss:// or ws://")
	case u.Hostname() == "":
		return bad("has no host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return bad("has no user, query or fragment: devhook adds the secret itself")
	case u.Scheme == "ws" && !loopback.Is(u.Host):
		return bad("is ws:// and leads to another machine: the secret would go there in the clear")
	}
	return nil
}

func isCreator(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-')
	})
}

func sleep(ctx context.Context, d time.Duration) (ended bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-ctx.Done():
		return true
	}
}
