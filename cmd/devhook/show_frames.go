package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// shownFrames is how many frames of a WebSocket are shown unless it is said.
const shownFrames = 20

// framesFlag returns how many of the newest frames are wanted: -1 is none, 0 is
// all.
func framesFlag(c *cli.Context) (int, error) {
	switch text := c.String("frames"); {
	case text == "all" || text == "" && c.Bool("json"):
		return 0, nil
	case text == "":
		return shownFrames, nil
	default:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, &failure{code: 2, text: fmt.Sprintf("--frames %q is no number, and not all", text), hint: "devhook help show"}
		}
		if n == 0 {
			return -1, nil
		}
		return n, nil
	}
}

// printWhole is printJSON with frames.
func (p *program) printWhole(store *recorder.Store, ex *recorder.Exchange, frames int) error {
	if frames < 0 {
		return p.printJSON(store, ex)
	}
	return p.printObject(func(w io.Writer) error { return store.WriteFramesJSON(w, ex, frames) })
}

// showFrames shows the newest frames of a WebSocket as a person reads them.
func showFrames(out *terminal.Terminal, store *recorder.Store, ex *recorder.Exchange, newest int) (failed error) {
	if newest < 0 {
		return nil
	}
	first := true
	for f, err := range store.Frames(ex, newest) {
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		if first {
			out.Printf("")
			if f.N > 1 {
				out.Printf("%s", out.Dim(fmt.Sprintf("(%d frames before these; --frames all shows them)", f.N-1)))
			}
		}
		first = false
		out.Frame(ex, f)
		if out.Err() != nil {
			return nil // told by who asks for it
		}
	}
	return failed
}

// writeFrame writes what was kept of the payload of frame n.
func writeFrame(w io.Writer, store *recorder.Store, ex *recorder.Exchange, n int64) error {
	last := int64(0)
	for f, err := range store.Frames(ex, 0) {
		if err != nil {
			continue // a damaged line elsewhere
		}
		if f.N == n {
			_, err := w.Write(f.Body)
			return err
		}
		last = f.N
	}
	if last == 0 {
		return &failure{code: 2, text: fmt.Sprintf("#%d has no frames", ex.Seq), hint: "WebSockets that pass through devhook up have"}
	}
	return &failure{code: 2, text: fmt.Sprintf("#%d has no frame %d: its last one is %d", ex.Seq, n, last), hint: fmt.Sprintf("devhook show %d --frames all", ex.Seq)}
}
