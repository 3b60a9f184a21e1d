package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

var (
	// errTooLarge means that a body is over [Options.MaxBody].
	errTooLarge = errors.New("body is too large")
	// errBrokenOff means that the sender did not send all of its body.
	errBrokenOff = errors.New("the sender broke off")
)

// capture takes in the whole body of r. The error is errTooLarge,
// errBrokenOff, or one of the store; the caller ends the spool whatever it is.
func (g *Gateway) capture(r *http.Request, c *conn) (*recorder.Spool, error) {
	sp := g.o.Store.Spool()
	if r.Body == nil || r.Body == http.NoBody {
		return sp, nil
	}
	if r.ContentLength > g.o.MaxBody {
		return sp, errTooLarge
	}
	sp.Grow(r.ContentLength)
	c.startBody()
	// One byte more than is allowed tells a body that is too large.
	_, err := sp.ReadFrom(&bodyReader{r: io.LimitReader(r.Body, g.o.MaxBody+1), c: c, renewed: time.Now()})
	if !errors.Is(err, errBrokenOff) { // else net/http would wait for the rest of it
		c.endBody()
	}
	if err == nil && sp.Size() > g.o.MaxBody {
		err = errTooLarge
	}
	return sp, err
}

// A bodyReader tells the sender's failures from the store's, and lets it take
// its time as long as something comes.
type bodyReader struct {
	r       io.Reader
	c       *conn
	renewed time.Time
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.renewed) > renewTime {
		b.renewed = now
		b.c.renewBody()
	}
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return n, err
}

// linger takes in what a sender still sends, so that it comes to read its
// answer: many read nothing before they have sent all. It gives up soon.
func linger(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	if r.Header.Get("Expect") != "" { // to read would be to ask for the body
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(3 * time.Second))
	io.Copy(io.Discard, r.Body)
}

// request returns what is recorded of r, but for its body.
func (d Door) request(r *http.Request) recorder.Request {
	headers := r.Header.Clone()
	if headers == nil {
		headers = http.Header{}
	}
	if r.Host != "" {
		headers["Host"] = []string{r.Host}
	}
	at := d.URL().Scheme + "://" + r.Host
	if r.RequestURI != "*" { // which has no path: RFC 9110 §7.1
		at += target(r.RequestURI)
	}
	return recorder.Request{
		Method:  r.Method,
		URL:     at,
		Proto:   r.Proto,
		Headers: headers,
		Remote:  r.RemoteAddr,
	}
}

// target returns path and query as they stand in a request line, without the
// scheme and host that some senders write there.
func target(requestURI string) string {
	if strings.HasPrefix(requestURI, "/") {
		return requestURI
	}
	_, rest := recorder.SplitURL(requestURI)
	return rest
}

// message returns what a signature of the delivery can cover. A body over
// [verify.MaxBody] is left out. free gives back the room that the bytes take,
// and must be called when the message is not needed any more.
func (d *delivery) message() (m verify.Message, free func(), err error) {
	free = func() {}
	req := &d.ex.Request
	m = verify.Message{Method: req.Method, Header: req.Headers}
	if m.URL, err = recorder.ParseURL(req.URL); err != nil || req.Size > verify.MaxBody {
		return m, free, err
	}
	if req.Size > recorder.MaxInline {
		d.g.large <- struct{}{}
		free = func() { <-d.g.large }
	}
	m.Body, err = d.spool.Prefix(int(req.Size))
	return m, free, err
}
