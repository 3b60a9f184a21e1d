package main

import (
	"bufio"
	"os"
	"path/filepath"
	"sync"
	"time"

	"devhook/internal/inspector"
	"devhook/recorder"
	"devhook/tunnel"
)

// end is the last word of `devhook up`.
func (u *up) end(err error) {
	json := u.cfg.Get("output").Text() == "json"
	if u.unread || json && !u.printPatiently(u.endLine(err)) {
		u.errs.Printf("nobody reads what is printed, so the rest of it is left out; devhook list has it")
		return
	}
	if json {
		return
	}
	u.errs.Paragraph(0, u.tally.String(u.gateway.Malformed(), u.gateway.NotRecorded()))
	u.missed.tell(u.errs)
}

// printLine prints a line of --json: one object, without the members that are not known.
// That nobody reads it any more stops no webhook.
func (u *up) printLine(v any) {
	if line, err := jsonLine(v); err == nil {
		u.printMu.Lock()
		defer u.printMu.Unlock()
		u.p.stdout.Write(line)
	}
}

// printPatiently is [up.printLine] for who hears the signals, too, and for lines that are not to be
// left out. It reports whether somebody has read the line; if nobody does, it is still being printed.
func (u *up) printPatiently(v any) bool {
	u.alone.Go(func() { u.printLine(v) })
	return endsWithin(&u.alone, unreadTime)
}

// endsWithin waits for all of work, but so long at most, and reports whether it has ended.
func endsWithin(work *sync.WaitGroup, most time.Duration) bool {
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(most):
		return false
	}
}

// printAside is [up.printLine] for who must not wait for a reader that sleeps: who hears
// the signals, and who talks to a platform. Of such a reader it leaves out what is more
// than maxAsides.
func (u *up) printAside(v any) {
	select {
	case u.asides <- v:
	default:
	}
}

const maxAsides = 1000 // lines

// printAsides prints them until over is closed, and those that are left then.
func (u *up) printAsides(over <-chan struct{}) {
	for {
		select {
		case v := <-u.asides:
			u.printLine(v)
			continue
		case <-over:
		}
		for {
			select {
			case v := <-u.asides:
				u.printLine(v)
			default:
				return
			}
		}
	}
}

// unreadTime is how long not a line may get through, at the end or to stderr, until who should
// read them is taken for one who does not, as a program does that has started this one and
// looks at its first line alone.
var unreadTime = 3 * time.Second

// awaitReader waits until all is printed, and reports whether somebody has read it.
func (u *up) awaitReader(printing *sync.WaitGroup) bool {
	for last := int64(-1); u.followed.Load() != last; {
		last = u.followed.Load()
		if endsWithin(printing, unreadTime) {
			return true
		}
	}
	return false
}

func (u *up) readyLine(public string) any {
	line := struct {
		URL     string   `json:"url"`
		Listen  string   `json:"listen,omitempty"`
		Forward []string `json:"forward,omitempty"`
		Inspect string   `json:"inspect,omitempty"`
		Store   string   `json:"store"`
		Tunnel  string   `json:"tunnel"`
		PID     int      `json:"pid"`

		Elsewhere []string           `json:"inspect_elsewhere,omitempty"` // from other machines
		Sources   []inspector.Source `json:"sources,omitempty"`
		Mirror    string             `json:"ws_mirror,omitempty"`
	}{URL: public, Store: u.store.Path(), Tunnel: "local", PID: os.Getpid()}
	if abs, err := filepath.Abs(line.Store); err == nil {
		line.Store = abs
	}
	line.Sources, line.Mirror = u.toldStreams()
	if u.inspect.listener != nil {
		line.Inspect, line.Elsewhere = u.inspect.entry(), u.inspect.elsewhere()
	}
	if u.ngrok != nil {
		line.Tunnel = "ngrok"
	}
	if u.local != nil {
		line.Listen = u.local.Addr().String()
	}
	for _, to := range u.routes.Default.Forward {
		line.Forward = append(line.Forward, to.String())
	}
	return event{"ready", line}
}

// printExchange never holds a large body in memory.
func (u *up) printExchange(ex *recorder.Exchange) {
	u.printMu.Lock()
	defer u.printMu.Unlock()
	w := bufio.NewWriterSize(u.p.stdout, 64<<10)
	line := &answer{w: w, prefix: `{"v":1,"type":"exchange","exchange":`}
	if err := u.store.WriteJSON(line, ex); err != nil && line.err == nil {
		u.log.Warn("cannot print a recording", "id", string(ex.ID), "error", err)
	}
	if line.begun {
		w.WriteString("}\n")
	}
	w.Flush()
}

func (u *up) printEnded(ex *recorder.Exchange) {
	u.printLine(event{"ended", struct {
		ID    recorder.ID      `json:"id"`
		Seq   uint64           `json:"seq"`
		Ended *recorder.Ending `json:"ended"`
	}{ex.ID, ex.Seq, ex.Ending}})
}

func (u *up) printTunnel(e tunnel.Event) {
	line := struct {
		State string `json:"state"`
		URL   string `json:"url,omitempty"`
		Error string `json:"error,omitempty"`
	}{State: string(e.State)}
	if e.URL != nil {
		line.URL = e.URL.String()
	}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	u.printAside(event{"tunnel", line})
}

func (u *up) endLine(err error) any {
	line := struct {
		Exchanges   int                      `json:"exchanges"`
		Outcomes    map[recorder.Outcome]int `json:"outcomes,omitempty"`
		Copies      int                      `json:"copies,omitempty"`
		Malformed   int64                    `json:"malformed,omitempty"`
		NotRecorded int64                    `json:"not_recorded,omitempty"`
		Error       string                   `json:"error,omitempty"`
	}{Exchanges: u.tally.total, Outcomes: u.tally.outcomes, Copies: u.tally.copies, Malformed: u.gateway.Malformed(), NotRecorded: u.gateway.NotRecorded()}
	if err != nil {
		line.Error = explain(err).text
	}
	return event{"end", line}
}
