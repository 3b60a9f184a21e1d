package verify

import "time"

// SignedAt returns the time that m says it was signed at, where the provider's
// signature names one. Whether the signature is right is not looked at. ok is false
// if there is no such time, and for a token, whose times are claims.
func (p Provider) SignedAt(m Message) (at time.Time, ok bool) {
	d, isDeclared := p.Scheme.(*declared)
	if !isDeclared || d.stamp == nil {
		return at, false
	}
	var c claim
	if _, ok := d.read(&m, &c); !ok {
		return at, false
	}
	at, _, ok = d.stamp.unit.parse(c.stamp)
	if d.stamp.expiry {
		at = at.Add(-d.stamp.ttl)
	}
	return at, ok
}
