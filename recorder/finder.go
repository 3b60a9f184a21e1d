package recorder

import (
	"bytes"
	"strings"
)

// A finder looks for one text in many. It goes by the byte of the text that is
// the rarest in JSON and English, which the processor finds 32 at a time;
// [bytes.Index] goes by the first one, which is often a quote or an e.
type finder struct {
	text []byte
	rare int // its index in text; -1: it has no byte that is rare
}

// common are the bytes that are met most, the most common first.
const common = " \"\\etaonisrlhdcumpg,.:/fbyw-k_v0123456789x"

// veryCommon is how many of common stand in nearly each line, so that it takes longer
// to go from one to the next than to compare at each byte.
const veryCommon = 16

func newFinder(text []byte) finder {
	f := finder{text: text}
	best := -1
	for i, c := range text {
		rank := strings.IndexByte(common, c)
		if rank < 0 {
			rank = len(common)
		}
		if rank > best {
			best, f.rare = rank, i
		}
	}
	if best < veryCommon {
		f.rare = -1
	}
	return f
}

// in reports whether b has the text in it.
func (f finder) in(b []byte) bool { return f.after(b) != nil }

// after returns what stands behind the text in b, nil if that does not have it.
func (f finder) after(b []byte) []byte {
	if len(f.text) == 0 {
		return b
	}
	if f.rare < 0 {
		if i := bytes.Index(b, f.text); i >= 0 {
			return b[i+len(f.text):]
		}
		return nil
	}
	rare := f.text[f.rare]
	behind := len(f.text) - f.rare // of the rare byte on
	for at, missed := f.rare, 0; at+behind <= len(b); at++ {
		if missed > 8+at/16 { // it is not rare here
			if i := bytes.Index(b[at-f.rare:], f.text); i >= 0 {
				return b[at-f.rare+i+len(f.text):]
			}
			return nil
		}
		i := bytes.IndexByte(b[at:len(b)-behind+1], rare)
		if i < 0 {
			return nil
		}
		at += i
		if from := at - f.rare; bytes.Equal(b[from:from+len(f.text)], f.text) {
			return b[from+len(f.text):]
		}
		missed++
	}
	return nil
}
