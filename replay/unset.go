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

func (u unset) Apply(req *recorder.Request) error {
	if f, ok := formOf(req); ok {
		body, err := u.changeForm(f)
		if err == nil {
			req.Body.Bytes = body
		}
		return err
	}
	body, err := jsonx.Unset(req.Body.Bytes, u.path)
	if err != nil {
		return cannotChange(u, req, err)
	}
	req.Body.Bytes = body
	return nil
}
