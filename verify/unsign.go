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
	places := append([]place{d.signature}, d.also...)
	for _, l := range d.legacy {
		places = append(places, l.place)
	}
	if d.stamp != nil && d.stamp.in != inBody {
		places = append(places, d.stamp.place)
	}
	if d.headers != nil && d.headers.in == inHeader {
		places = append(places, d.headers.place)
	}
	for _, at := range places {
		switch at.in {
		case inHeader:
			delete(m.Header, at.key)
		case inQuery:
			if m.URL != nil {
				m.URL.RawQuery = param.Remove(m.URL.RawQuery, at.name)
			}
		case inForm:
			if at.held != nil {
				if _, how := at.read(m, nil); how != absent {
					at.writeHeld(m, "")
				}
				break
			}
			m.Body = []byte(param.Remove(string(m.Body), at.name))
		case inBody:
			if body, err := jsonx.Set(m.Body, at.path, []byte(`""`)); err == nil {
				m.Body = body
			}
		}
	}
}
