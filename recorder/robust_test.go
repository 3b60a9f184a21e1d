package recorder

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// following gives what a follower of s gives, until the test ends.
func following(t *testing.T, s *Store) <-chan *Exchange {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan *Exchange, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ex, err := range s.Follow(ctx, Cursor{}) {
			if err != nil {
				t.Errorf("follow: %v", err)
				continue
			}
			got <- ex
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return got
}

func wantNext(t *testing.T, got <-chan *Exchange, seq uint64) {
	t.Helper()
	select {
	case ex := <-got:
		if ex.Seq != seq {
			t.Fatalf("got #%d, want #%d", ex.Seq, seq)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("#%d was never given", seq)
	}
}

func readOnly(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func handled() *Exchange {
	ex := newExchange(1)
	ex.Outcome = Handled
	return ex
}

func mustAppend(t *testing.T, s *Store, ex *Exchange) {
	t.Helper()
	if err := s.Append(context.Background(), ex); err != nil {
		t.Fatal(err)
	}
}

// A sync that comes too late for a segment is no failure of the disk.
func TestSyncOfAClosedSegment(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := syncData(f); !errors.Is(err, os.ErrClosed) {
		t.Errorf("syncData of a closed file: %v", err)
	}
}

// Segments change while others sync.
func TestManySegments(t *testing.T) {
	s := openSmall(t, t.TempDir(), 600)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, err := s.Write(handled()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := s.failure(); err != nil {
		t.Error(err)
	}
}

// What is being written is not shown before it is durable.
func TestFollowersWaitForTheSync(t *testing.T) {
	s := open(t, t.TempDir())
	mustAppend(t, s, handled())
	s.syncMu.Lock()
	first, end := s.seg.first, s.seg.end
	s.syncMu.Unlock()
	s.noteWriting(end + 100)
	if limit, whole := s.visible(first, end+100); limit != end || whole {
		t.Errorf("visible gives %d, %v, want %d, false", limit, whole, end)
	}
	s.noteWriting(0)
}

// A line that a killed process has begun is cut off; what is written in its
// place is what followers get.
func TestFollowOverACutLine(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	mustAppend(t, w, handled())
	got := following(t, readOnly(t, dir))
	wantNext(t, got, 1)
	f, err := os.OpenFile(w.segmentPath(0), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(`{"v":1,"k":"x","x":{"v":1,"id":"01M7ABCDEFABCDEFABCDEFABCD","seq":2,"at":"202`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the follower reads it; nothing tells when
	mustAppend(t, w, handled())
	wantNext(t, got, 2)
}

// Who follows a store that somebody removes follows the one that is made anew.
func TestFollowOverARemoval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	w := open(t, dir)
	mustAppend(t, w, handled())
	got := following(t, readOnly(t, dir))
	wantNext(t, got, 1)
	if err := os.RemoveAll(dir); err != nil {
		t.Skip("this system removes no open files")
	}
	ex := handled()
	mustAppend(t, w, ex)
	wantNext(t, got, ex.Seq)
}

// What comes after a store was moved away is kept where it is looked for: in a new
// one, or in the one that is there now, beside what others write to that.
func TestMovedStore(t *testing.T) {
	for name, other := range map[string]bool{"nothing is there": false, "another is there": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			w := open(t, dir)
			for range 3 {
				mustAppend(t, w, handled())
			}
			got := following(t, readOnly(t, dir))
			for seq := range uint64(3) {
				wantNext(t, got, seq+1)
			}
			if err := os.Rename(dir, dir+"-old"); err != nil {
				t.Skip("this system moves no open files")
			}
			writers := []*Store{w}
			want := 4
			if other {
				o := open(t, dir)
				for range 5 {
					mustAppend(t, o, handled())
				}
				writers, want = append(writers, o), want+5
			}
			for range 4 / len(writers) {
				for _, s := range writers {
					ex := handled()
					ex.Request.Body = spool(t, s, bytes.Repeat([]byte("x"), MaxInline+1))
					mustAppend(t, s, ex)
					wantNext(t, got, ex.Seq)
					if b, err := w.ReadBody(ex.Request.Body); err != nil || len(b) != MaxInline+1 {
						t.Errorf("the body of #%d: %d bytes, %v", ex.Seq, len(b), err)
					}
				}
			}
			var seqs []uint64
			for _, ex := range all(t, dir) {
				seqs = append(seqs, ex.Seq)
			}
			if len(seqs) != want || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != want {
				t.Errorf("there are %d, want %d in order", seqs, want)
			}
			if n := len(all(t, dir+"-old")); n != 3 {
				t.Errorf("the one that was moved has %d, want 3", n)
			}
		})
	}
}

// The journal can be gone without the lock beside it.
func TestRemovedJournal(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	mustAppend(t, w, handled())
	if err := os.RemoveAll(filepath.Join(dir, "journal")); err != nil {
		t.Skip("this system removes no open files")
	}
	done := make(chan error, 1)
	ex := handled()
	go func() { done <- w.Append(context.Background(), ex) }()
	select {
	case err := <-done:
		if err != nil || ex.Seq < 2 {
			t.Errorf("#%d, %v", ex.Seq, err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the append hangs")
	}
}

// What comes after the journal was cut underway is kept, under numbers that were not
// used, by each process that has it open, and is told to those who follow.
func TestCutJournal(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	got := following(t, s)
	mustAppend(t, other, handled()) // which does not see the next ones
	for range 2 {
		mustAppend(t, s, handled())
	}
	for seq := range uint64(3) {
		wantNext(t, got, seq+1)
	}
	path := s.segmentPath(0)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-100); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, handled())
	mustAppend(t, other, handled())
	mustAppend(t, s, handled())
	var seqs []uint64
	for _, ex := range all(t, dir) {
		seqs = append(seqs, ex.Seq)
	}
	if len(seqs) != 5 || seqs[2] <= 3 || seqs[3] != seqs[2]+1 || seqs[4] != seqs[2]+2 {
		t.Fatalf("kept %v, want 1, 2 and three later ones", seqs)
	}
	for _, seq := range seqs[2:] {
		wantNext(t, got, seq)
	}
}

// An exchange that is written once more is kept in mind once.
func TestRecentHoldsAnIDOnce(t *testing.T) {
	s := open(t, t.TempDir())
	ex := handled()
	for range 2 {
		if _, err := s.Write(ex); err != nil {
			t.Fatal(err)
		}
	}
	for range maxRecent + 10 {
		if _, err := s.Write(handled()); err != nil {
			t.Fatal(err)
		}
	}
}

// What is kept in mind is bounded, headers and all, and nothing is without a follower.
func TestRecentIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	write := func(n int) (kept int) {
		for range n {
			ex := handled()
			ex.Request.Headers = http.Header{"X-Large": {strings.Repeat("a", 900<<10)}}
			if _, err := s.Write(ex); err != nil {
				t.Fatal(err)
			}
		}
		s.recent.mu.Lock()
		defer s.recent.mu.Unlock()
		return len(s.recent.order)
	}
	if n := write(1); n != 0 {
		t.Errorf("%d exchanges are kept in mind for nobody", n)
	}
	for range s.Follow(t.Context(), Cursor{}) {
		break
	}
	if n := write(30); n == 0 || n > maxRecentBytes/(900<<10) {
		t.Errorf("%d exchanges of 900 KiB are kept in mind", n)
	}
}

// A result is durable soon, also when others follow it without a pause.
func TestResultsAreSyncedInTime(t *testing.T) {
	s := open(t, t.TempDir())
	var list []*Exchange
	for range 2000 { // the disk may have other work for seconds
		ex := newExchange(1)
		ex.Outcome = Pending
		if _, err := s.WriteLater(ex); err != nil {
			t.Fatal(err)
		}
		list = append(list, ex)
	}
	finish(t, s, list[0], 200)
	s.syncMu.Lock()
	pos := s.written
	s.syncMu.Unlock()
	for _, ex := range list[1:] {
		time.Sleep(syncLag / 3)
		s.syncMu.Lock()
		done := s.synced >= pos
		s.syncMu.Unlock()
		if done {
			return
		}
		finish(t, s, ex, 200)
	}
	t.Error("the first result was not synced while others came")
}

// A directory with other things in it is left alone.
func TestForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrForeign) {
		t.Errorf("open: %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("it has %d files now (%v)", len(names), err)
	}
}

// A store that a project brings can lead to the user's own files.
func TestLinksInAStore(t *testing.T) {
	for _, name := range []string{"lock", "journal", filepath.Join("journal", "000000000000"+segmentExt)} {
		dir := t.TempDir()
		theirs, link := filepath.Join(dir, "profile"), filepath.Join(dir, "store", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.WriteFile(theirs, []byte("no end of line"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "store", "format"), []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(theirs, link); err != nil {
			t.Logf("no links here: %v", err)
			return
		}
		if s, err := Open(filepath.Join(dir, "store"), Options{}); !errors.Is(err, ErrLinked) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				s.Close()
			}
		}
		if text, err := os.ReadFile(theirs); string(text) != "no end of line" {
			t.Errorf("%s: the file has %q now (%v)", name, text, err)
		}
	}
}

// A large body is kept as well after somebody has removed the store.
func TestSpoolOverARemoval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Skip("this system removes no open files")
	}
	ex := handled()
	ex.Request.Body = spool(t, s, bytes.Repeat([]byte("x"), MaxInline+1))
	mustAppend(t, s, ex)
	got, err := s.Get("last")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.ReadBody(got.Request.Body); err != nil || len(b) != MaxInline+1 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// A body that could not be written is not taken for a shorter one.
func TestSpoolAfterAFailure(t *testing.T) {
	s := open(t, t.TempDir())
	sp := s.Spool()
	if _, err := sp.Write(bytes.Repeat([]byte("x"), MaxInline+1)); err != nil {
		t.Fatal(err)
	}
	sp.f.Close() // as good as a full disk
	if _, err := sp.Write([]byte("y")); err == nil {
		t.Fatal("written to a closed file")
	}
	if b, err := sp.Body(); err == nil {
		t.Errorf("the body is %+v", b)
	}
	if names, err := os.ReadDir(s.path("bodies")); err != nil || len(names) != 0 {
		t.Errorf("%d files are left (%v)", len(names), err)
	}
}

// What a killed process left half written goes with the next opening, unless it is young
// or somebody is at work on it; and as long as it is there, it is no part of the store's size.
func TestUnfinishedFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sp := s.Spool()
	if _, err := sp.Write(bytes.Repeat([]byte("x"), MaxInline+1)); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * settled)
	under := sp.f.Name()
	left := []string{s.path("bodies", spoolPrefix+"1"), s.path("journal", spoolPrefix+"2")}
	for _, path := range append(left, s.path("bodies", spoolPrefix+"young")) {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range append(left, under) {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Size(); n != 0 {
		t.Errorf("an empty store has %d bytes", n)
	}
	open(t, dir)
	for _, path := range left {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	if _, err := os.Stat(s.path("bodies", spoolPrefix+"young")); err != nil {
		t.Error(err)
	}
	if _, err := sp.Body(); err != nil {
		t.Errorf("the body under way: %v", err)
	}
}
