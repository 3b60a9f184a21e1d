package recorder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/loopback"
)

// ErrFormat means that a text is neither of what [Parse] reads.
var ErrFormat = errors.New("neither an HTTP message (POST /path HTTP/1.1 …) nor exchanges in JSON")

// Parse reads webhooks from a file of a user's: one HTTP message as it goes
// over the wire, or exchanges in JSON one behind another, of which the request
// is enough. Lines of `devhook up --json` that hold no exchange are passed
// over.
//
// The lines of a message's head may end in LF alone. Its body is as long as
// Content-Length says, else all the rest. A target without a host gets that of
// the Host header, and https, unless the host is this machine.
//
// The error wraps [ErrFormat] if text is something else.
func Parse(text []byte) ([]*Exchange, error) {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) {
		return nil, errors.New("it is UTF-16, as > of Windows PowerShell writes it, which changes what it writes: cmd.exe and PowerShell 7.4 keep it")
	}
	if start := bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n"); len(start) > 0 && start[0] == '{' {
		return parseExchanges(text)
	}
	req, err := parseMessage(text)
	if err != nil {
		return nil, err
	}
	return []*Exchange{{Request: *req, Outcome: Pending}}, nil
}

func parseExchanges(text []byte) ([]*Exchange, error) {
	var list []*Exchange
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for n := 1; ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == io.EOF {
			return list, nil
		}
		var line struct {
			Type     string          `json:"type"`
			Exchange json.RawMessage `json:"exchange"`
			Request  json.RawMessage `json:"request"`
		}
		if err == nil {
			err = json.Unmarshal(raw, &line)
		}
		if err != nil {
			return nil, fmt.Errorf("exchange %d: not JSON: %w", n, err)
		}
		if line.Type != "" && line.Request == nil { // of devhook up --json
			if raw = line.Exchange; raw == nil {
				continue
			}
		} else if line.Request == nil {
			return nil, fmt.Errorf("exchange %d has no request: %w", n, ErrFormat)
		}
		ex := new(Exchange)
		if err := json.Unmarshal(raw, ex); err != nil {
			return nil, fmt.Errorf("exchange %d: %w", n, err)
		}
		if err := ex.Request.complete(); err != nil {
			return nil, fmt.Errorf("exchange %d: %w", n, err)
		}
		list = append(list, ex)
	}
}

// complete fills in what people leave out, and refuses what cannot be sent.
func (r *Request) complete() error {
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if u, err := ParseURL(r.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("request.url %q is not an absolute http or https URL", r.URL)
	}
	if r.Body.Sum != "" {
		return fmt.Errorf("its body is in a file of a store (sha256 %s): take it from devhook show --json", r.Body.Sum)
	}
	if !r.Truncated {
		r.Size = int64(len(r.Body.Bytes))
	}
	headers := make(http.Header, len(r.Headers))
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		for _, v := range r.Headers[name] {
			headers.Add(name, v)
		}
	}
	r.Headers = headers
	return nil
}

// requestLine is what stands around the target in a request line: RFC 9110
// §5.6.2, RFC 9112 §2.3.
var requestLine = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+ HTTP/[0-9](\\.[0-9])?$")

// parseMessage reads an HTTP/1 request.
func parseMessage(text []byte) (*Request, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as editors on Windows leave one
	in := bufio.NewReader(bytes.NewReader(bytes.TrimLeft(text, "\r\n")))
	head := textproto.NewReader(in)
	line, err := head.ReadLine()
	method, rest, ok := strings.Cut(line, " ")
	target, proto, ok2 := cutLast(rest, " ")
	if err != nil || !ok || !ok2 || !requestLine.MatchString(method+" "+proto) || target == "" {
		return nil, ErrFormat
	}
	if strings.ContainsAny(target, " \t") {
		return nil, fmt.Errorf("HTTP message: the target %q has a space in it: write %%20", target)
	}
	mime, err := head.ReadMIMEHeader()
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("HTTP message: header: %w", err)
	}
	r := &Request{Method: method, Proto: proto, Headers: http.Header(mime)}
	if r.URL, err = absolute(target, r.Headers); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	length := r.Headers.Get("Content-Length")
	switch n, err := strconv.ParseInt(length, 10, 64); {
	case strings.EqualFold(r.Headers.Get("Transfer-Encoding"), "chunked"):
		if body, err = io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body))); err != nil {
			return nil, fmt.Errorf("HTTP message: chunked body: %w", err)
		}
		r.Headers.Del("Transfer-Encoding")
	case length == "":
	case err != nil || n < 0:
		return nil, fmt.Errorf("HTTP message: Content-Length %q is not a length", length)
	case n > int64(len(body)):
		return nil, fmt.Errorf("HTTP message: Content-Length is %d, but the body has %d bytes", n, len(body))
	case strings.Trim(string(body[n:]), "\r\n") != "":
		return nil, fmt.Errorf("HTTP message: Content-Length is %d, but the body has %d bytes: correct it, or take it out", n, len(body))
	default: // editors end files in a line break
		body = body[:n]
	}
	r.Body, r.Size = Body{Bytes: body}, int64(len(body))
	return r, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// absolute gives the URL that a request line and the headers stand for.
func absolute(target string, h http.Header) (string, error) {
	if scheme, rest, ok := strings.Cut(target, "://"); ok && (scheme == "http" || scheme == "https") && rest != "" {
		return target, nil
	}
	if target == "*" { // which has no path: RFC 9110 §7.1
		target = ""
	} else if !strings.HasPrefix(target, "/") {
		return "", fmt.Errorf("HTTP message: the target %q does not begin with a /", target)
	}
	host := h.Get("Host")
	if host == "" {
		host = "localhost"
	}
	scheme := h.Get("X-Forwarded-Proto")
	if scheme != "http" && scheme != "https" {
		scheme = "https"
		if loopback.Is(host) {
			scheme = "http"
		}
	}
	return scheme + "://" + host + target, nil
}
