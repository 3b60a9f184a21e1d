package inspector

import (
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
	const step = 250
	until := time.Now().Add(relativesWait)
	for seen := 0; seen < mostRelatives && time.Now().Before(until); {
		var list []*recorder.Exchange
		for ex, err := range in.o.Store.Query(recorder.Query{Newest: step, Before: before}) {
			if err == nil {
				list = append(list, ex)
			}
		}
		for _, ex := range slices.Backward(list) {
			if seen++; !see(ex) {
				return true
			}
			before = ex.Seq
		}
		if len(list) == 0 || before <= 1 {
			return true
		}
	}
	return false
}
