package ngroktest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// The types of streams in the agent protocol. A stream carries one JSON
// request and one JSON answer, except a proxied connection.
const (
	typeAuth       = 0 // from the agent
	typeBind       = 1
	typeUnbind     = 2
	typeProxy      = 3 // to the agent
	typeRestart    = 4
	typeStop       = 5
	typeUpdate     = 6
	typeSrvInfo    = 8 // from the agent
	typeStopTunnel = 9 // to the agent
)

// keep is how many messages of a kind a Server remembers.
const keep = 256

// An Auth is what an agent sends first.
type Auth struct {
	Version  []string
	ClientID string `json:"ClientId"` // of the session that it resumes; empty for a new one
	Extra    AuthExtra
}

// An AuthExtra is the part of an [Auth] that says who the agent is.
type AuthExtra struct {
	OS, Arch, Authtoken, Version, Hostname, UserAgent, Metadata, Cookie string

	ClientType         string
	HeartbeatInterval  int64 // nanoseconds
	HeartbeatTolerance int64 // nanoseconds

	// The capabilities: nil and text mean that the agent cannot do it.
	StopUnsupportedError, RestartUnsupportedError, UpdateUnsupportedError *string
}

// A Bind is what an agent sends to bring an endpoint online.
type Bind struct {
	ID            string `json:"Id"` // empty: the service chooses
	Proto         string // http, https, tcp or tls
	ForwardsTo    string
	ForwardsProto string
	Opts          BindOpts
	Extra         BindExtra
}

// BindOpts are the options of an endpoint that depend on its protocol.
type BindOpts struct {
	URL           string
	Domain        string
	Hostname      string
	Subdomain     string
	TrafficPolicy string
}

// A BindExtra is the part of a [Bind] that is the same for all protocols.
type BindExtra struct {
	Name, Token, Metadata, Description string

	Bindings       []string
	PoolingEnabled bool
}

// An AuthFunc decides on the authentication of an agent. It returns the text
// of the error the agent gets (see [ErrorText]), or "" to go on as usual. It
// may block, but no longer than ctx, which ends with the session.
type AuthFunc func(ctx context.Context, a Auth) string

// A BindFunc decides on the endpoint of an agent, as an [AuthFunc] does on its
// authentication.
type BindFunc func(ctx context.Context, b Bind) string

// The answers, and what the service asks of agents.
type (
	authResp struct {
		Version  string
		ClientID string `json:"ClientId"`
		Error    string
		Extra    authRespExtra
	}
	authRespExtra struct {
		Version, Region, Cookie, AccountName, PlanName, Banner, AgentSessionID string
		SessionDuration                                                        int64 // seconds
	}
	bindResp struct {
		ID         string `json:"Id"`
		URL, Proto string
		Opts       json.RawMessage // as they came, with the URL
		Error      string
		Extra      bindRespExtra
	}
	bindRespExtra struct{ Token, TunnelID string }
	unbind        struct {
		ID string `json:"Id"`
	}
	errorResp   struct{ Error string }
	srvInfoResp struct{ Region string }
	stopTunnel  struct {
		ID                 string `json:"Id"`
		Message, ErrorCode string
	}
	proxyHeader struct {
		ID                          string `json:"Id"`
		ClientAddr, Proto, EdgeType string
		PassthroughTLS              bool
	}
)

// HandleAuth makes f decide on the authentications that follow. nil ends that.
func (s *Server) HandleAuth(f AuthFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handleAuth = f
}

// HandleBind makes f decide on the endpoints that follow. nil ends that.
func (s *Server) HandleBind(f BindFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handleBind = f
}

// Auths returns the authentications that came so far, accepted or not, oldest
// first; of more than 256 the newest.
func (s *Server) Auths() []Auth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.auths)
}

// Binds returns the requests for endpoints that came so far, accepted or not,
// oldest first; of more than 256 the newest.
func (s *Server) Binds() []Bind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.binds)
}

// remember appends m to list and drops the oldest of too many.
func remember[T any](list []T, m T) []T {
	if len(list) == keep {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, m)
}

// withURL returns the options of a Bind, as JSON, with the URL that was chosen.
// Agents send the options of an answer when they bind again, so all of them go
// back.
func withURL(opts json.RawMessage, url string) (json.RawMessage, error) {
	fields := make(map[string]json.RawMessage)
	if len(opts) > 0 {
		if err := json.Unmarshal(opts, &fields); err != nil {
			return nil, errors.New("the options are not an object")
		}
	}
	if fields == nil { // null
		fields = make(map[string]json.RawMessage)
	}
	text, err := json.Marshal(url)
	if err != nil {
		return nil, err
	}
	fields["URL"] = text
	return json.Marshal(fields)
}
