package inspector

import (
	"errors"
	"net/http"

	"devhook/internal/census"
	"devhook/recorder"
)

// stats answers what devhook stats --json prints. Lines that are damaged are passed
// over.
func (in *Inspector) stats(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	by := census.Period(query.Get("by"))
	if by != "" && by != census.Hour && by != census.Day {
		fail(w, http.StatusBadRequest, "by is neither hour nor day", "")
		return
	}
	filter, err := in.filter(query.Get("filter"))
	if err != nil {
		in.failed(w, err)
		return
	}
	var t census.Census
	for ex, err := range in.o.Store.QueryContext(r.Context(), recorder.Query{Filter: filter}) {
		switch {
		case errors.As(err, new(*recorder.DamagedError)):
		case err != nil:
			in.failed(w, err)
			return
		default:
			t.Add(ex)
		}
	}
	writeJSON(w, http.StatusOK, t.Report(by))
}
