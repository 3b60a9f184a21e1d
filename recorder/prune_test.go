package recorder

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustPrune(t *testing.T, s *Store, p Pruning) Pruned {
	t.Helper()
	if p.Now.IsZero() {
		p.Now = time.Now().Add(2 * youngest) // nothing is under way any more
	}
	out, err := s.Prune(p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// old returns exchanges of a store with small segments, a minute apart, each
// with its result behind the next one.
func old(t *testing.T, s *Store, n int) (list []*Exchange) {
	t.Helper()
	for i := range n {
		ex := newExchange(i)
		ex.At = time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC)
		ex.Outcome = Pending
		mustAppend(t, s, ex)
		if list = append(list, ex); i > 0 {
			finish(t, s, list[i-1], 200)
		}
	}
	finish(t, s, list[n-1], 200)
	return list
}

func TestPruneByAge(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	list := old(t, s, 60)
	if err := s.Pin(list[5].ID, true); err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{true, false} {
		if err := s.Pin(list[6].ID, on); err != nil {
			t.Fatal(err)
		}
	}
	p := Pruning{Before: list[40].At}
	p.DryRun = true
	would := mustPrune(t, s, p)
	if got := len(seqs(t, s, Query{})); got != 60 {
		t.Fatalf("a dry run left %d", got)
	}
	p.DryRun = false
	did := mustPrune(t, s, p)
	if did != would || did.Exchanges != 39 || did.Pinned != 1 || did.Bytes == 0 {
		t.Errorf("it would remove %+v, and did %+v", would, did)
	}
	want := []uint64{list[5].Seq}
	for _, ex := range list[40:] {
		want = append(want, ex.Seq)
	}
	if got := seqs(t, readOnly(t, dir), Query{}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if ex, err := s.Get(string(list[5].ID)); err != nil || !ex.Pinned || ex.Outcome != Answered {
		t.Errorf("the pinned one: %+v, %v", ex, err)
	}
	if again := mustPrune(t, s, p); again.Exchanges != 0 || again.Bytes != 0 {
		t.Errorf("once more: %+v", again)
	}
}

// All goes, also of the last segment, and no number comes again; who writes in
// another process goes on.
func TestPruneAll(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	other := openSmall(t, dir, 4<<10)
	list := old(t, s, 30)
	f, err := ParseFilter(time.Now(), "status:200")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir, Options{ReadOnly: true, segmentSize: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := following(t, r)
	for _, ex := range list {
		wantNext(t, got, ex.Seq)
	}
	if out := mustPrune(t, other, Pruning{Filter: f}); out.Exchanges != 30 {
		t.Errorf("%+v", out)
	}
	if left := seqs(t, s, Query{}); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	for _, w := range []*Store{s, other, s} {
		ex := handled()
		mustAppend(t, w, ex)
		if ex.Seq <= list[29].Seq {
			t.Errorf("#%d came again", ex.Seq)
		}
		wantNext(t, got, ex.Seq)
	}
	if left := seqs(t, s, Query{}); len(left) != 3 {
		t.Errorf("%v are there", left)
	}
	text, err := os.ReadDir(s.path("journal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range text {
		b, err := os.ReadFile(s.path("journal", n.Name()))
		if err != nil || bytes.Contains(b, []byte(list[3].ID)) {
			t.Errorf("%s has a line of what was removed, %v", n.Name(), err)
		}
	}
}

func TestPruneBySize(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	list := old(t, s, 60)
	size := s.Size()
	out := mustPrune(t, s, Pruning{MaxSize: size / 2, WholeSegments: true})
	if now := s.Size(); now > size/2 || now < size/4 || out.Bytes != size-now {
		t.Errorf("%d bytes of %d are left; removed: %+v", now, size, out)
	}
	left := seqs(t, s, Query{})
	if left[len(left)-1] != list[59].Seq || len(left)+out.Exchanges != 60 {
		t.Errorf("%v are left", left)
	}

	// Who asks for a size gets it, also where that is within one segment.
	s = openSmall(t, t.TempDir(), 1<<20)
	old(t, s, 60)
	mustPrune(t, s, Pruning{MaxSize: s.Size() - 1}) // begins another segment
	size = s.Size()
	mustPrune(t, s, Pruning{MaxSize: size / 2})
	if now := s.Size(); now > size/2 || now < size/3 {
		t.Errorf("%d bytes of %d are left in one segment", now, size)
	}
}

// On a disk without room to write the only segment anew it goes as a whole, but for what
// is pinned and what comes meanwhile, when somebody asks for it; not in passing.
func TestPruneTheOnlySegmentOfAFullDisk(t *testing.T) {
	free := uint64(1 << 30)
	s, err := Open(t.TempDir(), Options{MinFree: -1, freeBytes: func(string) (uint64, bool) { return free, true }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	kept := handled()
	mustAppend(t, s, kept)
	for range 59 {
		mustAppend(t, s, handled())
	}
	p := Pruning{MaxSize: s.Size() * 9 / 10, DryRun: true}
	if out := mustPrune(t, s, p); out.Exchanges == 0 || out.Exchanges > 12 {
		t.Fatalf("with room: %+v", out)
	}
	free = 0
	if out := mustPrune(t, s, p.Keeping(0, p.MaxSize)); out.Exchanges > 12 {
		t.Errorf("in passing: %+v", out)
	}
	if out := mustPrune(t, s, p); out.Exchanges != 60 {
		t.Errorf("dry: %+v", out)
	}
	if err := s.Pin(kept.ID, true); err != nil {
		t.Fatal(err)
	}
	p.DryRun = false
	if out := mustPrune(t, s, p); out.Exchanges != 59 || out.Pinned != 1 {
		t.Errorf("%+v", out)
	}
	if got := seqs(t, s, Query{}); !slices.Equal(got, []uint64{kept.Seq}) {
		t.Errorf("left: %v", got)
	}
}

// What is pinned is counted once, also where both its age and the size of the store
// choose it.
func TestPrunedPinsAreCountedOnce(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	list := old(t, s, 60)
	if err := s.Pin(list[0].ID, true); err != nil {
		t.Fatal(err)
	}
	now := list[59].At.Add(2 * youngest)
	if out := mustPrune(t, s, Pruning{Now: now, DryRun: true}.Keeping(now.Sub(list[40].At), 1)); out.Pinned != 1 {
		t.Errorf("%+v", out)
	}
}

// A body goes with the last line that names it.
func TestPruneBodies(t *testing.T) {
	s := openSmall(t, t.TempDir(), 1<<10)
	n := 0
	large := func(letter string) *Exchange {
		ex := handled()
		ex.At = time.Date(2026, 1, 1, 0, n, 0, 0, time.UTC)
		n++
		ex.Request.Body = spool(t, s, bytes.Repeat([]byte(letter), MaxInline+1))
		mustAppend(t, s, ex)
		return ex
	}
	a, b, shared := large("a"), large("b"), large("b")
	f, err := ParseFilter(time.Now(), "until:"+shared.At.Format(time.RFC3339Nano))
	if err != nil {
		t.Fatal(err)
	}
	if out := mustPrune(t, s, Pruning{Filter: f, Now: time.Now()}); out.Exchanges != 2 {
		t.Errorf("%+v", out)
	}
	if _, err := os.Stat(s.bodyPath(a.Request.Body.Sum)); err != nil {
		t.Errorf("a body that can be of a line to come is gone: %v", err)
	}
	for _, ex := range []*Exchange{large("a"), large("c")} {
		if err := s.Pin(ex.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	f, err = ParseFilter(time.Now(), "outcome:handled", "-size:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pin(b.ID, true); !errors.Is(err, ErrNotFound) {
		t.Errorf("pin what is gone: %v", err)
	}
	if err := s.Pin(shared.ID, true); err != nil {
		t.Fatal(err)
	}
	mustPrune(t, s, Pruning{Filter: f})
	names, err := os.ReadDir(s.path("bodies"))
	if err != nil || len(names) != 1 || names[0].Name() != shared.Request.Body.Sum {
		t.Errorf("%v, %v", names, err)
	}
}

// Nothing goes while somebody reads, and what is under way stays.
func TestPruneWaitsForReaders(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	old(t, s, 20)
	pending := newExchange(1)
	pending.Outcome = Pending
	mustAppend(t, s, pending)
	p := Pruning{Before: time.Now().Add(time.Hour), Now: time.Now()}
	for range s.Query(Query{}) {
		if _, err := s.Prune(p); !errors.Is(err, ErrBusy) {
			t.Errorf("while it is read: %v", err)
		}
		break
	}
	mustPrune(t, s, p)
	if left := seqs(t, s, Query{}); !slices.Equal(left, []uint64{pending.Seq}) {
		t.Errorf("%v are left, want #%d", left, pending.Seq)
	}
}

func TestNoRoom(t *testing.T) {
	s, err := Open(t.TempDir(), Options{MinFree: 1 << 62})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write(handled()); !errors.Is(err, ErrNoRoom) {
		t.Errorf("write: %v", err)
	}
	sp := s.Spool()
	defer sp.Discard()
	if _, err := sp.Write([]byte(strings.Repeat("x", MaxInline+1))); !errors.Is(err, ErrNoRoom) {
		t.Errorf("spool: %v", err)
	}
}

// Who comes to a segment that was written anew goes on to the next one: numbers are
// given once.
func TestWriteBehindPruned(t *testing.T) {
	dir := t.TempDir()
	s, other := openSmall(t, dir, 1<<20), openSmall(t, dir, 1<<20)
	for range 2 { // other is in a segment before those
		victim := handled()
		mustAppend(t, s, victim)
		mustAppend(t, s, handled())
		f, err := ParseFilter(time.Now(), "id:"+string(victim.ID))
		if err != nil {
			t.Fatal(err)
		}
		if out := mustPrune(t, s, Pruning{Filter: f}); out.Exchanges != 1 {
			t.Fatalf("%+v", out)
		}
	}
	last, ex := handled(), handled()
	mustAppend(t, s, last)
	mustAppend(t, other, ex)
	if ex.Seq <= last.Seq {
		t.Errorf("number %d, behind %d", ex.Seq, last.Seq)
	}
}

// Who finds its segment written anew, and no next one yet, has read all of it before it
// begins one.
func TestWriteWhilePruned(t *testing.T) {
	dir := t.TempDir()
	s, other := openSmall(t, dir, 1<<20), openSmall(t, dir, 1<<20)
	var last *Exchange
	for range 3 { // other has not looked
		last = handled()
		mustAppend(t, s, last)
	}
	text, err := os.ReadFile(s.segmentPath(0))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	anew := filepath.Join(filepath.Dir(s.segmentPath(0)), spoolPrefix+"anew")
	if err := os.WriteFile(anew, append(first, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(anew, s.segmentPath(0)); err != nil {
		t.Fatal(err)
	}
	ex := handled()
	mustAppend(t, other, ex)
	if ex.Seq <= last.Seq {
		t.Errorf("number %d, behind %d", ex.Seq, last.Seq)
	}
}

// Who writes while the newest are removed, in this process or in another one, loses
// nothing: not what came since the pruning has looked, and not what comes while it
// makes room.
func TestPruneWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 1<<20)
	other := openSmall(t, dir, 1<<20)
	var mu sync.Mutex
	var kept []ID // guarded by mu
	for n := range 12 {
		victim := handled()
		mustAppend(t, s, victim)
		f, err := ParseFilter(time.Now(), "id:"+string(victim.ID))
		if err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		for i := range 12 {
			w := []*Store{s, other}[i%2]
			work.Go(func() {
				for range 5 {
					ex := handled()
					if _, err := w.Write(ex); err != nil {
						t.Errorf("round %d: %v", n, err)
					}
					mu.Lock()
					kept = append(kept, ex.ID)
					mu.Unlock()
				}
			})
		}
		out, err := s.Prune(Pruning{Filter: f, Now: time.Now()})
		if err != nil || out.Exchanges != 1 {
			t.Errorf("round %d: %+v, %v", n, out, err)
		}
		work.Wait()
	}
	for _, id := range kept {
		if _, err := s.Get(string(id)); err != nil {
			t.Error(err)
		}
	}
	list := seqs(t, s, Query{})
	slices.Sort(list)
	if n := len(slices.Compact(list)); n != len(kept) {
		t.Errorf("%d numbers of %d exchanges", n, len(kept))
	}
}
