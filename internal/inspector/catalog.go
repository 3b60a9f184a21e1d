package inspector

import (
	"fmt"
	"net/http"
	"strings"

	"devhook/fixtures"
	"devhook/recorder"
	"devhook/verify"
)

// A provider is what is to be known of one.
type provider struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	Docs    string   `json:"docs,omitempty"`
	Summary string   `json:"summary,omitempty"`
	// Known says that its secret is known here; Env, SecretName and SecretAt tell
	// where it comes from.
	Known      bool          `json:"known"`
	Env        string        `json:"env,omitempty"`
	SecretName string        `json:"secret_name,omitempty"`
	SecretAt   string        `json:"secret_at,omitempty"`
	Needs      []verify.Need `json:"needs,omitempty"`
	// URL is what its dashboard is to be told, Steps how.
	URL       string   `json:"url"`
	Steps     []string `json:"steps,omitempty"`
	Checklist []string `json:"checklist,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// provider describes p.
func (in *Inspector) provider(p verify.Provider, keys map[string]verify.Keys) provider {
	url := in.o.URL(p.ID)
	d := provider{
		ID: p.ID, Name: p.Name, Aliases: p.Aliases, Docs: p.Docs, Summary: p.Summary, Known: len(keys[p.ID].Secrets) > 0,
		Env: p.Env, SecretName: p.SecretName, SecretAt: p.SecretAt, URL: url, Steps: p.Steps(url), Notes: p.Notes, Needs: p.Needs,
	}
	for _, c := range p.Checklist {
		d.Checklist = append(d.Checklist, c.About)
	}
	return d
}

// lookup returns the provider of an id; an error if there is none.
func (in *Inspector) lookup(id string) (verify.Provider, error) {
	p, ok := in.o.Catalog().Lookup(id)
	if !ok {
		return p, in.noProvider(http.StatusNotFound, id)
	}
	return p, nil
}

// noProvider is the error of an id that no provider has.
func (in *Inspector) noProvider(status int, id string) *Error {
	near := strings.Join(in.o.Catalog().Nearest(id), ", ")
	return &Error{status, fmt.Sprintf("there is no provider %q (near: %s)", id, near), "GET /devhook/v1/providers lists all"}
}

func (in *Inspector) listProviders(*http.Request) (any, error) {
	list := struct {
		Providers []provider `json:"providers"`
	}{[]provider{}}
	keys := in.o.Keys()
	for _, p := range in.o.Catalog().Providers() {
		list.Providers = append(list.Providers, in.provider(p, keys))
	}
	return list, nil
}

func (in *Inspector) oneProvider(r *http.Request) (any, error) {
	p, err := in.lookup(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return in.provider(p, in.o.Keys()), nil
}

// listFixtures answers the samples, of one provider if it is named.
func (in *Inspector) listFixtures(r *http.Request) (any, error) {
	all, err := in.o.Fixtures()
	list := struct {
		Fixtures []fixtures.Told `json:"fixtures"`
		Damaged  string          `json:"damaged,omitempty"` // of files that cannot be read
	}{Fixtures: []fixtures.Told{}}
	if err != nil {
		list.Damaged = err.Error()
	}
	wanted := r.URL.Query().Get("provider")
	if p, ok := in.o.Catalog().Lookup(wanted); ok {
		wanted = p.ID
	}
	for _, f := range all {
		if wanted == "" || f.Provider == wanted {
			list.Fixtures = append(list.Fixtures, f.Tell())
		}
	}
	return list, nil
}

// oneFixture answers a sample, and the webhook as it would be sent, unsigned.
func (in *Inspector) oneFixture(r *http.Request) (any, error) {
	f, err := in.fixture(r.PathValue("provider") + "/" + r.PathValue("event"))
	if err != nil {
		return nil, err
	}
	return struct {
		fixtures.Told
		Exchange *recorder.Exchange `json:"exchange"`
	}{f.Tell(), in.o.Address(f, nil, "")}, nil
}

// saveFixture makes a sample of a recording.
func (in *Inspector) saveFixture(_ *http.Request, s SaveFixture) (any, error) {
	if s.Ref == "" || s.Name == "" {
		return nil, &Error{http.StatusBadRequest, "ref and name are needed", `{"ref": "last", "name": "tiktok/my-event"}`}
	}
	path, replaced, err := in.o.SaveFixture(s)
	return created{struct {
		Path     string   `json:"path"`
		Replaced []string `json:"replaced,omitempty"` // credentials and personal data
	}{path, replaced}}, err
}
