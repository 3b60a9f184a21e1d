package inspector

import (
	"net/http"

	"devhook/internal/census"
	"devhook/recorder"
)

// stats answers what devhook stats --json prints. Lines that are damaged are passed
// over.
func (in *Inspector) stats(r *http.Request) (any, error) {
	query := r.URL.Query()
	by := census.Period(query.Get("by"))
	if by != "" && by != census.Hour && by != census.Day {
		return nil, &Error{http.StatusBadRequest, "by is neither hour nor day", ""}
	}
	filter, err := in.filter(query.Get("filter"))
	if err != nil {
		return nil, err
	}
	var t census.Census
	for ex, err := range readable(in.o.Store.QueryContext(r.Context(), recorder.Query{Filter: filter}), nil) {
		if err != nil {
			return nil, err
		}
		t.Add(ex)
	}
	return t.Report(by), nil
}
