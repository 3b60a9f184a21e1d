package ngroktest

import (
	"context"
	"net"
	"net/http"
	"net/url"
)

// Client returns an HTTP client that reaches the URLs of the server's agents,
// and no others, without DNS or TLS. It tells the agents of the visitor as
// ngrok's edge does, in X-Forwarded-For, -Host and -Proto, and adds nothing
// else. Close its idle connections when it is no longer needed, or the server.
func (s *Server) Client() *http.Client {
	dial := func(scheme string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, _, hostport string) (net.Conn, error) {
			return s.Dial(ctx, scheme+"://"+hostport)
		}
	}
	return &http.Client{Transport: &edgeTransport{http.Transport{
		DialContext:        dial("http"),
		DialTLSContext:     dial("https"), // TLS ends at the edge
		DisableCompression: true,
	}}}
}

// An edgeTransport adds to requests what the edge adds.
type edgeTransport struct{ http.Transport }

func (t *edgeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	for _, h := range forwarded(Sender, host, r.URL.Scheme) {
		r.Header.Set(h[0], h[1])
	}
	return t.Transport.RoundTrip(r)
}

// forwarded returns the headers with which the edge describes the visitor.
func forwarded(sender, host, scheme string) [][2]string {
	ip, _, err := net.SplitHostPort(sender)
	if err != nil {
		ip = sender
	}
	return [][2]string{
		{"X-Forwarded-For", ip},
		{"X-Forwarded-Host", host},
		{"X-Forwarded-Proto", scheme},
	}
}

// lookup returns the URL that is online for a request to host: https if there
// is one, as most are, else http, else "".
func (s *Server) lookup(host string) string {
	for _, scheme := range []string{"https", "http"} {
		address := key(&url.URL{Scheme: scheme, Host: host})
		s.mu.Lock()
		_, ok := s.endpoints[address]
		s.mu.Unlock()
		if ok {
			return address
		}
	}
	return ""
}
