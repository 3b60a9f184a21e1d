package ngroktest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"golang.ngrok.com/muxado/v2"
)

// A session is an agent that is connected.
type session struct {
	srv    *Server
	wire   *cable
	mux    muxado.TypedStreamSession
	ctx    context.Context // ends with the session
	cancel context.CancelFunc

	// Guarded by srv.mu.
	id        string // empty before the authentication
	authtoken string
}

// runSession serves the agent behind c until one of both hangs up.
func (s *Server) runSession(c *cable) {
	mux := muxado.NewHeartbeat( // answers the agent's heartbeats
		muxado.NewTypedStreamSession(muxado.Server(tls.Server(c, s.cert.config()), nil)),
		func(time.Duration, bool) {}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ses := &session{srv: s, wire: c, mux: mux, ctx: ctx, cancel: cancel}
	defer s.endSession(ses)
	for {
		stream, err := mux.AcceptTypedStream()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			defer stream.Close()
			ses.answer(stream)
		})
	}
}

// endSession closes ses.
func (s *Server) endSession(ses *session) {
	ses.cancel()
	_ = ses.mux.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(ses)
}

// forget takes ses and its endpoints offline. The caller holds s.mu.
func (s *Server) forget(ses *session) {
	delete(s.sessions, ses)
	for url, online := range s.endpoints {
		s.setEndpoints(url, slices.DeleteFunc(online, func(e *endpoint) bool { return e.ses == ses }))
	}
}

// answer reads the request on stream and answers it.
func (ses *session) answer(stream muxado.TypedStream) {
	in := json.NewDecoder(stream)
	var resp any
	switch stream.StreamType() {
	case typeAuth:
		var m Auth
		if in.Decode(&m) != nil {
			return
		}
		resp = ses.auth(m)
	case typeBind:
		var raw json.RawMessage
		if in.Decode(&raw) != nil {
			return
		}
		resp = ses.bind(raw)
	case typeUnbind:
		var m unbind
		if in.Decode(&m) != nil {
			return
		}
		resp = errorResp{ses.unbind(m.ID)}
	case typeSrvInfo:
		resp = srvInfoResp{Region: region}
	default:
		resp = errorResp{fmt.Sprintf("unknown request type %d", stream.StreamType())}
	}
	if ses.ctx.Err() == nil {
		_ = json.NewEncoder(stream).Encode(resp)
	}
	if a, ok := resp.(authResp); ok && a.Error != "" {
		_ = stream.Close()
		if ses.srv.Mode() != Curt {
			select {
			case <-ses.ctx.Done():
			case <-time.After(courtesy):
			}
		}
		_ = ses.mux.Close()
	}
}

// courtesy is how long an agent that was refused may take to hang up. Hung up
// on at once, the SDK at times sees that before it sees the refusal.
const courtesy = time.Second

const region = "test"

// wellFormed is the form of an authtoken.
var wellFormed = regexp.MustCompile(`^[0-9A-Za-z]+_[0-9A-Za-z]+$`)

// auth lets the agent in, or says why not.
func (ses *session) auth(m Auth) authResp {
	s := ses.srv
	s.mu.Lock()
	s.auths = remember(s.auths, m)
	handle := s.handleAuth
	s.mu.Unlock()
	if handle != nil {
		if text := handle(ses.ctx, m); text != "" {
			return authResp{Error: text}
		}
	}

	token := m.Extra.Authtoken
	switch {
	case token == "":
		return authResp{Error: errNoAuthtoken()}
	case slices.Contains(s.Authtokens, token):
	case !wellFormed.MatchString(token):
		return authResp{Error: errMalformedAuthtoken(token)}
	case len(s.Authtokens) > 0:
		return authResp{Error: errInvalidAuthtoken(token)}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	others := 0
	for other := range s.sessions {
		if m.ClientID != "" && other.id == m.ClientID {
			// The agent is back before the end of its old connection was seen.
			s.forget(other)
			other.wire.cut()
		} else if other.authtoken == token {
			others++
		}
	}
	if s.MaxSessions > 0 && others >= s.MaxSessions {
		return authResp{Error: errTooManySessions(s.MaxSessions)}
	}
	ses.id, ses.authtoken = m.ClientID, token
	if ses.id == "" {
		ses.id = "ts_" + rand.Text()
	}
	s.sessions[ses] = struct{}{}
	return authResp{Version: "3", ClientID: ses.id, Extra: authRespExtra{
		Version:         "ngroktest",
		Region:          region,
		Cookie:          "cookie-" + ses.id,
		AccountName:     "ngroktest",
		PlanName:        "Free",
		AgentSessionID:  ses.id,
		SessionDuration: 0,
	}}
}

// ask sends a request to the agent and reads its answer, which is an error text
// or empty.
func (ses *session) ask(ctx context.Context, kind muxado.StreamType) error {
	stream, err := ses.mux.OpenTypedStream(kind)
	if err != nil {
		return err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { _ = stream.SetReadDeadline(time.Now()) })()
	// An agent that answers and hangs up can make muxado report that even for
	// the request, so that only the answer tells.
	_, werr := io.WriteString(stream, "{}\n")
	var resp errorResp
	if err := json.NewDecoder(stream).Decode(&resp); err != nil {
		return fmt.Errorf("read the agent's answer: %w", errors.Join(werr, err))
	}
	if resp.Error != "" {
		return fmt.Errorf("the agent answered: %s", resp.Error)
	}
	return nil
}
