package verify

import (
	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// Unsign takes out of m what Sign puts in: signatures, the times that they
// cover, and all else that a holder of the secret made with it. A signature in
// a JSON body becomes an empty string, because a receiver can tell the message
// by its being there; a time in one stays. m's Header and URL are changed in
// place, Body is replaced.
func (p Provider) Unsign(m *Message) {
	d, ok := p.Scheme.(*declared)
	if !ok {
		return
	}
	for _, u := range d.uses() {
		switch u.what {
		case "digest", "nonce", "delivery_id": // anyone could make them
			continue
		case "timestamp":
			if u.in == inBody {
				continue
			}
		}
		u.remove(m)
	}
}

// remove takes out of m what is at p. In a JSON body the text becomes an empty one.
func (p place) remove(m *Message) {
	switch p.in {
	case inHeader:
		delete(m.Header, p.key)
	case inQuery:
		if m.URL != nil {
			m.URL.RawQuery = param.Remove(m.URL.RawQuery, p.name)
		}
	case inForm:
		if p.held == nil {
			m.Body = []byte(param.Remove(string(m.Body), p.name))
		} else if _, how := p.read(m, nil); how != absent {
			p.writeHeld(m, "")
		}
	case inBody:
		if body, err := jsonx.Set(m.Body, p.path, []byte(`""`)); err == nil {
			m.Body = body
		}
	}
}
