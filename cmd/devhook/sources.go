package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devhook/internal/config"
	"devhook/internal/inspector"
	"devhook/internal/loopback"
	"devhook/internal/stream"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
)

// defaultMirror is where overlays connect if --ws-mirror does not say.
const defaultMirror = "127.0.0.1:4060"

// streams is what `devhook up` listens to beside its doors.
type streams struct {
	list   []*openStream
	mirror *stream.Mirror // nil if there is none
	door   net.Listener   // of the mirror
	work   sync.WaitGroup // the sources
	served sync.WaitGroup // the mirror
	ended  chan error     // why a source or the mirror ended; room for all
	// interrupt ends the deliveries that are under way.
	interrupt context.CancelFunc
	stop      context.CancelFunc // no more events are taken
	closeUp   context.CancelFunc // no more are handed on
}

type openStream struct {
	config.Stream
	source *stream.Source
	fares  atomic.Pointer[fare] // nil before it is dialed
}

// A fare is how a source fares.
type fare struct {
	state stream.State // of those that last; dialing again is a part of reconnecting
	since time.Time
	err   string // why it is not connected, or was not the last time
}

// note keeps what st says of how s fares.
func (s *openStream) note(st stream.Status) {
	next := fare{state: st.State, since: st.At}
	if last := s.fares.Load(); last != nil {
		next.err = last.err
		switch {
		case st.State == stream.Slow, st.State == stream.Polling, st.State == stream.Connecting:
			return
		case st.State == last.state:
			next.since = last.since
		}
	}
	if st.State != stream.Connected && st.Detail != "" {
		next.err = st.Detail
	}
	s.fares.Store(&next)
}

// openStreams settles what is to be listened to, and opens the door of the
// mirror. Nothing is dialed yet.
func (u *up) openStreams() error {
	for _, s := range u.cfg.Sources() {
		o, err := s.Options(u.resolver)
		if err != nil {
			return err
		}
		o.Proxy = http.ProxyFromEnvironment
		source, err := stream.New(s.Provider, o)
		if err != nil {
			return streamFailure(err)
		}
		if o.Poll != nil {
			u.log.Warn(s.String() + ": " + stream.PollNote)
		}
		u.streams.list = append(u.streams.list, &openStream{Stream: s, source: source})
	}
	v := u.cfg.Get("ws-mirror")
	if !v.Given {
		return nil
	}
	if len(u.streams.list) == 0 {
		u.log.Warn(v.From + " hands on what sources send, and there is none: only events that are replayed will come")
	}
	l, err := listen(listening{
		from: v.From, addr: v.Text(), given: v.Text() != defaultMirror, moved: "overlays connect to",
		hint: "listen elsewhere with --ws-mirror 127.0.0.1:0, which is any free port",
	}, tcp, u.say)
	if err != nil {
		return err
	}
	if !loopback.Is(l.Addr().String()) {
		u.log.Warn("the mirror is open to other machines, and asks for no token: " + v.From + " " + v.Text())
	}
	greets := false
	for _, s := range u.streams.list {
		greets = greets || s.Provider == "tuniform"
	}
	u.streams.mirror, u.streams.door = stream.NewMirror(greets || len(u.streams.list) == 0, u.log), l
	return nil
}

func (u *up) closeMirrorDoor() {
	if u.streams.door != nil {
		u.streams.door.Close()
	}
}

// startStreams dials. What is recorded behind from goes to the overlays, too.
func (u *up) startStreams(from recorder.Cursor) {
	st := &u.streams
	st.ended = make(chan error, len(st.list)+1)
	var ctx, sending, open context.Context
	open, st.closeUp = context.WithCancel(context.Background())
	ctx, st.stop = context.WithCancel(context.Background())
	sending, st.interrupt = context.WithCancel(context.Background())
	for _, s := range st.list {
		st.work.Go(func() {
			err := s.source.Run(ctx, func(e stream.Event) error { return u.deliverEvent(sending, s, e) }, func(status stream.Status) { u.sourceStatus(s, status) })
			if err != nil {
				st.ended <- streamFailure(err)
			}
		})
	}
	if st.mirror != nil {
		st.served.Go(func() {
			st.mirror.Follow(context.Background(), u.store, from) // ends with the store
			st.closeUp()
		})
		st.served.Go(func() {
			if err := st.mirror.Serve(open, st.door); err != nil {
				st.ended <- &failure{code: 2, text: "the mirror ended: " + err.Error(), err: err}
			}
		})
	}
}

// deliverEvent records an event and posts it to the app.
func (u *up) deliverEvent(ctx context.Context, s *openStream, e stream.Event) error {
	root := strings.Replace(s.source.URL(), "ws", "http", 1) // wss is https
	root, _ = recorder.SplitURL(root)
	_, host, _ := strings.Cut(root, "://")
	kind := "application/json"
	if e.Binary {
		kind = "application/octet-stream"
	}
	ex := &recorder.Exchange{
		At: e.At, Origin: recorder.Stream, Provider: s.Provider, Event: e.Type, DeliveryID: e.DeliveryID, Detail: e.Problem,
		Request: recorder.Request{
			Method: "POST", URL: root + s.Path, Proto: recorder.ProtoStream,
			Headers: http.Header{"Content-Type": {kind}, "Host": {host}},
			Body:    recorder.Body{Bytes: e.Body}, Size: int64(len(e.Body)),
		},
	}
	_, err := u.gateway.Send(ctx, replay.Plan{Source: ex, Origin: recorder.Stream, To: s.Forward, Sign: replay.SignNever})
	return storeFailure(err)
}

// streamFailure is the failure of a source: exit 3 if the platform refuses us,
// 2 if it was told wrong.
func streamFailure(err error) error {
	var e *stream.Error
	var f *failure
	switch {
	case errors.As(err, &f): // of the store
		return f
	case errors.As(err, &e) && e.Refused:
		return &failure{code: 3, text: e.Text, hint: e.Hint, err: err}
	case errors.As(err, &e):
		return &failure{code: 2, text: e.Text, hint: e.Hint, err: err}
	}
	return err
}

// sourceStatus tells of a change of a source.
func (u *up) sourceStatus(s *openStream, st stream.Status) {
	s.note(st)
	if st.Hello != nil && u.streams.mirror != nil {
		u.streams.mirror.SetHello(st.Hello)
	}
	if u.cfg.Get("output").Text() == "json" {
		u.printSource(s, st)
		return
	}
	t := u.errs
	at := t.Dim(st.At.Local().Format("15:04:05"))
	name, detail := t.Bold(terminal.Safe(s.String())), terminal.Safe(st.Detail)
	again := st.Retry.Round(100 * time.Millisecond)
	switch st.State {
	case stream.Connected:
		line := t.Good("is connected")
		if st.Account != "" {
			line += ": " + terminal.Safe(st.Account)
		}
		t.Printf("%s  %s %s", at, name, line)
		if gap := st.Gap(); gap != "" {
			t.Warning(fmt.Sprintf("%s: %s; the platform does not send them again", s.String(), gap))
		}
	case stream.Reconnecting:
		t.Printf("%s  %s %s: %s; again in %v", at, name, t.Warn("is lost"), detail, again)
	case stream.Waiting:
		t.Printf("%s  %s %s: %s; looks again in %v", at, name, t.Warn("waits"), detail, again)
	case stream.Slow:
		t.Printf("%s  %s %s: %s, and the stream waits too", at, name, t.Warn("is held up"), detail)
	case stream.Polling:
		t.Printf("%s  %s polling: %s", at, name, detail)
	}
}

func (u *up) printSource(s *openStream, st stream.Status) {
	type span struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	}
	line := struct {
		Source  string        `json:"source"`
		Creator string        `json:"creator,omitempty"`
		State   stream.State  `json:"state"`
		At      time.Time     `json:"at"`
		Account string        `json:"account,omitempty"`
		Detail  string        `json:"detail,omitempty"`
		Retry   time.Duration `json:"retry_ns,omitempty"`
		Missing *span         `json:"missing,omitempty"`
	}{Source: s.Provider, Creator: s.Creator, State: st.State, At: st.At, Account: st.Account, Detail: st.Detail, Retry: st.Retry}
	if st.Gap() != "" {
		line.Missing = &span{st.From, st.To}
	}
	u.printAside(event{"source", line})
}

// nameOf names a source as [config.Stream] does.
func nameOf(s inspector.Source) string {
	return config.Stream{Provider: s.Source, Creator: s.Creator}.String()
}

// describeStreams says what is listened to, and how it fares now where that is known.
func describeStreams(out *terminal.Terminal, sources []inspector.Source, mirror string, now time.Time) {
	var lines []string
	for _, s := range sources {
		app := "the app's " + s.Path
		if s.Forward != "" {
			app = s.Forward + s.Path
		}
		lines = append(lines, terminal.Safe(nameOf(s)+"  "+s.URL+"  ->  "+app))
		if s.State == "" {
			continue
		}
		fares := s.State + " for " + now.Sub(s.Since).Round(time.Second).String()
		switch connected := s.State == string(stream.Connected); {
		case s.Error != "" && connected:
			fares += "; before that: " + s.Error
		case s.Error != "":
			fares += ": " + s.Error
		}
		lines = append(lines, terminal.Safe(fares))
	}
	rows(out, "Sources", lines)
	if mirror != "" {
		out.Row("Overlays", terminal.Safe(mirror)+"   (each event, also replayed ones; any token)")
	}
}

// toldStreams are the sources and the mirror as others are told of them, by who cannot tell
// of each change how they fare.
func (u *up) toldStreams() (list []inspector.Source, mirror string) {
	for _, s := range u.streams.list {
		told := inspector.Source{Source: s.Provider, Creator: s.Creator, URL: s.source.URL(), Path: s.Path}
		if s.Forward != nil {
			told.Forward = s.Forward.String()
		}
		list = append(list, told)
	}
	if u.streams.mirror != nil {
		mirror = "ws://" + u.streams.door.Addr().String() + "/ws"
	}
	return list, mirror
}

// faringStreams are the sources, with how they fare.
func (u *up) faringStreams() []inspector.Source {
	list, _ := u.toldStreams()
	for i, s := range u.streams.list {
		if f := s.fares.Load(); f != nil {
			list[i].State, list[i].Since, list[i].Error = string(f.state), f.since, f.err
		}
	}
	return list
}
