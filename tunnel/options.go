package tunnel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"devhook/internal/neterr"
)

// defaultConnectURL is where ngrok's agents connect to unless told otherwise.
const defaultConnectURL = "connect.ngrok-agent.com:443"

// maxCAs is the most that is read of a file of certificates, in bytes.
const maxCAs = 16 << 20

// NgrokOptions say which tunnel to open and how to reach the service. The zero
// value of each field leaves the choice to ngrok; only Authtoken is needed.
type NgrokOptions struct {
	// Authtoken is the account's. It is never printed or logged.
	Authtoken string

	URL            string // to ask for: http(s)://HOST, or HOST for https
	TrafficPolicy  string // the content of a policy file, as it is
	PoolingEnabled bool   // share the URL with others that do
	Name           string // of the endpoint, as the next two
	Description    string
	Metadata       string

	// ConnectURL is the address of the service, HOST or HOST:PORT, with or
	// without https:// or tls://. The port is 443 if it has none.
	ConnectURL string
	// ConnectCAs is who may sign for the service: "trusted" for ngrok's own
	// authority, which is the default, "host" for those this machine trusts,
	// or a file of certificates in PEM.
	ConnectCAs string
	// ProxyURL leads to the service: http://, https://, socks5:// or socks5h://
	// [USER[:PASSWORD]@]HOST[:PORT]. Empty is a direct connection; see
	// [ProxyFromEnvironment].
	ProxyURL string

	// Version is devhook's; the service is told.
	Version string
	// Log is told what the SDK logs, at Debug and Info. nil discards it.
	Log *slog.Logger
}

// A config is NgrokOptions that were found good.
type config struct {
	NgrokOptions
	scrubber
	address string // of the service, HOST:PORT
	host    string // of address: what its certificate must be for
	custom  bool   // address is not ngrok's own
	cas     *x509.CertPool
	proxy   *url.URL // nil: none

	direct   dialFunc    // makes TCP connections
	proxyTLS *tls.Config // for an https proxy; nil trusts whom this machine does
}

// resolve checks o.
func (o NgrokOptions) resolve() (*config, error) {
	c := &config{NgrokOptions: o, direct: (&net.Dialer{}).DialContext}
	c.Authtoken = strings.TrimSpace(o.Authtoken)
	if c.Authtoken == "" {
		return nil, &Error{
			Code: "ERR_NGROK_4018", Text: "no authtoken: ngrok needs one, which comes with a free account", Hint: hints["ERR_NGROK_4018"],
		}
	}
	if strings.ContainsFunc(c.Authtoken, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return nil, optionError(tokenHint, "the authtoken holds spaces or control characters, so it is none")
	}
	secrets := []string{c.Authtoken}
	var err error
	if c.proxy, err = parseProxy(o.ProxyURL); err != nil {
		return nil, err
	}
	if c.proxy != nil {
		secrets = append(secrets, userSecrets(c.proxy.User)...)
	}
	c.scrubber = newScrubber(secrets...)
	if c.URL, err = parseEndpoint(o.URL); err != nil {
		return nil, err
	}
	if c.address, err = parseConnectURL(o.ConnectURL); err != nil {
		return nil, err
	}
	c.host, _, _ = net.SplitHostPort(c.address)
	c.custom = c.address != defaultConnectURL
	if c.cas, err = readCAs(o.ConnectCAs); err != nil {
		return nil, err
	}
	c.Version = semantic(o.Version)
	return c, nil
}

// parseEndpoint returns the URL to ask the service for, as the service wants
// it, or "".
func parseEndpoint(s string) (string, error) {
	const hint = "use --url with a domain, as in --url https://me.ngrok.app"
	if s = strings.TrimSpace(s); s == "" {
		return "", nil
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return "", optionError(hint, "the tunnel's URL is malformed")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", optionError(hint, "the tunnel's URL %q is neither https nor http", s)
	case u.User != nil:
		return "", optionError(hint, "the tunnel's URL holds a user name or password")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", optionError(hint, "the tunnel's URL %q has more than a host", s)
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseConnectURL returns the address of the service as HOST:PORT.
func parseConnectURL(s string) (string, error) {
	const hint = "use --ngrok-connect-url with HOST:PORT"
	if s = strings.TrimSpace(s); s == "" {
		return defaultConnectURL, nil
	}
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		if scheme != "https" && scheme != "tls" {
			return "", optionError(hint, "the connect URL is neither https nor tls")
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if strings.ContainsAny(rest, "/?#@ ") {
		return "", optionError(hint, "the connect URL has more than a host and a port")
	}
	if ip, err := netip.ParseAddr(strings.Trim(rest, "[]")); err == nil {
		return net.JoinHostPort(ip.String(), "443"), nil
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		host, port = rest, "443"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", optionError(hint, "the connect URL %q is malformed", s)
	}
	return net.JoinHostPort(host, port), nil
}

// readCAs returns the authorities that spec names; nil means ngrok's own.
func readCAs(spec string) (*x509.CertPool, error) {
	const hint = "use --ngrok-connect-cas with a file of certificates in PEM, or with host or trusted"
	switch spec {
	case "", "trusted":
		return nil, nil
	case "host":
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, optionError(hint, "cannot read the certificates that this machine trusts: %v", err)
		}
		return pool, nil
	}
	text, err := readFile(spec, maxCAs)
	if err != nil {
		return nil, optionError(hint, "cannot read the file of certificates %s: %s", spec, neterr.Text(err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, optionError(hint, "there is no certificate in %s", spec)
	}
	return pool, nil
}

// readFile reads a file of at most max bytes. The error does not hold its path.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		var text []byte
		text, err = io.ReadAll(io.LimitReader(f, limit+1))
		if err == nil && int64(len(text)) > limit {
			return nil, errors.New("it is too large")
		}
		if err == nil {
			return text, nil
		}
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return nil, err
}

// versionPattern is https://semver.org, which the service wants of agents.
var versionPattern = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// semantic returns the version without a leading v if that is a semantic one,
// else one that stands for a build without a version.
func semantic(version string) string {
	if v := strings.TrimPrefix(version, "v"); versionPattern.MatchString(v) {
		return v
	}
	return "0.0.0"
}
