package ngroktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// A Mode is how a [Server] treats new connections of agents.
type Mode string

// The modes of a Server.
const (
	Serve     Mode = ""           // as the service does
	Refuse    Mode = "refuse"     // nobody listens: the connection is refused
	HangUp    Mode = "hang up"    // it is closed at once
	Silent    Mode = "silent"     // it is accepted, and nothing is ever sent
	Deaf      Mode = "deaf"       // TLS is established, and nothing is ever answered
	PlainText Mode = "plain text" // the server is none for TLS
	Curt      Mode = "curt"       // as Serve, but whoever is refused is hung up on at once
)

// SetMode changes how new connections are treated, also before Start. Those
// that exist go on.
func (s *Server) SetMode(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
	switch {
	case s.closed, s.addr == "":
	case m == Refuse && s.ln != nil:
		_ = s.ln.Close()
		s.ln = nil
	case m != Refuse && s.ln == nil:
		s.listenAgain()
	}
}

// Mode returns how new connections are treated.
func (s *Server) Mode() Mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode
}

// ReassignURL makes the server give the next endpoint a URL of its own choice,
// even if the agent had one before, or asks for one.
func (s *Server) ReassignURL() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reassign = true
}

// DropSessions cuts the connections of all agents, as a failing network does.
func (s *Server) DropSessions() {
	for _, ses := range s.allSessions() {
		ses.wire.cut()
	}
}

// Blackhole makes the network of all connected agents lose everything, in both
// directions, for ever: nothing is read, written, answered or closed.
func (s *Server) Blackhole() {
	for _, ses := range s.allSessions() {
		ses.wire.blackhole()
	}
}

func (s *Server) allSessions() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*session
	for ses := range s.sessions {
		all = append(all, ses)
	}
	return all
}

// StopAgent asks all agents to stop, as the dashboard does. The error holds
// those that agents answered.
func (s *Server) StopAgent(ctx context.Context) error { return s.askAll(ctx, typeStop) }

// RestartAgent asks all agents to restart. The error holds those that agents
// answered.
func (s *Server) RestartAgent(ctx context.Context) error { return s.askAll(ctx, typeRestart) }

// UpdateAgent asks all agents to update themselves. The error holds those that
// agents answered.
func (s *Server) UpdateAgent(ctx context.Context) error { return s.askAll(ctx, typeUpdate) }

func (s *Server) askAll(ctx context.Context, kind uint32) error {
	var errs []error
	for _, ses := range s.allSessions() {
		errs = append(errs, ses.ask(ctx, streamType(kind)))
	}
	return errors.Join(errs...)
}

// StopTunnel takes all endpoints at address, a URL, offline and tells their
// agents why. Their sessions go on. code can be empty.
func (s *Server) StopTunnel(address, message, code string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	online := slices.Clone(s.endpoints[key(u)])
	s.setEndpoints(key(u), nil)
	s.mu.Unlock()
	if len(online) == 0 {
		return fmt.Errorf("stop %s: %w", address, ErrOffline)
	}
	var errs []error
	for _, e := range online {
		errs = append(errs, e.stop(message, code))
	}
	return errors.Join(errs...)
}

// stop tells the agent that e is offline. Agents do not answer that.
func (e *endpoint) stop(message, code string) error {
	stream, err := e.ses.mux.OpenTypedStream(typeStopTunnel)
	if err != nil {
		return err
	}
	defer stream.Close()
	return json.NewEncoder(stream).Encode(stopTunnel{ID: e.id, Message: message, ErrorCode: code})
}
