package inspector

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"time"

	"devhook/recorder"
)

// A family is what an exchange was made from, and what was made of it.
type family struct {
	Parent, First *row // the source of a replay, the first of deliveries
	Children      []row
	Again         []row  // later deliveries of the same
	Looked        int    // how many of the newest were looked at
	Whole         bool   // all that can be
	Missing       string // a parent that is gone
}

// How many of the newest exchanges are looked at for relatives, at most, and how
// long.
const (
	mostRelatives = 5000
	relativesWait = 400 * time.Millisecond
)

func (in *Inspector) familyPart(w http.ResponseWriter, r *http.Request) {
	ex, err := in.o.Store.Get(r.PathValue("ref"))
	if err != nil {
		in.failed(w, err)
		return
	}
	var f family
	catalog := in.o.Catalog()
	named := func(id recorder.ID) *row {
		if id == "" {
			return nil
		}
		other, err := in.o.Store.Get(string(id))
		if err != nil {
			f.Missing = string(id)
			return nil
		}
		found := in.row(other, catalog)
		return &found
	}
	f.Parent, f.First = named(ex.Parent), named(ex.DuplicateOf)
	f.Whole = in.back(0, func(other *recorder.Exchange) bool {
		f.Looked++
		switch {
		case other.Seq <= ex.Seq:
			return false
		case other.Parent == ex.ID:
			f.Children = append(f.Children, in.row(summarized(other), catalog))
		case other.DuplicateOf == ex.ID:
			f.Again = append(f.Again, in.row(summarized(other), catalog))
		}
		return true
	})
	in.part(w, "family", f)
}

// back gives exchanges that are older than before, the newest first and no more than
// mostRelatives, until see returns false. It reports whether it came that far or to the end.
func (in *Inspector) back(before uint64, see func(*recorder.Exchange) bool) bool {
	until, seen := time.Now().Add(relativesWait), 0
	for ex, err := range in.backwards(in.done, recorder.Query{Newest: 250, Before: before}) {
		if seen++; err != nil || seen > mostRelatives || time.Now().After(until) {
			return false
		}
		if !see(ex) {
			return true
		}
	}
	return true
}

// backwards gives what q lets through, the newest first, of which q.Newest are read at a
// time. What is damaged is passed over.
func (in *Inspector) backwards(ctx context.Context, q recorder.Query) iter.Seq2[*recorder.Exchange, error] {
	return func(yield func(*recorder.Exchange, error) bool) {
		for {
			var list []*recorder.Exchange
			damaged := 0
			for ex, err := range readable(in.o.Store.QueryContext(ctx, q), func(error) { damaged++ }) {
				if err != nil {
					yield(nil, err)
					return
				}
				list = append(list, ex)
			}
			for _, ex := range slices.Backward(list) {
				if q.Before = ex.Seq; !yield(ex, nil) {
					return
				}
			}
			if len(list) == 0 || len(list)+damaged < q.Newest {
				return
			}
		}
	}
}
