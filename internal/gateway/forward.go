package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"devhook/internal/neterr"
	"devhook/recorder"
)

// drainTime is how long an app may go on answering after its sender has hung
// up, so that the record has the answer.
const drainTime = 5 * time.Second

var errTimeout = errors.New("timeout")

// roundTrip sends the request to one app and passes its answer on, once the
// request is durable. after is what is to be done once the result is recorded,
// if it is not nil: what an upgrade goes on with, or the end of a connection on
// which the sender got the start of an answer that has no end.
func (d *delivery) roundTrip(to *url.URL, commit recorder.Commit) (res recorder.Result, after func()) {
	started := d.g.o.Now()
	parent := d.sender // who sends it himself wants an end
	if d.w != nil {
		parent = context.WithoutCancel(d.sender) // who hangs up does not take the webhook back
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	timeout := d.route.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	timer := time.AfterFunc(timeout, func() { cancel(errTimeout) })
	defer timer.Stop()

	trip := trip{meanwhile: meanwhile{d: d, commit: commit, timer: timer, until: time.Now().Add(timeout)}, earlyAnswers: earlyAnswers{d: d}}
	var out *http.Request
	var resp *http.Response
	err := ctx.Err()
	if err == nil {
		out, err = d.outgoing(context.WithValue(ctx, watcherKey{}, &trip), to)
	}
	if err == nil {
		resp, err = d.g.o.Transport.RoundTrip(out) // which closes the body in any case
	}
	timer.Stop()
	trip.end()
	if syncErr := d.durable(commit); syncErr != nil {
		if resp != nil {
			resp.Body.Close()
		}
		d.notRecorded("cannot record", syncErr)
		a := apiError(503, "not_recorded", d.ex.ID)
		return recorder.Result{Outcome: recorder.Unreachable, Detail: "not recorded", Response: d.response(a)}, nil
	}
	if err != nil {
		a := apiError(502, "app_unreachable", d.ex.ID)
		detail := describe(err)
		switch {
		case context.Cause(ctx) == errTimeout:
			a = apiError(504, "app_timeout", d.ex.ID)
			detail = "no answer within " + timeout.String()
		case d.interrupted():
			detail = "interrupted before the app answered"
		}
		d.send(a)
		return recorder.Result{Outcome: recorder.Unreachable, Detail: detail, Response: d.response(a)}, nil
	}
	upgraded := resp.StatusCode == http.StatusSwitchingProtocols
	if resp.StatusCode < 100 || upgraded && upgradeOf(d.ex.Request.Headers) == "" {
		resp.Body.Close()
		return d.failed(fmt.Sprintf("the app answered with a status that nobody may send here: %d", resp.StatusCode)), nil
	}

	a := answering{d: d, resp: resp, header: resp.Header, ctx: ctx, cancel: cancel, spool: d.g.o.Store.Spool(), started: started}
	if upgraded { // whose hop is the point
		if trip.conn != nil {
			trip.conn.upgraded = true
		}
		return a.upgrade()
	}
	dropHop(a.header)
	res, broken := a.pass()
	if broken {
		after = func() { panic(http.ErrAbortHandler) } // the sender must not take half an answer for a whole one
	}
	return res, after
}

// interrupted reports whether who sends it himself waits no longer.
func (d *delivery) interrupted() bool { return d.w == nil && d.sender.Err() != nil }

// A trip is a request on its way to an app, and what carries it tells it so.
type trip struct {
	meanwhile
	earlyAnswers
	conn *appConn // that net/http's transport has carried it by, if that did
}

// carried is told of the connection, before anything of the request is written.
func (t *trip) carried(c *appConn) { t.conn = c }

// A meanwhile has a webhook made durable while the app is at it.
//
// Who has written the request himself (direct.go) syncs himself, before he reads the
// answer, which the sender may not have before that anyway: so nobody needs to be
// woken, which takes as long as the disk does. Where net/http's transport writes it, or
// there is no connection yet, another goroutine is asked to.
type meanwhile struct {
	d      *delivery
	commit recorder.Commit
	timer  *time.Timer // ends the waiting for the app
	until  time.Time   // when it does
}

// connecting has another goroutine sync.
func (m *meanwhile) connecting() {
	if !m.d.soon {
		m.commit.Soon()
	}
}

// written syncs. The time that the disk takes is not the app's.
func (m *meanwhile) written() {
	if m.d.soon {
		return
	}
	began := time.Now()
	if running := m.timer.Stop(); running {
		defer func() { m.timer.Reset(m.until.Sub(began)) }()
	}
	m.commit.Wait(context.Background()) // durable tells of an error
}

// durable waits until the request is, unless nobody is told that it was taken: who
// sends it himself asks later, once for many.
func (d *delivery) durable(commit recorder.Commit) error {
	if d.soon {
		return nil
	}
	return commit.Wait(context.Background())
}

// failed tells the sender that the app cannot be understood.
func (d *delivery) failed(why string) recorder.Result {
	a := apiError(502, "app_unreachable", d.ex.ID)
	d.send(a)
	return recorder.Result{Outcome: recorder.Unreachable, Detail: why, Response: d.response(a)}
}

// outgoing returns the request as the app gets it.
func (d *delivery) outgoing(ctx context.Context, to *url.URL) (*http.Request, error) {
	req := &d.ex.Request
	out := &http.Request{
		Method: req.Method, URL: outgoingURL(to, req.Method, req.URL), Host: to.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: endToEnd(req.Headers), ContentLength: req.Size,
	}
	host := req.Headers.Get("Host")
	delete(out.Header, "Host")
	switch {
	case d.hostNamed || d.g.o.HostHeader == "preserve":
		out.Host = host
	case d.g.o.HostHeader != "" && d.g.o.HostHeader != "rewrite":
		out.Host = d.g.o.HostHeader
	}
	d.setForwarded(out.Header, host)
	if agents := out.Header["User-Agent"]; len(agents) != 1 || agents[0] == "" {
		out.Header["User-Agent"] = []string{""} // or net/http sends its own
		if len(agents) > 0 {                    // it sends one that is not empty at most, if it is spelled so
			out.Header["User-agent"] = agents
		}
	}
	if protocol := upgradeOf(req.Headers); protocol != "" {
		out.Header["Connection"] = []string{"Upgrade"}
		out.Header["Upgrade"] = []string{protocol}
	}

	if req.Size > 0 {
		out.GetBody = func() (io.ReadCloser, error) {
			if req.Body.Sum == "" { // net/http writes header and body at once if it sees that the body is in memory
				return io.NopCloser(bytes.NewReader(req.Body.Bytes)), nil
			}
			return d.g.o.Store.OpenBody(req.Body)
		}
		body, err := out.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	if d.chunked {
		out.ContentLength = -1
		if out.Body == nil {
			out.Body = io.NopCloser(strings.NewReader(""))
		}
		out.Trailer = d.trailer
	}
	return out.WithContext(ctx), nil
}

// setForwarded tells the app how the sender reached devhook. What a sender
// claims itself is replaced; what the tunnel has set is kept.
func (d *delivery) setForwarded(h http.Header, host string) {
	remote, _, err := net.SplitHostPort(d.ex.Request.Remote)
	if err != nil {
		remote = d.ex.Request.Remote
	}
	scheme, _, _ := strings.Cut(d.ex.Request.URL, "://")
	set := func(name, value string) {
		if _, has := h[name]; (!has || !d.door.Forwarded) && value != "" {
			h[name] = []string{value}
		}
	}
	set("X-Forwarded-For", remote)
	set("X-Forwarded-Host", host)
	set("X-Forwarded-Proto", scheme)
}

// hopByHop are the headers that concern one connection only: RFC 9110 §7.6.1, and
// Trailer, which net/http makes anew.
var hopByHop = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// dropHop takes out of h the headers that concern one connection only, those that it
// names itself among them.
func dropHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			delete(h, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// endToEnd returns the headers that concern more than one connection.
func endToEnd(h http.Header) http.Header {
	kept := maps.Clone(h)
	if kept == nil {
		kept = http.Header{}
	}
	dropHop(kept)
	return kept
}

// upgradeOf returns the protocol that the headers ask to switch to, "" if they
// do not. Another version of HTTP is none: behind it would come requests that nobody has
// routed, verified or recorded. An app may always answer without it (RFC 9110 §7.8).
func upgradeOf(h http.Header) string {
	asked := func(header string, is func(word string) bool) bool {
		return slices.ContainsFunc(h[header], func(list string) bool {
			return slices.ContainsFunc(strings.Split(list, ","), func(word string) bool { return is(strings.ToLower(strings.TrimSpace(word))) })
		})
	}
	isHTTP := func(word string) bool {
		name, _, _ := strings.Cut(word, "/")
		return name == "h2c" || name == "h2" || name == "http" || name == "tls"
	}
	if asked("Connection", func(word string) bool { return word == "upgrade" }) && !asked("Upgrade", isHTTP) {
		return h.Get("Upgrade")
	}
	return ""
}

// targetURL returns where a request with the given URL goes at the app: the
// path and query as they are, behind the app's own base path.
func targetURL(to *url.URL, from string) string {
	return to.Scheme + "://" + to.Host + behind(to, target(from))
}

// behind returns target, a path with its query, behind the path of an app. The root
// alone is that path as it was typed: who names the URL of a handler, as /webhook, means
// that, and not /webhook/, which strict routers tell from it.
func behind(to *url.URL, target string) string {
	base := to.EscapedPath()
	short := strings.TrimRight(base, "/")
	if path, _, _ := strings.Cut(target, "?"); path == "/" && short != "" {
		return base + target[1:]
	}
	return short + target
}

// outgoingURL is targetURL in the form that makes net/http write path and
// query into the request line as they are. A [url.URL] that was parsed from
// them would clean and encode them anew.
//
// OPTIONS without a path is a question to the server as a whole: RFC 9112 §3.2.4.
func outgoingURL(to *url.URL, method, from string) *url.URL {
	if root, _ := recorder.SplitURL(from); root == from && method == http.MethodOptions {
		return &url.URL{Scheme: to.Scheme, Host: to.Host, Opaque: "*"}
	}
	path, query, hasQuery := strings.Cut(behind(to, target(from)), "?")
	return &url.URL{Scheme: to.Scheme, Host: to.Host, Opaque: path, RawQuery: query, ForceQuery: hasQuery && query == ""}
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// describe says in a few words why an app could not be reached.
func describe(err error) string {
	var op *net.OpError
	var dns *net.DNSError
	var noTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &noTLS):
		return "the app does not speak TLS: forward to http://"
	case errors.As(err, &dns):
		return "no such host: " + dns.Name
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		neterr.Broke(err),
		errors.Is(err, net.ErrClosed): // by net/http, which has met one of these while it read
		return "the app hung up without an answer"
	case errors.As(err, &op) && op.Err != nil:
		text := neterr.Text(op.Err)
		if i := strings.LastIndex(text, ": "); i >= 0 {
			text = text[i+2:]
		}
		return text
	}
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "net/http: "), "HTTP/1.x transport connection broken: ")
}
