package verify

import (
	"fmt"
	"regexp"
	"strings"
)

// A spot is where something stands that looks like a signature.
type spot struct {
	place
	prefix   string
	sep, kv  string // of a list; "" for none
	element  string
	several  bool // the list has more of them
	encoding encoding
	sum      []byte
}

// prefixForm is what may stand before a signature, as "sha256=" and "HMAC key:".
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_/ -]{0,39}[=:,. ]?$`)

// findSpots adds the spots in a value.
func (sc *scene) findSpots(v value) {
	at := place{in: v.in, name: v.name}
	if at.settle(node{}) != nil {
		return
	}
	if v.in == inHeader {
		sc.findList(at, v.text)
	}
	cuts := []int{0}
	for i := 0; i < len(v.text) && i < 40; i++ {
		if strings.IndexByte("=:,. -_/", v.text[i]) >= 0 {
			cuts = append(cuts, i+1)
		}
	}
	for _, cut := range cuts {
		prefix := v.text[:cut]
		if !prefixForm.MatchString(prefix) || strings.HasPrefix(prefix, " ") {
			continue
		}
		sc.addSpot(spot{place: at, prefix: prefix}, v.text[cut:])
	}
}

// addSpot adds sp if text is a signature there.
func (sc *scene) addSpot(sp spot, text string) {
	for _, e := range encodings {
		for size := 16; size <= maxSum; size++ {
			var sum [maxSum]byte
			if len(text) != e.length(size) || !e.decode(&sum, text, size) {
				continue
			}
			sp.encoding, sp.sum = e, sum[:size]
			switch size {
			case 16, 20, 32, 64:
				found := sp
				sc.spots = append(sc.spots, &found)
			case 28, 48:
				sc.odd = fmt.Sprintf("%s has %d bytes in %s, as SHA-%d makes them", sp.place, size, e, size*8)
			}
		}
	}
}

// findList adds the spots in a header that is a list.
func (sc *scene) findList(at place, text string) {
	for _, sep := range []string{",", ";", " ", "|"} {
		items := strings.Split(text, sep)
		spaced := sep
		if (sep == "," || sep == ";") && strings.Contains(text, sep+" ") {
			spaced += " "
		}
		for _, kv := range []string{"=", ":", ","} {
			// One element alone is a list only as Standard Webhooks writes it.
			if kv != sep && (len(items) > 1 || sep == " " && kv == "," && strings.HasPrefix(text, "v")) {
				sc.findElements(spot{place: at, sep: spaced, kv: kv}, items)
			}
		}
		if len(items) > 1 {
			for _, item := range items {
				sc.addSpot(spot{place: at, sep: spaced, several: true}, strings.TrimSpace(item))
			}
		}
	}
}

// findElements adds the spots in the items of a list, which have names, and what else these
// name.
func (sc *scene) findElements(list spot, items []string) {
	seen, others := map[string]int{}, false
	element := func(item string) (name, val string, ok bool) {
		name, val, ok = strings.Cut(strings.TrimSpace(item), list.kv)
		return name, val, ok && elementForm.MatchString(name)
	}
	for _, item := range items {
		name, _, ok := element(item)
		seen[name]++
		others = others || !ok
	}
	if list.sep == " " && others { // one text with a space in it
		return
	}
	for _, item := range items {
		name, val, ok := element(item)
		if !ok {
			continue
		}
		sp, before := list, len(sc.spots)
		sp.element, sp.several = name, seen[name] > 1
		sc.addSpot(sp, val)
		if len(sc.spots) == before && seen[name] == 1 && len(val) <= maxAtom && val != "" {
			sc.addElement(list.name, name, val)
		}
	}
}

func (sc *scene) addElement(header, name, text string) {
	a := &atom{in: inSignature, name: name, header: header, text: text, rank: -10}
	if a.unit = unitOf(text, false); a.unit != "" {
		a.ref = "{ts}"
		sc.times = append(sc.times, a)
		return
	}
	a.ref = "{sig." + name + "}"
	sc.ids = append(sc.ids, a)
}

// textIn gives what m has at the spot.
func (sp *spot) textIn(m *Message) string {
	var f *fields
	if sp.in == inBody {
		f = gather(m.Body, sp.path[:1])
	}
	text, _ := sp.read(m, f)
	return text
}

func (sp *spot) describe() string {
	text := sp.place.String()
	if sp.element != "" {
		text += ", element " + sp.element
	}
	return fmt.Sprintf("%s (%d bytes in %s)", text, len(sp.sum), sp.encoding)
}
