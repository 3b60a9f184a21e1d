package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a recording, whole", ArgsUsage: "REF",
		Description: `REF is a number, an ID or a part of one, last, last~2, live or live~1.

  devhook show last
  devhook show 128 --body | jq .
  devhook show 128 --raw            the HTTP message
  devhook show 128 --response --body
  devhook show 128 --frames all     of a WebSocket: -> to the app, <- from it
  devhook show 128 --frame 7        the bytes of one frame`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON"},
			&cli.BoolFlag{Name: "raw", Usage: "print the HTTP message"},
			&cli.BoolFlag{Name: "body", Usage: "print the bytes of the body, and nothing else"},
			&cli.BoolFlag{Name: "headers", Usage: "print the headers"},
			&cli.BoolFlag{Name: "response", Usage: "of the response, not the request"},
			&cli.StringFlag{Name: "frames", Usage: "of a WebSocket, the newest `N` frames, or all (default: 20, with --json all)"},
			&cli.Int64Flag{Name: "frame", Usage: "print the bytes of the frame `N`, and nothing else"},
		}, commonFlags()...),
		Action: taking(1, "one recording", "devhook show last", p.show),
	}
}

func (p *program) show(c *cli.Context) error {
	out := p.out(c)
	if n := count(c.Bool("json"), c.Bool("raw"), c.Bool("body"), c.Bool("headers"), c.IsSet("frame")); n > 1 {
		return &failure{code: 2, text: "--json, --raw, --body, --headers and --frame are for one at a time"}
	}
	frames, err := framesFlag(c)
	if err != nil {
		return err
	}
	store, ex, err := p.openRecording(c, c.Args().First())
	if err != nil {
		return err
	}
	defer store.Close()

	m := requestMessage(&ex.Request)
	if c.Bool("response") && !c.Bool("json") {
		if ex.Response == nil {
			return &failure{code: 2, text: fmt.Sprintf("#%d has no response: it is %s", ex.Seq, ex.Outcome)}
		}
		r := ex.Response
		m = message{
			start:  fmt.Sprintf("HTTP/1.1 %d %s", r.Status, http.StatusText(r.Status)),
			header: r.Headers, body: r.Body, size: r.Size, cut: r.Truncated,
		}
	}
	a := &answer{w: p.stdout}
	var w io.Writer = a
	if terminal.IsTerminal(p.stdout) {
		w = &safeWriter{w} // what came from outside must not steer the terminal
	}
	switch {
	case c.Bool("json"):
		err = p.printWhole(store, ex, frames)
	case c.IsSet("frame"):
		err = writeFrame(w, store, ex, c.Int64("frame"))
	case c.Bool("body"):
		err = store.CopyBody(w, m.body)
	case c.Bool("headers"):
		_, err = io.WriteString(w, m.fields("\n"))
	case c.Bool("raw"):
		err = m.write(w, store)
	case c.Bool("response"):
		var body []byte
		body, err = readable(store, m.body)
		out.Message(m.start, m.header, body, m.size, m.cut)
	default:
		err = cmp.Or(p.showWhole(c, out, store, ex), showFrames(out, store, ex, frames))
	}
	if err := wrote(cmp.Or(a.err, out.Err())); err != nil {
		return err
	}
	return storeFailure(err)
}

// showWhole shows all of ex as a person reads it.
func (p *program) showWhole(c *cli.Context, out *terminal.Terminal, store *recorder.Store, ex *recorder.Exchange) error {
	body, err := readable(store, ex.Request.Body)
	var reply, app []byte
	var err2, err3 error
	if ex.Response != nil {
		reply, err2 = readable(store, ex.Response.Body)
	}
	if ex.App != nil {
		app, err3 = readable(store, ex.App.Body)
	}
	out.Whole(ex, body, reply, app)
	if list := checklist(p.catalog(c), ex, reply, app); list != nil {
		out.Checked("What "+ex.Provider+" has for a checklist of failures:", list)
	}
	return cmp.Or(err, err2, err3)
}

// catalog returns the providers that are known here. A devhook.yaml that is
// wrong is no reason not to look at what is recorded.
func (p *program) catalog(c *cli.Context) *verify.Catalog {
	cfg, err := config.Load(p.source(c, nil))
	if err != nil {
		return verify.Builtin()
	}
	return cfg.Catalog()
}

// checklist goes through what ex's provider says of webhooks that fail, if this
// one did; nil if it did not, or nothing is said. reply and app are the bodies
// of the answers to the sender and of the app.
func checklist(catalog *verify.Catalog, ex *recorder.Exchange, reply, app []byte) []terminal.Check {
	p, ok := catalog.Lookup(ex.Provider)
	r := ex.Response
	if ex.App != nil {
		r, reply = ex.App, app
	}
	if !ok || r == nil || ex.Origin != recorder.Live || r.Status == http.StatusSwitchingProtocols {
		return nil
	}
	reached := ex.Outcome != recorder.Unreachable
	why := p.Misunderstood(reply)
	if reached && r.Status == http.StatusOK && why == "" {
		return nil
	}
	var list []terminal.Check
	for _, c := range p.Checklist {
		line := terminal.Check{OK: true, About: c.About}
		switch c.Of {
		case verify.CheckArrival:
			line.Seen = "it came here"
		case verify.CheckApp:
			if line.OK = reached; !reached {
				line.Seen = cmp.Or(ex.Detail, "it gave no answer")
			}
		case verify.CheckStatus:
			if line.OK = reached && r.Status == http.StatusOK; !line.OK {
				line.Seen = fmt.Sprintf("it was %d", r.Status)
			}
		case verify.CheckBody:
			if line.OK = reached && why == ""; !line.OK {
				line.Seen = cmp.Or(why, "there was none")
			}
		case verify.CheckNone:
			continue
		}
		list = append(list, line)
	}
	return list
}

// readable returns as much of a body as a person looks at, and what is wrong
// with all of it. It is what can be read, or why it cannot.
func readable(store *recorder.Store, b recorder.Body) ([]byte, error) {
	start := prefix{left: 256 << 10}
	err := store.CopyBody(&start, b)
	if err != nil && len(start.text) == 0 {
		return []byte("(" + err.Error() + ")"), err
	}
	return start.text, err
}

// A prefix keeps the first bytes of what is written to it.
type prefix struct {
	text []byte
	left int
}

func (w *prefix) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.text = append(w.text, p[:n]...)
	w.left -= n
	return len(p), nil
}

func count(flags ...bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}
