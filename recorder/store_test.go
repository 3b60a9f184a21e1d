package recorder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"devhook/verify"
)

func open(t testing.TB, dir string) *Store { return openSmall(t, dir, 0) }

// openSmall opens a store whose segments have the given size.
func openSmall(t testing.TB, dir string, segment int64) *Store {
	t.Helper()
	s, err := Open(dir, Options{segmentSize: segment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func spool(t testing.TB, s *Store, body []byte) Body {
	t.Helper()
	sp := s.Spool()
	for len(body) > 0 { // as it comes from a socket
		n := min(len(body), 1+rand.IntN(32<<10))
		if _, err := sp.Write(body[:n]); err != nil {
			t.Fatal(err)
		}
		body = body[n:]
	}
	b, err := sp.Body()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Read and written in any pieces, a body is the same.
func TestSpoolReadFrom(t *testing.T) {
	s := open(t, t.TempDir())
	for _, n := range []int{0, 1, 511, 512, 513, MaxInline - 1, MaxInline, MaxInline + 1, MaxInline + 2, 1 << 20} {
		for _, grow := range []int64{0, int64(n), int64(n) * 2, 1 << 30} {
			body := bytes.Repeat([]byte("0123456789abcdef-"), n/17+1)[:n]
			a, b := s.Spool(), s.Spool()
			a.Grow(grow)
			if got, err := a.ReadFrom(iotest.HalfReader(bytes.NewReader(body))); got != int64(n) || err != nil || a.Size() != int64(n) {
				t.Fatalf("%d: read %d, %v", n, got, err)
			}
			b.Write(body[:n/2])
			if _, err := b.ReadFrom(iotest.DataErrReader(bytes.NewReader(body[n/2:]))); err != nil {
				t.Fatalf("%d: %v", n, err)
			}
			x, err := a.Body()
			if err != nil {
				t.Fatal(err)
			}
			y, err := b.Body()
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.ReadBody(x)
			if err != nil || !bytes.Equal(got, body) || x.Sum != y.Sum || !bytes.Equal(x.Bytes, y.Bytes) || (x.Sum != "") != (n > MaxInline) {
				t.Errorf("%d bytes came back as %d, sums %q and %q: %v", n, len(got), x.Sum, y.Sum, err)
			}
		}
	}
	sp := s.Spool()
	defer sp.Discard()
	if _, err := sp.ReadFrom(iotest.TimeoutReader(bytes.NewReader(make([]byte, 4000)))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func newExchange(n int) *Exchange {
	return &Exchange{
		Origin:  Live,
		Request: Request{Method: "POST", URL: fmt.Sprintf("http://h/%d", n), Body: Body{Bytes: fmt.Appendf(nil, "body %d", n)}},
		Verdict: verify.Verdict{Status: verify.Valid}, Outcome: Pending,
	}
}

func appendN(t testing.TB, s *Store, n int) []*Exchange {
	t.Helper()
	var list []*Exchange
	for i := range n {
		ex := newExchange(i)
		if err := s.Append(t.Context(), ex); err != nil {
			t.Fatal(err)
		}
		list = append(list, ex)
	}
	return list
}

func finish(t testing.TB, s *Store, ex *Exchange, status int) {
	t.Helper()
	ex.Outcome, ex.Response = Answered, &Response{Status: status, Took: time.Millisecond}
	if err := s.Finish(t.Context(), ex.ID, Result{Outcome: Answered, Response: ex.Response}); err != nil {
		t.Fatal(err)
	}
}

// all reads a store, as another process would.
func all(t testing.TB, dir string) []*Exchange {
	t.Helper()
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var list []*Exchange
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ex)
	}
	return list
}

func TestAppendAndRead(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	list := appendN(t, s, 100)
	for i, ex := range list {
		if i%3 != 0 {
			finish(t, s, ex, 200+i)
		}
	}
	if n, _ := s.segments(); len(n) < 5 {
		t.Fatalf("%d segments: too few for this test", len(n))
	}
	check := func(s *Store) {
		t.Helper()
		for i, want := range list {
			if want.Seq != uint64(i+1) && i > 0 && want.Seq <= list[i-1].Seq {
				t.Fatalf("sequence number %d after %d", want.Seq, list[i-1].Seq)
			}
			for _, ref := range []string{fmt.Sprint(want.Seq), string(want.ID), strings.ToLower(string(want.ID))} {
				got, err := s.Get(ref)
				if err != nil {
					t.Fatal(err)
				}
				got.At = want.At // microseconds
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("Get(%s)\n got %+v\nwant %+v", ref, got, want)
				}
			}
		}
	}
	check(s)
	reader, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	check(reader)

	for ref, want := range map[string]uint64{"last": 99, "last~2": 97, "live": 99, "live~99": 0} {
		got, err := s.Get(ref)
		if err != nil || got.ID != list[want].ID {
			t.Errorf("Get(%s) = %v, %v; want #%d", ref, got, err, want)
		}
	}
	for _, ref := range []string{"0", "1000", "last~100", "abc", "nope", "last~x", "01JD7Q8V9T4K2M6N8P0R2S4T6V", ""} {
		if _, err := s.Get(ref); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", ref, err)
		}
	}
	var ambiguous *AmbiguousError
	if _, err := s.Get(string(list[0].ID[:4])); !errors.As(err, &ambiguous) {
		t.Errorf("Get of a common prefix: %v, want an AmbiguousError", err)
	}
	if got, err := s.Get(string(list[7].ID[16:])); err != nil || got.ID != list[7].ID {
		t.Errorf("Get of a suffix: %v, %v", got, err)
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("file modes are not those of Windows")
		return
	}
	dir := filepath.Join(t.TempDir(), Dir)
	s := open(t, dir)
	appendN(t, s, 1)
	spool(t, s, make([]byte, MaxInline+1))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, ".gitignore")); !bytes.HasSuffix(b, []byte("*\n")) {
		t.Errorf(".gitignore is %q", b)
	}
}

// Goroutines and several stores of one directory append at once: every number
// is given once, in the order of the lines.
func TestConcurrentAppends(t *testing.T) {
	dir := t.TempDir()
	const stores, writers, each = 3, 8, 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	want := map[ID]string{}
	for range stores {
		s := openSmall(t, dir, 32<<10)
		for range writers {
			wg.Go(func() {
				for i := range each {
					ex := newExchange(i)
					if err := s.Append(context.Background(), ex); err != nil {
						t.Error(err)
						return
					}
					if i%2 == 0 {
						if err := s.Finish(context.Background(), ex.ID, Result{Outcome: Answered, Response: &Response{Status: 200}}); err != nil {
							t.Error(err)
						}
					}
					mu.Lock()
					want[ex.ID] = fmt.Sprint(ex.Seq)
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	got := all(t, dir)
	if len(got) != stores*writers*each {
		t.Fatalf("%d recordings, want %d", len(got), stores*writers*each)
	}
	last := uint64(0)
	for _, ex := range got {
		if ex.Seq <= last {
			t.Fatalf("#%d after #%d", ex.Seq, last)
		}
		last = ex.Seq
		if want[ex.ID] != fmt.Sprint(ex.Seq) {
			t.Fatalf("%s is #%d, its writer was told #%s", ex.ID, ex.Seq, want[ex.ID])
		}
	}
}

// A line that was not written to its end is cut off; what follows it is whole.
func TestTornLine(t *testing.T) {
	for name, torn := range map[string]string{
		"half a line":      `{"v":1,"k":"x","x":{"v":1,"id":"01J`,
		"zeros":            strings.Repeat("\x00", 5000),
		"a whole one less": `{"v":1,"k":"r","id":"01JD7Q8V9T4K2M6N8P0R2S4T6V","outcome":"answered","c":"00000000"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			before := appendN(t, s, 3)
			tear(t, s, torn)
			ex := newExchange(3)
			if err := s.Append(t.Context(), ex); err != nil { // by a process that had the store open
				t.Fatal(err)
			}
			tear(t, s, torn)
			var log bytes.Buffer
			s2, err := Open(dir, Options{Log: textLog(&log)})
			if err != nil {
				t.Fatal(err)
			}
			defer s2.Close()
			if !strings.Contains(log.String(), "cut off") {
				t.Errorf("nobody was told: %q", log.String())
			}
			if err := s2.Append(t.Context(), newExchange(4)); err != nil {
				t.Fatal(err)
			}
			if got := all(t, dir); len(got) != 5 || got[2].ID != before[2].ID || got[3].ID != ex.ID || got[4].Seq != 5 {
				t.Errorf("got %d recordings: %+v", len(got), got)
			}
		})
	}
}

func tear(t *testing.T, s *Store, torn string) {
	t.Helper()
	f, err := os.OpenFile(s.segmentPath(s.seg.first), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(torn); err != nil {
		t.Fatal(err)
	}
}

// A flipped bit costs one line, and is told.
func TestDamagedLine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	list := appendN(t, s, 5)
	path := s.segmentPath(0)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(raw, []byte("body 2"))
	raw[i] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []ID
	var damaged *DamagedError
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			if !errors.As(err, &damaged) {
				t.Fatal(err)
			}
			continue
		}
		ids = append(ids, ex.ID)
	}
	want := []ID{list[0].ID, list[1].ID, list[3].ID, list[4].ID}
	if !slices.Equal(ids, want) {
		t.Errorf("read %v, want %v", ids, want)
	}
	if damaged == nil || damaged.File != path || damaged.Offset != int64(bytes.LastIndexByte(raw[:i], '\n')+1) {
		t.Errorf("the damage is told as %+v", damaged)
	}
	for i, ex := range list {
		_, err := s.Get(fmt.Sprint(ex.Seq))
		if (err != nil) != (i == 2) {
			t.Errorf("Get(%d): %v", ex.Seq, err)
		}
	}
}

func TestRefusesANewerStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	appendN(t, s, 1)
	line := `{"v":2,"k":"x","x":{},"c":"00000000"}` + "\n"
	tear(t, s, line)
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("with a newer line: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "format"), []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false} {
		if _, err := Open(dir, Options{ReadOnly: readOnly}); !errors.Is(err, ErrNewer) {
			t.Errorf("of a newer format: %v", err)
		}
	}
	if raw, _ := os.ReadFile(s.segmentPath(0)); !bytes.HasSuffix(raw, []byte(line)) {
		t.Error("the newer line was touched")
	}
}

// What a newer devhook has made is not added to, either.
func TestANewerStoreStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "format"), []byte("2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("there are %v now, %v", names, err)
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none"), Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open of nothing: %v", err)
	}
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(t.Context(), newExchange(1)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Errorf("made %v", names)
	}
}

func TestBodies(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, n := range []int{0, 1, MaxInline - 1, MaxInline, MaxInline + 1, 5 << 20} {
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(rand.Uint32())
		}
		ex := newExchange(n)
		ex.Request.Body = spool(t, s, body)
		if inFile := ex.Request.Body.Sum != ""; inFile != (n > MaxInline) {
			t.Errorf("%d bytes: in a file: %v", n, inFile)
		}
		if err := s.Append(t.Context(), ex); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(string(ex.ID))
		if err != nil {
			t.Fatal(err)
		}
		back, err := s.ReadBody(got.Request.Body)
		if err != nil || !bytes.Equal(back, body) {
			t.Errorf("%d bytes came back as %d: %v", n, len(back), err)
		}
	}
	again := spool(t, s, make([]byte, MaxInline+1))
	if second := spool(t, s, make([]byte, MaxInline+1)); second.Sum != again.Sum {
		t.Error("the same bytes have two names")
	}
	sp := s.Spool()
	if _, err := sp.Write(make([]byte, MaxInline+1)); err != nil {
		t.Fatal(err)
	}
	head, err := sp.Prefix(10)
	if err != nil || len(head) != 10 {
		t.Errorf("Prefix: %d bytes, %v", len(head), err)
	}
	sp.Discard()
	names, _ := filepath.Glob(filepath.Join(dir, "bodies", spoolPrefix+"*"))
	if len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if _, err := s.OpenBody(Body{Sum: "../lock"}); err == nil {
		t.Error("a reference led out of the store")
	}
}

// Somebody removes the directory under a running store: what comes then is
// kept, under numbers that were not used before.
func TestRemovedUnderway(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows does not let it happen")
		return
	}
	dir := filepath.Join(t.TempDir(), Dir)
	s := open(t, dir)
	appendN(t, s, 3)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	after := appendN(t, s, 2)
	got := all(t, dir)
	if len(got) != 2 || got[0].ID != after[0].ID || got[0].Seq <= 3 {
		t.Errorf("got %+v", got)
	}
}

func TestCloseSyncs(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Write(newExchange(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Errorf("written before Close: %v", err)
	}
	if _, err := s.Write(newExchange(2)); !errors.Is(err, ErrClosed) {
		t.Errorf("written after Close: %v", err)
	}
}

// When the disk fails to sync, nobody is told otherwise, and nothing more is
// taken: what a later sync would say of the lost pages is not to be believed.
func TestSyncFailure(t *testing.T) {
	s := open(t, t.TempDir())
	appendN(t, s, 1)
	s.fail(errors.New("i/o error"))
	if err := s.Append(t.Context(), newExchange(2)); err == nil || !strings.Contains(err.Error(), "i/o error") {
		t.Errorf("after a failed sync: %v", err)
	}
}

// Every line is JSON for jq and grep, and its sum is that of the bytes before.
func TestJournalIsReadable(t *testing.T) {
	s := open(t, t.TempDir())
	list := appendN(t, s, 3)
	finish(t, s, list[1], 204)
	raw, err := os.ReadFile(s.segmentPath(0))
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	for text := range strings.Lines(string(raw)) {
		var l struct {
			V int
			K string
			C string
			X json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil || l.V != 1 || len(l.C) != 8 {
			t.Errorf("%v: %s", err, text)
		}
		kinds += l.K
	}
	if kinds != "xxxr" {
		t.Errorf("kinds are %q", kinds)
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 2<<10)
	other := openSmall(t, dir, 2<<10) // as another process has it
	reader, err := Open(dir, Options{ReadOnly: true, segmentSize: 2 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	early := newExchange(0)
	if err := s.Append(t.Context(), early); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*Store{"own": s, "other": other, "reader": reader} {
		from, err := f.End()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		var want []ID
		got := make(chan ID, 1000)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ex, err := range f.Follow(ctx, from) {
				if err != nil {
					t.Error(err)
					continue
				}
				if ex.Outcome == Pending {
					t.Errorf("%s: %s is pending", name, ex.ID)
				}
				got <- ex.ID
			}
		}()
		for i := range 30 {
			w := []*Store{s, other}[i%2]
			ex := newExchange(i)
			if i%3 == 0 {
				ex.Outcome = Refused
			}
			if err := w.Append(t.Context(), ex); err != nil {
				t.Fatal(err)
			}
			if i%3 != 0 {
				finish(t, w, ex, 200)
			}
			want = append(want, ex.ID)
		}
		if name == "own" {
			finish(t, s, early, 200) // began before the cursor
			want = append(want, early.ID)
		}
		for i, id := range want {
			select {
			case g := <-got:
				if g != id {
					t.Fatalf("%s: number %d is %s, want %s", name, i, g, id)
				}
			case <-ctx.Done():
				t.Fatalf("%s: got %d of %d", name, i, len(want))
			}
		}
		stop()
		<-done
	}
}

// A store that is closed gives its followers all there is, and then the end.
func TestFollowToTheEnd(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := make(chan int)
	go func() {
		count := 0
		for _, err := range s.Follow(context.Background(), Cursor{}) {
			if err != nil {
				t.Error(err)
			}
			count++
		}
		n <- count
	}()
	for _, ex := range appendN(t, s, 50) {
		finish(t, s, ex, 200)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := <-n; got != 50 {
		t.Errorf("followed %d, want 50", got)
	}
}

func TestReadersSplitLinesRight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var want []string
	var text strings.Builder
	for range 200 {
		l := strings.Repeat("x", rand.IntN(3*chunk/50)*rand.IntN(2))
		if rand.IntN(40) == 0 {
			l = strings.Repeat("y", chunk+rand.IntN(2*chunk))
		}
		want = append(want, l)
		text.WriteString(l + "\n")
	}
	whole := int64(text.Len())
	text.WriteString("not to the end")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	r := newLineReader(f, 0, int64(text.Len()))
	for {
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(raw))
	}
	if !slices.Equal(got, want) || r.offset != whole {
		t.Errorf("forwards: %d lines to %d, want %d to %d", len(got), r.offset, len(want), whole)
	}
	end, err := wholeLines(f)
	if err != nil || end != whole {
		t.Errorf("wholeLines: %d, %v; want %d", end, err, whole)
	}
	got = nil
	for b := newBackReader(f, end); ; {
		raw, at, err := b.prev()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != text.String()[at:at+int64(len(raw))] {
			t.Fatal("a line is not where it is said to be")
		}
		got = append(got, string(raw))
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Errorf("backwards: %d lines, want %d", len(got), len(want))
	}
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// What is written for later is there at once, and durable when that is waited for,
// also if nobody asks for a sync.
func TestWriteLater(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var last Commit
	for i := range 20 {
		ex := newExchange(i)
		ex.Outcome = Pending
		var err error
		if last, err = s.WriteLater(ex); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := s.Finish(t.Context(), ex.ID, Result{Outcome: Answered, Response: &Response{Status: 200}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := readOnly(t, dir)
	if n, err := other.Count(Query{}); n != 20 || err != nil {
		t.Errorf("another process sees %d of 20; %v", n, err)
	}
	answered, err := ParseFilter(time.Time{}, "outcome:answered")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := other.Count(Query{Filter: answered}); n != 10 || err != nil {
		t.Errorf("%d of 10 are answered; %v", n, err)
	}
	if err := last.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
