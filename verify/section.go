package verify

import (
	"net/http"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// The parts of a description that are mappings of their own.

// A stampBuilder gathers a timestamp.
type stampBuilder struct {
	stamp
	tolerance node
	ttl       node
}

var timestampFields = fieldTable[*stampBuilder]{
	"in": func(s *stampBuilder, n node) error {
		return n.placeKind(&s.place, inSignature, inHeader, inQuery, inForm, inBody)
	},
	"name": func(s *stampBuilder, n node) (err error) { s.name, err = n.Label(); return },
	"unit": func(s *stampBuilder, n node) (err error) { s.unit, err = word(n, "unit", units); return },
	"meaning": func(s *stampBuilder, n node) error {
		m, err := n.Word("meaning", []string{"issued", "expiry"})
		s.expiry = m == "expiry"
		return err
	},
	"also":      func(s *stampBuilder, n node) (err error) { s.also, err = n.elementName(); return },
	"tolerance": func(s *stampBuilder, n node) error { s.tolerance = n; return nil },
	"ttl":       func(s *stampBuilder, n node) (err error) { s.ttl = n; s.stamp.ttl, err = n.Duration(); return },
}

var toleranceFields = fieldTable[*stamp]{
	"past":   func(s *stamp, n node) error { return n.tolerance(&s.past) },
	"future": func(s *stamp, n node) error { return n.tolerance(&s.future) },
}

func (b *builder) readTimestamp(n node) error {
	var s stampBuilder
	if err := timestampFields.read(&s, n, "in", "name", "unit"); err != nil {
		return err
	}
	if s.expiry != !s.ttl.Empty() {
		return n.Errorf("needs ttl if it is an expiry, and only then")
	}
	s.past, s.future = defaultTolerance, defaultTolerance
	if s.expiry {
		s.past, s.future = 0, unlimited
	}
	if !s.tolerance.Empty() {
		if s.tolerance.IsMapping() {
			if err := toleranceFields.read(&s.stamp, s.tolerance); err != nil {
				return err
			}
		} else {
			if err := s.tolerance.tolerance(&s.past); err != nil {
				return err
			}
			s.future = s.past
		}
	}
	if s.expiry && s.stamp.ttl > s.future {
		return n.Errorf("ttl is more than the tolerance of the future")
	}
	b.d.stamp = &s.stamp
	return b.d.stamp.place.settle(n)
}

// tolerance reads n as a duration, or "none" for no limit.
func (n node) tolerance(d *time.Duration) error {
	if s, err := n.Text(); err == nil && s == "none" {
		*d = unlimited
		return nil
	}
	var err error
	*d, err = n.Duration()
	return err
}

var markFields = fieldTable[*mark]{
	"method": func(m *mark, n node) error {
		s, err := n.Label()
		*m = append(*m, condition{pattern: &pattern{steps: []step{{literal: strings.ToUpper(s)}}}})
		return err
	},
	"path": func(m *mark, n node) error {
		form, err := n.Label()
		if err != nil {
			return err
		}
		c, err := newCondition(inPath, "", form)
		*m = append(*m, c)
		return n.Wrap(err)
	},
	"header": func(m *mark, n node) error { return n.conditions(m, inHeader) },
	"query":  func(m *mark, n node) error { return n.conditions(m, inQuery) },
	"form":   func(m *mark, n node) error { return n.conditions(m, inForm) },
	"body":   func(m *mark, n node) error { return n.conditions(m, inBody) },
}

// mark reads n as a set of conditions.
func (n node) mark() (m mark, err error) {
	if err = markFields.read(&m, n); err == nil && len(m) == 0 {
		err = n.Errorf("has no condition")
	}
	return m, err
}

// conditions reads n as names that must be there: a list of them, or a mapping
// to patterns.
func (n node) conditions(m *mark, in placeKind) error {
	add := func(at node, name, form string) error {
		c, err := newCondition(in, name, form)
		*m = append(*m, c)
		return at.Wrap(err)
	}
	if n.IsMapping() {
		return n.each(func(name string, value, key node) error {
			form, err := value.Scalar()
			if err != nil {
				return err
			}
			return add(value, name, form)
		})
	}
	for _, item := range n.list() {
		name, err := item.Label()
		if err != nil {
			return err
		}
		if err := add(item, name, "*"); err != nil {
			return err
		}
	}
	return nil
}

var handshakeFields = fieldTable[*handshake]{
	"when": func(h *handshake, n node) (err error) { h.when, err = n.mark(); return },
	"stage": func(h *handshake, n node) error {
		s, err := n.Word("stage", []string{"before", "after"})
		h.first = s == "before"
		return err
	},
	"respond":           func(h *handshake, n node) error { return respondFields.read(h, n) },
	"store_secret_from": func(h *handshake, n node) error { return n.template(&h.secret, messageRefs) },
	"visit": func(h *handshake, n node) error {
		h.visit = new(remote)
		err := visitFields.read(h.visit, n, "url", "hosts")
		if err == nil && !h.visit.bounded() {
			err = n.Errorf("a host ends in a domain of the provider's own")
		}
		return err
	},
}

var visitFields = fieldTable[*remote]{
	"url":   (*remote).readURL,
	"hosts": (*remote).readHosts,
}

var respondFields = fieldTable[*handshake]{
	"status": func(h *handshake, n node) (err error) { h.status, err = n.Int(200, 599); return },
	"type": func(h *handshake, n node) (err error) {
		h.media, err = n.Word("type", []string{mediaText, mediaJSON})
		return
	},
	"headers": func(h *handshake, n node) error {
		h.header = make(map[string]template)
		return n.each(func(name string, value, key node) error {
			var t template
			if !headerForm.MatchString(name) || strings.EqualFold(name, "Content-Type") {
				return key.Errorf("cannot be set here")
			}
			err := value.template(&t, answerRefs)
			h.header[name] = t
			return err
		})
	},
	"body": func(h *handshake, n node) error { return n.template(&h.body, answerRefs) },
}

// An answerBuilder gathers an Answer.
type answerBuilder struct {
	status int
	media  string
	body   string
}

var answerFields = fieldTable[*answerBuilder]{
	"status": func(a *answerBuilder, n node) (err error) { a.status, err = n.Int(200, 599); return },
	"type": func(a *answerBuilder, n node) (err error) {
		a.media, err = n.Word("type", []string{mediaText, mediaJSON})
		return
	},
	"body": func(a *answerBuilder, n node) (err error) { a.body, err = n.Text(); return },
}

// answer reads n as an Answer that is always the same.
func (n node) answer(to *Answer) error {
	a := answerBuilder{status: to.Status, media: mediaJSON}
	if err := answerFields.read(&a, n); err != nil {
		return err
	}
	*to = Answer{Status: a.status, Header: http.Header{}, Body: []byte(a.body)}
	if a.body == "" {
		return nil
	}
	if a.media == mediaJSON && !jsonx.Valid(to.Body) {
		return n.Errorf("the body is not JSON")
	}
	to.Header.Set("Content-Type", a.media)
	return nil
}
