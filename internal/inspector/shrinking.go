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
func (in *Inspector) shrink(r *http.Request, req shrinkRequest) (any, error) {
	bad := func(text string) (any, error) { return nil, &Error{http.StatusBadRequest, text, ""} }
	while, err := trial.ParseWhile(cmp.Or(req.While, "5xx"))
	if err != nil {
		return bad("while: " + err.Error())
	}
	most := usualTries
	if req.MaxTries != nil {
		most = *req.MaxTries
	}
	if most < 1 || most > mostTries {
		return bad(fmt.Sprintf("max_tries is no number from 1 to %d", mostTries))
	}
	each := 0
	if req.Each != nil {
		if each = *req.Each; each < 1 || each > trial.MostEach {
			return bad(fmt.Sprintf("each is no number from 1 to %d", trial.MostEach))
		}
	}
	t, ctx, end, err := in.tries(r, req.tryRequest)
	if err != nil {
		return nil, err
	}
	defer end()
	small, err := t.Shrink(ctx, while, most, each)
	timedOut, err := late(ctx, err)
	if err != nil {
		return nil, err
	}
	if small.Exchange == nil || small.Tries == 0 && timedOut {
		return nil, &Error{http.StatusGatewayTimeout, "time was up before the app has answered to the whole body", `"within" allows more`}
	}
	return struct {
		Seq uint64 `json:"seq"`
		trial.ToldShrunk
		TimedOut bool `json:"timed_out"`
	}{small.Exchange.Seq, small.Tell(t.Source.Request.Size), timedOut}, nil
}
