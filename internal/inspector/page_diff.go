package inspector

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"devhook/recorder"
	"devhook/replay"
)

// A diffPane is in what two exchanges differ, the older one first.
type diffPane struct {
	A, B     row
	Of       row      // the one of them that was asked about
	Why      string   // what the other one is to it, "" if it was named
	Others   []beside // that it could be compared with, too
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
	in.showDiff(w, r, b, []beside{{Exchange: a}})
}

// A beside is a recording to compare another one with, and what it is to that one.
type beside struct {
	*recorder.Exchange
	Why string
}

// showDiff shows in what ex differs from the first of list, and names the rest.
func (in *Inspector) showDiff(w http.ResponseWriter, r *http.Request, ex *recorder.Exchange, list []beside) {
	a, b := list[0].Exchange, ex
	if a.Seq > b.Seq {
		a, b = b, a
	}
	request, err := in.differences("request", a, b)
	answers, err2 := in.answerDifferences(a, b)
	if err := cmp.Or(err, err2); err != nil {
		in.trouble(w, r, err)
		return
	}
	catalog := in.o.Catalog()
	d := diffPane{A: in.row(a, catalog), B: in.row(b, catalog), Of: in.row(ex, catalog), Why: list[0].Why, Others: list[1:], Request: request, Response: answers}
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

// beforePage compares an exchange with what tells the most of it.
func (in *Inspector) beforePage(w http.ResponseWriter, r *http.Request) {
	ex, err := in.o.Store.Get(r.PathValue("ref"))
	if err != nil {
		in.trouble(w, r, err)
		return
	}
	list := in.besides(ex)
	if len(list) == 0 {
		in.show(w, r, http.StatusOK, "Compare", "alone", in.row(ex, in.o.Catalog()))
		return
	}
	in.showDiff(w, r, ex, list)
}

// isOfKind reports whether two webhooks are the same event of the same provider; where no
// event is known, of the same path.
func isOfKind(a, b *recorder.Exchange) bool {
	return a.Provider == b.Provider && a.Event == b.Event && (a.Event != "" || recorder.PathOf(a.Request.URL) == recorder.PathOf(b.Request.URL))
}

// besides are recordings to compare ex with, the one that tells the most first: what it was
// made from; its newest replay, of a failure one that went well; of a failure the last of
// its kind before it that did; the one before it of these.
func (in *Inspector) besides(ex *recorder.Exchange) (list []beside) {
	add := func(o *recorder.Exchange, why string) {
		if !slices.ContainsFunc(list, func(b beside) bool { return b.ID == o.ID }) {
			list = append(list, beside{o, why})
		}
	}
	isWell := func(o *recorder.Exchange) bool { return o.Outcome == recorder.Answered && !isFailure(o) }
	if ex.Parent != "" {
		if o, err := in.o.Store.Get(string(ex.Parent)); err == nil {
			add(o, "what it was made from")
		}
	}
	failed, replays := isFailure(ex), []*recorder.Exchange{}
	in.back(0, func(o *recorder.Exchange) bool {
		if o.Parent == ex.ID {
			replays = append(replays, o)
		}
		return o.Seq > ex.Seq
	})
	if i := slices.IndexFunc(replays, isWell); failed && i >= 0 {
		add(replays[i], "its replay that went well")
	} else if !failed && len(replays) > 0 {
		add(replays[0], "its newest replay")
	}
	var last, well *recorder.Exchange
	in.back(ex.Seq, func(o *recorder.Exchange) bool {
		if !isOfKind(o, ex) {
			return true
		}
		last = cmp.Or(last, o)
		if failed && isWell(o) {
			well = o
		}
		return failed && well == nil
	})
	if well != nil {
		add(well, "the last before it that went well")
	}
	if last != nil {
		add(last, "the one before it")
	}
	if len(replays) > 0 {
		add(replays[0], "its newest replay")
	}
	return list
}
