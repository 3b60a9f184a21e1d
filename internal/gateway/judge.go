package gateway

import (
	"net/http"
	"slices"
	"time"

	"devhook/verify"
)

// A judgement is what is known of a webhook before it is recorded.
type judgement struct {
	provider string // "" if none is recognised
	event    string
	delivery string
	verdict  verify.Verdict
	// handshake is what to answer to a provider that asks whether this is
	// the right place; nil otherwise.
	handshake *verify.Answer
	offer     *offer        // a secret that the provider hands over; nil mostly
	confirm   string        // the URL whose visit confirms what a message that is valid asks for; "" mostly
	ack       verify.Answer // what the provider expects where no app answers
	reject    verify.Answer // what it is told where the signature is not right
}

// judge finds the provider of m and checks its signature. size is that of the
// body, which is not in m if it is over [verify.MaxBody].
func (rt *Routes) judge(r *Route, m verify.Message, size int64, now time.Time) judgement {
	p, others, ok := rt.candidates(r, m)
	if !ok {
		j := judgement{ack: defaultAck, reject: defaultReject}
		j.verdict = verify.Verdict{Status: verify.Unverified, Reason: verify.UnknownProvider}
		if size > verify.MaxBody {
			j.verdict = tooLarge
		}
		if r.Verify == Off {
			j.verdict = off
		}
		return j
	}

	var verdict verify.Verdict
	switch {
	case r.Verify == Off:
		verdict = off
	case size > verify.MaxBody:
		verdict = tooLarge
	default:
		verdict = p.Scheme.Verify(m, rt.Keys[p.ID], now)
		for _, other := range others {
			if verdict.Status == verify.Valid {
				break
			}
			if v := other.Scheme.Verify(m, rt.Keys[other.ID], now); v.Status == verify.Valid {
				p, verdict = other, v
			}
		}
	}
	j := judgement{
		provider: p.ID, event: p.Event(m), delivery: p.DeliveryID(m),
		verdict: verdict, ack: p.Ack, reject: p.Reject,
	}
	if verdict.Status != verify.Valid && r.Verify != Off {
		if about := p.Explain(m); about != "" {
			j.verdict.Hint = about
		}
	}
	if r.Verify != Off && size <= verify.MaxBody {
		if a, ok := p.Handshake(m, rt.Keys[p.ID], now); ok {
			j.handshake = &a
		}
		if a, secret, ok := p.Offer(m); ok {
			j.offer = &offer{a, secret}
		}
		if verdict.Status == verify.Valid {
			j.confirm, _ = p.Confirmation(m)
		}
	}
	return j
}

// note is what a user is told of a webhook with which all is well.
func (j *judgement) note() string {
	if j.confirm != "" {
		return "a subscription to confirm: devhook up --confirm does it, or the app by a visit of the URL in the body"
	}
	return ""
}

var (
	off      = verify.Verdict{Status: verify.Skipped, Reason: verify.Off}
	tooLarge = verify.Verdict{
		Status: verify.Unverified, Reason: verify.TooLarge,
		Detail: "over 32 MiB, which is not verified",
	}
	defaultAck    = verify.Answer{Status: 200}
	defaultReject = verify.Answer{Status: 403, Header: jsonHeader, Body: []byte(`{"error":"signature verification failed"}`)}
	jsonHeader    = http.Header{"Content-Type": {"application/json"}}
)

// candidates returns the providers that m may be from, the likeliest apart: the one that
// the route names, or those whose marks it bears, and of them first those whose secret is
// known. ok is false if there are none.
func (rt *Routes) candidates(r *Route, m verify.Message) (likeliest verify.Provider, others []verify.Provider, ok bool) {
	if r.Provider != "" {
		if p, ok := rt.Catalog.Lookup(r.Provider); ok {
			return p, nil, true
		}
	}
	all := rt.Catalog.Detect(m)
	if len(all) == 0 {
		return likeliest, nil, false
	}
	unknown := func(p verify.Provider) int {
		if _, err := p.CheckKeys(rt.Keys[p.ID]); err != nil {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b verify.Provider) int { return unknown(a) - unknown(b) })
	return all[0], all[1:], true
}

// passes reports whether a webhook with this verdict gets to the app, and the
// status of the answer if it does not: 0 means the provider's own.
func (r *Route) passes(v verify.Verdict) (ok bool, status int) {
	switch {
	case r.Verify == Report || r.Verify == Off || v.Status == verify.Valid || v.Status == verify.Skipped:
		return true, 0
	case v.Reason == verify.TooLarge:
		return r.Verify != Strict && r.Provider == "", 413
	case v.Reason == verify.Unsupported: // the message names a key that could not be had: it could name one that is nowhere
		return r.Verify != Strict && r.Provider == "", 503
	case v.Reason == verify.NoSecret && r.Provider != "": // it is waited for: nobody gets by before it comes
		return false, 0
	case v.Status == verify.Unverified:
		return r.Verify != Strict, 0
	}
	return false, 0
}
