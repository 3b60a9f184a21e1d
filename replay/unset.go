package replay

import (
	"devhook/internal/jsonx"
	"devhook/recorder"
)

// An unset takes a value out of a JSON body, or a field out of a form, with its
// name.
type unset struct{ path jsonx.Path }

func parseUnset(rest string) (Mutation, error) {
	p, err := readPath(rest)
	if err != nil {
		return nil, bad("write names with dots between them, as in data.items.0.price", "unset %s: %v", rest, err)
	}
	return unset{p}, nil
}

func (u unset) String() string { return "unset " + writePath(u.path) }

func (u unset) Apply(req *recorder.Request) error { return splice(u, req) }

func (u unset) at() jsonx.Path { return u.path }

func (u unset) changeJSON(doc []byte, p jsonx.Path) ([]byte, error) { return jsonx.Unset(doc, p) }
