// Package attack makes variants of one webhook, signed and unsigned, right and
// wrong, knows what a right handler does with each, and judges what one did. It
// sends nothing: its caller does, and tells the answers.
//
// # What is right
//
// Whether a variant is to be refused follows from the provider's description,
// and is found by verifying it as a receiver would: where a provider signs no
// time, nobody can refuse an old webhook, and where it does not sign the body,
// nobody can see that a byte of it is another. Such a variant is sent all the
// same, and only a crash of the handler counts.
//
// Where the signature stands in a message is found by signing it with two
// secrets: what is different is the signature.
package attack

import (
	"errors"
	"fmt"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// An Attack is all variants of one webhook. Make one with [New]. It is not for
// concurrent use.
type Attack struct {
	provider verify.Provider
	keys     Keyholder
	wrong    string // a secret of the same form, and not the receiver's
	source   recorder.Request
	places   []place // of the signature
	event    place   // where the name of the event stands; where is "" if that is not known
}

// New returns the attack with variants of src, a webhook of p whose whole body is
// in memory, for a receiver whose keys k holds. The error tells why it cannot be
// signed; it wraps [verify.ErrNoSecret] if the keys are here and do not suffice.
func New(p verify.Provider, k Keyholder, src recorder.Request, now time.Time) (*Attack, error) {
	if src.Truncated || src.Body.Sum != "" {
		return nil, fmt.Errorf("%s: %w", p.ID, replay.ErrTruncated)
	}
	if m, err := src.Message(); err == nil && p.NeverSigned(m) {
		return nil, fmt.Errorf("%s never signs such a webhook, so that a handler has nothing to verify", p.ID)
	}
	a := &Attack{provider: p, keys: k, source: src}
	right, err := a.sign(src, now, true)
	if err != nil {
		return nil, err
	}
	if a.wrong, err = wrongSecretOf(p); err != nil {
		return nil, fmt.Errorf("%s: no second secret can be made up for it: %w", p.ID, err)
	}
	other, err := a.forge(right, now)
	if err != nil {
		return nil, err
	}
	if a.places = differences(&right, &other); len(a.places) == 0 {
		return nil, fmt.Errorf("%s: its signature is the same with another secret", p.ID)
	}
	a.event = a.eventPlace(&right)
	return a, nil
}

// wrongSecretOf makes up a secret of the form that p wants.
func wrongSecretOf(p verify.Provider) (string, error) {
	if private, _, err := p.NewKeyPair(); err == nil {
		return private, nil
	}
	return p.SecretText([]byte("devhook attack: the wrong secret"))
}

// sign returns req signed at the given time; its URL, headers and body are its own.
func (a *Attack) sign(req recorder.Request, at time.Time, fresh bool) (recorder.Request, error) {
	return a.signAs(req, Signing{As: a.provider, At: at, FreshID: fresh})
}

// forge signs with the wrong secret.
func (a *Attack) forge(req recorder.Request, at time.Time) (recorder.Request, error) {
	return a.signAs(req, Signing{As: a.provider, At: at, Secret: a.wrong})
}

func (a *Attack) signAs(req recorder.Request, how Signing) (recorder.Request, error) {
	signed, err := a.keys.Sign(req, how)
	if err != nil && !isRefusal(err) {
		return req, &keyholderError{err}
	}
	return signed, err
}

// A skip is why a variant cannot be made of a webhook.
type skip string

func (s skip) Error() string { return string(s) }

// A Shot is a variant as it is sent.
type Shot struct {
	// Requests are sent one after the other, or, if Together, at once.
	Requests []recorder.Request
	Together bool
	Want     Want
	Patience time.Duration // how long the provider waits for an answer; 0: not known
	// Why says why Want is not what the variant is there for, as in: github
	// signs no time. It is "" mostly.
	Why string
}

// build makes v at the present time, which it is to be sent at. skipped says why it
// cannot be made of this webhook, as it cannot of one whose body is no JSON.
func (a *Attack) build(v Variant, now time.Time) (s Shot, skipped string, err error) {
	b := &build{a: a, now: now, req: a.renewed()}
	if !v.signed {
		if b.req, err = a.sign(b.req, now, true); err != nil {
			return s, "", err
		}
	}
	var why skip
	var lost *keyholderError
	switch err := v.make(b); {
	case errors.As(err, &why):
		return s, string(why), nil
	case errors.As(err, &lost):
		return s, "", err
	case err != nil:
		return s, "cannot be made: " + err.Error(), nil
	}
	if v.signed && len(b.more) == 0 {
		if b.req, err = a.sign(b.req, now, true); errors.As(err, &lost) {
			return s, "", err
		} else if err != nil {
			return s, "cannot be signed: " + err.Error(), nil
		}
	}
	s = Shot{Requests: b.more, Together: b.together, Want: v.Want, Patience: a.provider.Retry.Timeout}
	if len(s.Requests) == 0 {
		s.Requests = []recorder.Request{b.req}
	}
	if v.Want == Survive {
		return s, "", nil
	}
	verdict, err := a.verdict(&s.Requests[len(s.Requests)-1], now)
	if err != nil {
		return s, "", err
	}
	switch {
	case v.Want == Refuse && verdict.Status == verify.Valid:
		s.Want, s.Why = Survive, v.unseen
	case v.Want != Refuse && verdict.Status != verify.Valid:
		s.Want, s.Why = Survive, fmt.Sprintf("%s: a receiver finds it %s", a.provider.ID, verdict.Status)
	}
	return s, "", nil
}

func (a *Attack) verdict(req *recorder.Request, now time.Time) (verify.Verdict, error) {
	v, err := a.keys.Verify(*req, now)
	if err != nil {
		err = &keyholderError{err}
	}
	return v, err
}
