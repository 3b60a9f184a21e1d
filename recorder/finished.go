package recorder

import (
	"context"
	"iter"
)

// Finished gives the exchanges that f lets through, each once, as they are done from
// this call on, and waits for more, as [Store.Follow] does. If after is not nil, those
// come first that are recorded behind it and done already, in the order of their
// numbers. What cannot be read or matched comes as an error beside a nil Exchange, and
// does not end it.
func (s *Store) Finished(ctx context.Context, f Filter, after *Exchange) (iter.Seq2[*Exchange, error], error) {
	from, err := s.End() // first: what ends meanwhile is met twice, and known
	if err != nil {
		return nil, err
	}
	return func(yield func(*Exchange, error) bool) {
		known := map[ID]bool{}
		give := func(ex *Exchange, err error) bool {
			ok := false
			if err == nil && ex.Outcome != Pending && !known[ex.ID] {
				ok, err = f.Match(s, ex)
			}
			switch {
			case err != nil:
				return yield(nil, err)
			case !ok:
				return true
			}
			known[ex.ID] = true
			return yield(ex, nil)
		}
		if after != nil {
			for ex, err := range s.QueryContext(ctx, Query{Filter: f}) {
				if err == nil && ex.Seq <= after.Seq {
					continue
				}
				if !give(ex, err) {
					return
				}
			}
		}
		for ex, err := range s.Follow(ctx, from) {
			if !give(ex, err) {
				return
			}
		}
	}, nil
}
