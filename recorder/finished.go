package recorder

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"
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

// Behind returns what [Store.Finished] goes on behind: the recording that ref names, as
// [Store.Get] has it, or in its place, with its number alone, one that was removed. 0 is
// before the first.
func (s *Store) Behind(ref string) (*Exchange, error) {
	ex, err := s.Get(ref)
	seq, bad := strconv.ParseUint(strings.TrimPrefix(ref, "#"), 10, 64)
	if bad != nil || !errors.Is(err, ErrNotFound) {
		return ex, err
	}
	// What was removed at the end is below the segment that was begun for what comes.
	var given uint64
	if list, err := s.segments(); err == nil && len(list) > 0 {
		given = list[len(list)-1]
	}
	if newest, err := s.getNewest(0); err == nil {
		given = max(given, newest.Seq)
	}
	if seq > given {
		return nil, err
	}
	return &Exchange{Seq: seq}, nil
}
