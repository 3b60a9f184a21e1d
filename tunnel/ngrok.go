package tunnel

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"time"

	"golang.ngrok.com/ngrok/v2"
	"golang.ngrok.com/ngrok/v2/rpc"
)

// Ngrok opens a public URL through ngrok's service. It returns once senders can
// reach it, or with an [*Error]: at once for what is wrong with the options,
// within 5 seconds of a definite answer, after 15 seconds if the service does
// not answer at all. ctx bounds only this; the tunnel lives until Close.
//
// The tunnel reconnects by itself whenever its connection breaks; a network
// that silently loses everything is noticed after 25 seconds at most. The
// service decides whether the URL stays the same.
//
// It ends, with an Event whose State is Closed and an error from Accept, when
// the service closes it, stops the agent, or no longer lets it in.
// Connections under way go on after the first; the second ends them, as the
// SDK answers a stop by closing its session; in the third there are none.
//
// What remains of the SDK after Close, for half a minute at most, is goroutines
// that sleep, without a connection, until a heartbeat is due or, during an
// outage, the next attempt to reconnect.
func Ngrok(ctx context.Context, o NgrokOptions) (Listener, error) {
	c, err := o.resolve()
	if err != nil {
		return nil, err
	}
	l, err := open(ctx, c, defaultLimits)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// limits are how long things may take.
type limits struct {
	silence   time.Duration // without any answer while connecting
	patience  time.Duration // from the first error that can pass, while connecting
	attempts  int           // errors that can pass, while connecting
	goodbye   time.Duration // to take the URL offline
	rest      time.Duration // from the end of the last connection to that of the session
	heartbeat time.Duration // between signs of life on a connection; 0: the SDK's 10 s
	tolerance time.Duration // for a sign of life to come; 0: the SDK's 15 s
}

var defaultLimits = limits{
	silence:  15 * time.Second,
	patience: 5 * time.Second,
	attempts: 3,
	goodbye:  2 * time.Second,
	rest:     100 * time.Millisecond, // or the service sees the connection fail instead of end
}

// newListener prepares everything and starts nothing.
func newListener(c *config, lim limits) (*ngrokListener, error) {
	dialer, err := c.dialer()
	if err != nil {
		return nil, err
	}
	l := &ngrokListener{
		cfg: c, lim: lim, dialer: dialer,
		gate:     newGate(),
		events:   newMailbox(),
		notes:    make(chan note, 64),
		queue:    make(chan net.Conn, backlog),
		stopping: make(chan struct{}),
		quiet:    make(chan struct{}),
		idle:     make(chan struct{}),
		lost:     make(chan struct{}),
		pumped:   make(chan struct{}),
		done:     make(chan struct{}),
		closed:   make(chan struct{}),
	}
	// Not the ctx of Ngrok: the SDK's session lives as long as this one.
	l.ctx, l.cancel = context.WithCancel(context.Background())
	log := c.sdkLog()
	log.bound, log.watch = l.onBound, l.gate.watch
	if l.agent, err = c.agent(dialer, lim, log,
		ngrok.WithEventHandler(l.onEvent),
		ngrok.WithRPCHandler(l.onRPC),
	); err != nil {
		l.cancel()
		return nil, err
	}
	return l, nil
}

// sdkLog returns a handler for what the SDK logs, which picks out nothing yet.
func (c *config) sdkLog() *sdkLog {
	log := &sdkLog{clean: c.scrubber, bound: func(string) {}, watch: func(slog.Record) {}}
	if c.Log != nil {
		log.next = c.Log.Handler()
	}
	return log
}

// agent returns the SDK's agent for c, which dials with d.
func (c *config) agent(d ngrok.Dialer, lim limits, log *sdkLog, more ...ngrok.AgentOption) (ngrok.Agent, error) {
	options := []ngrok.AgentOption{
		ngrok.WithAuthtoken(c.Authtoken),
		ngrok.WithAutoConnect(false), // it would connect anew while it is closed
		ngrok.WithClientInfo("devhook", c.Version),
		ngrok.WithAgentConnectURL(c.address),
		ngrok.WithTLSConfig(c.tlsConfig),
		ngrok.WithDialer(d),
		ngrok.WithLogger(slog.New(log)),
	}
	if c.cas != nil {
		options = append(options, ngrok.WithAgentConnectCAs(c.cas))
	}
	if lim.heartbeat > 0 {
		options = append(options, ngrok.WithHeartbeatInterval(lim.heartbeat))
	}
	if lim.tolerance > 0 {
		options = append(options, ngrok.WithHeartbeatTolerance(lim.tolerance))
	}
	return ngrok.NewAgent(append(options, more...)...)
}

// endpoint returns what the service is asked for.
func (c *config) endpoint() []ngrok.EndpointOption {
	return []ngrok.EndpointOption{
		ngrok.WithURL(c.URL),
		ngrok.WithTrafficPolicy(c.TrafficPolicy),
		ngrok.WithPoolingEnabled(c.PoolingEnabled),
		ngrok.WithName(c.Name),
		ngrok.WithDescription(c.Description),
		ngrok.WithMetadata(c.Metadata),
	}
}

// onRPC answers what the service asks of the agent.
func (l *ngrokListener) onRPC(_ context.Context, _ ngrok.AgentSession, r rpc.Request) ([]byte, error) {
	if r.Method() != rpc.StopAgentMethod {
		return nil, errNotForRemote
	}
	l.stop() // and the SDK closes its session once it has answered
	return nil, nil
}

// publicURL parses a URL from the service; nil if it is none.
func publicURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}
}
