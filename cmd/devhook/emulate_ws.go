package main

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"devhook/internal/config"
	"devhook/internal/playback"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// wsListen is where the emulator listens unless it is told.
const wsListen = "127.0.0.1:4080"

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
			&cli.StringFlag{Name: "listen", Usage: "where to listen, an `ADDR`; port 0 is any", Value: wsListen},
			&cli.StringFlag{Name: "speed", Usage: "how `FAST`: 1x is as recorded, 10x, max", Value: "1x"},
			&cli.StringSliceFlag{Name: "origin", Usage: "a `HOST` whose pages may connect, too; * in it is any text"},
			&cli.StringFlag{Name: "ready-file", Usage: "`PATH` of a file that appears, with the URL in it, when clients can come"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.emulateWS(c) },
	}
}

func (p *program) emulateWS(c *cli.Context) error {
	errs, err := p.terminal(c, p.stderr)
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return &failure{code: 2, text: fmt.Sprintf("emulate ws takes one recording, not %d", c.NArg()), hint: "devhook list status:101"}
	}
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

	l, err := net.Listen("tcp", c.String("listen"))
	if err != nil && !c.IsSet("listen") && isTaken(err) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return &failure{code: 2, text: "--listen: " + err.Error(), hint: "listen at any free port with --listen 127.0.0.1:0", err: err}
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &playback.Server{
		Frames: func() iter.Seq2[*recorder.Frame, error] { return store.Frames(ex, 0) },
		Opened: ex.At.Add(ex.Response.Took), Speed: speed, Origins: c.StringSlice("origin"),
		Subprotocol: ex.Response.Headers.Get("Sec-Websocket-Protocol"),
		Deflate:     strings.Contains(strings.ToLower(ex.Response.Headers.Get("Sec-Websocket-Extensions")), "permessage-deflate"),
		Log: func(text string) {
			errs.Printf("%s  %s", errs.Dim(p.now().Local().Format("15:04:05")), terminal.Safe(text))
		},
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()

	address := "ws://" + l.Addr().String() + pathOf(ex.Request.URL)
	fmt.Fprintln(p.stdout, address)
	errs.Printf("  the frames of #%d. %s", ex.Seq, errs.Dim("Waiting for clients. Ctrl-C ends."))
	if path := c.String("ready-file"); path != "" {
		if err := config.WriteFile(path, []byte(address+"\n")); err != nil {
			return &failure{code: 2, text: "--ready-file: " + err.Error(), err: err}
		}
		defer os.Remove(path)
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		srv.Close()
		<-served
	}
	return err
}

// parseSpeed reads how many times as fast as recorded; 0 is without waiting.
func parseSpeed(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(n >= 0.001 && n <= 1e6) {
		return 0, &failure{code: 2, text: fmt.Sprintf("--speed %q is none", text), hint: "write 1x, 10x, 0.5x or max"}
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
