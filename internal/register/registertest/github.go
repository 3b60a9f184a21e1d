package registertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GitHub is the webhooks of repositories and organisations, of
// https://docs.github.com/en/rest/repos/webhooks and …/orgs/webhooks.
type GitHub struct {
	api
	o     Options
	token string

	last  int64
	hooks map[string][]*GitHubHook // guarded by mu; by "repos/OWNER/NAME" or "orgs/NAME"
}

// A GitHubHook is a webhook.
type GitHubHook struct {
	Type    string            `json:"type"`
	ID      int64             `json:"id"`
	Name    string            `json:"name"`
	Active  bool              `json:"active"`
	Events  []string          `json:"events"`
	Config  map[string]string `json:"config"`
	Created string            `json:"created_at"`
	Updated string            `json:"updated_at"`

	secret string
}

// NewGitHub returns an API that has the targets, which the token may all write
// to.
func NewGitHub(o Options, token string, targets ...string) *GitHub {
	g := &GitHub{o: o, token: token, last: 1000, hooks: map[string][]*GitHubHook{}}
	for _, t := range targets {
		g.hooks[t] = nil
	}
	routes := map[string]http.HandlerFunc{}
	for _, base := range []string{"/repos/{owner}/{repo}/hooks", "/orgs/{org}/hooks"} {
		maps.Copy(routes, map[string]http.HandlerFunc{
			"GET " + base: g.list, "POST " + base: g.create, "GET " + base + "/{id}": g.get, "DELETE " + base + "/{id}": g.delete,
			"PATCH " + base + "/{id}/config": g.config, "POST " + base + "/{id}/pings": g.ping,
		})
	}
	g.serve(routes, g.admit, func(w http.ResponseWriter, r *http.Request) { githubError(w, 404, "Not Found") })
	return g
}

func githubError(w http.ResponseWriter, status int, text string, errors ...string) {
	a := map[string]any{"message": text, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)}
	var all []map[string]string
	for _, e := range errors {
		all = append(all, map[string]string{"resource": "Hook", "code": "custom", "message": e})
	}
	if all != nil {
		a["errors"] = all
	}
	reply(w, status, a)
}

func (g *GitHub) admit(w http.ResponseWriter, r *http.Request) bool {
	// GitHub has both words for a token.
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, known := g.hooks[targetOf(r)]
	switch {
	case token != g.token || !slices.Contains([]string{"bearer", "token"}, strings.ToLower(scheme)):
		githubError(w, 401, "Bad credentials")
	case r.Header.Get("User-Agent") == "":
		githubError(w, 403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
	case !known:
		githubError(w, 404, "Not Found") // also for what the token may not see
	default:
		return true
	}
	return false
}

// targetOf is the repository or organisation that is meant.
func targetOf(r *http.Request) string {
	target, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/hooks")
	return target
}

func (g *GitHub) list(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if size <= 0 {
		size = 30
	}
	all := slices.Collect(slices.Chunk(g.hooks[targetOf(r)], min(size, 100)))
	list := []*GitHubHook{}
	if page = max(page, 1); page <= len(all) {
		list = all[page-1]
	}
	reply(w, 200, list)
}

func (g *GitHub) create(w http.ResponseWriter, r *http.Request) {
	target := targetOf(r)
	in := struct {
		Name   string
		Active *bool
		Events []string
		Config map[string]any
	}{Name: "web", Events: []string{"push"}}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		githubError(w, 400, "Problems parsing JSON")
		return
	}
	text := func(key string) string {
		if v, ok := in.Config[key]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	switch to := text("url"); {
	case in.Name != "web":
		githubError(w, 422, "Validation Failed", "Name should be web")
	case to == "":
		githubError(w, 422, "Validation Failed", `Config must contain URL for webhooks`)
	case !g.o.takes(to, false):
		githubError(w, 422, "Validation Failed", "url is not supported because it isn't reachable over the public Internet ("+to+")")
	case slices.ContainsFunc(g.hooks[target], func(h *GitHubHook) bool { return h.Config["url"] == to && slices.Equal(h.Events, in.Events) }):
		githubError(w, 422, "Validation Failed", "Hook already exists on this repository")
	case g.full(target, in.Events) != "":
		githubError(w, 422, "Validation Failed", fmt.Sprintf("The %q event cannot have more than 20 hooks", g.full(target, in.Events)))
	default:
		hook := g.add(target, to, text("secret"), in.Events)
		hook.Active = in.Active == nil || *in.Active
		hook.Config["content_type"] = text("content_type")
		g.sendPing(r, hook)
		reply(w, 201, hook)
	}
}

// full returns an event that has as many webhooks as it may.
func (g *GitHub) full(target string, events []string) string {
	for _, event := range events {
		n := 0
		for _, h := range g.hooks[target] {
			if slices.Contains(h.Events, event) {
				n++
			}
		}
		if n >= 20 {
			return event
		}
	}
	return ""
}

func (g *GitHub) add(target, to, secret string, events []string) *GitHubHook {
	g.last++
	now := time.Now().UTC().Format(time.RFC3339)
	kind, _, _ := strings.Cut(target, "/")
	hook := &GitHubHook{
		Type: map[string]string{"repos": "Repository", "orgs": "Organization"}[kind], ID: g.last, Name: "web", Active: true, Events: events,
		Config: map[string]string{"url": to, "insecure_ssl": "0", "content_type": "json"}, Created: now, Updated: now, secret: secret,
	}
	if secret != "" {
		hook.Config["secret"] = "********"
	}
	g.hooks[target] = append(g.hooks[target], hook)
	return hook
}

// with calls do with the webhook that is meant.
func (g *GitHub) with(w http.ResponseWriter, r *http.Request, do func(*GitHubHook)) {
	for _, h := range g.hooks[targetOf(r)] {
		if strconv.FormatInt(h.ID, 10) == r.PathValue("id") {
			do(h)
			return
		}
	}
	githubError(w, 404, "Not Found")
}

func (g *GitHub) get(w http.ResponseWriter, r *http.Request) {
	g.with(w, r, func(h *GitHubHook) { reply(w, 200, h) })
}

func (g *GitHub) delete(w http.ResponseWriter, r *http.Request) {
	g.with(w, r, func(h *GitHubHook) {
		target := targetOf(r)
		g.hooks[target] = slices.DeleteFunc(g.hooks[target], func(one *GitHubHook) bool { return one == h })
		reply(w, 204, nil)
	})
}

func (g *GitHub) config(w http.ResponseWriter, r *http.Request) {
	g.with(w, r, func(h *GitHubHook) {
		var in struct{ URL, Secret string }
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			githubError(w, 400, "Problems parsing JSON")
			return
		}
		if in.URL != "" {
			if !g.o.takes(in.URL, false) {
				githubError(w, 422, "Validation Failed", "url is not supported")
				return
			}
			h.Config["url"] = in.URL
		}
		if in.Secret != "" {
			h.secret, h.Config["secret"] = in.Secret, "********"
		}
		reply(w, 200, h.Config)
	})
}

func (g *GitHub) ping(w http.ResponseWriter, r *http.Request) {
	g.with(w, r, func(h *GitHubHook) {
		g.sendPing(r, h)
		reply(w, 204, nil)
	})
}

func (g *GitHub) sendPing(r *http.Request, h *GitHubHook) {
	body, _ := json.Marshal(map[string]any{"zen": "Keep it logically awesome.", "hook_id": h.ID, "hook": h}) // has nothing that cannot be
	g.o.send(r.Context(), "github", h.secret, h.Config["url"], http.Header{
		"X-Github-Event": {"ping"}, "X-Github-Delivery": {fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", time.Now().UnixNano()%1e12)}, "X-Github-Hook-Id": {strconv.FormatInt(h.ID, 10)},
	}, body)
}

// Add makes a webhook by hand.
func (g *GitHub) Add(target, to string, events ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.add(target, to, "by-hand", events)
}

// Change has somebody else change the webhooks to a URL.
func (g *GitHub) Change(from, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, hooks := range g.hooks {
		for _, h := range hooks {
			if h.Config["url"] == from {
				h.Config["url"] = to
			}
		}
	}
}

// State is what there is, a line each.
func (g *GitHub) State() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return state(func(add func(string)) {
		for target, hooks := range g.hooks {
			for _, h := range hooks {
				add(fmt.Sprint(target, " ", h.Events, " ", h.Active, " ", h.Config["url"]))
			}
		}
	})
}

// Secrets are what webhooks are signed with.
func (g *GitHub) Secrets() (all []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, hooks := range g.hooks {
		for _, h := range hooks {
			all = append(all, h.secret)
		}
	}
	return all
}

// state sorts the lines that say adds.
func state(say func(add func(string))) string {
	var all []string
	say(func(line string) { all = append(all, line) })
	slices.Sort(all)
	return strings.Join(all, "\n")
}
