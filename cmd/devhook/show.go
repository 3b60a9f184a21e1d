package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a recording, whole", ArgsUsage: "REF",
		Description: `REF is a number, an ID or a part of one, last, last~2, live or live~1.

  devhook show last
  devhook show 128 --body | jq .
  devhook show 128 --raw            the HTTP message
  devhook show 128 --response --body`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON"},
			&cli.BoolFlag{Name: "raw", Usage: "print the HTTP message"},
			&cli.BoolFlag{Name: "body", Usage: "print the bytes of the body, and nothing else"},
			&cli.BoolFlag{Name: "headers", Usage: "print the headers"},
			&cli.BoolFlag{Name: "response", Usage: "of the response, not the request"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.show(c) },
	}
}

func (p *program) show(c *cli.Context) error {
	out, err := p.out(c)
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return &failure{code: 2, text: fmt.Sprintf("show takes one recording, not %d", c.NArg()), hint: "devhook show last"}
	}
	if n := count(c.Bool("json"), c.Bool("raw"), c.Bool("body"), c.Bool("headers")); n > 1 {
		return &failure{code: 2, text: "--json, --raw, --body and --headers are for one at a time"}
	}
	store, err := p.openToRead(c)
	if errors.Is(err, fs.ErrNotExist) {
		return &failure{code: 2, text: "nothing is recorded yet", hint: "devhook up records what comes in"}
	}
	if err != nil {
		return storeFailure(err)
	}
	defer store.Close()
	ex, err := store.Get(c.Args().First())
	if err != nil {
		return err
	}

	_, target := recorder.SplitURL(ex.Request.URL)
	m := message{
		start:  ex.Request.Method + " " + target + " " + orDefault(ex.Request.Proto, "HTTP/1.1"),
		header: ex.Request.Headers, body: ex.Request.Body, size: ex.Request.Size, cut: ex.Request.Truncated,
	}
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
	w := p.stdout
	if terminal.IsTerminal(w) {
		w = &safeWriter{w} // what came from outside must not steer the terminal
	}
	switch {
	case c.Bool("json"):
		return p.printJSON(store, ex)
	case c.Bool("body"):
		err = m.writeBody(w, store)
	case c.Bool("headers"):
		err = m.writeHeader(w, "\n")
	case c.Bool("raw"):
		_, err = io.WriteString(w, m.start+"\r\n")
		err = errors.Join(err, m.writeHeader(w, "\r\n"))
		_, err2 := io.WriteString(w, "\r\n")
		err = errors.Join(err, err2, m.writeBody(w, store))
	case c.Bool("response"):
		err = out.Message(m.start, m.header, p.readable(store, m.body), m.size, m.cut)
	default:
		body := p.readable(store, ex.Request.Body)
		var answer []byte
		if ex.Response != nil {
			answer = p.readable(store, ex.Response.Body)
		}
		out.Whole(ex, body, answer)
	}
	if err != nil {
		return storeFailure(err)
	}
	return nil
}

// readable returns as much of a body as a person looks at.
func (p *program) readable(store *recorder.Store, b recorder.Body) []byte {
	const most = 256 << 10
	f, err := store.OpenBody(b)
	if err != nil {
		return []byte("(" + err.Error() + ")")
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return []byte("(" + err.Error() + ")")
	}
	return text
}

// A message is a request or a response.
type message struct {
	start  string
	header http.Header
	body   recorder.Body
	size   int64
	cut    bool
}

func (m message) writeHeader(w io.Writer, newline string) error {
	for _, line := range terminal.HeaderLines(m.header) {
		if _, err := io.WriteString(w, line+newline); err != nil {
			return err
		}
	}
	return nil
}

func (m message) writeBody(w io.Writer, store *recorder.Store) error {
	f, err := store.OpenBody(m.body)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// A safeWriter writes text for a terminal.
type safeWriter struct{ w io.Writer }

func (s *safeWriter) Write(p []byte) (int, error) {
	text := terminal.SafeText(string(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))))
	if _, err := io.WriteString(s.w, text); err != nil {
		return 0, err
	}
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

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
