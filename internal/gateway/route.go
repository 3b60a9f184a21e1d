package gateway

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"devhook/verify"
)

// A Route says what happens to the webhooks whose path it matches. It is not
// changed once it is given to a [Gateway].
type Route struct {
	// Path is the prefix of the paths it matches, on a segment border: /a
	// matches /a and /a/b and not /ab. "" or "/" matches all.
	Path string
	// Provider is the id of the provider whose webhooks come here; "" has it
	// detected.
	Provider string
	// Forward is the apps: the first answers the sender, the others get a
	// copy. Without any, devhook answers.
	Forward []*url.URL
	Verify  Mode
	// Ack says what the sender hears in place of the app; nil means as the
	// provider's description says.
	Ack *Ack
	// Timeout is how long the app may take to its response headers; 0 means 30 s.
	Timeout time.Duration
}

// defaultTimeout is how long an app may take to its response headers.
const defaultTimeout = 30 * time.Second

// Mode says who gets through; the table in docs/verify.md tells all of it.
type Mode string

// The modes of a [Route].
const (
	Enforce Mode = "enforce" // what is known to be wrong is refused
	Strict  Mode = "strict"  // what is not known to be right is refused
	Report  Mode = "report"  // nothing is refused
	Off     Mode = "off"     // nothing is judged
)

// Routes is all that decides where a webhook goes and who gets through.
type Routes struct {
	// List is tried first; if it is empty, Default takes everything, and if
	// it is not, nothing else does.
	List    []Route
	Default Route
	// Catalog is the providers that are known, Keys their secrets by id.
	Catalog *verify.Catalog
	Keys    map[string]verify.Keys
}

// Find returns the route for a decoded path, and a name for the record. The
// name is "" where there are no routes to name; where there are and none
// matches, the error says so.
//
// Apps differ in whether they clean a path before they route by it. A path
// that leads to two different routes could have a webhook judged as one thing
// and handled as another, so it leads to none.
func (rt *Routes) Find(decoded string) (r *Route, name string, err error) {
	if len(rt.List) == 0 {
		return &rt.Default, "", nil
	}
	r = rt.match(decoded)
	if clean := cleanest(decoded); clean != decoded && rt.match(clean) != r {
		return nil, "", fmt.Errorf("the path leads to two routes, as it stands and as %s", clean)
	}
	if r == nil {
		return nil, "", fmt.Errorf("no route matches")
	}
	return r, r.Path, nil
}

// pathParameters are what some servers take off a segment: /a;v=1/b.
var pathParameters = regexp.MustCompile(`;[^/]*`)

// cleanest returns the path that an app could make of the decoded one, if it
// does all that servers are known to do: cut parameters off, take backslashes
// for slashes, and resolve dots.
func cleanest(decoded string) string {
	if strings.ContainsAny(decoded, `;\`) {
		decoded = strings.ReplaceAll(pathParameters.ReplaceAllString(decoded, ""), `\`, "/")
	}
	return path.Clean("/" + decoded)
}

// Has reports whether webhooks go to the app, by whichever route.
func (rt *Routes) Has(app *url.URL) bool {
	same := func(u *url.URL) bool { return u.String() == app.String() }
	return slices.ContainsFunc(rt.Default.Forward, same) ||
		slices.ContainsFunc(rt.List, func(r Route) bool { return slices.ContainsFunc(r.Forward, same) })
}

func (rt *Routes) match(decoded string) *Route {
	var best *Route
	length := -1
	for i := range rt.List {
		prefix := strings.TrimRight(rt.List[i].Path, "/")
		if len(prefix) > length && onBorder(decoded, prefix) {
			best, length = &rt.List[i], len(prefix)
		}
	}
	return best
}

func onBorder(p, prefix string) bool {
	rest, ok := strings.CutPrefix(p, prefix)
	return ok && (rest == "" || rest[0] == '/')
}
