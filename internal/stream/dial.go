package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"devhook/internal/neterr"

	"github.com/coder/websocket"
)

// dial opens the WebSocket; nil and what follows if it cannot be opened.
func (s *Source) dial(ctx context.Context, onPing func(context.Context, []byte) bool) (*websocket.Conn, verdict) {
	u := *s.base
	q := url.Values{}
	s.kind.query(q, s.o)
	u.RawQuery = q.Encode()
	transport := &http.Transport{
		Proxy: s.o.Proxy, TLSHandshakeTimeout: 10 * time.Second, DisableKeepAlives: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	defer transport.CloseIdleConnections()
	ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport: transport,
			// Who redirects would have the secret go there.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:     http.Header{"User-Agent": {"devhook"}},
		OnPingReceived: onPing,
	})
	if err == nil {
		return ws, verdict{}
	}
	if resp == nil {
		return nil, verdict{why: s.base.Host + " cannot be reached: " + causeOf(err)}
	}
	var words string
	if resp.Body != nil {
		text, _ := io.ReadAll(resp.Body) // at most 1024 bytes
		words, _, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
		words = strings.Trim(strings.TrimSpace(words), `"`)
	}
	switch code := resp.StatusCode; {
	case code == http.StatusSwitchingProtocols:
		return nil, verdict{why: s.base.Host + " makes a bad handshake: " + causeOf(err)}
	case code >= 300 && code < 400:
		where := "nowhere"
		if to, err := resp.Location(); err == nil {
			where = to.Host
		}
		return nil, verdict{why: fmt.Sprintf("%s redirects to %s, which is not followed: the %s would go there", s.base.Host, where, s.kind.secret)}
	case code < 300:
		return nil, verdict{why: fmt.Sprintf("%s answers %d as a web server does, and not as a WebSocket", s.base.Host, code)}
	default:
		v := s.kind.refused(code)
		v.why = fmt.Sprintf("%s refuses: %d", s.kind.name, code)
		if words != "" && !strings.HasPrefix(words, "<") {
			v.why += " " + s.clean(words)
		} else {
			v.why += " " + http.StatusText(code)
		}
		return nil, v
	}
}

// causeOf returns the innermost part of err that says what is wrong without the
// URL, which an error of net/http has whole.
func causeOf(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "its certificate is not trusted: " + cert.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "it hung up without a word"
	}
	text := neterr.Text(err)
	for _, noise := range []string{"failed to WebSocket dial: ", "failed to get reader: ", "failed to read: ", "failed to read frame header: "} {
		text = strings.TrimPrefix(text, noise)
	}
	return text
}
