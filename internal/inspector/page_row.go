package inspector

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// A row is an exchange as the list has it. Class says how it went: ok, note (devhook
// had a part in it), fail or wait; Label is the answer in three characters or so, and
// Words the same for who cannot see it.
type row struct {
	*recorder.Exchange
	Class, Label, Words string
	Name                string // the event, or what was asked for
	Provider            string // its name
	Path                string
	Clock               string // when it came, as short as tells it today
}

// row describes ex for the list.
func (in *Inspector) row(ex *recorder.Exchange, catalog *verify.Catalog) row {
	root, target := recorder.SplitURL(ex.Request.URL)
	r := row{Exchange: ex, Provider: ex.Provider, Path: target, Clock: clock(ex.At, in.o.Now())}
	if p, ok := catalog.Lookup(ex.Provider); ok {
		r.Provider = p.Name
	}
	if r.Path == "" {
		r.Path = root
	}
	if r.Name = ex.Event; r.Name == "" {
		r.Name = ex.Request.Method + " " + r.Path
	}
	r.Class, r.Label, r.Words = state(ex)
	return r
}

// state tells how ex went.
func state(ex *recorder.Exchange) (class, label, words string) {
	status := 0
	if ex.Response != nil {
		status = ex.Response.Status
		label = strconv.Itoa(status)
	}
	switch ex.Outcome {
	case recorder.Pending:
		return "wait", "···", "under way"
	case recorder.Queued:
		return "wait", "hold", "queued"
	case recorder.Unreachable:
		return "fail", "down", "the app did not answer"
	case recorder.Refused:
		return "fail", label, "refused by devhook"
	case recorder.Unrouted:
		return "fail", label, "no route takes it"
	case recorder.Handled:
		return "note", label, "answered by devhook"
	}
	switch {
	case status >= 500:
		return "fail", label, "the app failed"
	case status >= 400:
		return "fail", label, "the app declined"
	case status >= 300:
		return "note", label, "the app redirects"
	case status == http.StatusSwitchingProtocols && ex.Ending == nil:
		return "ok", "live", "a WebSocket that is open"
	}
	return "ok", label, "answered"
}

// A rowList is a part of the list, the newest first.
type rowList struct {
	Rows    []row
	Next    uint64 // the before of the next part, 0 if there is none
	Oldest  uint64 // the first number in the store
	Cursor  string // where to follow on from
	Damaged int    // lines that could not be read
	Now     int64  // unix ms
	Error   string // why there are none
}

// firstRows are the rows that come with the page.
func (in *Inspector) firstRows(ctx context.Context, f recorder.Filter) rowList {
	list, err := in.rows(ctx, recorder.Query{Filter: f, Newest: firstRows})
	if err != nil {
		return rowList{Error: err.Error()}
	}
	if list.Next > 0 {
		list.Oldest = in.oldest()
	}
	return list
}

// rows reads a part of the list.
func (in *Inspector) rows(ctx context.Context, q recorder.Query) (rowList, error) {
	end, err := in.o.Store.End() // first: what comes meanwhile is followed rather twice than never
	if err != nil {
		return rowList{}, err
	}
	list := rowList{Cursor: end.String(), Now: in.o.Now().UnixMilli()}
	catalog := in.o.Catalog()
	wanted := q.Newest
	q.Newest++ // whether there is more
	for ex, err := range readable(in.o.Store.QueryContext(ctx, q), func(error) { list.Damaged++ }) {
		if err != nil {
			return list, err
		}
		list.Rows = append(list.Rows, in.row(summarized(ex), catalog))
	}
	slices.Reverse(list.Rows)
	if len(list.Rows) > wanted {
		list.Rows = list.Rows[:wanted]
		list.Next = list.Rows[wanted-1].Seq
	}
	return list, nil
}

// oldest is the first sequence number in the store, 1 if it is not known.
func (in *Inspector) oldest() uint64 {
	ctx, cancel := context.WithTimeout(in.done, 250*time.Millisecond)
	defer cancel()
	for step, err := range in.o.Store.Steps(ctx, recorder.Cursor{}) {
		if err == nil && step.Exchange != nil {
			return step.Exchange.Seq
		}
	}
	return 1
}

// rowsPart answers rows: ?limit of them, older than ?before, down to ?from. What is
// to be known of the rest is in headers.
func (in *Inspector) rowsPart(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f, err := in.filter(query.Get("filter"))
	if err != nil {
		writeJSON(w, http.StatusBadRequest, faultOf(query.Get("filter"), err))
		return
	}
	limit, err := number(query, "limit", firstRows, mostExchanges)
	if err != nil {
		in.failed(w, err)
		return
	}
	before, _ := strconv.ParseUint(query.Get("before"), 10, 64)
	from, _ := strconv.ParseUint(query.Get("from"), 10, 64)
	list, err := in.rows(r.Context(), recorder.Query{Filter: f, Newest: limit, Before: before})
	if err != nil {
		in.failed(w, err)
		return
	}
	if n := slices.IndexFunc(list.Rows, func(r row) bool { return r.Seq < from }); n >= 0 {
		list.Next = list.Rows[n].Seq + 1
		list.Rows = list.Rows[:n]
	}
	h := w.Header()
	h.Set("X-Devhook-Next", strconv.FormatUint(list.Next, 10))
	h.Set("X-Devhook-Cursor", list.Cursor)
	h.Set("X-Devhook-Damaged", strconv.Itoa(list.Damaged))
	h.Set("X-Devhook-Now", strconv.FormatInt(list.Now, 10))
	h.Set("X-Devhook-Notes", url.PathEscape(strings.Join(notesOf(f), "\n")))
	if query.Has("oldest") {
		h.Set("X-Devhook-Oldest", strconv.FormatUint(in.oldest(), 10))
	}
	in.part(w, "rows", list.Rows)
}

// rowEvents follows the journal in rows. One that a filter lets through no longer
// is "gone"; one of which only a pin is new is "pin".
func (in *Inspector) rowEvents(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("filter")
	f, err := in.filter(text)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, faultOf(text, err))
		return
	}
	var b bytes.Buffer
	in.follow(w, r, func(step recorder.Step) (string, []byte, error) {
		ex, name := step.Exchange, "row"
		if step.Pin {
			name = "pin"
		}
		ok, err := f.Match(in.o.Store, ex)
		switch {
		case err != nil:
			return "", nil, err
		case ok:
			b.Reset()
			err := templates().ExecuteTemplate(&b, "row", in.row(summarized(ex), in.o.Catalog()))
			return name, b.Bytes(), err
		case text != "" && ex.Outcome != recorder.Pending:
			data, err := json.Marshal(ex.ID)
			return "gone", data, err
		}
		return "", nil, nil
	})
}

// mostPoints is how many exchanges the chart is made of.
const mostPoints = 2000

// points answers what the chart is made of, of the newest ?limit that are older than
// ?before: of each exchange the time it came in unix ms, how long the answer took in ms, and
// how it went.
func (in *Inspector) points(r *http.Request) (any, error) {
	query := r.URL.Query()
	f, err := in.filter(query.Get("filter"))
	limit, err2 := number(query, "limit", mostPoints, mostPoints)
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	before, _ := strconv.ParseUint(query.Get("before"), 10, 64)
	points := [][3]any{}
	for ex, err := range in.o.Store.QueryContext(r.Context(), recorder.Query{Filter: f, Newest: limit, Before: before}) {
		if err != nil {
			continue // the list tells of it
		}
		took := 0.0
		if ex.Response != nil {
			took = float64(ex.Response.Took) / float64(time.Millisecond)
		}
		class, _, _ := state(ex)
		points = append(points, [3]any{ex.At.UnixMilli(), took, class})
	}
	return map[string]any{"points": points}, nil
}
