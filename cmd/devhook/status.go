package main

import (
	"fmt"
	"strings"
	"time"

	"devhook/internal/inspector"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

func (p *program) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "tell how the running devhook up fares",
		Description: `Prints where each devhook up of the store is reached, how its tunnel fares, where it
forwards to and who gets through. The exit code is 1 if none runs.

  devhook status
  devhook status --json`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
		}, commonFlags()...),
		Action: p.status,
	}
}

func (p *program) status(c *cli.Context) error {
	out := p.out(c)
	if c.NArg() > 0 {
		return &failure{code: 2, text: "status takes no words", hint: "devhook help status"}
	}
	none := &failure{code: 1, text: "no devhook up runs on this store", hint: "devhook up --forward :3000"}
	store, err := p.openUsual(c)
	if err != nil {
		return err
	}
	if store == nil {
		return none
	}
	defer store.Close()
	list, err := allRunning(store)
	if err != nil {
		return storeFailure(err)
	}
	if len(list) == 0 {
		return none
	}
	for i, r := range list {
		s, err := r.status(c.Context)
		if err != nil { // what it has announced is right, too
			s = r.announced(store.Path())
		}
		if c.Bool("json") {
			if err := p.line(s); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			out.Printf("")
		}
		describeStatus(out, s, p.now())
	}
	return wrote(out.Err())
}

// announced is what is known of an up without asking it.
func (r *running) announced(store string) inspector.Status {
	return inspector.Status{V: 1, PID: r.PID, Ready: true, Store: store, Inspect: r.Inspect, URL: r.URL, Listen: r.Listen, Forward: r.Forward, Routes: r.Routes, Sources: r.Sources, Mirror: r.Mirror}
}

func describeStatus(out *terminal.Terminal, s inspector.Status, now time.Time) {
	row := func(name, text string) {
		if text != "" {
			out.Row(name, terminal.Safe(text))
		}
	}
	row("URL", s.URL)
	if s.Listen != "" && !strings.HasSuffix(s.URL, s.Listen) {
		row("Local", s.Listen)
	}
	if s.Tunnel.Kind == "ngrok" {
		state := s.Tunnel.State + " for " + now.Sub(s.Tunnel.Since).Round(time.Second).String()
		if s.Tunnel.Error != "" {
			state += ": " + s.Tunnel.Error
		}
		row("Tunnel", state)
	}
	var to []string
	for _, r := range s.Routes {
		to = append(to, terminal.Safe(r.Path+"  ->  "+forwardedTo(r.Forward)))
	}
	if to == nil {
		to = []string{terminal.Safe(forwardedTo(s.Forward))}
	}
	rows(out, "Forwards", to)
	describeStreams(out, s.Sources, s.Mirror, now)
	row("Inspector", s.Inspect)
	if s.Verify != "" {
		rows(out, "Verify", describeVerify(out, s))
	}
	row("Secrets", strings.Join(s.Secrets, ", "))
	row("Records", s.Store)
	if !s.Started.IsZero() {
		out.Row("Runs", fmt.Sprintf("for %s, process %d", now.Sub(s.Started).Round(time.Second), s.PID))
	}
}

func forwardedTo(list []string) string {
	if len(list) == 0 {
		return "nowhere: devhook answers by itself"
	}
	return strings.Join(list, ", a copy to ")
}
