package verify

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// count tells how different the samples are that agree.
func (s *solver) count(p *proposal) {
	sums, bodies := map[string]bool{}, [][]byte{}
	p.empty = true
	for _, i := range p.agree {
		m := &s.samples[i]
		var c claim
		p.d.read(m, &c)
		sums[c.texts[0]] = true
		if !slices.ContainsFunc(bodies, func(b []byte) bool { return bytes.Equal(b, m.Body) }) {
			bodies = append(bodies, m.Body)
		}
		p.empty = p.empty && len(m.Body) == 0
	}
	p.sums, p.bodies = len(sums), len(bodies)
}

// doubt tells why the samples do not suffice for p, "" if they do.
func (s *solver) doubt(p *proposal) string {
	noBody := !slices.ContainsFunc(p.agree, func(i int) bool {
		return s.samples[i].Method != http.MethodGet && s.samples[i].Method != http.MethodHead
	})
	switch {
	case p.empty && !noBody:
		return "the body is empty wherever a formula fits, so that it would fit with the body signed and without"
	case p.body && !p.empty:
		return ""
	case p.sums < 2 || p.bodies < 2 && !noBody:
		return "a signature fits that does not depend on the body, and that takes two recordings that differ"
	}
	return ""
}

// settle tells what has come out.
func (s *solver) settle() {
	for _, sc := range s.searched {
		for _, sp := range sc.spots {
			if text := sp.describe(); !slices.Contains(s.out.Places, text) && len(s.out.Places) < 8 {
				s.out.Places = append(s.out.Places, text)
			}
		}
	}
	if b := s.best; b != nil && len(b.agree) >= len(s.out.Agree) {
		s.out.YAML, s.out.Agree, s.out.Payload, s.out.Same = b.yaml, b.agree, b.payload, b.same
		return
	}
	if len(s.out.Known) > 0 {
		s.out.YAML = "id: my-provider\nextends: " + s.out.Known[0].ID + "\n"
		return
	}
	s.out.Agree = nil
	s.fail()
}

// fail tells why nothing is proposed, and what would help.
func (s *solver) fail() {
	const another = "another recording whose body is different"
	switch constant := s.constant(); {
	case s.refused != nil && s.refused.empty:
		s.out.Why, s.out.Help = s.refused.why, "a recording with a body"
	case s.refused != nil:
		s.out.Why, s.out.Help = s.refused.why, another
	case len(s.out.Places) == 0 && s.odd() != "":
		s.out.Why = "nothing looks like a signature of a known algorithm; " + s.odd()
		s.out.Help = "what the provider says of its algorithm; SHA-256, SHA-512, SHA-1 and MD5 are known"
	case len(s.out.Places) == 0:
		s.out.Why = "nothing looks like a signature (16, 20, 32 or 64 bytes in hex, base64 or base64url, in a header, parameter, form field or JSON field), and the secret itself is not sent"
		s.out.Help = "a recording with all its headers"
	case constant != "":
		s.out.Why = fmt.Sprintf("%s is the same in all %d recordings, which differ, and is not the secret", constant, len(s.samples))
		s.out.Help = "the secret that is sent, if it is a token"
	default:
		s.out.Why = "no formula gives what is in " + strings.Join(s.out.Places[:min(3, len(s.out.Places))], ", ")
		helps := []string{"the right secret, whole", "a recording whose body is raw, byte for byte as it was sent", "--with NAME=VALUE for what else may be signed (an app key, an id, the URL that the provider was given)"}
		if len(s.samples) == 1 {
			helps = append(helps, another)
		}
		if s.left <= 0 {
			helps = append(helps, "a recording with a small body, of which more can be tried")
		}
		s.out.Help = strings.Join(helps, "; ")
	}
}

// constant names a place that holds the same in all samples, though these
// differ.
func (s *solver) constant() string {
	differ := slices.ContainsFunc(s.samples, func(m Message) bool { return !bytes.Equal(m.Body, s.samples[0].Body) })
	if !differ || len(s.searched) == 0 {
		return ""
	}
	for _, sp := range s.searched[0].spots {
		first := sp.textIn(&s.samples[0])
		if first != "" && !slices.ContainsFunc(s.samples, func(m Message) bool { return sp.textIn(&m) != first }) {
			return sp.place.String()
		}
	}
	return ""
}

func (s *solver) odd() string {
	for _, sc := range s.searched {
		if sc.odd != "" {
			return sc.odd
		}
	}
	return ""
}
