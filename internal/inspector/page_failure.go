package inspector

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"devhook/recorder"
	"devhook/verify"
)

// failures are filters that together let through all that isFailure is true of, and
// little more: an index knows them, so that none is searched for by reading.
var failures = []string{"outcome:unreachable,refused,unrouted", "status:>=400", "verdict:invalid,unsigned"}

// isFailure reports whether ex is one to look at: it failed, or its signature did.
func isFailure(ex *recorder.Exchange) bool {
	class, _, _ := state(ex)
	return class == "fail" || ex.Verdict.Status == verify.Invalid || ex.Verdict.Status == verify.Unsigned
}

// failure answers the number of the failure under the filter that is next to a
// number, 0 if there is none: the next older one than ?before, or newer one than ?after.
func (in *Inspector) failure(r *http.Request) (any, error) {
	query := r.URL.Query()
	near, up := query.Get("before"), query.Has("after")
	if up {
		near = query.Get("after")
	}
	seq, _ := strconv.ParseUint(near, 10, 64)
	found := uint64(0)
	for _, failure := range failures {
		if up {
			failure += " seq:>" + strconv.FormatUint(seq, 10)
		}
		one := uint64(0)
		f, err := in.filter(query.Get("filter") + " " + failure)
		switch {
		case err != nil:
		case up:
			one, err = in.failureAfter(r.Context(), recorder.Query{Filter: f, Before: found})
		default:
			one, err = in.failureBefore(r.Context(), recorder.Query{Filter: f, Before: seq, Newest: 20}, found)
		}
		if err != nil {
			return nil, err
		}
		found = cmp.Or(one, found)
	}
	return map[string]any{"seq": found}, nil
}

// failuresShown is how many of the newest failures the start page names.
const failuresShown = 5

// failuresPart shows the newest failures, among the newest recordings. Copies for further
// apps are left out, as they are of the list.
func (in *Inspector) failuresPart(w http.ResponseWriter, _ *http.Request) {
	var list []row
	catalog := in.o.Catalog()
	in.back(0, func(ex *recorder.Exchange) bool {
		if ex.Origin != recorder.Mirror && isFailure(ex) {
			list = append(list, in.row(summarized(ex), catalog))
		}
		return len(list) < failuresShown
	})
	in.part(w, "failures", list)
}

// failureAfter returns the first failure that q gives, 0 if there is none.
func (in *Inspector) failureAfter(ctx context.Context, q recorder.Query) (uint64, error) {
	for ex, err := range readable(in.o.Store.QueryContext(ctx, q), nil) {
		if err != nil {
			return 0, err
		}
		if isFailure(ex) {
			return ex.Seq, nil
		}
	}
	return 0, nil
}

// failureBefore returns the newest failure that q gives, 0 if there is none that is newer
// than least.
func (in *Inspector) failureBefore(ctx context.Context, q recorder.Query, least uint64) (uint64, error) {
	for ex, err := range in.backwards(ctx, q) {
		switch {
		case err != nil || ex.Seq <= least:
			return 0, err
		case isFailure(ex):
			return ex.Seq, nil
		}
	}
	return 0, nil
}
