package replay

import (
	"strings"

	"devhook/internal/param"
	"devhook/recorder"
)

// A query sets a parameter of the query, in place of all of that name.
type query struct{ name, value string }

// parseQuery reads NAME=VALUE, neither of them escaped.
func parseQuery(rest string) (Mutation, error) {
	name, value, ok := strings.Cut(rest, "=")
	if !ok || name == "" {
		return nil, bad("write NAME=VALUE", "query %q: there is no name or no =", rest)
	}
	return query{name, value}, nil
}

func (q query) String() string { return "query " + q.name + "=" + q.value }

// holds reports whether the URL has the parameter as q sets it.
func (q query) holds(absolute string) bool {
	_, raw, _ := strings.Cut(absolute, "?")
	value, n := param.Find(raw, q.name)
	text, ok := param.Unescape(value)
	return n == 1 && ok && text == q.value
}

func (q query) Apply(req *recorder.Request) error {
	_, raw, _ := strings.Cut(req.URL, "?")
	req.URL = withQuery(req.URL, param.Set(raw, q.name, q.value))
	return nil
}
