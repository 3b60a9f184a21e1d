package recorder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Get returns the recording that ref names:
//
//	128          by its sequence number
//	01J8…        by its ID, or the start or the end of one, 4 characters at least
//	last, last~2 the newest, of any origin; the one two before it
//	live, live~1 the same among those that came in from outside
//
// The error wraps [ErrNotFound] if there is none, and is an [*AmbiguousError]
// if there are several.
func (s *Store) Get(ref string) (*Exchange, error) {
	ex, err := s.get(ref)
	if err != nil {
		return nil, fmt.Errorf("recording %q: %w", ref, err)
	}
	return ex, nil
}

// An AmbiguousError tells that part of an ID names several recordings.
type AmbiguousError struct {
	IDs []ID // some of them
}

func (e *AmbiguousError) Error() string {
	list := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		list[i] = string(id)
	}
	return "names several: " + strings.Join(list, ", ")
}

func (s *Store) get(ref string) (*Exchange, error) {
	if seq, err := strconv.ParseUint(ref, 10, 64); err == nil {
		return s.getSeq(seq)
	}
	if word, back, ok := strings.Cut(ref, "~"); ok || ref == "last" || ref == "live" {
		n := 0
		if ok {
			var err error
			if n, err = strconv.Atoi(back); err != nil || n < 0 {
				return nil, fmt.Errorf("want last~N or live~N with a number: %w", ErrNotFound)
			}
		}
		switch word {
		case "last":
			return s.getNewest(n, func(*Exchange) bool { return true })
		case "live":
			return s.getNewest(n, func(ex *Exchange) bool { return ex.Origin == Live })
		}
		return nil, ErrNotFound
	}
	if len(ref) < 4 {
		return nil, fmt.Errorf("too short: want a number, or 4 characters of an ID at least: %w", ErrNotFound)
	}
	return s.getID(ID(strings.ToUpper(ref)))
}

// getSeq looks in the one segment that can have the number, and then onwards
// for its result.
func (s *Store) getSeq(seq uint64) (*Exchange, error) {
	first, err := s.segmentOf(seq)
	if err != nil {
		return nil, err
	}
	var ex *Exchange
	for l, err := range s.forward(position{first: first}) {
		switch {
		case err != nil:
			continue // a damaged line elsewhere must not hide this one
		case ex != nil && l.id != ex.ID:
		case ex != nil && l.kind == 'e':
			return ex, l.end(ex)
		case ex != nil && l.kind == 'r':
			if err := l.complete(ex); err != nil || !hasFrames(ex) {
				return ex, err
			}
		case ex != nil:
		case l.kind == 'x' && l.seq == seq:
			if ex, err = l.exchange(); err != nil {
				return nil, s.damaged(l.at, err)
			}
			if ex.Outcome != Pending {
				return ex, nil
			}
		case l.kind == 'x' && l.seq > seq:
			return nil, ErrNotFound
		}
	}
	if ex == nil {
		return nil, ErrNotFound
	}
	return ex, nil
}

// segmentOf returns the first number of the segment that an exchange with the
// given one can be in.
func (s *Store) segmentOf(seq uint64) (uint64, error) {
	list, err := s.segments()
	if err != nil {
		return 0, err
	}
	i, exact := slices.BinarySearch(list, seq)
	if !exact {
		i--
	}
	if i < 0 {
		return 0, ErrNotFound
	}
	return list[i], nil
}

func (s *Store) getNewest(back int, wanted func(*Exchange) bool) (*Exchange, error) {
	ends := ends{}
	cache := lineCache{s: s}
	defer cache.close()
	for l, err := range s.backward() {
		if err != nil {
			continue
		}
		switch l.kind {
		case 'r', 'e':
			ends.add(l)
		case 'x':
			ex, err := cache.exchange(ends.take(l))
			if err != nil || !wanted(ex) {
				continue
			}
			if back == 0 {
				return ex, nil
			}
			back--
		}
	}
	return nil, ErrNotFound
}

func (s *Store) getID(id ID) (*Exchange, error) {
	ends := ends{}
	cache := lineCache{s: s}
	defer cache.close()
	var ex *Exchange
	var all []ID
	for l, err := range s.backward() {
		if err != nil || !strings.HasPrefix(string(l.id), string(id)) && !strings.HasSuffix(string(l.id), string(id)) {
			continue
		}
		switch l.kind {
		case 'r', 'e':
			ends.add(l)
		case 'x':
			if ex == nil {
				if ex, err = cache.exchange(ends.take(l)); err != nil {
					return nil, err
				}
			}
			all = append(all, l.id)
		}
		if ex != nil && len(id) == idLen || len(all) == 5 {
			break
		}
	}
	switch {
	case ex == nil:
		return nil, ErrNotFound
	case len(all) > 1:
		return nil, &AmbiguousError{all}
	}
	return ex, nil
}
