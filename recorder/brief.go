package recorder

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
)

// FollowBrief is [Store.FollowEnds] for who shows no bodies: those of more than 4 KiB
// that come from the journal have at most their first 2 KiB, as to decode all takes longer
// than everything else. Sizes are those of what was recorded.
func (s *Store) FollowBrief(ctx context.Context, from Cursor) iter.Seq2[*Exchange, error] {
	return s.run(ctx, follower{at: from.at, open: map[ID]hit{}, brief: true})
}

// longBody is how many bytes a body has in its line that is worth leaving out.
const longBody = 4 << 10

// shortBody is how many bytes of its line are left of one that is text.
const shortBody = 2 << 10

// brief returns l with only the beginnings of its long bodies, if this package has
// spelled it; else l as it is. The sum at its end, which was held against it when it was
// read, is that of the whole line.
func (l line) brief() line {
	if len(l.raw) < longBody {
		return l
	}
	var r row
	switch l.kind {
	case 'x':
		if !r.readExchange(l) {
			return l
		}
	case 'r':
		if !r.readResult(l) {
			return l
		}
	}
	bodies := [][]byte{r.body, r.response.body, r.app.body}
	bodies = slices.DeleteFunc(bodies, func(b []byte) bool { return len(b) < longBody || placeIn(l.raw, b) < 0 })
	slices.SortFunc(bodies, func(a, b []byte) int { return cmp.Compare(placeIn(l.raw, a), placeIn(l.raw, b)) })
	var out bytes.Buffer
	at := 0
	for _, b := range bodies {
		from := placeIn(l.raw, b)
		out.Write(l.raw[at:from])
		out.Write(beginning(b))
		at = from + len(b)
	}
	if at > 0 {
		out.Write(l.raw[at:])
		l.raw = out.Bytes()
	}
	return l
}

// beginning returns the first shortBody bytes or less of b, a body as it stands in a
// line, as a JSON text that is whole: no escape and no letter is cut. Of a body in base64
// it is the empty text.
func beginning(b []byte) []byte {
	if b[0] != '"' {
		return []byte(`""`)
	}
	b = b[:shortBody]
	const escape = 12 // bytes of the longest: a surrogate pair
	if i := bytes.LastIndexByte(b[len(b)-escape:], '\\'); i >= 0 {
		b = b[:len(b)-escape+i]
	}
	if n := len(b) - len(bytes.TrimRight(b, `\`)); n%2 == 1 { // it was the second of two
		b = b[:len(b)-1]
	}
	return append(slices.Clone(b[:len(b)-cutRune(b)]), '"')
}

// placeIn returns where in whole its part stands, -1 if it is no part of it.
func placeIn(whole, part []byte) int {
	at := cap(whole) - cap(part) // their capacities reach to the same end, if part was sliced from whole
	if at < 0 || at+len(part) > len(whole) || len(part) == 0 || &whole[at] != &part[0] {
		return -1
	}
	return at
}
