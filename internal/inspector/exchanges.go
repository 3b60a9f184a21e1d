package inspector

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"devhook/recorder"
	"devhook/verify"
)

// How many exchanges, or frames, an answer has: at most, and if nothing is said.
const (
	mostExchanges, usualExchanges = 1000, 50
	mostFrames, usualFrames       = 10000, 1000
)

// mostBytes is how much of headers and bodies one answer has, about: the oldest of a
// list are left for its next page.
const mostBytes = 32 << 20

// An exchangeList is one page of a list, the newest first.
type exchangeList struct {
	Exchanges []*recorder.Exchange `json:"exchanges"`
	Next      uint64               `json:"next,omitempty"`    // the before of the next page
	Cursor    string               `json:"cursor"`            // where to follow on from
	Damaged   []string             `json:"damaged,omitempty"` // what could not be read
	Notes     []string             `json:"notes,omitempty"`   // where the filter may not mean what its writer did
}

// listExchanges answers the newest exchanges that a filter lets through, from
// before a sequence number on.
func (in *Inspector) listExchanges(r *http.Request) (any, error) {
	query := r.URL.Query()
	var q recorder.Query
	var err, err2, err3 error
	q.Filter, err = in.filter(query.Get("filter"))
	q.Newest, err2 = number(query, "limit", usualExchanges, mostExchanges)
	summary, err3 := view(query)
	if err := cmp.Or(err, err2, err3); err != nil {
		return nil, err
	}
	if text := query.Get("before"); text != "" {
		if q.Before, err = strconv.ParseUint(text, 10, 64); err != nil || q.Before == 0 {
			return nil, &Error{http.StatusBadRequest, "before is no sequence number", "take the member next of the answer before"}
		}
	}
	end, err := in.o.Store.End() // first: what comes meanwhile is followed rather twice than never
	if err != nil {
		return nil, err
	}
	list := exchangeList{Exchanges: []*recorder.Exchange{}, Cursor: end.String(), Notes: notesOf(q.Filter)}
	q.Newest++ // whether there is more
	held := window[*recorder.Exchange]{size: weight}
	lost := func(err error) { list.Damaged = append(list.Damaged, err.Error()) }
	for ex, err := range readable(in.o.Store.QueryContext(r.Context(), q), lost) {
		if err != nil {
			return nil, err
		}
		if summary {
			ex = summarized(ex)
		}
		held.add(ex)
	}
	if len(held.list) == q.Newest {
		held.drop()
	}
	list.Exchanges = append(list.Exchanges, held.list...)
	slices.Reverse(list.Exchanges)
	if held.dropped {
		list.Next = held.list[0].Seq
	}
	return list, nil
}

// readable gives what list does, but for what is damaged, of which lost is told; nil: nobody
// is.
func readable[T any](list iter.Seq2[T, error], lost func(error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range list {
			if !errors.As(err, new(*recorder.DamagedError)) {
				if !yield(v, err) {
					return
				}
			} else if lost != nil {
				lost(err)
			}
		}
	}
}

// A window holds the last of what is added, at most [mostBytes] of it, and one
// whatever its size.
type window[T any] struct {
	size    func(T) int
	list    []T
	bytes   int
	dropped bool
}

func (win *window[T]) add(v T) {
	win.list = append(win.list, v)
	win.bytes += win.size(v)
	for win.bytes > mostBytes && len(win.list) > 1 {
		win.drop()
	}
}

func (win *window[T]) drop() {
	win.bytes -= win.size(win.list[0])
	win.list[0] = *new(T)
	win.list, win.dropped = win.list[1:], true
}

// weight is about how many bytes ex takes.
func weight(ex *recorder.Exchange) int {
	n := len(ex.Request.URL) + len(ex.Request.Body.Bytes) + headerWeight(ex.Request.Headers)
	for _, res := range []*recorder.Response{ex.Response, ex.App} {
		if res != nil {
			n += len(res.Body.Bytes) + headerWeight(res.Headers)
		}
	}
	return n
}

func headerWeight(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// filter reads a filter, as `devhook list` does.
func (in *Inspector) filter(text string) (recorder.Filter, error) {
	return recorder.ParseShown(in.o.Now(), text)
}

// number reads a query parameter from 1 to most.
func number(query url.Values, name string, usual, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, &Error{http.StatusBadRequest, fmt.Sprintf("%s is no number from 1 to %d", name, most), ""}
	}
	return n, nil
}

// view reports whether headers and bodies are to be left out.
func view(query url.Values) (summary bool, err error) {
	switch query.Get("view") {
	case "", "full":
		return false, nil
	case "summary":
		return true, nil
	}
	return false, &Error{http.StatusBadRequest, "view is none of full, summary", ""}
}

// summarized returns ex without headers and bodies.
func summarized(ex *recorder.Exchange) *recorder.Exchange {
	s := *ex
	s.Request.Headers, s.Request.Body = nil, recorder.Body{}
	s.Response, s.App = shortened(ex.Response), shortened(ex.App)
	return &s
}

func shortened(res *recorder.Response) *recorder.Response {
	if res == nil {
		return nil
	}
	s := *res
	s.Headers, s.Body = nil, recorder.Body{}
	return &s
}

// named returns the recording whose reference is in the path of r, under that name.
func (in *Inspector) named(r *http.Request, name string) (*recorder.Exchange, error) {
	return in.o.Store.Get(r.PathValue(name))
}

// oneExchange answers one exchange; a body that is in a file stays a reference.
func (in *Inspector) oneExchange(r *http.Request) (any, error) { return in.named(r, "ref") }

func (in *Inspector) requestBody(w http.ResponseWriter, r *http.Request) {
	ex, err := in.named(r, "ref")
	if err != nil {
		in.failed(w, err)
		return
	}
	in.serveBytes(w, r, ex.Request.Body, string(ex.ID)+".request")
}

// responseBody answers the bytes of what the sender got or, with ?of=app, of what
// the app answered, where that is something else.
func (in *Inspector) responseBody(w http.ResponseWriter, r *http.Request) {
	ex, err := in.named(r, "ref")
	if err != nil {
		in.failed(w, err)
		return
	}
	res := ex.Response
	switch r.URL.Query().Get("of") {
	case "", "sender":
	case "app":
		res = ex.Answer()
	default:
		fail(w, http.StatusBadRequest, "of is none of sender, app", "")
		return
	}
	if res == nil {
		fail(w, http.StatusNotFound, fmt.Sprintf("#%d has no answer yet", ex.Seq), "")
		return
	}
	in.serveBytes(w, r, res.Body, string(ex.ID)+".response")
}

// frames answers the newest frames of a WebSocket, the oldest of them first.
func (in *Inspector) frames(r *http.Request) (any, error) {
	n, err := number(r.URL.Query(), "limit", usualFrames, mostFrames)
	ex, err2 := in.named(r, "ref")
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	list := struct {
		Frames  []*recorder.Frame `json:"frames"`
		Damaged []string          `json:"damaged,omitempty"`
	}{Frames: []*recorder.Frame{}}
	held := window[*recorder.Frame]{size: func(f *recorder.Frame) int { return len(f.Body) }}
	lost := func(err error) { list.Damaged = append(list.Damaged, err.Error()) }
	for f, err := range readable(in.o.Store.Frames(ex, n), lost) {
		if err != nil {
			return nil, err
		}
		held.add(f)
	}
	list.Frames = append(list.Frames, held.list...)
	return list, nil
}

// load reads the body of req into memory, unless it is too large to be signed or
// changed.
func (in *Inspector) load(req *recorder.Request) error { return in.loadBody(&req.Body, req.Size) }

func (in *Inspector) loadBody(b *recorder.Body, size int64) error {
	if size > verify.MaxBody {
		return nil
	}
	return in.o.Store.LoadBody(b)
}
