package inspector

import (
	"cmp"
	"net/http"

	"devhook/recorder"
	"devhook/replay"
)

// diff answers in what one exchange differs from another: the request or, with
// ?of=response, what was answered.
func (in *Inspector) diff(r *http.Request) (any, error) {
	a, err := in.named(r, "ref")
	b, err2 := in.named(r, "other")
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	list, err := in.differences(r.URL.Query().Get("of"), a, b)
	return replay.TellDiff(a.ID, b.ID, list), err
}

func (in *Inspector) differences(of string, a, b *recorder.Exchange) ([]replay.Difference, error) {
	switch {
	case of == "" || of == "request":
		if err := cmp.Or(in.load(&a.Request), in.load(&b.Request)); err != nil {
			return nil, err
		}
		return replay.Diff(&a.Request, &b.Request), nil
	case of != "response":
		return nil, &Error{http.StatusBadRequest, "of is none of request, response", ""}
	case a.Response == nil && b.Response == nil:
		return nil, &Error{http.StatusUnprocessableEntity, "neither has a response", ""}
	}
	ra, err := in.loaded(a.Response)
	rb, err2 := in.loaded(b.Response)
	return replay.DiffResponse(ra, rb), cmp.Or(err, err2)
}

// loaded returns res with its body in memory, as load has it; nil for nil.
func (in *Inspector) loaded(res *recorder.Response) (*recorder.Response, error) {
	if res == nil {
		return nil, nil
	}
	whole := *res
	return &whole, in.loadBody(&whole.Body, whole.Size)
}
