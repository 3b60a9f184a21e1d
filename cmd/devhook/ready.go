package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/tunnel"
	"devhook/verify"
)

// publicURL is where senders reach devhook.
func (u *up) publicURL() string {
	if u.ngrok != nil {
		return u.ngrok.URL().String()
	}
	return u.local.URL().String()
}

// ready tells that webhooks can come, and where.
func (u *up) ready() error {
	public := u.publicURL()
	switch {
	case u.cfg.Get("output").Text() == "json":
		u.printReady(public)
	case !u.agentLog.stdout: // else the log tells it
		u.describeReady(public)
	}
	u.announce(public)
	u.tell()
	u.logStarted()
	if err := u.writeReadyFile(); err != nil {
		return &failure{code: 2, text: "--ready-file: " + err.Error(), err: err}
	}
	u.inspect.ready.Store(true)
	if u.onReady != nil {
		u.onReady(public)
	}
	return nil
}

// checkReadyFile refuses a place where no ready file can be, before anything is
// opened or taken away there.
func (u *up) checkReadyFile() error {
	if u.readyFile == "" {
		return nil
	}
	text := ""
	if info, err := os.Lstat(u.readyFile); err == nil && info.IsDir() {
		text = u.readyFile + " is a directory"
	} else if dir, err := os.Stat(filepath.Dir(u.readyFile)); err != nil || !dir.IsDir() {
		text = "there is no directory " + filepath.Dir(u.readyFile)
	}
	if text == "" {
		return nil
	}
	return &failure{code: 2, text: "--ready-file: " + text, hint: "name a file in a directory that is there"}
}

// writeReadyFile tells scripts the public URL, if they have asked for it.
func (u *up) writeReadyFile() error {
	if u.readyFile == "" {
		return nil
	}
	return config.WriteFile(u.readyFile, []byte(u.publicURL()+"\n"))
}

// notReady takes back what ready has left behind, or a run before this one.
func (u *up) notReady() {
	if u.readyFile != "" {
		os.Remove(u.readyFile)
	}
	if u.running != nil {
		u.running.Close()
		u.running = nil
	}
}

// announce says loudly that the public URL is another than the last time, and
// where the old one must be replaced. It remembers the new one in the store.
func (u *up) announce(public string) {
	u.announced = public
	if u.ngrok == nil {
		return
	}
	path := filepath.Join(u.store.Path(), "last-url")
	old, err := os.ReadFile(path)
	if was := strings.TrimSpace(string(old)); err == nil && was != public && was != "" {
		if u.cfg.Get("output").Text() != "json" {
			u.errs.Printf("")
			u.errs.Printf("%s", u.errs.Bad("THE PUBLIC URL HAS CHANGED"))
			u.errs.Printf("  it was  %s", terminal.Safe(was))
			u.errs.Printf("  it is   %s", u.errs.Bold(terminal.Safe(public)))
			u.errs.Printf("  Until it is replaced, webhooks go to the old one. Replace it:")
			u.describePlaces(public)
			u.errs.Paragraph(2, "A URL that stays: --url with a domain of yours, see https://dashboard.ngrok.com/domains")
		}
	}
	if string(old) != public+"\n" {
		if err := config.WriteFile(path, []byte(public+"\n")); err != nil {
			u.log.Warn("cannot remember the public URL", "error", err)
		}
	}
}

// A place is where a provider's webhooks go, and where it is told so.
type place struct {
	provider verify.Provider
	url      string
}

// places returns one for each provider that is configured.
func (u *up) places(public string) []place { return placesOf(u.routes, public) }

func placesOf(rt *gateway.Routes, public string) []place {
	var list []place
	seen := map[string]bool{}
	add := func(id, path string) {
		if p, ok := rt.Catalog.Lookup(id); ok && !seen[p.ID+path] {
			seen[p.ID+path] = true
			list = append(list, place{p, strings.TrimRight(public, "/") + path})
		}
	}
	for _, r := range rt.List {
		if r.Provider != "" {
			add(r.Provider, r.Path)
		}
	}
	if len(rt.List) == 0 {
		if id := rt.Default.Provider; id != "" {
			add(id, "")
			return list
		}
		for _, id := range slices.Sorted(maps.Keys(rt.Keys)) {
			if len(rt.Keys[id].Secrets) > 0 {
				add(id, "")
			}
		}
	}
	return list
}

func (u *up) describePlaces(public string) {
	places := u.places(public)
	if len(places) == 0 {
		u.errs.Printf("  wherever you pasted it: in the dashboard of each provider")
	}
	for _, pl := range places {
		u.errs.Printf("  %s  %s", u.errs.Bold(pl.provider.Name), pl.url)
		for _, step := range pl.provider.Steps(pl.url) {
			u.errs.Paragraph(4, terminal.Safe(step))
		}
	}
}

// describeReady is the ready block, for people.
func (u *up) describeReady(public string) {
	t := u.errs
	row := func(name, format string, a ...any) { t.Row(name, fmt.Sprintf(format, a...)) }
	t.Printf("")
	if u.ngrok != nil {
		row("Public", "%s", t.Bold(terminal.Safe(public)))
		if u.local != nil {
			row("Local", "%s", u.local.URL())
		}
	} else {
		row("Local", "%s   (this machine only)", t.Bold(public))
	}
	for i, to := range forwards(u.routes) {
		row([]string{"Forwards", ""}[min(i, 1)], "%s", to)
	}
	u.describeStreams()
	if u.inspect.listener != nil {
		row("Inspector", "%s", u.inspect.entry())
	}
	row("Verify", "%s", u.describeVerify())
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
		t.Printf("")
		if u.ngrok != nil {
			t.Printf("  Paste:")
		} else {
			t.Printf("  Paste (once this door has a public URL):")
		}
		u.describePlaces(public)
	}
	t.Printf("")
	t.Printf("  %s", t.Dim("Waiting for webhooks. Ctrl-C ends."))
}

// forwards says where webhooks go, a line each.
func forwards(rt *gateway.Routes) []string {
	list := rt.List
	if len(list) == 0 {
		list = []gateway.Route{rt.Default}
	}
	var lines []string
	for _, r := range list {
		line := "nowhere: devhook answers by itself"
		if len(r.Forward) > 0 {
			line = to(r.Forward[0])
			for _, other := range r.Forward[1:] {
				line += ", a copy to " + to(other)
			}
		}
		if r.Path != "" {
			line = terminal.Safe(r.Path) + "  ->  " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func to(u *url.URL) string { return terminal.Safe(u.String()) }

func (u *up) describeVerify() string {
	mode := u.routes.Default.Verify
	var known []string
	for _, id := range slices.Sorted(maps.Keys(u.routes.Keys)) {
		if len(u.routes.Keys[id].Secrets) > 0 {
			known = append(known, id)
		}
	}
	switch {
	case mode == gateway.Off:
		return u.errs.Warn("off: nothing is verified")
	case mode == gateway.Report:
		return u.errs.Warn("report: nothing is refused, what is wrong is marked")
	case len(known) == 0 && mode == gateway.Strict:
		return u.errs.Warn("strict: everything is refused, because no secret is known")
	case len(known) == 0:
		return u.errs.Warn("no secret is known, so everything passes") + "; --provider ID --secret env:NAME closes it, and so does --verify strict"
	case mode == gateway.Strict:
		return "strict: " + strings.Join(known, ", ") + "; all else is refused"
	case u.routes.Default.Provider != "" || len(u.routes.List) > 0 && !slices.ContainsFunc(u.routes.List, open):
		return strings.Join(known, ", ") + "; what is not signed right is refused"
	}
	return strings.Join(known, ", ") + "; what no provider is recognised in passes (--verify strict closes it)"
}

// open reports whether unsigned webhooks can pass r.
func open(r gateway.Route) bool { return r.Provider == "" && r.Verify != gateway.Strict }

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

// end is the last word of `devhook up`.
func (u *up) end(err error) {
	if u.cfg.Get("output").Text() == "json" {
		u.printEnd(err)
		return
	}
	u.errs.Paragraph(0, u.tally.String(u.gateway.Malformed(), u.gateway.NotRecorded()))
}

// A tally counts what became of the webhooks.
type tally struct {
	total    int
	outcomes map[recorder.Outcome]int
	failed   int // answered with an error
	copies   int // for further apps; not in the others
	sent     int // by devhook itself; in the others
}

func (t *tally) add(ex *recorder.Exchange) {
	if t.outcomes == nil {
		t.outcomes = map[recorder.Outcome]int{}
	}
	if ex.Origin == recorder.Mirror {
		t.copies++
		return
	}
	t.total++
	if ex.Origin != recorder.Live && ex.Origin != recorder.Stream {
		t.sent++
	}
	t.outcomes[ex.Outcome]++
	if ex.Outcome == recorder.Answered && ex.Response != nil && ex.Answer().Status >= 400 {
		t.failed++
	}
}

// String is the summary.
func (t *tally) String(malformed, notRecorded int64) string {
	if t.total == 0 && malformed == 0 && notRecorded == 0 {
		return "no webhooks came"
	}
	noun := "webhooks"
	if t.total == 1 {
		noun = "webhook"
	}
	s := fmt.Sprintf("%d %s", t.total, noun)
	sep := ": "
	part := func(n int, what string) {
		if n > 0 {
			s += fmt.Sprintf("%s%d %s", sep, n, what)
			sep = ", "
		}
	}
	part(t.outcomes[recorder.Answered]-t.failed, "answered well")
	part(t.failed, "answered with an error")
	part(t.outcomes[recorder.Handled], "answered by devhook")
	part(t.outcomes[recorder.Refused], "refused")
	part(t.outcomes[recorder.Unreachable], "without an answer of the app")
	part(t.outcomes[recorder.Unrouted], "without a route")
	if t.sent > 0 {
		s += fmt.Sprintf("; %d of them sent by devhook", t.sent)
	}
	if t.copies > 0 {
		s += fmt.Sprintf("; %d copies", t.copies)
	}
	switch {
	case malformed == 1:
		s += "; 1 request was no whole HTTP and is not recorded"
	case malformed > 1:
		s += fmt.Sprintf("; %d requests were no whole HTTP and are not recorded", malformed)
	}
	if notRecorded > 0 {
		s += fmt.Sprintf("; %d could not be recorded and were answered 503", notRecorded)
	}
	return s
}

// The lines of --json. Each is one object; members that are not known are left
// out.

func (u *up) printLine(v any) {
	if line, err := jsonLine(v); err == nil {
		u.printMu.Lock()
		defer u.printMu.Unlock()
		u.p.stdout.Write(line)
	}
}

func (u *up) printReady(public string) {
	line := struct {
		V       int      `json:"v"`
		Type    string   `json:"type"`
		URL     string   `json:"url"`
		Listen  string   `json:"listen,omitempty"`
		Forward []string `json:"forward,omitempty"`
		Inspect string   `json:"inspect,omitempty"`
		Store   string   `json:"store"`
		Tunnel  string   `json:"tunnel"`
		PID     int      `json:"pid"`

		Sources []json.RawMessage `json:"sources,omitempty"`
		Mirror  string            `json:"ws_mirror,omitempty"`
	}{V: 1, Type: "ready", URL: public, Store: u.store.Path(), Tunnel: "local", PID: os.Getpid()}
	if abs, err := filepath.Abs(line.Store); err == nil {
		line.Store = abs
	}
	line.Sources, line.Mirror = u.readyStreams()
	if u.inspect.listener != nil {
		line.Inspect = u.inspect.entry()
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
	u.printLine(line)
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
	u.printLine(struct {
		V     int              `json:"v"`
		Type  string           `json:"type"`
		ID    recorder.ID      `json:"id"`
		Seq   uint64           `json:"seq"`
		Ended *recorder.Ending `json:"ended"`
	}{1, "ended", ex.ID, ex.Seq, ex.Ending})
}

func (u *up) printTunnel(e tunnel.Event) {
	line := struct {
		V     int    `json:"v"`
		Type  string `json:"type"`
		State string `json:"state"`
		URL   string `json:"url,omitempty"`
		Error string `json:"error,omitempty"`
	}{V: 1, Type: "tunnel", State: string(e.State)}
	if e.URL != nil {
		line.URL = e.URL.String()
	}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	u.printLine(line)
}

func (u *up) printEnd(err error) {
	line := struct {
		V           int                      `json:"v"`
		Type        string                   `json:"type"`
		Exchanges   int                      `json:"exchanges"`
		Outcomes    map[recorder.Outcome]int `json:"outcomes,omitempty"`
		Copies      int                      `json:"copies,omitempty"`
		Malformed   int64                    `json:"malformed,omitempty"`
		NotRecorded int64                    `json:"not_recorded,omitempty"`
		Error       string                   `json:"error,omitempty"`
	}{V: 1, Type: "end", Exchanges: u.tally.total, Outcomes: u.tally.outcomes, Copies: u.tally.copies, Malformed: u.gateway.Malformed(), NotRecorded: u.gateway.NotRecorded()}
	if err != nil {
		line.Error = explain(err).text
	}
	u.printLine(line)
}
