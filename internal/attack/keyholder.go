package attack

import (
	"errors"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A Keyholder signs and verifies with the keys of the receiver, which need not be in
// this process.
type Keyholder interface {
	// Sign returns req signed; its headers and body are its own. A [*replay.Error]
	// tells why it cannot be signed, any other error that nothing can be.
	Sign(req recorder.Request, how Signing) (recorder.Request, error)
	// Verify returns what the receiver finds of req at the given time.
	Verify(req recorder.Request, at time.Time) (verify.Verdict, error)
}

// Signing is how a webhook is signed.
type Signing struct {
	As      verify.Provider
	At      time.Time
	FreshID bool   // as a delivery that there was not before
	Secret  string // in the place of the receiver's; "" is that
}

// Holding returns the Keyholder that has the keys k of p.
func Holding(p verify.Provider, k verify.Keys) Keyholder { return holding{p, k} }

type holding struct {
	provider verify.Provider
	keys     verify.Keys
}

func (h holding) Sign(req recorder.Request, how Signing) (recorder.Request, error) {
	keys := h.keys
	if how.Secret != "" {
		keys.Secrets = []verify.Secret{verify.NewSecret(how.Secret)}
	}
	ex, err := replay.Plan{
		Source: &recorder.Exchange{Provider: how.As.ID, Request: req},
		Origin: recorder.Replay, Sign: replay.SignAlways, At: how.At, FreshID: how.FreshID,
	}.Build(replay.Keys(how.As, keys), how.At)
	if err != nil {
		return req, err
	}
	return ex.Request, nil
}

func (h holding) Verify(req recorder.Request, at time.Time) (verify.Verdict, error) {
	m, err := req.Message()
	if err != nil {
		return verify.Verdict{}, err
	}
	return h.provider.Scheme.Verify(m, h.keys, at), nil
}

// isRefusal reports whether err is why one webhook cannot be signed.
func isRefusal(err error) bool { return errors.As(err, new(*replay.Error)) }

// A keyholderError is why nothing more can be signed.
type keyholderError struct{ err error }

func (e *keyholderError) Error() string { return e.err.Error() }

func (e *keyholderError) Unwrap() error { return e.err }
