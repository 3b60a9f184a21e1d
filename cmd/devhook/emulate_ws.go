package main

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"devhook/internal/playback"
	"devhook/recorder"
	"devhook/replay"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateWSCommand() *cli.Command {
	return &cli.Command{
		Name: "ws", Usage: "the app's side of a recorded WebSocket", ArgsUsage: "REF",
		Description: `A server on this machine that sends to each client what the app once sent: the
frames of the recording REF, with their opcodes, at their own pace, and its close.
What clients say is ignored. Frames that were too large to be kept are left out.

  devhook emulate ws live
  devhook emulate ws 128 --speed max --listen 127.0.0.1:0
  devhook list status:101             which recordings are WebSockets

Only pages of this machine may connect; --origin lets others, as overlays in files
(--origin '*').`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "speed", Usage: "how `FAST`: 1x is as recorded, 10x, max", Value: "1x"},
			&cli.StringSliceFlag{Name: "origin", Usage: "a `HOST` whose pages may connect, too; * in it is any text"},
			storeFlag(),
		}, serverFlags("4080")...),
		Action: taking(1, "one recording", "devhook list status:101", p.emulateWS),
	}
}

func (p *program) emulateWS(c *cli.Context) error {
	errs := p.errs(c)
	speed, err := parseSpeed(c.String("speed"))
	if err != nil {
		return err
	}
	store, ex, err := p.openRecording(c, c.Args().First())
	if err != nil {
		return err
	}
	defer store.Close()
	if err := hasOutFrames(store, ex); err != nil {
		return err
	}

	e := &emulation{p: p, c: c, errs: errs, name: "ws", about: func(addr string) []string {
		return []string{"ws://" + addr + pathOf(ex.Request.URL), fmt.Sprintf("the frames of #%d", ex.Seq)}
	}}
	s := &playback.Server{
		Frames: func() iter.Seq2[*recorder.Frame, error] { return store.Frames(ex, 0) },
		Opened: ex.At.Add(ex.Response.Took), Speed: speed, Origins: c.StringSlice("origin"),
		Subprotocol: ex.Response.Headers.Get("Sec-Websocket-Protocol"),
		Deflate:     strings.Contains(strings.ToLower(ex.Response.Headers.Get("Sec-Websocket-Extensions")), "permessage-deflate"),
		Log:         e.log,
	}
	playing, end := context.WithCancel(c.Context)
	var clients sync.WaitGroup // whose connections http.Server knows nothing of
	h := func(w http.ResponseWriter, r *http.Request) {
		clients.Add(1)
		defer clients.Done()
		ctx, cancel := context.WithCancel(r.Context())
		defer context.AfterFunc(playing, cancel)()
		s.ServeHTTP(w, r.WithContext(ctx))
	}
	return e.serve(http.HandlerFunc(h), nil, func() {
		end()
		clients.Wait()
	})
}

// parseSpeed reads --speed.
func parseSpeed(text string) (float64, error) {
	n, err := replay.ParseSpeed(text)
	if err != nil {
		return 0, &failure{code: 2, text: fmt.Sprintf("--speed %q is none", text), hint: explain(err).hint, err: err}
	}
	return n, nil
}

// hasOutFrames returns a failure if ex has no frames of its app.
func hasOutFrames(store *recorder.Store, ex *recorder.Exchange) error {
	for f, err := range store.Frames(ex, 0) {
		if err == nil && f.Dir == recorder.Out && f.Op != recorder.OpUnread {
			return nil
		}
	}
	return &failure{code: 2, text: fmt.Sprintf("#%d has no frames of an app", ex.Seq), hint: "devhook list status:101 shows the WebSockets that were recorded"}
}

// pathOf returns the path and query of an absolute URL, as safe text.
func pathOf(absolute string) string {
	u, err := url.Parse(absolute)
	if err != nil {
		return "/"
	}
	return u.RequestURI()
}
