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
	request, err := in.differences("request", a, b)
	answers, err2 := in.answerDifferences(a, b)
	if err := cmp.Or(err, err2); err != nil {
		in.trouble(w, r, err)
		return
	}
	catalog := in.o.Catalog()
	d := diffPane{A: in.row(a, catalog), B: in.row(b, catalog), Request: request, Response: answers}
	in.show(w, r, http.StatusOK, fmt.Sprintf("#%d and #%d", a.Seq, b.Seq), "diff", d)
}

// answerDifferences tells in what it differs what became of two exchanges, and what was
// answered: to the sender, and by the app where that is something else.
func (in *Inspector) answerDifferences(a, b *recorder.Exchange) ([]replay.Difference, error) {
	list := []replay.Difference{}
	if old, now := string(a.Verdict.Status), string(b.Verdict.Status); old != now {
		list = append(list, replay.Difference{What: "verdict", Old: []string{old}, New: []string{now}})
	}
	if old, now := string(a.Outcome), string(b.Outcome); old != now {
		list = append(list, replay.Difference{What: "outcome", Old: []string{old}, New: []string{now}})
	}
	for _, of := range []struct {
		whose string
		a, b  *recorder.Response
	}{{"", a.Response, b.Response}, {"the app’s own ", a.App, b.App}} {
		ra, err := in.loaded(of.a)
		rb, err2 := in.loaded(of.b)
		if err := cmp.Or(err, err2); err != nil {
			return nil, err
		}
		for _, d := range replay.DiffResponse(ra, rb) {
			d.What = of.whose + d.What
			list = append(list, d)
		}
	}
	return list, nil
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
		in.back(ex.Seq, func(o *recorder.Exchange) bool {
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
