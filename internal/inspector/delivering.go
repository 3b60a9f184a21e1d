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
func (in *Inspector) deliver(r *http.Request, req deliverRequest) (any, error) {
	t, ctx, end, err := in.tries(r, req.tryRequest)
	if err != nil {
		return nil, err
	}
	defer end()
	policy := delivery.Of(t.Provider.Retry)
	tries := []trial.ToldTry{}
	d, err := t.Deliver(ctx, policy, req.Duplicate, func(one trial.Try) error {
		tries = append(tries, one.Tell())
		return nil
	})
	timedOut, err := late(ctx, err)
	return struct {
		Policy    trial.ToldPolicy `json:"policy"`
		Tries     []trial.ToldTry  `json:"tries"`
		Answered  int              `json:"answered"`
		Delivered bool             `json:"delivered"`
		Duplicate bool             `json:"duplicate"`
		TimedOut  bool             `json:"timed_out"`
	}{trial.TellPolicy(t.Provider.ID, policy), tries, d.Answered, d.Delivered, d.Duplicate, timedOut}, err
}
