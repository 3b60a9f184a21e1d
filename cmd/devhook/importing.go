package main

import (
	"errors"
	"regexp"

	"devhook/recorder"
	"devhook/verify"
)

// An importing records what was read.
type importing struct {
	store   *recorder.Store
	catalog *verify.Catalog
	taken   map[recorder.ID]bool // the ids in the store; nil: it is asked for each
	frames  []recorder.Frame     // of the exchange that is added next
	ids     map[recorder.ID]recorder.ID
	// ids are those that were recorded, by those in the file.
}

// few is up to how many recordings the store is asked for each id alone.
const few = 64

// lookUp gets ready for so many exchanges.
func (m *importing) lookUp(count int) error {
	if count <= few {
		return nil
	}
	m.taken = map[recorder.ID]bool{}
	for ex, err := range m.store.Query(recorder.Query{}) {
		var damaged *recorder.DamagedError
		if err != nil && !errors.As(err, &damaged) {
			return err
		}
		if ex != nil {
			m.taken[ex.ID] = true
		}
	}
	return nil
}

var isULID = regexp.MustCompile(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// isTaken reports whether an exchange of the store has the id.
func (m *importing) isTaken(id recorder.ID) bool {
	if m.taken != nil {
		return m.taken[id]
	}
	_, err := m.store.Get(string(id))
	return !errors.Is(err, recorder.ErrNotFound)
}

// add records ex, under its own id if that is free.
func (m *importing) add(ex *recorder.Exchange) (recorder.Commit, error) {
	was := ex.ID
	if !isULID.MatchString(string(was)) || m.ids[was] != "" || m.isTaken(was) {
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
	c, err := m.store.Write(ex)
	if err == nil && pinned {
		ex.Pinned, err = true, m.store.Pin(ex.ID, true)
	}
	for err == nil && len(frames) > 0 {
		n, size := 0, 0
		for n < len(frames) && size < 1<<20 {
			size += len(frames[n].Body)
			n++
		}
		err = m.store.AddFrames(ex.ID, frames[:n])
		frames = frames[n:]
	}
	if ex.Ending == nil && end != nil && err == nil {
		ex.Ending, err = end, m.store.EndFrames(ex.ID, *end)
	}
	return c, err
}

// keep puts a large body into a file of the store.
func (m *importing) keep(b *recorder.Body) error {
	if len(b.Bytes) <= recorder.MaxInline {
		return nil
	}
	sp := m.store.Spool()
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
func (m *importing) recognise(ex *recorder.Exchange) {
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
	if found := m.catalog.Detect(msg); len(found) > 0 {
		ex.Provider, ex.Event, ex.DeliveryID = found[0].ID, found[0].Event(msg), found[0].DeliveryID(msg)
	}
}
