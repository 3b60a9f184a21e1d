package ngroktest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxHead      = 64 << 10 // bytes of a request line and headers
	maxChunkLine = 4 << 10  // bytes of a chunk's first line
)

// ServeEdge accepts visitors from ln and hands their HTTP/1.1 requests to the
// agents that are online with the host in their Host header. All bytes go
// through unchanged, odd paths and malformed headers too, except that
// X-Forwarded-For, -Host and -Proto are set anew. It returns after ln or the
// server is closed; ln is closed then. With a URL of https://a.ngrok.test and
// the edge on port 8080, this reaches the agent:
//
//	curl -H 'Host: a.ngrok.test' http://127.0.0.1:8080/
func (s *Server) ServeEdge(ln net.Listener) error {
	stop := make(chan struct{})
	defer close(stop)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.Join(net.ErrClosed, ln.Close())
	}
	s.wg.Go(func() {
		select {
		case <-s.done:
		case <-stop:
		}
		_ = ln.Close()
	})
	s.mu.Unlock()
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		s.goWith(c, s.visit)
	}
}

// visit serves the requests of one visitor, all over one connection to an
// agent.
func (s *Server) visit(c *cable) {
	in := bufio.NewReaderSize(c, maxHead)
	head, err := readHead(in)
	if err != nil {
		return
	}
	host := head.get("Host")
	address := s.lookup(host)
	up, err := s.DialFrom(context.Background(), address, c.RemoteAddr().String())
	if err != nil {
		refuse(c, address == "")
		return
	}
	defer up.Close()
	s.wg.Go(func() {
		_, _ = io.Copy(c, up)
		_ = c.CloseWrite()
		_ = c.Close() // ends the reading below
	})
	scheme, _, _ := strings.Cut(address, "://")
	for head.get("Host") == host {
		if _, err := up.Write(head.rewrite(c.RemoteAddr().String(), scheme)); err != nil {
			return
		}
		if err = head.copyBody(up, in); err == nil {
			head, err = readHead(in)
		}
		if errors.Is(err, io.EOF) {
			_ = up.CloseWrite()
			<-c.gone // the answer is still to come
		}
		if err != nil {
			return
		}
	}
}

// refuse tells a visitor that no agent takes the request.
func refuse(w io.Writer, offline bool) {
	status, text, code := http.StatusBadGateway, "The agent could not be reached.", "ERR_NGROK_3210"
	if offline {
		status, text, code = http.StatusNotFound, "The endpoint is offline.", "ERR_NGROK_3200"
	}
	body := ErrorText(text, code)
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nNgrok-Error-Code: %s\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(body), code, body)
}

// A head is a request's first line and headers, each with its line end, as they
// came.
type head [][]byte

// readHead reads a head, up to and with the empty line.
func readHead(r *bufio.Reader) (head, error) {
	var h head
	for size := 0; ; {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, io.EOF) && size+len(line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if size += len(line); size > maxHead {
			return nil, bufio.ErrBufferFull
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			if len(h) == 0 {
				continue // RFC 9112 §2.2: empty lines before a request
			}
			return append(h, bytes.Clone(line)), nil
		}
		h = append(h, bytes.Clone(line))
	}
}

// field splits a line into name and value; the name is empty if it is none.
func field(line []byte) (name, value string) {
	n, v, ok := strings.Cut(string(line), ":")
	if !ok {
		return "", ""
	}
	return n, strings.TrimSpace(v)
}

// get returns the first value of a header, or "".
func (h head) get(name string) string {
	for _, line := range h[1:] {
		if n, v := field(line); strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// rewrite returns the head with the headers that describe the visitor.
func (h head) rewrite(sender, scheme string) []byte {
	set := forwarded(sender, h.get("Host"), scheme)
	var out bytes.Buffer
	last := len(h) - 1
lines:
	for i, line := range h[:last] {
		if n, _ := field(line); i > 0 {
			for _, f := range set {
				if strings.EqualFold(n, f[0]) {
					continue lines
				}
			}
		}
		out.Write(line)
	}
	for _, f := range set {
		fmt.Fprintf(&out, "%s: %s\r\n", f[0], f[1])
	}
	out.Write(h[last])
	return out.Bytes()
}

// copyBody copies what belongs to the request after its head. If it asks for
// another protocol, or its length makes no sense, that is all that comes; the
// error is io.EOF then.
func (h head) copyBody(w io.Writer, r *bufio.Reader) error {
	switch {
	case h.get("Upgrade") != "":
		return copyRest(w, r)
	case h.get("Transfer-Encoding") != "":
		return copyChunked(w, r)
	case h.get("Content-Length") != "":
		n, err := strconv.ParseInt(h.get("Content-Length"), 10, 64)
		if err != nil || n < 0 {
			return copyRest(w, r)
		}
		_, err = io.CopyN(w, r, n)
		return err
	}
	return nil
}

func copyRest(w io.Writer, r io.Reader) error {
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return io.EOF
}

// copyChunked copies a body in chunks, RFC 9112 §7.1, as it came.
func copyChunked(w io.Writer, r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) > maxChunkLine {
			return bufio.ErrBufferFull
		}
		digits, _, _ := strings.Cut(strings.TrimSpace(string(line)), ";")
		if _, err := w.Write(line); err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 63)
		if err != nil || size < 0 {
			return copyRest(w, r)
		}
		if size == 0 {
			return copyTrailers(w, r)
		}
		if _, err := io.CopyN(w, r, size+2); err != nil { // and its line end
			return err
		}
	}
}

// copyTrailers copies lines up to and with an empty one.
func copyTrailers(w io.Writer, r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
}

// Edge starts [Server.ServeEdge] on a port of the loopback interface and
// returns its URL, http://HOST:PORT. It ends with the server.
func (s *Server) Edge() (*url.URL, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.wg.Go(func() { _ = s.ServeEdge(ln) })
	return &url.URL{Scheme: "http", Host: ln.Addr().String()}, nil
}
