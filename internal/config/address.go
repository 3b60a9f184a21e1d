package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const forwardHint = "write a port (3000), :3000, HOST:PORT, or http(s)://HOST:PORT/BASE"

// ParseForward reads the address of an app: 3000, :3000, HOST:PORT, or an
// http or https URL, whose path then goes before that of each request.
func ParseForward(s string) (*url.URL, error) {
	bad := func(what string) (*url.URL, error) {
		return nil, errorf(forwardHint, "%s is not an app's address: %s", quoted(s), what)
	}
	if s == "" {
		return bad("it is empty")
	}
	full := s
	switch {
	case strings.Trim(s, "0123456789") == "":
		full = "http://127.0.0.1:" + s
	case strings.HasPrefix(s, ":"):
		full = "http://127.0.0.1" + s
	case !strings.Contains(s, "://"):
		full = "http://" + s
	}
	u, err := url.Parse(full)
	if err != nil {
		return bad("it is malformed")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("only http and https are known")
	case u.Hostname() == "":
		return bad("it has no host")
	case u.User != nil:
		return bad("a user in it is not sent")
	case u.RawQuery != "" || u.Fragment != "":
		return bad("a query in it is not sent")
	case strings.HasSuffix(u.Host, ":"), u.Port() == "" && full != s:
		return bad("it has no port")
	case u.Port() != "" && !isPort(u.Port()):
		return bad("its port is not from 1 to 65535")
	}
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// quoted returns s in quotes, for an error, without what stands before an @:
// there may be a password in it. What is malformed has no certain place for
// one, so all before the last @ goes, but for the scheme.
func quoted(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = schemePattern.FindString(s[:i]) + "…" + s[i:]
	}
	return strconv.Quote(s)
}

var schemePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// withoutUser refuses an address with a user or password in it.
func withoutUser(hint string) func(string) error {
	return func(s string) error {
		if strings.Contains(s, "@") {
			return errorf(hint, "%s has a user in it, or a password", quoted(s))
		}
		return nil
	}
}

// checkListen checks an address to listen on; port 0 is any.
func checkListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errorf("write HOST:PORT as in 127.0.0.1:4050; port 0 is any", "%s is not an address to listen on", quoted(s))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return errorf("write 127.0.0.1:"+port, "%s is not an address of this machine", quoted(host))
	}
	return nil
}

// checkHostName checks NAME or NAME:PORT.
func checkHostName(s string) error {
	host := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return errorf("write NAME or NAME:PORT", "%s is no host and port", quoted(s))
		}
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if u, err := url.Parse("http://" + host); err != nil || u.Hostname() != host || host == "" || strings.Contains(host, "*") {
		return errorf("write NAME or NAME:PORT", "%s is no host", quoted(s))
	}
	return nil
}
