package inspector

import (
	"net/http"

	"devhook/internal/delivery"
	"devhook/internal/trial"
)

// A deliverRequest is a webhook that is delivered as its provider does.
type deliverRequest struct {
	tryRequest
	Duplicate bool `json:"duplicate"` // once more when it was delivered
}

// deliver sends a webhook as often as its provider would try, by a virtual clock, and
// answers once the provider is content, gives up, or time is up.
func (in *Inspector) deliver(w http.ResponseWriter, r *http.Request) {
	var req deliverRequest
	err := decode(r, &req)
	if err != nil {
		in.failed(w, err)
		return
	}
	t, ctx, end, ok := in.tries(w, r, req.tryRequest)
	if !ok {
		return
	}
	defer end()
	policy := delivery.Of(t.Provider.Retry)
	tries := []trial.ToldTry{}
	d, err := t.Deliver(ctx, policy, req.Duplicate, func(one trial.Try) error {
		tries = append(tries, one.Tell())
		return nil
	})
	if !in.answered(ctx, w, err) {
		return
	}
	writeJSON(w, http.StatusOK, struct {
		V         int              `json:"v"`
		Policy    trial.ToldPolicy `json:"policy"`
		Tries     []trial.ToldTry  `json:"tries"`
		Answered  int              `json:"answered"`
		Delivered bool             `json:"delivered"`
		Duplicate bool             `json:"duplicate"`
		TimedOut  bool             `json:"timed_out"`
	}{1, trial.TellPolicy(t.Provider.ID, policy), tries, d.Answered, d.Delivered, d.Duplicate, err != nil})
}
