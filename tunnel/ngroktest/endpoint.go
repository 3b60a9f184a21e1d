package ngroktest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// An endpoint is what an agent has online.
type endpoint struct {
	ses    *session
	id     string
	url    string
	proto  string
	pooled bool
}

// bind brings an endpoint online, or says why not.
func (ses *session) bind(raw json.RawMessage) bindResp {
	var m Bind
	if err := json.Unmarshal(raw, &m); err != nil {
		return bindResp{Error: errBadBind(err.Error())}
	}
	s := ses.srv
	s.mu.Lock()
	s.binds = remember(s.binds, m)
	handle := s.handleBind
	s.mu.Unlock()
	if handle != nil {
		if text := handle(ses.ctx, m); text != "" {
			return bindResp{Error: text}
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sessions[ses]; !ok {
		return bindResp{Error: errNoAuthtoken()} // bound before the authentication, or cut
	}
	address, err := s.chooseURL(m)
	if err != nil {
		return bindResp{Error: errBadBind(err.Error())}
	}
	online := s.endpoints[address]
	for _, e := range online {
		if !e.pooled || !m.Extra.PoolingEnabled {
			return bindResp{Error: errAlreadyOnline(address)}
		}
	}
	var opts struct{ Opts json.RawMessage }
	if err := json.Unmarshal(raw, &opts); err != nil {
		return bindResp{Error: errBadBind(err.Error())}
	}
	back, err := withURL(opts.Opts, address)
	if err != nil {
		return bindResp{Error: errBadBind(err.Error())}
	}
	id := m.ID
	if id == "" {
		id = rand.Text()
	}
	token := m.Extra.Token
	if token == "" {
		token = rand.Text()
	}
	s.tokens[token] = address
	s.setEndpoints(address, append(online, &endpoint{ses: ses, id: id, url: address, proto: m.Proto, pooled: m.Extra.PoolingEnabled}))
	return bindResp{
		ID: id, URL: address, Proto: m.Proto, Opts: back,
		Extra: bindRespExtra{Token: token, TunnelID: "tn_" + id},
	}
}

// chooseURL returns the URL of a new endpoint: the one it had before, the one
// it asks for, or any. The caller holds s.mu.
func (s *Server) chooseURL(m Bind) (string, error) {
	scheme := m.Proto
	if scheme == "" {
		scheme = "https"
	}
	domain := s.Domain
	if domain == "" {
		domain = "ngrok.test"
	}
	if s.reassign {
		s.reassign = false
		return randomURL(scheme, domain), nil
	}
	if had, ok := s.tokens[m.Extra.Token]; ok {
		return had, nil
	}
	asked := m.Opts.URL
	switch {
	case asked == "" && m.Opts.Hostname != "":
		asked = m.Opts.Hostname
	case asked == "" && m.Opts.Domain != "":
		asked = m.Opts.Domain
	case asked == "" && m.Opts.Subdomain != "":
		asked = m.Opts.Subdomain + "." + domain
	case asked == "":
		return randomURL(scheme, domain), nil
	}
	if !strings.Contains(asked, "://") {
		asked = scheme + "://" + asked
	}
	u, err := url.Parse(asked)
	if err != nil {
		return "", err
	}
	return key(u), nil
}

func randomURL(scheme, domain string) string {
	var name [6]byte
	_, _ = rand.Read(name[:]) // never fails
	return scheme + "://" + hex.EncodeToString(name[:]) + "." + domain
}

// key is what URLs of one endpoint have in common: scheme and host, and the
// port if it is not the scheme's own.
func key(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	case u.Scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// unbind takes an endpoint of ses offline and returns the text of an error.
func (ses *session) unbind(id string) string {
	s := ses.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, online := range s.endpoints {
		rest := slices.DeleteFunc(slices.Clone(online), func(e *endpoint) bool { return e.ses == ses && e.id == id })
		if len(rest) < len(online) {
			s.setEndpoints(address, rest)
			return ""
		}
	}
	return errNoTunnel(id)
}

// setEndpoints replaces what is online at address. The caller holds s.mu.
func (s *Server) setEndpoints(address string, online []*endpoint) {
	if len(online) == 0 {
		delete(s.endpoints, address)
		return
	}
	s.endpoints[address] = online
}

// pick returns an endpoint that is online at address: of a pool each in turn.
// nil if there is none.
func (s *Server) pick(address string) *endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	online := s.endpoints[address]
	if len(online) == 0 {
		return nil
	}
	s.endpoints[address] = append(online[1:len(online):len(online)], online[0])
	return online[0]
}

// Endpoints returns the URLs that are online, sorted; of a pool once for each
// member.
func (s *Server) Endpoints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for address, online := range s.endpoints {
		for range online {
			all = append(all, address)
		}
	}
	slices.Sort(all)
	return all
}

// Sessions returns how many agents are connected and authenticated.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Connections returns how many connections are open, of agents (authenticated
// or not) and at the edge.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}
