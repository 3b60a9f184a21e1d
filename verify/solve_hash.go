package verify

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"hash"
	"regexp"
	"slices"
	"strings"
)

// A secretForm is how the key is made of the secret's text.
type secretForm struct {
	strip, decode string
	key           []byte
}

// marked is a beginning of secrets that tells what they are, and is no part of
// what is secret.
var marked = regexp.MustCompile(`^(v[0-9]{1,2},)?([A-Za-z]{2,10}_){1,3}`)

// keyForms lists the keys that a secret's text may stand for.
func keyForms(text string) []secretForm {
	strips := []string{""}
	if prefix := marked.FindString(text); prefix != "" && prefix != text {
		strips = append(strips, prefix)
		if i := strings.IndexByte(prefix, '_') + 1; i < len(prefix) {
			strips = append(strips, prefix[:i])
		}
	}
	var all []secretForm
	for _, strip := range strips {
		for _, decode := range []string{"", "base64", "hex", "base64url"} {
			k := newKey(text, keyForm{kind: schemeHMAC, strip: strip, decode: decode})
			if k.err == nil && !slices.ContainsFunc(all, func(f secretForm) bool { return bytes.Equal(f.key, k.bytes) }) {
				all = append(all, secretForm{strip, decode, k.bytes})
			}
		}
	}
	return all
}

// A hasher makes signatures by one algorithm and key.
type hasher struct {
	h    hash.Hash
	room []byte
}

func (s *solver) hasher(a algorithm, plain bool, form secretForm) *hasher {
	name := a.name + "\x00" + form.strip + "\x00" + form.decode
	if plain {
		name = a.name
	}
	h := s.hashers[name]
	if h == nil {
		h = &hasher{h: a.new()}
		if !plain {
			h.h = hmac.New(a.new, form.key)
		}
		s.hashers[name] = h
	}
	return h
}

// sum makes the signature of a formula.
func (h *hasher) sum(f *formula, sc *scene, form secretForm, s *solver) []byte {
	s.out.Tried++
	s.left -= overhead
	h.h.Reset()
	for text := f.text; text != ""; {
		literal, rest, marked := strings.Cut(text, "\x00")
		h.room = append(h.room[:0], literal...)
		h.h.Write(h.room)
		if !marked {
			break
		}
		switch rest[0] {
		case markBody[1]:
			s.left -= len(sc.m.Body)
			h.h.Write(sc.m.Body)
		case markBase64[1]:
			s.left -= 2 * len(sc.m.Body)
			w := base64.NewEncoder(base64.StdEncoding, h.h)
			w.Write(sc.m.Body)
			w.Close()
		case markSecret[1]:
			h.h.Write(form.key)
		}
		text = rest[1:]
	}
	h.room = h.h.Sum(h.room[:0])
	return h.room
}
