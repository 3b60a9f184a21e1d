// Package inspector is what a running devhook shows of itself on a port of this
// machine: a page, an API, metrics. What it does it is handed as funcs; where the
// port is, and who else there is beside it, is left to the caller.
//
// # Parts
//
// Each part registers its routes in a file of its own, by [Inspector.handle], and
// a line in parts. A route is METHOD and PATH as [http.ServeMux] has them.
//
// # Security
//
// guard.go stands in front of all routes: who may ask, from which page, and with
// what. No route repeats it. Bytes of webhooks are served by [Inspector.serveBytes]
// alone, so that no browser takes them for a page.
//
// # Concurrency
//
// An Inspector is safe for concurrent use, and so must the funcs be that it is
// handed.
package inspector

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"devhook/fixtures"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// Options are what an Inspector shows and does. All that has no other word in
// its comment is needed.
type Options struct {
	// Addr is the HOST:PORT that it is reached at. What asks for another host,
	// as a page does whose name was bound to this machine, is refused; Hosts are
	// further NAME or NAME:PORT that are right.
	Addr  string
	Hosts []string
	// Token is the secret of this run. Who has it in Authorization may send
	// anywhere. Shared says that other machines can reach Addr: everybody needs
	// the token then, and without one, New panics.
	Token  string
	Shared bool
	// AllowTo are hosts, or HOST:PORT, that may be sent to beside the apps.
	AllowTo []string

	Version string
	Store   *recorder.Store
	// Status tells how devhook fares.
	Status func() Status
	// Catalog is the providers that are known, Keys their secrets by id.
	Catalog func() *verify.Catalog
	Keys    func() map[string]verify.Keys
	// Secrets are all that nothing may hold that is given to others, RedactKey what
	// takes the place of personal data is made with.
	Secrets   func() []verify.Secret
	RedactKey func() ([]byte, error)
	// URL is what a provider's dashboard is to be told for its webhooks to come.
	URL func(provider string) string
	// Examine looks whether all is well, as devhook doctor does; offline: and asks nobody
	// on the internet. It ends with ctx. nil: there is no devhook up.
	Examine func(ctx context.Context, offline bool) []Finding
	// Settings are devhook's settings, secrets masked. Keep is for how long and up to
	// how many bytes recordings are kept; 0 is without a bound.
	Settings func() []Setting
	Keep     func() (age time.Duration, size int64)

	// Fixtures are the samples, the user's own before those that devhook brings.
	// Address is the webhook of one, as the provider would send it here: to the path at
	// of the app to, where these are named.
	// SaveFixture makes one of a recording and returns its file, and what was
	// replaced in it; an error is told as it is.
	Fixtures    func() ([]fixtures.Fixture, error)
	Address     func(f fixtures.Fixture, to *url.URL, at string) *recorder.Exchange
	SaveFixture func(SaveFixture) (path string, replaced []string, err error)

	// KeyPair returns the public key of a provider's local pair, which is made if there is
	// none or another is wanted, and the file of the private one. An error is told as it
	// is.
	KeyPair func(p verify.Provider, anew bool) (public, path string, err error)

	// Registrar registers at providers. nil funcs: this devhook does not.
	Registrar Registrar

	// App is where ex goes, changed as it is, if nothing else is said, and the name
	// of the route; an error, which is told, if there is no app for it. IsApp tells whether
	// a forward or a route names the host of app. ParseApp reads the address of one.
	App      func(ex *recorder.Exchange, changes []replay.Mutation) (app *url.URL, route string, err error)
	IsApp    func(app *url.URL) bool
	ParseApp func(text string) (*url.URL, error)
	// Plan returns the exchange that Send would send, and sends nothing. Both are
	// those of the gateway.
	Plan func(replay.Plan) (*recorder.Exchange, error)
	Send func(context.Context, replay.Plan) (*recorder.Exchange, error)

	Agent Agent // for those who know ngrok

	Log *slog.Logger     // nil: nobody is told
	Now func() time.Time // nil: time.Now
}

// A Setting is one thing that devhook was told.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"` // masked if it is a secret
	From  string `json:"from"`
}

// settings answers what devhook was told.
func (in *Inspector) settings(*http.Request) (any, error) {
	return struct {
		Settings []Setting `json:"settings"`
	}{append([]Setting{}, in.o.Settings()...)}, nil
}

// A SaveFixture is a recording that is to be a sample.
type SaveFixture struct {
	Ref   string `json:"ref"`
	Name  string `json:"name"`            // PROVIDER/EVENT
	Raw   bool   `json:"raw,omitempty"`   // replaces neither credentials nor personal data
	Force bool   `json:"force,omitempty"` // replaces a sample that is there
}

// An Inspector serves all of it. Make one with [New], and close it.
type Inspector struct {
	o      Options
	mux    *http.ServeMux
	guard  *guard
	routes []string // as they were given to handle
	done   context.Context
	close  context.CancelFunc

	mu      sync.Mutex
	streams int            // guarded by mu
	work    sync.WaitGroup // event streams and followers; Add under mu
}

// parts are what registers routes.
var parts = []func(*Inspector){
	(*Inspector).health,
	(*Inspector).metering,
	(*Inspector).api,
	(*Inspector).page,
	(*Inspector).agent,
}

// New returns an Inspector of what o has. The caller closes it.
func New(o Options) *Inspector {
	if o.Shared && o.Token == "" {
		panic("inspector: open to others and no token")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in := &Inspector{o: o, mux: http.NewServeMux()}
	in.done, in.close = context.WithCancel(context.Background())
	in.guard = newGuard(&in.o, in.mux)
	for _, part := range parts {
		part(in)
	}
	in.mux.HandleFunc("/", in.nothing)
	return in
}

// nothing answers what no route takes.
func (in *Inspector) nothing(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := *r
		other.Method = method
		if _, pattern := in.mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		fail(w, http.StatusMethodNotAllowed, r.Method+" is not for "+r.URL.Path, strings.Join(allowed, ", ")+" is")
		return
	}
	fail(w, http.StatusNotFound, "there is nothing at "+r.URL.Path, "GET /devhook/v1/openapi.json lists what there is")
}

// handle registers a route.
func (in *Inspector) handle(pattern string, h http.HandlerFunc) {
	in.routes = append(in.routes, pattern)
	if strings.Contains(pattern, " /devhook/v1/") {
		h = strict(pattern, h)
	}
	in.mux.HandleFunc(pattern, h)
}

// ServeHTTP answers one request.
func (in *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.guard.ServeHTTP(w, r) }

// Close ends the event streams, which have no end of their own, and returns when
// nothing of them is left. Other requests may go on; the caller's server waits for
// them.
func (in *Inspector) Close() {
	in.mu.Lock()
	in.close()
	in.mu.Unlock()
	in.work.Wait()
}
