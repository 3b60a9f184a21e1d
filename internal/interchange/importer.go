package interchange

import (
	"context"
	"errors"
	"io"
	"regexp"

	"devhook/recorder"
	"devhook/verify"
)

// An Importer records what a file holds. It is for one file.
type Importer struct {
	Store *recorder.Store
	// Catalog knows whose webhooks they are that another program has recorded.
	Catalog *verify.Catalog
	Reader  Reader // whose Frames is not used

	asked  int                  // ids that the store was asked for
	taken  map[recorder.ID]bool // the ids in the store; nil: it is asked for each
	frames []recorder.Frame     // of the exchange that is added next
	ids    map[recorder.ID]recorder.ID
	// ids are those that were recorded, by those in the file.
}

// A StoreError says that what was read could not be recorded.
type StoreError struct{ Err error }

func (e *StoreError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// Count reads a file through, and returns how many exchanges it holds: whoever
// does so first imports nothing of one that has a fault.
func (r Reader) Count(in io.Reader) (int, error) {
	r.Frames = func(*recorder.Exchange, []recorder.Frame) {} // which are looked at, too
	n := 0
	for _, err := range r.Read(in) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Import records what a file holds, and calls each with every exchange. It returns once
// they are on the disk; pins and the messages of WebSockets are a second later, or when the
// store is closed. An error is a [*StoreError], one of each, or
// one of reading, as [Reader.Read] has it.
func (m *Importer) Import(ctx context.Context, in io.Reader, each func(*recorder.Exchange) error) error {
	m.ids = map[recorder.ID]recorder.ID{}
	m.Reader.Frames = func(_ *recorder.Exchange, frames []recorder.Frame) { m.frames = frames }
	var last recorder.Commit
	n := 0
	for ex, err := range m.Reader.Read(in) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if last, err = m.add(ex); err != nil {
			return &StoreError{err}
		}
		n++
		if err := each(ex); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	if err := last.Wait(ctx); err != nil { // it is behind all others
		return &StoreError{err}
	}
	return nil
}

// few is up to how many ids the store is asked for each alone.
const few = 64

var isULID = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// isTaken reports whether an exchange of the store has the id.
func (m *Importer) isTaken(id recorder.ID) (bool, error) {
	if m.asked++; m.asked <= few {
		_, err := m.Store.Get(string(id))
		return !errors.Is(err, recorder.ErrNotFound), nil
	}
	if m.taken == nil {
		var err error
		if m.taken, err = m.Store.IDs(); err != nil {
			return false, err
		}
	}
	return m.taken[id], nil
}

// add records ex, under its own id if that is free.
func (m *Importer) add(ex *recorder.Exchange) (recorder.Commit, error) {
	was := ex.ID
	taken := !isULID.MatchString(string(was)) || m.ids[was] != ""
	if !taken {
		var err error
		if taken, err = m.isTaken(was); err != nil {
			return recorder.Commit{}, err
		}
	}
	if taken {
		ex.ID = recorder.NewID(ex.At)
	}
	if was != "" && m.ids[was] == "" {
		m.ids[was] = ex.ID
	}
	for _, ref := range []*recorder.ID{&ex.Parent, &ex.DuplicateOf} {
		if now := m.ids[*ref]; now != "" {
			*ref = now
		}
	}
	if err := m.keep(&ex.Request.Body); err != nil {
		return recorder.Commit{}, err
	}
	for _, r := range []*recorder.Response{ex.Response, ex.App} {
		if r != nil {
			if err := m.keep(&r.Body); err != nil {
				return recorder.Commit{}, err
			}
		}
	}
	m.recognise(ex)
	frames, end, pinned := m.frames, ex.Ending, ex.Pinned
	if m.frames = nil; len(frames) > 0 {
		ex.Ending = nil // has a line of its own, behind them
	}
	c, err := m.Store.Write(ex)
	if err == nil && pinned {
		ex.Pinned, err = true, m.Store.Pin(ex.ID, true)
	}
	for err == nil && len(frames) > 0 {
		n, size := 0, 0
		for n < len(frames) && size < 1<<20 {
			size += len(frames[n].Body)
			n++
		}
		err = m.Store.AddFrames(ex.ID, frames[:n])
		frames = frames[n:]
	}
	if ex.Ending == nil && end != nil && err == nil {
		ex.Ending, err = end, m.Store.EndFrames(ex.ID, *end)
	}
	return c, err
}

// keep puts a large body into a file of the store.
func (m *Importer) keep(b *recorder.Body) error {
	if len(b.Bytes) <= recorder.MaxInline {
		return nil
	}
	sp := m.Store.Spool()
	_, err := sp.Write(b.Bytes)
	if err == nil {
		*b, err = sp.Body()
	}
	if err != nil {
		sp.Discard()
	}
	return err
}

// recognise tells of what another program recorded whose it is. Its signature is
// not judged: when it came, and for whom it was signed, is not known for sure.
func (m *Importer) recognise(ex *recorder.Exchange) {
	if ex.Verdict.Status == "" {
		ex.Verdict = verify.Verdict{Status: verify.Skipped, Reason: verify.Off, Detail: "imported: devhook verify judges it"}
	}
	if ex.Provider != "" || ex.Imported != nil {
		return
	}
	msg, err := ex.Request.Message()
	if err != nil {
		return
	}
	if found := m.Catalog.Detect(msg); len(found) > 0 {
		ex.Provider, ex.Event, ex.DeliveryID = found[0].ID, found[0].Event(msg), found[0].DeliveryID(msg)
	}
}
