// Package playback is the app's side of a recorded WebSocket: a server that
// sends to each client what the app once sent, at the pace of then. What the
// client says is read and ignored.
package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"devhook/internal/loopback"
	"devhook/recorder"

	"github.com/coder/websocket"
)

// A Server is an [http.Handler] that plays one recording to whoever connects,
// at any path. Its fields must not change once it serves; it is safe for
// concurrent use if Frames is.
type Server struct {
	// Frames are those of the recording, both directions; see
	// [recorder.Store.Frames]. Each client has them read anew.
	Frames func() iter.Seq2[*recorder.Frame, error]
	Opened time.Time // when the recorded WebSocket was opened
	// Speed is how many times as fast as recorded; 0 does not wait at all.
	Speed float64
	// Subprotocol and Deflate are what the app had agreed to.
	Subprotocol string
	Deflate     bool
	// Origins are the hosts whose pages may connect beside those of this
	// machine, as patterns of [path.Match].
	Origins []string
	Log     func(text string) // nil: nobody is told
}

const (
	writeTime = 10 * time.Second // for a client to take a frame
	pongTime  = time.Second      // for it to answer a ping, so that the order is kept
)

// ServeHTTP implements [http.Handler]. It returns when the recording or the
// client is at its end, or the request's context is.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if loopback.Is(localAddr(r)) && !loopback.Is(r.Host) { // a name that somebody leads here, so that his pages are of the same origin
		http.Error(w, "this is a recording on somebody's own machine, which is not called "+r.Host, http.StatusForbidden)
		return
	}
	mode := websocket.CompressionDisabled
	if s.Deflate {
		mode = websocket.CompressionContextTakeover
	}
	o := websocket.AcceptOptions{
		OriginPatterns:  append([]string{"localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", `\[::1\]`, `\[::1\]:*`}, s.Origins...),
		CompressionMode: mode,
	}
	if s.Subprotocol != "" {
		o.Subprotocols = []string{s.Subprotocol}
	}
	c, err := websocket.Accept(w, r, &o)
	if err != nil {
		s.log("%s: %v", r.RemoteAddr, err)
		return // Accept has answered
	}
	defer c.CloseNow()
	s.log("%s connected", r.RemoteAddr)
	n, how := s.play(r.Context(), c)
	s.log("%s: %d frames sent, %s", r.RemoteAddr, n, how)
}

// play sends the recording, and says how it ended.
func (s *Server) play(ctx context.Context, c *websocket.Conn) (sent int, how string) {
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer c.CloseNow()
	defer stop()
	work.Go(func() { // takes in pongs and closes, too
		defer stop()
		c.SetReadLimit(-1)
		for {
			_, said, err := c.Reader(ctx)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, said); err != nil {
				return
			}
		}
	})
	started := time.Now()
	left := 0
	for f, err := range s.Frames() {
		if err != nil {
			s.log("a frame is passed over: %v", err)
			continue
		}
		if f.Dir != recorder.Out || f.Op == recorder.OpUnread || f.Op == recorder.OpPong {
			continue
		}
		if !s.await(ctx, started, f.At) {
			return sent, "the client is gone"
		}
		switch {
		case f.Op == recorder.OpClose:
			if f.Code == int(websocket.StatusNoStatusRcvd) {
				err = c.Close(websocket.StatusNoStatusRcvd, "")
			} else {
				err = c.Close(websocket.StatusCode(f.Code), f.Reason)
			}
			how = fmt.Sprintf("closed as recorded: %d %s", f.Code, f.Reason)
			if err != nil && !errors.As(err, new(websocket.CloseError)) && websocket.CloseStatus(err) == -1 {
				how = fmt.Sprintf("cut off: %v", err)
			}
			return sent, strings.TrimRight(how, " ")
		case f.Op == recorder.OpPing:
			late, cancel := context.WithTimeout(ctx, pongTime)
			c.Ping(late) // an error is that the client is gone, or answers no pings
			cancel()
		case f.Truncated:
			left++
			s.log("frame %d is left out: only %d of its %d bytes were kept", f.N, len(f.Body), f.Size)
		default:
			op := websocket.MessageText
			if f.Op == recorder.OpBinary {
				op = websocket.MessageBinary
			}
			late, cancel := context.WithTimeout(ctx, writeTime)
			err := c.Write(late, op, f.Body)
			cancel()
			if err != nil {
				return sent, "the client is gone"
			}
			sent++
		}
	}
	how = "cut off, as the recording ends without a close"
	if left > 0 {
		how += fmt.Sprintf("; %d left out", left)
	}
	return sent, how
}

// await returns when a frame of the time at is due. It returns false if ctx has
// ended.
func (s *Server) await(ctx context.Context, started, at time.Time) bool {
	if s.Speed > 0 {
		due := started.Add(time.Duration(float64(at.Sub(s.Opened)) / s.Speed))
		t := time.NewTimer(time.Until(due))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// localAddr is where r came in.
func localAddr(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return a.String()
	}
	return ""
}

func (s *Server) log(format string, a ...any) {
	if s.Log != nil {
		s.Log(fmt.Sprintf(format, a...))
	}
}
