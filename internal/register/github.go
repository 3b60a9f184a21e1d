package register

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// github is GitHub's webhooks of repositories and organisations. A webhook has
// no room for a mark, so one whose creation was cut short is known by its URL
// and the time; GitHub has one webhook for a URL and its events only.
var github = Provider{
	ID: "github", API: "https://api.github.com", Docs: "https://docs.github.com/en/rest/repos/webhooks",
	Params: []Param{
		{Name: "repo", About: "the `OWNER/NAME` of a repository; several have a webhook each", Kind: Many, Check: checkGitHubRepo},
		{Name: "org", About: "the `NAME` of an organisation; several have a webhook each", Kind: Many, Check: checkGitHubOrg},
		{Name: "event", About: "the `NAME` of an event, as in push or issues; several may be said (default: all)", Kind: Many, Check: checkEventName},
		{Name: "token", About: "`REF` to a token that may write webhooks: admin:repo_hook, admin:org_hook, or the permission Webhooks", Env: "GITHUB_TOKEN", Kind: Secret, Required: true},
		webhookSecretParam("GITHUB_WEBHOOK_SECRET", "what webhooks are to be signed with (default: one is made up, and kept in memory only)"),
	},
	Tells: func(Settings) bool { return true },
	Open: func(s Settings, c *Client) (Registrar, error) {
		g := &githubHooks{c: c, s: s}
		for _, repo := range s.Values["repo"] {
			g.targets = append(g.targets, "repos/"+repo)
		}
		for _, org := range s.Values["org"] {
			g.targets = append(g.targets, "orgs/"+org)
		}
		if len(g.targets) == 0 {
			return nil, &MissingError{Param{Name: "repo", About: "the `OWNER/NAME` of a repository, or org: the name of an organisation"}}
		}
		c.Hidden = map[string]string{"token": s.Get("token")}
		// https://docs.github.com/en/rest/about-the-rest-api/api-versions
		c.Header = map[string]string{"Authorization": "Bearer {token}", "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
		c.Answer = githubAnswer
		g.signing = newSigning(s, c)
		g.things = things{s: s, name: "webhook", secret: true, one: true, list: g.list, create: g.create, move: g.move, delete: g.remove}
		return g, nil
	},
}

var (
	checkGitHubRepo = form(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/(\.{0,2}[A-Za-z0-9_-]|\.{3})[A-Za-z0-9._-]{0,99}$`, "is not the OWNER/NAME of a repository") // nor are . and ..
	checkGitHubOrg  = form(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`, "is not the name of an organisation")
	checkEventName  = form(`^(\*|[a-z][a-z0-9_.]{0,99})$`, "is not the name of an event")
)

// githubAnswer adds what is wrong to "Validation Failed".
func githubAnswer(status int, body []byte) (int, string) {
	status, text := usualAnswer(status, body)
	var a struct {
		Errors []json.RawMessage `json:"errors"`
	}
	json.Unmarshal(body, &a) // an answer that is none has no errors
	for _, raw := range a.Errors {
		var one struct{ Message, Field, Code string }
		var word string
		json.Unmarshal(raw, &one)
		json.Unmarshal(raw, &word)
		if more := strings.TrimSpace(one.Message + word); more != "" {
			text += ": " + more
		} else if one.Field != "" {
			text += ": " + one.Field + " is " + one.Code
		}
	}
	return status, text
}

type githubHooks struct {
	things
	signing *signing
	c       *Client
	s       Settings
	targets []string // "repos/OWNER/NAME", "orgs/NAME"
}

// Account names the owners.
func (g *githubHooks) Account() string {
	var owners []string
	for _, target := range g.targets {
		owners = append(owners, strings.ToLower(strings.Split(target, "/")[1]))
	}
	slices.Sort(owners)
	return strings.Join(slices.Compact(owners), " ")
}

func (g *githubHooks) events() []string {
	if all := g.s.Values["event"]; len(all) > 0 {
		return all
	}
	return []string{"*"}
}

func (g *githubHooks) Plan(ctx context.Context, callback string, done []Change) (plan []Change, err error) {
	for _, target := range g.targets {
		_, name, _ := strings.Cut(target, "/")
		ch := Change{
			Key: "webhook " + target, About: "have the webhooks of " + name + " sent to " + callback, URL: callback,
			Data: map[string]string{"target": target},
		}
		if plan, err = g.plan(ctx, plan, ch, done); err != nil {
			return nil, err
		}
	}
	for i := range plan {
		plan[i].Call = g.call(plan[i])
	}
	return plan, nil
}

// call is what makes or moves the webhook.
func (g *githubHooks) call(ch Change) Call {
	path := "/" + ch.Data["target"] + "/hooks"
	if id := ch.Data["id"]; id != "" { // changes what it names only
		return Call{Method: http.MethodPatch, Path: path + "/" + id + "/config", Body: map[string]string{"url": ch.URL}, Idempotent: true}
	}
	return Call{Method: http.MethodPost, Path: path, Body: map[string]any{
		"name": "web", "active": true, "events": g.events(),
		"config": map[string]string{"url": ch.URL, "content_type": "json", "insecure_ssl": "0", "secret": "{" + webhookSecretName + "}"},
	}}
}

func (g *githubHooks) list(ctx context.Context, ch Change) ([]thing, error) {
	if !slices.Contains(g.targets, ch.Data["target"]) { // a ledger need not be ours
		return nil, fmt.Errorf("%s is not of what was named", quote(ch.Data["target"]))
	}
	var all []thing
	for page := 1; page <= maxPages; page++ {
		var hooks []struct {
			ID      int64  `json:"id"`
			Active  bool   `json:"active"`
			Created string `json:"created_at"`
			Config  struct {
				URL string `json:"url"`
			} `json:"config"`
		}
		path := fmt.Sprintf("/%s/hooks?per_page=100&page=%d", ch.Data["target"], page)
		if err := g.c.Do(ctx, Call{Method: http.MethodGet, Path: path}, &hooks); err != nil {
			return nil, githubAdvice(err)
		}
		for _, h := range hooks {
			all = append(all, thing{ID: strconv.FormatInt(h.ID, 10), URL: h.Config.URL, Created: instant(h.Created), Works: h.Active})
		}
		if len(hooks) < 100 {
			break
		}
	}
	return all, nil
}

// githubAdvice says what GitHub's 404 also means: what a token may not see is
// not there.
func githubAdvice(err error) error {
	return advised(err, "is the name right, and may the token write webhooks: admin:repo_hook for a repository, admin:org_hook for an organisation, or the permission Webhooks?", 403, 404)
}

func (g *githubHooks) create(ctx context.Context, ch *Change) (string, error) {
	g.signing.tell()
	var hook struct {
		ID int64 `json:"id"`
	}
	if err := g.c.Do(ctx, g.call(*ch), &hook); err != nil {
		return "", advised(githubAdvice(err), "a repository and an organisation have at most 20 webhooks for an event", 422)
	}
	if hook.ID == 0 {
		return "", nil
	}
	return strconv.FormatInt(hook.ID, 10), nil
}

func (g *githubHooks) move(ctx context.Context, ch Change) error {
	g.signing.tell()
	return githubAdvice(g.c.Do(ctx, g.call(ch), nil))
}

func (g *githubHooks) remove(ctx context.Context, ch Change, id string) error {
	return g.c.Do(ctx, Call{Method: http.MethodDelete, Path: "/" + ch.Data["target"] + "/hooks/" + id}, nil)
}

// Test has a ping sent by each webhook.
func (g *githubHooks) Test(ctx context.Context, done []Change) (string, error) {
	for _, ch := range done {
		if id := ch.Data["id"]; id != "" {
			if err := g.c.Do(ctx, Call{Method: http.MethodPost, Path: "/" + ch.Data["target"] + "/hooks/" + id + "/pings"}, nil); err != nil {
				return "", githubAdvice(err)
			}
		}
	}
	return "a ping is on its way", nil
}
