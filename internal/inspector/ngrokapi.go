package inspector

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"devhook/internal/loopback"
	"devhook/recorder"
)

// An Agent is what the API of ngrok's agent tells and does beside the rest.
type Agent struct {
	Name    string // of the endpoint; "": command_line, as ngrok has it
	Pooling bool   // other endpoints may share the URL
	// End ends devhook, as Ctrl-C does, when somebody closes the tunnel; nil: the
	// tunnel stays open.
	End func()
}

// An agentAPI is the API of ngrok's agent, https://ngrok.com/docs/agent/api, as far
// as one tunnel has use for it: for scripts and wrappers that know ngrok. Names and
// order of the members are those that the agent has, version 3, because some cut
// their answer out of the text.
type agentAPI struct {
	in      *Inspector
	traffic *traffic
	// hidden is the sequence number up to which nothing is listed any more.
	hidden atomic.Uint64
}

// agent registers the routes of ngrok's agent.
func (in *Inspector) agent() {
	a := &agentAPI{in: in, traffic: newTraffic(in)}
	in.handle("GET /api", agentRoot)
	in.handle("GET /api/{$}", agentRoot)
	in.handle("GET /api/status", a.status)

	in.handle("GET /api/tunnels", a.listTunnels)
	in.handle("POST /api/tunnels", a.startTunnel)
	in.handle("GET /api/tunnels/{name}", a.named(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, a.tunnel()) }))
	in.handle("DELETE /api/tunnels/{name}", a.named(a.stop))

	in.handle("GET /api/endpoints", a.listEndpoints)
	in.handle("POST /api/endpoints", a.startEndpoint(http.StatusCreated))
	in.handle("GET /api/endpoints/{name}", a.named(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, a.endpoint(true)) }))
	in.handle("PUT /api/endpoints/{name}", a.named(a.startEndpoint(http.StatusOK)))
	in.handle("DELETE /api/endpoints/{name}", a.named(a.stop))

	in.handle("GET /api/requests/http", a.listRequests)
	in.handle("POST /api/requests/http", a.replay)
	in.handle("DELETE /api/requests/http", a.hideRequests)
	in.handle("GET /api/requests/http/{id}", a.oneRequest)
	for _, page := range []string{"/inspect/http", "/http/in", "/status"} { // where the agent's is, and was: bookmarks
		in.handle("GET "+page, http.RedirectHandler("/", http.StatusFound).ServeHTTP)
	}
	in.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		agentFail(w, http.StatusNotFound, codeOther, "resource not found", r.Method+" "+r.URL.Path+" is nothing that devhook has")
	})
}

func agentRoot(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		URI       string `json:"uri"`
		Tunnels   string `json:"tunnels_uri"`
		Endpoints string `json:"endpoints_uri"`
		Requests  string `json:"requests_uri"`
		Status    string `json:"status_uri"`
	}{"/api", "/api/tunnels", "/api/endpoints", "/api/requests/http", "/api/status"})
}

// The numbers of ngrok's errors: as its users have reported them, but for
// codeOther, which stands for all whose number nobody has.
const (
	codeOther    = 100
	codeConfig   = 102 // invalid tunnel configuration
	codeNotReady = 104 // not yet ready to start tunnels
)

// notReady is the text on which the npm packages ngrok and @expo/ngrok try again,
// up to 100 times, with status 503.
const notReady = "a successful ngrok tunnel session has not yet been established"

// agentFail answers that something cannot be done, in the form of ngrok's agent.
func agentFail(w http.ResponseWriter, status, code int, msg, why string) {
	type details struct {
		Err string `json:"err"`
	}
	writeJSON(w, status, struct {
		Code    int     `json:"error_code"`
		Status  int     `json:"status_code"`
		Msg     string  `json:"msg"`
		Details details `json:"details"`
	}{code, status, msg, details{why}})
}

func agentNotReady(w http.ResponseWriter, _ *http.Request) {
	agentFail(w, http.StatusServiceUnavailable, codeNotReady, "ngrok is not yet ready to start tunnels", notReady)
}

// failed answers err.
func (a *agentAPI) failed(w http.ResponseWriter, err error) {
	var told *Error
	switch {
	case errors.As(err, &told) && told.Hint != "":
		agentFail(w, told.Status, codeOther, told.Text, told.Hint)
	case errors.As(err, &told):
		agentFail(w, told.Status, codeOther, told.Text, told.Text)
	case errors.Is(err, recorder.ErrNotFound), errors.As(err, new(*recorder.AmbiguousError)):
		agentFail(w, http.StatusNotFound, codeOther, "request not found", err.Error())
	default:
		a.in.o.Log.Warn("inspector cannot answer", "error", err)
		agentFail(w, http.StatusInternalServerError, codeOther, "internal error", err.Error())
	}
}

// agentTunnel is one tunnel. A script takes the 18th part of the text between
// quotes for the URL.
type agentTunnel struct {
	Name      string       `json:"name"`
	ID        string       `json:"ID"`
	URI       string       `json:"uri"`
	PublicURL string       `json:"public_url"`
	Proto     string       `json:"proto"`
	Config    agentConfig  `json:"config"`
	Metrics   agentMetrics `json:"metrics"`
}

type agentConfig struct {
	Addr    string `json:"addr"` // "" if devhook answers by itself
	Inspect bool   `json:"inspect"`
}

func (a *agentAPI) name() string { return cmp.Or(a.in.o.Agent.Name, "command_line") }

func (a *agentAPI) tunnel() agentTunnel {
	s, name := a.in.o.Status(), a.name()
	proto, _, _ := strings.Cut(s.URL, "://")
	id := sha256.Sum256([]byte(name + "\n" + s.URL + "\n" + s.Started.String()))
	return agentTunnel{
		Name: name, ID: hex.EncodeToString(id[:16]), URI: "/api/tunnels/" + url.PathEscape(name), PublicURL: s.URL, Proto: proto,
		Config: agentConfig{app(s), true}, Metrics: a.traffic.metrics(),
	}
}

// apps are all that webhooks go to, app is the first of them; "" if there is none.
func apps(s Status) []string {
	list := slices.Clone(s.Forward)
	for _, r := range s.Routes {
		list = append(list, r.Forward...)
	}
	return list
}

func app(s Status) string { return append(apps(s), "")[0] }

func (a *agentAPI) listTunnels(w http.ResponseWriter, _ *http.Request) {
	list := []agentTunnel{}
	if a.in.o.Status().Ready {
		list = append(list, a.tunnel())
	}
	writeTunnels(w, list)
}

func writeTunnels(w http.ResponseWriter, list []agentTunnel) {
	writeJSON(w, http.StatusOK, struct {
		Tunnels []agentTunnel `json:"tunnels"`
		URI     string        `json:"uri"`
	}{list, "/api/tunnels"})
}

// named lets h answer if r names the tunnel. Its name may have spaces in it, which
// are also written as in a query.
func (a *agentAPI) named(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		plus := strings.ReplaceAll(name, "+", " ")
		if !a.in.o.Status().Ready || name != a.name() && plus != a.name() {
			agentFail(w, http.StatusNotFound, codeOther, "tunnel not found", fmt.Sprintf("tunnel %q not found", name))
			return
		}
		h(w, r)
	}
}

// stop answers as if the tunnel were closed, so that a wrapper ends well, and
// closes it only if devhook was told that this is meant.
func (a *agentAPI) stop(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNoContent)
	if end := a.in.o.Agent.End; end != nil {
		end()
	}
}

// A wantedTunnel is a tunnel that somebody wants to have. Members that are not here
// are of no account: the npm package ngrok sends all its options.
type wantedTunnel struct {
	Addr      json.RawMessage `json:"addr"` // "localhost:80", "80" or 80
	Proto     string          `json:"proto"`
	Hostname  string          `json:"hostname"`
	Domain    string          `json:"domain"`
	Subdomain string          `json:"subdomain"`
	URL       string          `json:"url"`
	Upstream  *struct {
		URL json.RawMessage `json:"url"`
	} `json:"upstream"` // of an endpoint
}

// fits tells why the tunnel that is open is not the one that is wanted; "" if
// it is.
func (a *agentAPI) fits(want wantedTunnel) string {
	s := a.in.o.Status()
	if want.Upstream != nil {
		want.Addr = want.Upstream.URL
	}
	if p := want.Proto; p != "" && p != "http" && p != "https" {
		return "devhook has no " + p + " tunnels"
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return err.Error()
	}
	for _, host := range []string{want.Hostname, want.Domain, want.URL} {
		host = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://"), "/")
		if host != "" && !strings.EqualFold(host, u.Host) && !strings.EqualFold(host, u.Hostname()) {
			return "this devhook is at " + s.URL + "; devhook up --url asks for another"
		}
	}
	if sub, _, _ := strings.Cut(u.Hostname(), "."); want.Subdomain != "" && !strings.EqualFold(want.Subdomain, sub) {
		return "this devhook is at " + s.URL + "; devhook up --url asks for another"
	}
	text := string(bytes.Trim(want.Addr, `"`))
	if text == "" || text == "null" {
		return "no addr is given"
	}
	to, err := a.in.o.ParseApp(text)
	if err != nil {
		return err.Error()
	}
	for _, known := range apps(s) {
		if k, err := url.Parse(known); err == nil && sameApp(k, to) {
			return ""
		}
	}
	if len(apps(s)) == 0 {
		return "this devhook forwards to no app: start it as devhook up --forward " + text
	}
	return "this devhook forwards to " + strings.Join(apps(s), ", ") + ": start it as devhook up --forward " + text
}

// sameApp reports whether two URLs are one app; every name of this machine is one.
func sameApp(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Port() == b.Port() &&
		(strings.EqualFold(a.Hostname(), b.Hostname()) || loopback.Is(a.Hostname()) && loopback.Is(b.Hostname()))
}

// asked reads what tunnel r wants, and answers r if it is not the one that there
// is.
func (a *agentAPI) asked(w http.ResponseWriter, r *http.Request) (ok bool) {
	if s := a.in.o.Status(); !s.Ready || s.Tunnel.State != "connected" {
		agentNotReady(w, r)
		return false
	}
	var want wantedTunnel
	err := json.NewDecoder(r.Body).Decode(&want)
	why := ""
	if err != nil {
		why = err.Error()
	} else {
		why = a.fits(want)
	}
	if why != "" {
		agentFail(w, http.StatusBadRequest, codeConfig, "invalid tunnel configuration", why)
	}
	return why == ""
}

// startTunnel answers with the tunnel that there is, if it leads where it is wanted.
func (a *agentAPI) startTunnel(w http.ResponseWriter, r *http.Request) {
	if a.asked(w, r) {
		writeJSON(w, http.StatusCreated, a.tunnel())
	}
}

// An agentEndpoint is one endpoint, which is what a tunnel is called from version
// 3.30 of the agent on. The traffic policy is not told, because secrets stand in
// such.
type agentEndpoint struct {
	Name          string        `json:"name"`
	URI           string        `json:"uri"`
	URL           string        `json:"url"`
	Upstream      agentUpstream `json:"upstream"`
	Inspect       bool          `json:"inspect"`
	TrafficPolicy string        `json:"traffic_policy"`
	Pooling       bool          `json:"pooling_enabled"`
	Metrics       *agentMetrics `json:"metrics,omitempty"`
}

type agentUpstream struct {
	URL      string `json:"url"`
	Protocol string `json:"protocol"`
}

func (a *agentAPI) endpoint(detailed bool) agentEndpoint {
	t := a.tunnel()
	e := agentEndpoint{
		Name: t.Name, URI: "/api/endpoints/" + url.PathEscape(t.Name), URL: t.PublicURL,
		Upstream: agentUpstream{t.Config.Addr, "http1"}, Inspect: true, Pooling: a.in.o.Agent.Pooling,
	}
	if detailed {
		e.Metrics = &t.Metrics
	}
	return e
}

func (a *agentAPI) listEndpoints(w http.ResponseWriter, _ *http.Request) {
	list := []agentEndpoint{}
	if a.in.o.Status().Ready {
		list = append(list, a.endpoint(false))
	}
	writeJSON(w, http.StatusOK, struct {
		Endpoints []agentEndpoint `json:"endpoints"`
	}{list})
}

func (a *agentAPI) startEndpoint(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.asked(w, r) {
			writeJSON(w, status, a.endpoint(true))
		}
	}
}

// status answers how the tunnel fares. The SDK tells neither region nor latency of
// a session, so there are no legs.
func (a *agentAPI) status(w http.ResponseWriter, _ *http.Request) {
	s := a.in.o.Status()
	state := s.Tunnel.State
	switch {
	case !s.Ready:
		state = "connecting"
	case state == "connected":
		state = "online"
	}
	writeAgentStatus(w, state, s.Version)
}

func writeAgentStatus(w http.ResponseWriter, state, version string) {
	type session struct {
		Legs []struct{} `json:"legs"`
	}
	writeJSON(w, http.StatusOK, struct {
		Status  string  `json:"status"`
		Version string  `json:"agent_version"`
		Session session `json:"session"`
		URI     string  `json:"uri"`
	}{state, version, session{[]struct{}{}}, "/api/status"})
}

// Starting answers while the tunnel is not open yet, to whom o lets in: to wrappers
// that devhook connects, and that they are to try again. Of o it needs Addr, Hosts,
// Token, Shared and Version.
func Starting(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) { writeAgentStatus(w, "connecting", o.Version) })
	mux.HandleFunc("GET /api/tunnels", func(w http.ResponseWriter, _ *http.Request) { writeTunnels(w, []agentTunnel{}) })
	mux.HandleFunc("/api/", agentNotReady)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusServiceUnavailable, "not ready\n") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "devhook is not ready: its tunnel is not open yet", "GET /readyz tells when it is")
	})
	return newGuard(&o, mux)
}
