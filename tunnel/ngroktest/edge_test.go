package ngroktest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"
)

// echoRaw answers each request with all the bytes of it, on connections of ln.
// A request ends with END.
func echoRaw(ln ngrok.EndpointListener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewReader(c)
			for text := ""; ; {
				b, err := in.ReadByte()
				if err != nil {
					_, _ = io.WriteString(c, text+"EOF")
					return
				}
				if text += string([]byte{b}); strings.HasSuffix(text, "END") {
					_, _ = io.WriteString(c, text)
					text = ""
				}
			}
		}()
	}
}

// visit connects to the edge of s.
func visit(t *testing.T, s *Server) *net.TCPConn {
	t.Helper()
	edge, err := s.Edge()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", edge.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

func TestEdgeChangesNothingElse(t *testing.T) {
	s := start(t)
	go echoRaw(listen(t, s, ngrok.WithURL("https://a.example")))
	c := visit(t, s)
	const added = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: a.example\r\nX-Forwarded-Proto: https\r\n"
	requests := []struct{ sent, want string }{
		{
			"POST /a//../%zz?b=1;c=%2 HTTP/1.1\r\nhOST: a.example\r\nX:  y \r\nx-odd\r\nX: \xff\r\nContent-Length: 3\r\n\r\nEND",
			"POST /a//../%zz?b=1;c=%2 HTTP/1.1\r\nhOST: a.example\r\nX:  y \r\nx-odd\r\nX: \xff\r\nContent-Length: 3\r\n" + added + "\r\nEND",
		},
		{
			"\r\nPUT http://a.example/x HTTP/1.1\r\nx-forwarded-FOR: 6.6.6.6\r\nHost: a.example\r\nX-Forwarded-Proto: gopher\r\nTransfer-Encoding: chunked\r\n\r\n" +
				"5;x=y\r\nhello\r\nA\r\n0123456789\r\n3\r\nEND\r\n0\r\nT: r\r\n\r\n",
			"PUT http://a.example/x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n" + added + "\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n3\r\nEND",
		},
		{
			"GET / HTTP/1.1\nHost: a.example\nContent-Length: 3\n\nEND",
			"\r\n0\r\nT: r\r\n\r\nGET / HTTP/1.1\nHost: a.example\nContent-Length: 3\n" + added + "\nEND",
		},
	}
	for _, r := range requests {
		_, _ = io.WriteString(c, r.sent)
		got := make([]byte, len(r.want))
		if n, err := io.ReadFull(c, got); err != nil || string(got) != r.want {
			t.Fatalf("got %q (%v)\nwant %q", got[:n], err, r.want)
		}
	}
	// The visitor has no more to say, and waits for the answer.
	_, _ = io.WriteString(c, "GET /last HTTP/1.1\r\nHost: a.example\r\n\r\n")
	_ = c.CloseWrite()
	if got, err := io.ReadAll(c); err != nil || string(got) != "GET /last HTTP/1.1\r\nHost: a.example\r\n"+added+"\r\nEOF" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEdgeSwitchesProtocols(t *testing.T) {
	s := start(t)
	go echoRaw(listen(t, s, ngrok.WithURL("http://a.example")))
	c := visit(t, s)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a.example:80\r\nUpgrade: x\r\n\r\nGET\r\n\r\nEND")
	_ = c.CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasSuffix(string(got), "X-Forwarded-Proto: http\r\n\r\nGET\r\n\r\nENDEOF") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEdgeWithoutAnAgent(t *testing.T) {
	s := start(t)
	edge, err := s.Edge()
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(edge.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusNotFound || res.Header.Get("Ngrok-Error-Code") != "ERR_NGROK_3200" || !strings.Contains(string(body), "offline") {
		t.Errorf("%s, %v, %q", res.Status, res.Header, body)
	}
}

func TestEdgeRefusesNonsense(t *testing.T) {
	s := start(t)
	for _, text := range []string{"\r\n\r\n", "no end", strings.Repeat("long", maxHead), strings.Repeat("many: lines\r\n", maxHead)} {
		c := visit(t, s)
		_, _ = io.WriteString(c, text)
		_ = c.CloseWrite()
		if got, err := io.ReadAll(c); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%.10q: got %q, %v", text, got, err)
		}
	}
}

func TestEdgeEndsWithTheServer(t *testing.T) {
	s := NewServer()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ServeEdge(ln) }()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, "the visitor is seen", func() bool { return s.Connections() == 1 })
	s.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServeEdge: %v", err)
	}
	if err := s.ServeEdge(ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ServeEdge of a closed server: %v", err)
	}
}

func TestClientTellsOfTheVisitor(t *testing.T) {
	s := start(t)
	ln := listen(t, s, ngrok.WithURL("http://a.example"))
	serve(t, ln, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Accept-Encoding"} {
			_, _ = io.WriteString(w, r.Header.Get(name)+" ")
		}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "6.6.6.6")
	req.Host = "other.example"
	client := s.Client()
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, _ := io.ReadAll(res.Body); string(got) != "203.0.113.7 other.example http  " {
		t.Errorf("got %q", got)
	}
	if req.Header.Get("X-Forwarded-For") != "6.6.6.6" {
		t.Error("the caller's request was changed")
	}
	if _, err := client.Get("https://a.example"); !errors.Is(err, ErrOffline) {
		t.Errorf("another scheme: %v", err)
	}
}
