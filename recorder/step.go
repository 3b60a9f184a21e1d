package recorder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
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
	// Pin says that this is about whether Exchange is pinned, which it says, and that
	// nothing else of it is new.
	Pin bool
	// Removed is how many exchanges were removed; Exchange is nil then. Which they were
	// is not kept: what one has is to be looked up again.
	Removed int
	Next    Cursor // where to go on
}

// Steps is [Store.FollowEnds] for who shows exchanges as soon as they arrive, and
// goes on later where he was. What is damaged comes as an error beside a Step
// without an Exchange.
func (s *Store) Steps(ctx context.Context, from Cursor) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		step := Step{Next: from}
		for ex, err := range s.run(ctx, follower{at: from.at, open: map[ID]hit{}, step: &step}) {
			step.Exchange = ex
			if !yield(step, err) {
				return
			}
		}
	}
}

// String returns c as a text that [Store.Cursor] reads.
func (c Cursor) String() string {
	text := strconv.FormatUint(c.at.first, 10) + "." + strconv.FormatInt(c.at.offset, 10)
	if c.at.offset > 0 {
		text += fmt.Sprintf(".%08x", c.last)
	}
	return text
}

// errCursor means that a text names no place in a journal.
var errCursor = errors.New("no place in this journal")

// Cursor returns the place that text names, which can come from anywhere: the error
// says that it is none of this journal, or not any more. So it is where lines before it
// were removed: other ones would be passed over.
func (s *Store) Cursor(text string) (Cursor, error) {
	first, offset, _ := strings.Cut(text, ".")
	offset, _, _ = strings.Cut(offset, ".")
	n, err := strconv.ParseUint(first, 10, 64)
	at, err2 := strconv.ParseInt(offset, 10, 64)
	bad := fmt.Errorf("%q is %w", text, errCursor)
	if err != nil || err2 != nil || at < 0 {
		return Cursor{}, bad
	}
	f, err := openShared(s.segmentPath(n), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) && text == (Cursor{}).String() { // the start of an empty one
		return Cursor{}, nil
	}
	if err != nil {
		return Cursor{}, err
	}
	defer f.Close()
	if c, err := cursorIn(f, position{n, at}); err == nil && c.String() == text {
		return c, nil
	}
	return Cursor{}, bad
}

// cursorIn returns the Cursor at a place in the segment f, behind a line.
func cursorIn(f *os.File, at position) (Cursor, error) {
	if at.offset == 0 {
		return Cursor{at: at}, nil
	}
	tail := make([]byte, min(marked, at.offset))
	if _, err := f.ReadAt(tail, at.offset-int64(len(tail))); err != nil {
		return Cursor{}, err
	}
	raw, ok := bytes.CutSuffix(tail, []byte("\n"))
	if !ok {
		return Cursor{}, errCursor
	}
	return Cursor{at, lastBytes(raw)}, nil
}

// marked is how much of a line, with its newline, a Cursor behind it knows of: its sum.
const marked = 16

// lastBytes tells the line before a Cursor from others.
func lastBytes(raw []byte) uint32 {
	return crc32.Checksum(raw[max(0, len(raw)+1-marked):], castagnoli)
}
