package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"
)

// A Step is one change of the journal, and the place behind it.
type Step struct {
	// Exchange is as it is now: Pending when it has arrived, then as it ended,
	// then, if it has opened a WebSocket, with its Ending.
	Exchange *Exchange
	Next     Cursor // where to go on
}

// Steps is [Store.FollowEnds] for who shows exchanges as soon as they arrive, and
// goes on later where he was. What is damaged comes as an error beside a Step
// without an Exchange.
func (s *Store) Steps(ctx context.Context, from Cursor) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		var behind Cursor
		for ex, err := range s.run(ctx, follower{at: from.at, open: map[ID]hit{}, arrived: true, behind: &behind}) {
			if !yield(Step{ex, behind}, err) {
				return
			}
		}
	}
}

// String returns c as a text that [Store.Cursor] reads.
func (c Cursor) String() string {
	return strconv.FormatUint(c.at.first, 10) + "." + strconv.FormatInt(c.at.offset, 10)
}

// errCursor means that a text names no place in a journal.
var errCursor = errors.New("no place in this journal")

// Cursor returns the place that text names, which can come from anywhere: the error
// says that it is none of this journal, or not any more.
func (s *Store) Cursor(text string) (Cursor, error) {
	first, offset, ok := strings.Cut(text, ".")
	n, err := strconv.ParseUint(first, 10, 64)
	at, err2 := strconv.ParseInt(offset, 10, 64)
	c := Cursor{position{n, at}}
	if !ok || err != nil || err2 != nil || at < 0 || c.String() != text {
		return Cursor{}, fmt.Errorf("%q is %w", text, errCursor)
	}
	f, err := os.Open(s.segmentPath(n))
	if errors.Is(err, fs.ErrNotExist) && c == (Cursor{}) { // the start of an empty one
		return c, nil
	}
	if err != nil {
		return Cursor{}, err
	}
	defer f.Close()
	if at == 0 {
		return c, nil
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], at-1); err != nil || last[0] != '\n' {
		return Cursor{}, fmt.Errorf("%q is %w", text, errCursor)
	}
	return c, nil
}
