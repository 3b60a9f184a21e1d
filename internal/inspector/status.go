package inspector

import (
	"net/http"
	"slices"
	"time"

	"devhook/recorder"
)

// A Status is how a running devhook fares.
type Status struct {
	V       int       `json:"v"`
	Version string    `json:"version,omitempty"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started,omitzero"`
	// Ready says that webhooks can come.
	Ready   bool   `json:"ready"`
	Store   string `json:"store"`
	Inspect string `json:"inspect,omitempty"` // the URL of the inspector
	// URL is where senders reach devhook, Listen the local door, "" if there is
	// none.
	URL    string `json:"url,omitempty"`
	Listen string `json:"listen,omitempty"`
	Tunnel Tunnel `json:"tunnel,omitzero"`
	// Forward is the apps of what no route takes: the first answers, the others
	// get copies.
	Forward []string `json:"forward,omitempty"`
	Routes  []Route  `json:"routes,omitempty"`
	Sources []Source `json:"sources,omitempty"`
	Mirror  string   `json:"ws_mirror,omitempty"` // where overlays connect
	// Provider is the one that was named for all that no route names one for, "" if none was.
	Provider string `json:"provider,omitempty"`
	Verify   string `json:"verify,omitempty"` // enforce, strict, report or off
	// Unsigned is which webhooks pass, of all routes, that have no right signature: all,
	// unknown (those in which no provider is recognised whose secret is known) or none.
	Unsigned string `json:"unsigned,omitempty"`
	// Malformed counts requests that were no whole HTTP, NotRecorded those that the
	// store did not take.
	Malformed   int64 `json:"malformed"`
	NotRecorded int64 `json:"not_recorded"`
	// Secrets are the providers whose secret is known.
	Secrets []string `json:"secrets,omitempty"`
}

// pasting tells what is to be known of the URL before it is pasted at a provider: the same
// as the ready block of devhook up.
func (s Status) pasting() (list []string) {
	if s.Tunnel.Kind == "local" {
		list = append(list, "This is the local door. A provider needs a public URL, and with an authtoken of ngrok devhook up has one.")
	}
	if len(s.Routes) == 0 && len(s.Forward) > 0 && recorder.PathOf(s.Forward[0]) == "/" {
		list = append(list, "Behind it goes the path at which your app takes webhooks.")
	}
	return list
}

// A Tunnel is how the public URL fares.
type Tunnel struct {
	Kind  string    `json:"kind"`  // ngrok or local
	State string    `json:"state"` // connected, reconnecting or closed
	Since time.Time `json:"since,omitzero"`
	Error string    `json:"error,omitempty"` // why it is not connected
}

// A Source is a stream that is listened to, and where its events go.
type Source struct {
	Source  string `json:"source"`
	Creator string `json:"creator,omitempty"`
	URL     string `json:"url"`               // without the token
	Path    string `json:"path"`              // of the app
	Forward string `json:"forward,omitempty"` // its own app, "" if it is the usual one
	// State is connecting, connected, reconnecting, waiting (there is nothing to listen to) or
	// closed; "" if it is not known.
	State string    `json:"state,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Error string    `json:"error,omitempty"` // why it is not connected, or was not the last time
}

// A Route is where the webhooks of a path go.
type Route struct {
	Path     string   `json:"path"`
	Provider string   `json:"provider,omitempty"`
	Forward  []string `json:"forward,omitempty"`
	Verify   string   `json:"verify"`
	Unsigned string   `json:"unsigned,omitempty"` // as in [Status]
}

// A Finding is what devhook has found of one thing when it looked whether all is well.
type Finding struct {
	V      int    `json:"v"`
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn or fail
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// longestExam is how long looking may take.
const longestExam = time.Minute

// doctor looks whether all is well, and answers what it has found. With ?offline=true
// nobody on the internet is asked.
func (in *Inspector) doctor(r *http.Request) (any, error) {
	offline, err := flag(r.URL.Query(), "offline")
	if err == nil && in.o.Examine == nil {
		err = &Error{http.StatusServiceUnavailable, "no devhook up runs that could be looked at", "devhook doctor looks at what there is"}
	}
	if err != nil {
		return nil, err
	}
	ctx, end, err := in.long(r, longestExam)
	if err != nil {
		return nil, err
	}
	defer end()
	found := in.o.Examine(ctx, offline)
	return struct {
		OK       bool      `json:"ok"` // nothing has failed
		Findings []Finding `json:"findings"`
	}{!slices.ContainsFunc(found, func(f Finding) bool { return f.Status == "fail" }), found}, nil
}
