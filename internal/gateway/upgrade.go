package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"devhook/internal/wsx"
	"devhook/recorder"
)

// upgrade answers the sender as the app did, with 101, and returns what joins
// the two connections then; nil if they cannot be. With the 101 the exchange is
// done: what goes on is a stream that may have no end.
func (a *answering) upgrade() (res recorder.Result, join func()) {
	app, ok := a.resp.Body.(io.ReadWriteCloser)
	if !ok {
		a.resp.Body.Close()
		return a.d.failed("the app's connection cannot be upgraded"), nil
	}
	if a.d.w == nil { // a copy, or a recording that is sent again
		app.Close()
		return a.result("", 0, false), func() { a.ends("closed at once: here is nobody to go on with it") }
	}
	sender, rw, err := http.NewResponseController(a.d.w).Hijack()
	if err != nil {
		app.Close()
		return a.d.failed("the sender's connection cannot be upgraded: " + err.Error()), nil
	}
	sender.SetDeadline(time.Time{})
	var head strings.Builder
	head.WriteString("HTTP/1.1 " + a.resp.Status + "\r\n")
	a.header.Write(&head)
	head.WriteString("\r\n")
	_, err = rw.WriteString(head.String())
	if err = errors.Join(err, rw.Flush()); err != nil {
		sender.Close()
		app.Close()
		return a.result("the sender hung up", 0, false), func() { a.ends("the sender hung up") }
	}
	protocol := a.header.Get("Upgrade")
	detail := ""
	if !strings.EqualFold(protocol, "websocket") {
		detail = "it went on as " + protocol + ", which is passed on and not recorded"
	}
	return a.result(detail, 0, false), func() { a.join(sender, rw.Reader, app, detail == "") }
}

// ends records that nothing went on.
func (a *answering) ends(why string) {
	t := a.d.g.newTape(a.d.ex.ID)
	t.note(why)
	t.end()
}

// join copies both ways until both are at their end, one has failed, or
// devhook ends. If read is set, what passes is a WebSocket, and recorded.
func (a *answering) join(sender net.Conn, buffered *bufio.Reader, app io.ReadWriteCloser, read bool) {
	defer app.Close()
	defer sender.Close()
	tape := a.d.g.newTape(a.d.ex.ID)
	toApp, toSender := io.Writer(app), io.Writer(sender)
	if read {
		in, out := wsx.Agreed(a.header)
		inTap, outTap := tape.tap(app, recorder.In, in), tape.tap(sender, recorder.Out, out)
		defer tape.end()
		defer outTap.tap.Close()
		defer inTap.tap.Close()
		toApp, toSender = inTap, outTap
	} else {
		defer tape.end()
	}
	var both sync.WaitGroup
	closeAll := sync.OnceFunc(func() {
		sender.Close()
		app.Close()
	})
	pipe := func(through, dst io.Writer, src io.Reader, who string) {
		buf := buffers.Get().(*[32 << 10]byte)
		defer buffers.Put(buf)
		_, err := io.CopyBuffer(onlyWriter{through}, onlyReader{src}, buf[:])
		if tape.note(who + " hung up"); err != nil {
			closeAll()
			return
		}
		if half, ok := dst.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
			closeAll()
		}
	}
	both.Go(func() { pipe(toApp, app, buffered, "the sender") })
	both.Go(func() { pipe(toSender, sender, app, "the app") })
	defer context.AfterFunc(a.d.g.ending, func() {
		tape.note("devhook ended")
		closeAll()
	})()
	both.Wait()
	closeAll()
}

// onlyWriter and onlyReader hide what could copy in another way, so that the
// buffer is used.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)
