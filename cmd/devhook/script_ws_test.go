package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// serveWS is the WebSocket of a script's app: it says hello, and sends back what
// comes; but to "slow" it answers after 300 ms, to "bytes" in binary, and to
// "bye" it closes with 4000.
func serveWS(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover, Subprotocols: []string{"v2.chat"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	ctx := r.Context()
	err = c.Write(ctx, websocket.MessageText, []byte(`{"type":"hello"}`))
	for err == nil {
		var op websocket.MessageType
		var text []byte
		if op, text, err = c.Read(ctx); err != nil {
			return
		}
		switch string(text) {
		case "slow":
			time.Sleep(300 * time.Millisecond)
			err = c.Write(ctx, op, text)
		case "bytes":
			err = c.Write(ctx, websocket.MessageBinary, []byte("\x00\xff\x1b[2J"))
		case "bye":
			c.Close(4000, "as you wish")
			return
		default:
			err = c.Write(ctx, op, text)
		}
	}
}

// cmdWS is the command
//
//	ws [-hold] URL [TEXT…]
//
// It connects, sends each TEXT (text*N is text N times) and prints what comes, one line a message. With -hold
// it stays connected until the script ends once it has had an answer to each;
// else it reads on until the server closes, or closes itself if the last TEXT
// is "-".
func cmdWS(ts *testscript.TestScript, neg bool, args []string) {
	hold := args[0] == "-hold"
	if hold {
		args = args[1:]
	}
	u := strings.Replace(args[0], "ws://", "http://", 1)
	req, err := http.NewRequest("GET", u, nil)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, u, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transportFor(ts, req.URL.Host)}, CompressionMode: websocket.CompressionContextTakeover,
		Subprotocols: []string{"v2.chat"},
	})
	if err != nil {
		if resp != nil && neg {
			fmt.Fprintln(ts.Stdout(), resp.Status)
			return
		}
		ts.Fatalf("ws: %v", err)
	}
	ts.Defer(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	fmt.Fprintln(ts.Stdout(), "protocol", c.Subprotocol())
	read := func() bool {
		op, text, err := c.Read(ctx)
		var closed websocket.CloseError
		switch {
		case errors.As(err, &closed):
			fmt.Fprintln(ts.Stdout(), "close", int(closed.Code), closed.Reason)
		case err != nil:
			fmt.Fprintln(ts.Stdout(), "cut off")
		case op == websocket.MessageBinary:
			fmt.Fprintf(ts.Stdout(), "binary %x\n", text)
		case len(text) > 1000:
			fmt.Fprintf(ts.Stdout(), "text of %d bytes\n", len(text))
		default:
			fmt.Fprintf(ts.Stdout(), "text %s\n", text)
		}
		return err == nil
	}
	for _, text := range args[1:] {
		if text == "-" {
			c.Close(1000, "enough")
			return
		}
		if part, n, ok := strings.Cut(text, "*"); ok {
			var times int
			fmt.Sscan(n, &times)
			text = strings.Repeat(part, times)
		}
		if !read() { // the one before
			return
		}
		ts.Check(c.Write(ctx, websocket.MessageText, []byte(text)))
	}
	if hold {
		read()
		return
	}
	for read() {
	}
}
