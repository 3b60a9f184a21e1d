package inspector

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"devhook/recorder"
)

// A kept says whether a recording is pinned now.
type kept struct {
	V      int         `json:"v"`
	ID     recorder.ID `json:"id"`
	Seq    uint64      `json:"seq"`
	Pinned bool        `json:"pinned"`
}

func (in *Inspector) pin(w http.ResponseWriter, r *http.Request)   { in.keep(w, r, true) }
func (in *Inspector) unpin(w http.ResponseWriter, r *http.Request) { in.keep(w, r, false) }

// keep has a recording stay when others are pruned, or no longer. To say it twice
// changes nothing.
func (in *Inspector) keep(w http.ResponseWriter, r *http.Request, pinned bool) {
	ex, ok := in.exchange(w, r, "ref")
	if !ok {
		return
	}
	if ex.Pinned != pinned {
		if err := in.o.Store.Pin(ex.ID, pinned); err != nil {
			in.failed(w, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, kept{1, ex.ID, ex.Seq, pinned})
}

// remove removes one recording for good. One that is pinned, or under way, stays.
//
// Clients send a DELETE again whose answer was lost, as RFC 9110 §9.2.2 lets them:
// so what names another recording as soon as this one is gone is refused.
func (in *Inspector) remove(w http.ResponseWriter, r *http.Request) {
	ref := r.PathValue("ref")
	if word, _, _ := strings.Cut(ref, "~"); word == "last" || word == "live" {
		fail(w, http.StatusBadRequest, ref+" names another recording once that one is gone", "name what is to be deleted by its number or id")
		return
	}
	ex, ok := in.exchange(w, r, "ref")
	if !ok {
		return
	}
	f, err := recorder.ParseFilter(in.o.Now(), "id:"+string(ex.ID))
	if err != nil {
		in.failed(w, err)
		return
	}
	out, err := in.o.Store.Prune(recorder.Pruning{Filter: f, Now: in.o.Now()})
	switch {
	case err != nil:
		in.notPruned(w, err)
	case out.Pinned > 0:
		fail(w, http.StatusConflict, fmt.Sprintf("#%d is pinned", ex.Seq), "unpin it first")
	case out.Exchanges == 0:
		in.whyNot(w, ex)
	default:
		in.o.Log.Info("a recording was deleted", "id", string(ex.ID))
		writeJSON(w, http.StatusOK, struct {
			V     int         `json:"v"`
			ID    recorder.ID `json:"id"`
			Seq   uint64      `json:"seq"`
			Bytes int64       `json:"bytes"`
		}{1, ex.ID, ex.Seq, out.Bytes})
	}
}

// notPruned answers why nothing could be removed.
func (in *Inspector) notPruned(w http.ResponseWriter, err error) {
	if errors.Is(err, recorder.ErrBusy) {
		w.Header().Set("Retry-After", "1")
		err = &Error{http.StatusServiceUnavailable, err.Error(), "try again when what reads them is done"}
	}
	in.failed(w, err)
}

// whyNot answers for a recording that was there a moment ago and that no pruning has
// removed.
func (in *Inspector) whyNot(w http.ResponseWriter, ex *recorder.Exchange) {
	if _, err := in.o.Store.Get(string(ex.ID)); err != nil { // somebody else has removed it meanwhile
		in.failed(w, err)
		return
	}
	fail(w, http.StatusConflict, fmt.Sprintf("#%d is under way", ex.Seq), "try again when it is answered; without an answer it can be deleted after an hour")
}
