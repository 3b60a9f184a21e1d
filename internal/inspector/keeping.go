package inspector

import (
	"fmt"
	"net/http"
	"strings"

	"devhook/recorder"
)

// A kept says whether a recording is pinned now.
type kept struct {
	ID     recorder.ID `json:"id"`
	Seq    uint64      `json:"seq"`
	Pinned bool        `json:"pinned"`
}

func (in *Inspector) pin(r *http.Request) (any, error)   { return in.keep(r, true) }
func (in *Inspector) unpin(r *http.Request) (any, error) { return in.keep(r, false) }

// keep has a recording stay when others are pruned, or no longer. To say it twice
// changes nothing.
func (in *Inspector) keep(r *http.Request, pinned bool) (any, error) {
	ex, err := in.named(r, "ref")
	if err == nil && ex.Pinned != pinned {
		err = in.o.Store.Pin(ex.ID, pinned)
	}
	if err != nil {
		return nil, err
	}
	return kept{ex.ID, ex.Seq, pinned}, nil
}

// remove removes one recording for good. One that is pinned, or under way, stays.
//
// Clients send a DELETE again whose answer was lost, as RFC 9110 §9.2.2 lets them:
// so what names another recording as soon as this one is gone is refused.
func (in *Inspector) remove(r *http.Request) (any, error) {
	ref := r.PathValue("ref")
	if word, _, _ := strings.Cut(ref, "~"); word == "last" || word == "live" {
		return nil, &Error{http.StatusBadRequest, ref + " names another recording once that one is gone", "name what is to be deleted by its number or id"}
	}
	ex, err := in.named(r, "ref")
	if err != nil {
		return nil, err
	}
	f, err := recorder.ParseFilter(in.o.Now(), "id:"+string(ex.ID))
	if err != nil {
		return nil, err
	}
	out, err := in.o.Store.Prune(recorder.Pruning{Filter: f, Now: in.o.Now()})
	switch {
	case err != nil:
		return nil, err
	case out.Pinned > 0:
		return nil, &Error{http.StatusConflict, fmt.Sprintf("#%d is pinned", ex.Seq), "unpin it first"}
	case out.Exchanges == 0:
		if _, err := in.o.Store.Get(string(ex.ID)); err != nil { // somebody else has removed it meanwhile
			return nil, err
		}
		return nil, &Error{http.StatusConflict, fmt.Sprintf("#%d is under way", ex.Seq), "try again when it is answered; without an answer it can be deleted after an hour"}
	}
	in.o.Log.Info("a recording was deleted", "id", string(ex.ID))
	return struct {
		ID    recorder.ID `json:"id"`
		Seq   uint64      `json:"seq"`
		Bytes int64       `json:"bytes"`
	}{ex.ID, ex.Seq, out.Bytes}, nil
}
