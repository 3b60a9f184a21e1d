package verify

import (
	"slices"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// A value is a short text somewhere in a message.
type value struct {
	in   placeKind
	name string
	text string
}

// A scene is a message, taken apart: what in it may be a signature, and what may be signed.
type scene struct {
	m      *Message
	values []value
	spots  []*spot
	odd    string // what would be a signature by another algorithm

	times, ids, withs, fields []*atom
	places                    []*atom // URL and the like
	method                    []*atom // one, or none
	leads                     []string
}

const (
	maxLeaves = 2000 // values of a JSON body that are looked at
	maxDepth  = 5
	maxText   = 4096 // bytes of a value
	maxAtom   = 256  // bytes of a value that may be signed
)

func newScene(m *Message, with map[string]string) *scene {
	sc := &scene{m: m}
	sc.gather()
	for _, v := range sc.values {
		sc.findSpots(v)
	}
	sc.findAtoms(with)
	return sc
}

// gather lists the values of the message.
func (sc *scene) gather() {
	for _, name := range sortedKeys(sc.m.Header) {
		if values := sc.m.Header[name]; len(values) == 1 && headerForm.MatchString(name) {
			sc.add(inHeader, name, values[0])
		}
	}
	if sc.m.URL != nil {
		sc.params(inQuery, sc.m.URL.RawQuery)
	}
	switch {
	case isForm(sc.m):
		if len(sc.m.Body) <= 1<<20 {
			sc.params(inForm, string(sc.m.Body))
		}
	case jsonx.TopKind(sc.m.Body) == jsonx.Object:
		leaves := 0
		jsonx.Rewrite(sc.m.Body, func(p jsonx.Path, raw []byte) []byte {
			if leaves++; leaves <= maxLeaves && len(p) <= maxDepth && len(raw) <= maxText {
				if text, ok := jsonx.Text(raw); ok {
					sc.add(inBody, slices.Clone(p).String(), text)
				}
			}
			return raw
		})
	}
}

func (sc *scene) add(in placeKind, name, text string) {
	if text != "" && len(text) <= maxText && isPlain(text) && isPlain(name) && name != "" {
		sc.values = append(sc.values, value{in, name, text})
	}
}

func (sc *scene) params(in placeKind, raw string) {
	for i, pair := range strings.SplitN(raw, "&", 100) {
		name, _, _ := strings.Cut(pair, "=")
		name, ok := param.Unescape(name)
		if !ok || i == 99 {
			continue
		}
		if text, how := readParam(raw, name); how == present {
			sc.add(in, name, text)
		}
	}
}
