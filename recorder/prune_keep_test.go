package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"
)

// What was too young to go is found by the next pruning, whatever that is about, and
// so is what a crash has left; what a line names stays, also one that is damaged.
func TestPruneFindsLeftBodies(t *testing.T) {
	s := openSmall(t, t.TempDir(), 1<<20)
	large := func(letter string) *Exchange {
		ex := newExchange(1)
		ex.Outcome = Pending
		mustAppend(t, s, ex)
		res := Result{Outcome: Answered, Response: &Response{Status: 200, Body: spool(t, s, bytes.Repeat([]byte(letter), MaxInline+1))}}
		if err := s.Finish(context.Background(), ex.ID, res); err != nil {
			t.Fatal(err)
		}
		ex.Response = res.Response
		return ex
	}
	goes, stays, broken := large("a"), large("b"), large("c")
	orphan := spool(t, s, bytes.Repeat([]byte("d"), MaxInline+1))
	path := s.segmentPath(mustSegmentOf(t, s, broken.Seq))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(text, []byte(`"id":"`+string(broken.ID)+`","outcome":"answered"`), []byte(`"id":"`+string(broken.ID)+`","outcome":"answereD"`), 1)
	if bytes.Equal(damaged, text) {
		t.Fatal("its result is not in this segment")
	}
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := ParseFilter(time.Now(), "id:"+string(goes.ID))
	if err != nil {
		t.Fatal(err)
	}
	has := func(b Body) bool {
		_, err := os.Stat(s.bodyPath(b.Sum))
		return err == nil
	}
	if out := mustPrune(t, s, Pruning{Filter: f, Now: time.Now()}); out.Exchanges != 1 || !has(goes.Response.Body) {
		t.Errorf("at once: %+v", out)
	}
	would := mustPrune(t, s, Pruning{DryRun: true})
	did := mustPrune(t, s, Pruning{})
	if did != would || did.Bytes != 2*(MaxInline+1) {
		t.Errorf("later it would remove %+v, and did %+v", would, did)
	}
	if has(goes.Response.Body) || has(orphan) || !has(stays.Response.Body) || !has(broken.Response.Body) {
		t.Error("the wrong ones are there")
	}
}

func mustSegmentOf(t *testing.T, s *Store, seq uint64) uint64 {
	t.Helper()
	first, err := s.segmentOf(seq)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// A body that somebody reads goes with the others, and is read to its end.
func TestPruneBodyWhileRead(t *testing.T) {
	s := open(t, t.TempDir())
	text := bytes.Repeat([]byte("read"), MaxInline)
	b := spool(t, s, text)
	f, err := s.OpenBody(b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if out := mustPrune(t, s, Pruning{}); out.Bytes != int64(len(text)) {
		t.Errorf("%+v", out)
	}
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes were read, %v", len(got), err)
	}
}

// A body that comes again while the file of an earlier one is about to go, which no line
// names any more, keeps its file.
func TestPruneSparesBodiesThatComeAgain(t *testing.T) {
	s := open(t, t.TempDir())
	text := bytes.Repeat([]byte("again"), MaxInline)
	b := spool(t, s, text)
	for _, comesAgain := range []bool{true, false} {
		long := time.Now().Add(-time.Hour)
		if err := os.Chtimes(s.bodyPath(b.Sum), long, long); err != nil {
			t.Fatal(err)
		}
		files, err := s.bodyFiles(time.Now())
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		if comesAgain {
			spool(t, s, text)
		}
		removed, err := s.removeBody(b.Sum, files[b.Sum])
		if err != nil || removed == comesAgain {
			t.Errorf("it comes again %v, and is removed %v, %v", comesAgain, removed, err)
		}
		if got, err := s.ReadBody(b); comesAgain && !bytes.Equal(got, text) || !comesAgain && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it comes again %v: %d bytes, %v", comesAgain, len(got), err)
		}
	}
}

// A size is kept by as little as makes it, with the bodies that go with it: whole
// segments, or a part of one that has so much in bodies, also of the last.
func TestPruneBySizeCountsBodies(t *testing.T) {
	for _, segment := range []int64{1 << 10, 1 << 20} {
		s := openSmall(t, t.TempDir(), segment)
		var large []*Exchange
		for i := range 12 {
			ex := handled()
			ex.Request.Body = spool(t, s, bytes.Repeat([]byte{byte('a' + i)}, MaxInline+1))
			mustAppend(t, s, ex)
			large = append(large, ex)
			for range 4 { // fills a small segment
				mustAppend(t, s, handled())
			}
		}
		if err := s.Pin(large[1].ID, true); err != nil {
			t.Fatal(err)
		}
		most := s.Size() - 3*MaxInline
		would := mustPrune(t, s, Pruning{MaxSize: most, WholeSegments: true, DryRun: true})
		did := mustPrune(t, s, Pruning{MaxSize: most, WholeSegments: true})
		if now := s.Size(); now > most || now < most-2*MaxInline || did.Exchanges != would.Exchanges || did.Exchanges < 12 || did.Exchanges > 22 {
			t.Errorf("segments of %d: %d bytes are left of %d that may be; it would remove %+v, and did %+v", segment, now, most, would, did)
		}
		for i, ex := range large {
			_, err := s.Get(string(ex.ID))
			_, gone := os.Stat(s.bodyPath(ex.Request.Body.Sum))
			if stays := i == 1 || i > 4; (err == nil) != (gone == nil) || stays != (err == nil) && i != 4 {
				t.Errorf("segments of %d: number %d: %v, %v", segment, i, err, gone)
			}
		}
		if again := mustPrune(t, s, Pruning{MaxSize: most, WholeSegments: true}); again.Exchanges != 0 {
			t.Errorf("segments of %d: once more %+v", segment, again)
		}
	}
}

// A body that was too young to go with its exchange pushes no other one out.
func TestPruneBySizeAgain(t *testing.T) {
	s := openSmall(t, t.TempDir(), 1<<20)
	for i := range 12 {
		ex := handled()
		ex.Request.Body = spool(t, s, bytes.Repeat([]byte{byte('a' + i)}, MaxInline+1))
		mustAppend(t, s, ex)
	}
	keep := Pruning{MaxSize: s.Size() - 6*MaxInline, WholeSegments: true, Now: time.Now()}
	first, size := mustPrune(t, s, keep), s.Size()
	if first.Exchanges < 6 || first.Exchanges > 7 || size <= keep.MaxSize {
		t.Fatalf("%+v, and %d bytes of %d", first, size, keep.MaxSize)
	}
	if again := mustPrune(t, s, keep); again != (Pruned{}) {
		t.Errorf("at once once more: %+v", again)
	}
	keep.Now = keep.Now.Add(2 * settled)
	if later := mustPrune(t, s, keep); later.Exchanges != 0 || s.Size() > keep.MaxSize {
		t.Errorf("later %+v, and %d bytes of %d", later, s.Size(), keep.MaxSize)
	}
}

// The messages of a WebSocket have their weight: where one of them is what is too much, it
// goes, and nothing that is younger and small.
func TestPruneBySizeCountsFrames(t *testing.T) {
	s := openSmall(t, t.TempDir(), 1<<20)
	before, open := handled(), handled()
	mustAppend(t, s, before)
	mustAppend(t, s, open)
	for n := range 4 {
		mustAppend(t, s, handled())
		if err := s.AddFrames(open.ID, []Frame{{N: int64(n + 1), At: open.At, Dir: In, Op: OpText, Body: bytes.Repeat([]byte("a"), 50_000)}}); err != nil {
			t.Fatal(err)
		}
	}
	p := Pruning{MaxSize: s.Size() - 100_000, WholeSegments: true}
	if did := mustPrune(t, s, p); did.Exchanges != 2 {
		t.Errorf("%+v", did)
	}
	if left := seqs(t, s, Query{}); len(left) != 4 || s.Size() > p.MaxSize {
		t.Errorf("%v are left, and %d bytes", left, s.Size())
	}
}

// The results of exchanges that went with their segment stand in the next one: nobody
// who goes through the journal stumbles over them.
func TestFollowOverPruned(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	list := old(t, s, 40)
	out := mustPrune(t, s, Pruning{Before: list[30].At, WholeSegments: true})
	left := seqs(t, s, Query{})
	if out.Exchanges == 0 || len(left) == 0 || len(left)+out.Exchanges != 40 {
		t.Fatalf("%+v, %d left", out, len(left))
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var got []uint64
	for ex, err := range s.FollowEnds(ctx, Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, ex.Seq); len(got) == len(left) {
			stop()
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, left) {
		t.Errorf("got %v, want %v", got, left)
	}
}

// The end of an exchange in the segment that is written to: it is taken out of that only
// once nobody writes there any more, as what comes meanwhile would be lost.
func TestPruneEndsTheLastSegment(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	list := old(t, s, 40)
	if err := s.Pin(list[0].ID, false); err != nil { // a line of it among the newest
		t.Fatal(err)
	}
	before, err := s.segments()
	if err != nil {
		t.Fatal(err)
	}
	last := before[len(before)-1]
	if mustSegmentOf(t, s, list[0].Seq) == last {
		t.Fatal("it is the last segment itself")
	}
	f, err := ParseFilter(time.Now(), "id:"+string(list[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	would := mustPrune(t, s, Pruning{Filter: f, DryRun: true})
	if did := mustPrune(t, s, Pruning{Filter: f}); did.Exchanges != 1 || did != would {
		t.Errorf("it would remove %+v, and did %+v", would, did)
	}
	after, err := s.segments()
	if err != nil || after[len(after)-1] <= last {
		t.Errorf("segments %v, before %v: what is written goes where it was rewritten", after, before)
	}
	text, err := os.ReadFile(s.segmentPath(last))
	if err != nil || bytes.Contains(text, []byte(list[0].ID)) {
		t.Errorf("a line of it is left, or all went: %v", err)
	}
}

// The clock of this machine goes back (a battery that is empty, time that is set by the
// network) and jumps ahead, over the border of segments, too: order is by number, and
// each exchange is found by its own time, with an index and without one.
func TestClockJumps(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	day := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	starts := []time.Time{day, day.Add(-40 * 24 * time.Hour), day.Add(time.Hour), time.Unix(60, 0).UTC(), day.Add(2 * time.Hour)}
	var all, back []uint64
	var ids []ID
	from, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	for i, start := range starts {
		for n := range 15 {
			ex := newExchange(n)
			ex.ID, ex.At, ex.Outcome = "", start.Add(time.Duration(n)*time.Second), Pending
			mustAppend(t, s, ex)
			finish(t, s, ex, 200)
			all, ids = append(all, ex.Seq), append(ids, ex.ID)
			if i == 1 {
				back = append(back, ex.Seq)
			}
		}
	}
	if !slices.IsSorted(all) {
		t.Fatalf("numbers went back with the clock: %v", all)
	}
	if list, err := s.segments(); err != nil || len(list) < 5 {
		t.Fatalf("%d segments, %v: too few for this", len(list), err)
	}
	look := func(how string, s *Store) {
		t.Helper()
		if got := seqs(t, s, Query{}); !slices.Equal(got, all) {
			t.Errorf("%s: got %v, want %v", how, got, all)
		}
		if got := seqs(t, s, Query{Newest: 20}); !slices.Equal(got, all[len(all)-20:]) {
			t.Errorf("%s: the newest are %v", how, got)
		}
		if got := seqs(t, s, Query{Newest: 20, Before: all[40]}); !slices.Equal(got, all[20:40]) {
			t.Errorf("%s: the page before #%d is %v", how, all[40], got)
		}
		f, err := ParseFilter(day, "since:2026-10-01", "until:2026-11-01")
		if err != nil {
			t.Fatal(err)
		}
		if got := seqs(t, s, Query{Filter: f}); !slices.Equal(got, back) {
			t.Errorf("%s: of October are %v, want %v", how, got, back)
		}
		if got := seqs(t, s, Query{Filter: f, Newest: 3}); !slices.Equal(got, back[len(back)-3:]) {
			t.Errorf("%s: the newest of October are %v", how, got)
		}
		for i, id := range ids {
			if ex, err := s.Get(string(id)); err != nil || ex.Seq != all[i] {
				t.Errorf("%s: %s is %+v, %v", how, id, ex, err)
			}
		}
		if ex, err := s.Get("last"); err != nil || ex.Seq != all[len(all)-1] {
			t.Errorf("%s: the last is %+v, %v", how, ex, err)
		}
	}
	look("made", s)
	look("with the index", readOnly(t, dir))
	if err := os.RemoveAll(s.path("index")); err != nil {
		t.Fatal(err)
	}
	look("without an index", readOnly(t, dir))

	// Who goes on from where he was, as the page after a reconnect, has each once.
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var followed []uint64
	for step, err := range s.Steps(ctx, from) {
		if err != nil {
			t.Fatal(err)
		}
		if step.Exchange.Outcome == Pending {
			continue
		}
		if followed = append(followed, step.Exchange.Seq); len(followed) == 33 {
			if from, err = s.Cursor(step.Next.String()); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	for ex, err := range s.Follow(ctx, from) {
		if err != nil {
			t.Fatal(err)
		}
		if followed = append(followed, ex.Seq); len(followed) == len(all) {
			stop()
		}
	}
	if !slices.Equal(followed, all) {
		t.Errorf("followed %v, want %v", followed, all)
	}
}

// What devhook removes by itself goes by the order of the journal, too: a clock that
// was behind for a while makes nothing old that came behind what is still young. By
// hand a time means what it says.
func TestRetainWithWrongClock(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := openSmall(t, t.TempDir(), 2<<10)
	add := func(at time.Time, n int) (list []uint64) {
		for range n {
			ex := handled()
			ex.ID, ex.At = "", at
			mustAppend(t, s, ex)
			list = append(list, ex.Seq)
		}
		return list
	}
	gone := add(now.Add(-100*24*time.Hour), 15)
	add(now.Add(-24*time.Hour), 15)
	add(time.Unix(1000, 0), 15)
	ahead := add(now.Add(400*24*time.Hour), 15)
	newest := add(now, 15)
	p := Pruning{Before: now.Add(-90 * 24 * time.Hour), Now: now, WholeSegments: true}
	if out := mustPrune(t, s, p); out.Exchanges == 0 || out.Exchanges > len(gone) {
		t.Errorf("%+v", out)
	}
	if got := seqs(t, s, Query{}); len(got) < 60 || !slices.Contains(got, gone[14]+1) {
		t.Errorf("%v are left", got)
	}
	p.Before, p.Now = now.Add(24*time.Hour), now.Add(91*24*time.Hour) // what was ahead holds up nothing behind it
	mustPrune(t, s, p)
	got := seqs(t, s, Query{})
	if slices.Contains(got, newest[0]+1) && len(got) > 30 || !slices.Contains(got, ahead[7]) || slices.Contains(got, gone[14]+20) {
		t.Errorf("later %v are left", got)
	}
	f, err := ParseFilter(now, "until:1990-01-01")
	if err != nil {
		t.Fatal(err)
	}
	mustPrune(t, s, Pruning{Filter: f})
	if left := seqs(t, s, Query{Filter: f}); len(left) != 0 {
		t.Errorf("by hand: %v are left", left)
	}
}
