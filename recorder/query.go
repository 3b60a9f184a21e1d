package recorder

import (
	"errors"
	"iter"
	"slices"
)

// A Query is what to read of a store. The zero Query is all of it.
type Query struct {
	Filter Filter
	Newest int // at most so many, the newest of them; 0: no limit
	// Before leaves out what has this sequence number or a later one; 0: nothing.
	Before uint64
}

// Query gives the exchanges that q asks for, oldest first. Damaged lines come
// as a [*DamagedError] beside a nil Exchange and do not end it; any other
// error does.
//
// What is appended meanwhile is not given.
func (s *Store) Query(q Query) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		cache := lineCache{s: s}
		defer cache.close()
		var hits []hit
		ends := ends{} // seen on the way back, whose exchange is yet to come
		for l, err := range s.backward() {
			var damaged *DamagedError
			if errors.As(err, &damaged) {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			switch l.kind {
			case 'r', 'e':
				ends.add(l)
			case 'x':
				h := ends.take(l)
				if q.Before > 0 && l.seq >= q.Before {
					break
				}
				ok, err := s.hits(&cache, h, q.Filter)
				if err != nil && !yield(nil, err) {
					return
				}
				if ok {
					hits = append(hits, h)
				}
			}
			if q.Newest > 0 && len(hits) == q.Newest {
				break
			}
		}
		for _, h := range slices.Backward(hits) {
			if !yield(cache.exchange(h)) {
				return
			}
		}
	}
}

// A hit is where an exchange, its result and the end of its WebSocket stand.
type hit struct{ x, r, e span }

// ends are where exchanges end, as they are met on the way back.
type ends map[ID]hit

func (m ends) add(l found) {
	h := m[l.id]
	if l.kind == 'e' {
		h.e = l.span()
	} else {
		h.r = l.span()
	}
	m[l.id] = h
}

// take returns where the exchange of l stands.
func (m ends) take(l found) hit {
	h := m[l.id]
	delete(m, l.id)
	h.x = l.span()
	return h
}

func (s *Store) hits(cache *lineCache, h hit, f Filter) (bool, error) {
	if len(f.terms) == 0 {
		return true, nil
	}
	ex, err := cache.exchange(h)
	if err != nil {
		return false, err
	}
	return f.Match(s, ex)
}
