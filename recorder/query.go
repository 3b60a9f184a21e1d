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
		results := map[ID]span{} // seen on the way back, whose exchange is yet to come
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
			case 'r':
				results[l.id] = l.span()
			case 'x':
				h := hit{l.span(), results[l.id]}
				delete(results, l.id)
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
			if !yield(cache.exchange(h.x, h.r)) {
				return
			}
		}
	}
}

// A hit is where an exchange and its result stand.
type hit struct{ x, r span }

func (s *Store) hits(cache *lineCache, h hit, f Filter) (bool, error) {
	if len(f.conditions) == 0 {
		return true, nil
	}
	ex, err := cache.exchange(h.x, h.r)
	if err != nil {
		return false, err
	}
	return f.Match(s, ex)
}
