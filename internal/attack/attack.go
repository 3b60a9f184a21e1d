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
	keys     verify.Keys
	wrong    verify.Keys // of the same form, and not the receiver's
	source   recorder.Request
	places   []place // of the signature
	event    place   // where the name of the event stands; where is "" if that is not known
}

// New returns the attack with variants of src, a webhook of p whose whole body is
// in memory, for a receiver with the keys k. The error tells why it cannot be
// signed; it wraps [verify.ErrNoSecret] if the keys do not suffice.
func New(p verify.Provider, k verify.Keys, src recorder.Request, now time.Time) (*Attack, error) {
	if _, err := p.CheckSign(k); err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID, err)
	}
	if src.Truncated || src.Body.Sum != "" {
		return nil, fmt.Errorf("%s: %w", p.ID, replay.ErrTruncated)
	}
	a := &Attack{provider: p, keys: k, source: src}
	var err error
	if a.wrong, err = wrongKeys(p, k); err != nil {
		return nil, err
	}
	right, err := a.sign(src, now, k, true)
	if err != nil {
		return nil, err
	}
	other, err := a.sign(right, now, a.wrong, false)
	if err != nil {
		return nil, err
	}
	if a.places = differences(&right, &other); len(a.places) == 0 {
		return nil, fmt.Errorf("%s: its signature is the same with another secret", p.ID)
	}
	a.event = a.eventPlace(&right)
	return a, nil
}

// wrongKeys makes up keys of the form that p wants.
func wrongKeys(p verify.Provider, k verify.Keys) (verify.Keys, error) {
	text, err := p.SecretText([]byte("devhook attack: the wrong secret"))
	if private, _, bad := p.NewKeyPair(); bad == nil {
		text, err = private, nil
	}
	wrong := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(text)}, With: k.With}
	if err == nil {
		_, err = p.CheckSign(wrong)
	}
	if err != nil {
		return verify.Keys{}, fmt.Errorf("%s: no second secret can be made up for it: %w", p.ID, err)
	}
	return wrong, nil
}

// sign returns req signed at the given time; its URL, headers and body are its own.
func (a *Attack) sign(req recorder.Request, at time.Time, k verify.Keys, fresh bool) (recorder.Request, error) {
	ex, err := replay.Plan{
		Source: &recorder.Exchange{Provider: a.provider.ID, Request: req},
		Origin: recorder.Replay, Sign: replay.SignAlways, At: at, FreshID: fresh,
	}.Build(replay.Keys(a.provider, k), at)
	if err != nil {
		return req, err
	}
	return ex.Request, nil
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

// Build makes v at the present time, which it is to be sent at. skipped says why it
// cannot be made of this webhook, as it cannot of one whose body is no JSON.
func (a *Attack) Build(v Variant, now time.Time) (s Shot, skipped string, err error) {
	b := &build{a: a, now: now, req: a.renewed()}
	if !v.signed {
		if b.req, err = a.sign(b.req, now, a.keys, true); err != nil {
			return s, "", err
		}
	}
	var why skip
	if err := v.make(b); errors.As(err, &why) {
		return s, string(why), nil
	} else if err != nil {
		return s, "cannot be made: " + err.Error(), nil
	}
	if v.signed && len(b.more) == 0 {
		if b.req, err = a.sign(b.req, now, a.keys, true); err != nil {
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
	verdict, err := a.verdict(&s.Requests[0], now)
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
	m, err := req.Message()
	if err != nil {
		return verify.Verdict{}, err
	}
	return a.provider.Scheme.Verify(m, a.keys, now), nil
}
