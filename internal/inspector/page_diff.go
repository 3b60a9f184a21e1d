package inspector

import (
	"cmp"
	"fmt"
	"net/http"

	"devhook/recorder"
	"devhook/replay"
)

// A diffPane is in what two exchanges differ.
type diffPane struct {
	A, B     row
	Request  []replay.Difference
	Response []replay.Difference
}

func (in *Inspector) diffPage(w http.ResponseWriter, r *http.Request) {
	a, err := in.o.Store.Get(r.PathValue("ref"))
	b, err2 := in.o.Store.Get(r.PathValue("other"))
	if err := cmp.Or(err, err2); err != nil {
		in.trouble(w, r, err)
		return
	}
	in.showDiff(w, r, a, b)
}

func (in *Inspector) showDiff(w http.ResponseWriter, r *http.Request, a, b *recorder.Exchange) {
	if err := cmp.Or(in.load(&a.Request), in.load(&b.Request)); err != nil {
		in.trouble(w, r, err)
		return
	}
	catalog := in.o.Catalog()
	d := diffPane{A: in.row(a, catalog), B: in.row(b, catalog), Request: replay.Diff(&a.Request, &b.Request), Response: answerDifferences(a, b)}
	in.show(w, r, http.StatusOK, fmt.Sprintf("#%d and #%d", a.Seq, b.Seq), "diff", d)
}

// answerDifferences compares what was answered as requests are compared.
func answerDifferences(a, b *recorder.Exchange) []replay.Difference {
	list := []replay.Difference{}
	if old, now := string(a.Verdict.Status), string(b.Verdict.Status); old != now {
		list = append(list, replay.Difference{What: "verdict", Old: []string{old}, New: []string{now}})
	}
	if old, now := string(a.Outcome), string(b.Outcome); old != now {
		list = append(list, replay.Difference{What: "outcome", Old: []string{old}, New: []string{now}})
	}
	return append(list, replay.DiffResponse(a.Answer(), b.Answer())...)
}

// beforePage compares an exchange with what it was made from, or else with the one
// before it of the same provider and event.
func (in *Inspector) beforePage(w http.ResponseWriter, r *http.Request) {
	ex, err := in.o.Store.Get(r.PathValue("ref"))
	if err != nil {
		in.trouble(w, r, err)
		return
	}
	var other *recorder.Exchange
	if ex.Parent != "" {
		other, _ = in.o.Store.Get(string(ex.Parent))
	}
	if other == nil {
		in.back(ex.Seq, mostRelatives, func(o *recorder.Exchange) bool {
			if o.Provider == ex.Provider && o.Event == ex.Event {
				other = o
			}
			return other == nil
		})
	}
	if other == nil {
		in.show(w, r, http.StatusOK, "Compare", "alone", in.row(ex, in.o.Catalog()))
		return
	}
	in.showDiff(w, r, other, ex)
}
