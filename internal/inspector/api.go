package inspector

import (
	"net/http"
	"slices"
	"strconv"

	"devhook/recorder"
)

// api are the routes of devhook's own API.
func (in *Inspector) api() {
	in.handle("GET /devhook/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, in.o.Status())
	})
	in.handle("GET /devhook/v1/exchanges", in.listExchanges)
	in.handle("GET /devhook/v1/exchanges/{ref}", in.oneExchange)
	in.handle("GET /devhook/v1/exchanges/{ref}/body", func(w http.ResponseWriter, r *http.Request) {
		if ex, ok := in.exchange(w, r); ok {
			in.serveBytes(w, r, ex.Request.Body, string(ex.ID)+".body")
		}
	})
}

// most is how many exchanges a page of a list may hold, usual how many it has
// if nothing is said.
const most, usual = 1000, 50

// listExchanges answers the newest exchanges that a filter lets through, the
// newest first, from before a sequence number on.
func (in *Inspector) listExchanges(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	q := recorder.Query{Newest: usual}
	var err error
	if q.Filter, err = in.filter(query.Get("filter")); err != nil {
		in.failed(w, err)
		return
	}
	if text := query.Get("limit"); text != "" {
		if q.Newest, err = strconv.Atoi(text); err != nil || q.Newest < 1 || q.Newest > most {
			fail(w, http.StatusBadRequest, "limit is no number from 1 to 1000", "")
			return
		}
	}
	if text := query.Get("before"); text != "" {
		if q.Before, err = strconv.ParseUint(text, 10, 64); err != nil || q.Before == 0 {
			fail(w, http.StatusBadRequest, "before is no sequence number", "take the member next of the answer before")
			return
		}
	}
	list := exchangeList{V: 1, Exchanges: []*recorder.Exchange{}}
	q.Newest++ // whether there is more
	for ex, err := range in.o.Store.Query(q) {
		if err != nil {
			list.Damaged = append(list.Damaged, err.Error())
			continue
		}
		list.Exchanges = append(list.Exchanges, ex)
	}
	slices.Reverse(list.Exchanges)
	if len(list.Exchanges) == q.Newest {
		list.Exchanges = list.Exchanges[:q.Newest-1]
		list.Next = list.Exchanges[q.Newest-2].Seq
	}
	writeJSON(w, http.StatusOK, list)
}

// An exchangeList is one page of a list.
type exchangeList struct {
	V         int                  `json:"v"`
	Exchanges []*recorder.Exchange `json:"exchanges"`
	Next      uint64               `json:"next,omitempty"`    // the before of the next page
	Damaged   []string             `json:"damaged,omitempty"` // what could not be read
}

// filter reads a filter. Copies for further apps are left out unless they are
// asked for, as `devhook list` has it.
func (in *Inspector) filter(text string) (recorder.Filter, error) {
	f, err := recorder.ParseFilter(in.o.Now(), text)
	if err != nil || f.Has("origin") {
		return f, err
	}
	return recorder.ParseFilter(in.o.Now(), text, "-origin:mirror")
}

// exchange returns the recording that r names; ok is false if there is none, and
// r is answered.
func (in *Inspector) exchange(w http.ResponseWriter, r *http.Request) (ex *recorder.Exchange, ok bool) {
	ex, err := in.o.Store.Get(r.PathValue("ref"))
	if err != nil {
		in.failed(w, err)
		return nil, false
	}
	return ex, true
}

// oneExchange answers one exchange; a body that is in a file stays a reference.
func (in *Inspector) oneExchange(w http.ResponseWriter, r *http.Request) {
	if ex, ok := in.exchange(w, r); ok {
		writeJSON(w, http.StatusOK, ex)
	}
}
