// Package feed is the far side of a one-way stream: a WebSocket server that
// sends the same frames to all who are connected and ignores what they say.
// What the frames are, and who may have them, is left to others.
//
// # Concurrency
//
// A [Server] is safe for concurrent use once it serves.
package feed

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"devhook/internal/loopback"

	"github.com/coder/websocket"
)

// A Server is an [http.Handler] that takes connections in. Its fields must not
// change once it serves.
type Server struct {
	// Admit decides before the upgrade; another status than 0 refuses, with the
	// words as body. Nil admits all.
	Admit func(r *http.Request) (status int, words string)
	// Local refuses pages of other machines: one that is open in a browser here
	// can dial to this machine.
	Local bool
	// Dismiss decides after the upgrade; a code other than 0 closes the
	// connection with it. Nil dismisses nobody.
	Dismiss func(r *http.Request) (code int, reason string)
	// Greet returns what a connection gets first; nil is nothing.
	Greet func(r *http.Request) [][]byte
	// Wrap makes the frame for a connection out of what is published, nil if it
	// gets none. A nil Wrap sends it as it is.
	Wrap func(r *http.Request, topic string, body []byte) []byte
	Ping time.Duration // how often all are pinged; 0: never
	// Log is told what happens; nil: nobody.
	Log func(text string)

	mu      sync.Mutex // guards what follows
	clients map[*client]bool
	changed chan struct{} // closed when clients changes
}

const (
	maxClients = 200
	maxWaiting = 256 // frames for a client that does not read
	writeTime  = 10 * time.Second
)

type client struct {
	r      *http.Request
	ws     *websocket.Conn
	frames chan []byte
	cut    context.CancelFunc
	sent   int // frames published to it; guarded by Server.mu
	code   int // to close with; guarded by Server.mu
	reason string
}

// ServeHTTP implements [http.Handler]. It returns when the connection ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if status, words := s.refuses(r); status != 0 {
		s.log("refused %d %s", status, words)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, words)
		return
	}
	if s.Len() >= maxClients {
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // Local looks at the origin
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	if s.Dismiss != nil {
		if code, reason := s.Dismiss(r); code != 0 {
			s.log("closed with %d %s", code, reason)
			ws.Close(websocket.StatusCode(code), reason)
			return
		}
	}
	s.serve(&client{r: r, ws: ws, frames: make(chan []byte, maxWaiting)})
}

// refuses returns what is answered to who may not connect, 0 for who may.
func (s *Server) refuses(r *http.Request) (status int, words string) {
	if s.Admit != nil {
		status, words = s.Admit(r)
	}
	if status == 0 && s.Local && !isLocal(r.Header.Get("Origin")) {
		return http.StatusForbidden, "a page of another machine, or one without an origin, may not listen: serve the overlay from http://localhost"
	}
	return status, words
}

// serve greets c, and sends it what is published until one of the two has enough.
func (s *Server) serve(c *client) {
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	c.cut = cut
	if s.Greet != nil {
		for _, frame := range s.Greet(c.r) {
			if !c.write(ctx, frame) {
				return
			}
		}
	}
	s.set(c, true)
	defer s.set(c, false)
	s.log("%s connected", c.r.RemoteAddr)
	defer s.log("%s is gone", c.r.RemoteAddr)

	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.ws.SetReadLimit(1 << 20)
		for {
			if _, _, err := c.ws.Read(ctx); err != nil { // what it says is ignored
				return
			}
		}
	}()
	defer func() { cut(); <-gone }()
	var ping <-chan time.Time
	if s.Ping > 0 {
		t := time.NewTicker(s.Ping)
		defer t.Stop()
		ping = t.C
	}
	for going := true; going; {
		select {
		case frame, open := <-c.frames:
			if !open {
				s.mu.Lock()
				code, reason := c.code, c.reason
				s.mu.Unlock()
				c.ws.Close(websocket.StatusCode(code), reason)
				return
			}
			going = c.write(ctx, frame)
		case <-ping:
			going = c.ping(ctx)
		case <-gone:
			return
		case <-ctx.Done():
			return
		}
	}
}

// isLocal reports whether a page of that origin may listen: one of this machine,
// or a file, as overlays often are. "null" may be anybody's.
func isLocal(origin string) bool {
	if origin == "" || origin == "file://" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && loopback.Is(u.Host)
}

func (c *client) write(ctx context.Context, frame []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, frame) == nil
}

// ping waits for the pong, which who reads takes in.
func (c *client) ping(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return c.ws.Ping(ctx) == nil
}

func (s *Server) log(format string, a ...any) {
	if s.Log != nil {
		s.Log(fmt.Sprintf(format, a...))
	}
}

func (s *Server) set(c *client, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		s.clients = map[*client]bool{}
	}
	if in {
		s.clients[c] = true
	} else {
		delete(s.clients, c)
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Len returns how many are connected.
func (s *Server) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// Await returns once somebody is connected who is not about to be closed, or
// reports that ctx ended.
func (s *Server) Await(ctx context.Context) (ended bool) {
	for {
		s.mu.Lock()
		for c := range s.clients {
			if c.code == 0 {
				s.mu.Unlock()
				return false
			}
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return true
		}
	}
}

// Publish sends body to all who are connected, and returns how many that are.
// One that does not read fast enough is closed.
func (s *Server) Publish(topic string, body []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.clients {
		frame := body
		if s.Wrap != nil {
			frame = s.Wrap(c.r, topic, body)
		}
		if frame == nil || c.code != 0 {
			continue
		}
		select {
		case c.frames <- frame:
			c.sent++
			n++
		default:
			s.log("%s reads too slowly", c.r.RemoteAddr)
			c.cut()
		}
	}
	return n
}

// Close closes all connections with a close frame, once what was published is
// sent.
func (s *Server) Close(code int, reason string) { s.CloseAfter(0, code, reason) }

// CloseAfter is [Server.Close] for those that were sent n frames at least. Code
// 0 cuts them off without a close frame.
func (s *Server) CloseAfter(n, code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		switch {
		case c.sent < n || c.code != 0:
		case code == 0:
			c.code = -1
			go func() { // what was published goes first
				for end := time.Now().Add(time.Second); len(c.frames) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
				}
				c.ws.CloseNow()
				c.cut()
			}()
		default:
			c.code, c.reason = code, reason
			close(c.frames)
		}
	}
}

// Bundled reports whether a client of Euler Stream wants its events in bundles, as it
// gets them unless it says "false" or "0": npm @eulerstream/euler-websocket-sdk 0.0.6.
func Bundled(r *http.Request) bool {
	switch r.URL.Query().Get("features.bundleEvents") {
	case "false", "0":
		return false
	}
	return true
}
