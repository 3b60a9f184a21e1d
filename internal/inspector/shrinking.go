package inspector

import (
	"cmp"
	"fmt"
	"net/http"

	"devhook/internal/trial"
)

// How often a webhook is sent to shrink it: at most, and if nothing is said.
const mostTries, usualTries = 10_000, 1000

// A shrinkRequest is a webhook that is to become smaller.
type shrinkRequest struct {
	tryRequest
	While    string `json:"while"` // 5xx, 422, timeout, no-answer
	MaxTries *int   `json:"max_tries"`
	Each     *int   `json:"each"`
}

// shrink leaves more and more out of a body as long as the app answers as is said, and
// answers the smallest that it has found.
func (in *Inspector) shrink(w http.ResponseWriter, r *http.Request) {
	var req shrinkRequest
	err := decode(r, &req)
	if err != nil {
		in.failed(w, err)
		return
	}
	while, err := trial.ParseWhile(cmp.Or(req.While, "5xx"))
	if err != nil {
		fail(w, http.StatusBadRequest, "while: "+err.Error(), "")
		return
	}
	most := usualTries
	if req.MaxTries != nil {
		most = *req.MaxTries
	}
	if most < 1 || most > mostTries {
		fail(w, http.StatusBadRequest, fmt.Sprintf("max_tries is no number from 1 to %d", mostTries), "")
		return
	}
	each := 0
	if req.Each != nil {
		if each = *req.Each; each < 1 || each > trial.MostEach {
			fail(w, http.StatusBadRequest, fmt.Sprintf("each is no number from 1 to %d", trial.MostEach), "")
			return
		}
	}
	t, ctx, end, ok := in.tries(w, r, req.tryRequest)
	if !ok {
		return
	}
	defer end()
	small, err := t.Shrink(ctx, while, most, each)
	if !in.answered(ctx, w, err) {
		return
	}
	if small.Exchange == nil || small.Tries == 0 && err != nil {
		fail(w, http.StatusGatewayTimeout, "time was up before the app has answered to the whole body", `"within" allows more`)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		V   int    `json:"v"`
		Seq uint64 `json:"seq"`
		trial.ToldShrunk
		TimedOut bool `json:"timed_out"`
	}{1, small.Exchange.Seq, small.Tell(t.Source.Request.Size), err != nil})
}
