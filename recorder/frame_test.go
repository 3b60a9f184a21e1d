package recorder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var opened = time.Date(2026, 11, 21, 14, 2, 11, 482_913_000, time.UTC)

func sampleFrames() []Frame {
	return []Frame{
		{N: 1, At: opened, Dir: In, Op: OpText, Body: []byte("{\"a\":\"é\u009b\"}"), Size: 12, Fragments: 1},
		{N: 2, At: opened.Add(time.Millisecond), Dir: Out, Op: OpBinary, Body: []byte("\xff\x00"), Size: 900, Truncated: true, Fragments: 3, Wire: 70, Detail: "it broke off"},
		{N: 3, At: opened.Add(time.Second), Dir: Out, Op: OpClose, Size: 5, Code: 1001, Reason: "by\xff", Fragments: 1},
		{N: 4, At: opened.Add(time.Second), Dir: In, Op: OpUnread, Detail: "no WebSocket"},
		{N: 5, At: opened.Add(time.Second), Dir: In, Op: OpPing, Fragments: 1},
	}
}

// openWebSocket records an exchange that has opened a WebSocket.
func openWebSocket(t testing.TB, s *Store) *Exchange {
	t.Helper()
	ex := &Exchange{Origin: Live, Request: Request{Method: "GET", URL: "http://h/ws"}, Outcome: Pending}
	if err := s.Append(context.Background(), ex); err != nil {
		t.Fatal(err)
	}
	res := Result{Outcome: Answered, Response: &Response{Status: 101, Took: time.Millisecond}}
	if err := s.Finish(context.Background(), ex.ID, res); err != nil {
		t.Fatal(err)
	}
	whole := *ex
	whole.Outcome, whole.Response = res.Outcome, res.Response
	return &whole
}

func frames(t testing.TB, s *Store, ex *Exchange, newest int) (list []Frame) {
	t.Helper()
	for f, err := range s.Frames(ex, newest) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, *f)
	}
	return list
}

// The lines of frames and of an ending, as they stand in journals.
func TestFrameGolden(t *testing.T) {
	s := open(t, t.TempDir())
	ex := sample()
	ex.Outcome, ex.Response.Status = Answered, 101
	if err := s.Append(context.Background(), ex); err != nil {
		t.Fatal(err)
	}
	from, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	end := Ending{At: opened.Add(time.Minute), In: 3, Out: 2, Detail: "closed by the app: 1001"}
	if err := errors.Join(s.AddFrames(ex.ID, sampleFrames()), s.EndFrames(ex.ID, end)); err != nil {
		t.Fatal(err)
	}
	journal, err := os.ReadFile(s.segmentPath(0))
	if err != nil {
		t.Fatal(err)
	}
	got := journal[from.at.offset:]
	path := filepath.Join("testdata", "frames-v1.jsonl")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("written:\n%s\nwant:\n%s", got, want)
	}
	for line := range bytes.Lines(want) {
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
	list := sampleFrames()
	for i := range list {
		if list[i].Fragments == 1 {
			list[i].Fragments = 0 // is not written
		}
	}
	if got := frames(t, s, ex, 0); !reflect.DeepEqual(got, list) {
		t.Errorf("read back:\n%+v\nwant:\n%+v", got, list)
	}
	back, err := s.Get(string(ex.ID))
	if err != nil || !reflect.DeepEqual(back.Ending, &end) {
		t.Errorf("%+v, %v", back.Ending, err)
	}
}

// Frames stand between exchanges and over several segments; each way of reading
// finds its own.
func TestFramesAmongOthers(t *testing.T) {
	s, err := Open(t.TempDir(), Options{segmentSize: 2000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	before := openWebSocket(t, s)
	a, b := openWebSocket(t, s), openWebSocket(t, s)
	const n = 40
	for i := range n {
		one := []Frame{{N: int64(i + 1), At: opened, Dir: In, Op: OpText, Body: fmt.Append(nil, "a", i), Size: 3}}
		other := []Frame{{N: int64(2*i + 1), At: opened, Dir: In, Op: OpText, Body: fmt.Append(nil, "b", i)}, {N: int64(2*i + 2), At: opened, Dir: Out, Op: OpPing}}
		if err := errors.Join(s.AddFrames(a.ID, one), s.AddFrames(b.ID, other)); err != nil {
			t.Fatal(err)
		}
		if i%10 == 5 {
			openWebSocket(t, s)
		}
	}
	if err := s.EndFrames(a.ID, Ending{At: opened, In: n}); err != nil {
		t.Fatal(err)
	}
	if list, _ := s.segments(); len(list) < 4 {
		t.Fatalf("%d segments are too few for this test", len(list))
	}
	all := frames(t, s, a, 0)
	if len(all) != n || string(all[0].Body) != "a0" || string(all[n-1].Body) != "a39" {
		t.Errorf("%d frames", len(all))
	}
	for _, newest := range []int{1, 7, n, n + 1} {
		if got := frames(t, s, a, newest); !reflect.DeepEqual(got, all[n-min(n, newest):]) {
			t.Errorf("the newest %d are %d", newest, len(got))
		}
	}
	if got := frames(t, s, b, 0); len(got) != 2*n {
		t.Errorf("%d frames of b", len(got))
	}
	if got := frames(t, s, before, 0); len(got) != 0 {
		t.Errorf("%d frames of one that has none", len(got))
	}
	for _, ref := range []string{fmt.Sprint(a.Seq), string(a.ID)} {
		if ex, err := s.Get(ref); err != nil || ex.Ending == nil || ex.Ending.In != n || ex.Response == nil {
			t.Errorf("%s: %+v, %v", ref, ex, err)
		}
	}
	if ex, err := s.Get(fmt.Sprint(b.Seq)); err != nil || ex.Ending != nil || ex.Response == nil {
		t.Errorf("the open one: %+v, %v", ex, err)
	}
	open := 0
	for ex, err := range s.Query(Query{}) {
		if err != nil || ex.Response == nil {
			t.Errorf("%+v, %v", ex, err)
		} else if ex.Ending == nil {
			open++
		} else if ex.ID != a.ID {
			t.Errorf("#%d has ended", ex.Seq)
		}
	}
	if open != 6 {
		t.Errorf("%d are open, want 6", open)
	}
	// Who stops early leaves nothing open.
	for range s.Frames(a, 0) {
		break
	}
	for range s.Frames(a, 3) {
		break
	}
}

// Followers are given an exchange when the WebSocket is open, and, if they want,
// once more when it has ended; also one that opened before they came.
func TestFollowEnds(t *testing.T) {
	s := open(t, t.TempDir())
	old := openWebSocket(t, s)
	from, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	ex := openWebSocket(t, s)
	if err := errors.Join(
		s.AddFrames(ex.ID, sampleFrames()), s.EndFrames(ex.ID, Ending{At: opened, In: 3, Out: 2}), s.EndFrames(old.ID, Ending{At: opened}),
	); err != nil {
		t.Fatal(err)
	}
	last := openWebSocket(t, s)
	for _, reader := range []*Store{s, openReadOnly(t, s.dir)} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		var got []string
		for ex, err := range reader.FollowEnds(ctx, from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(ex.Seq, ex.Response.Status, ex.Ending != nil))
			if ex.ID == last.ID {
				break
			}
		}
		want := []string{"2 101 false", "2 101 true", "1 101 true", "3 101 false"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		got = nil
		for ex, err := range reader.Follow(ctx, from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(ex.Seq, ex.Ending != nil))
			if ex.ID == last.ID {
				break
			}
		}
		cancel()
		if want := []string{"2 false", "3 false"}; !reflect.DeepEqual(got, want) {
			t.Errorf("Follow: got %q, want %q", got, want)
		}
	}
}

func openReadOnly(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Lines of kinds that a reader does not know, as frames are for older ones, are
// passed over; a frame that was not written to its end is cut off; one that was
// changed is told.
func TestOddFrameLines(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ex := openWebSocket(t, s)
	if err := s.AddFrames(ex.ID, sampleFrames()[:2]); err != nil {
		t.Fatal(err)
	}
	path := s.segmentPath(0)
	s.Close()
	journal, _ := os.ReadFile(path)
	unknown := sealLine([]byte(linePrefix+`q","id":"`+string(ex.ID)+`","x":1`), 0)
	lines := bytes.SplitAfter(journal, []byte("\n"))
	lines[2] = bytes.Replace(lines[2], []byte(`"size":12`), []byte(`"size":13`), 1)
	text := bytes.Join([][]byte{lines[0], lines[1], unknown, lines[2], lines[3], []byte(framePre + string(ex.ID) + `","n":3`)}, nil)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddFrames(ex.ID, []Frame{{N: 3, At: opened, Dir: Out, Op: OpText}}); err != nil {
		t.Fatal(err)
	}
	for _, newest := range []int{0, 9} {
		var got []string
		for f, err := range s.Frames(ex, newest) {
			var damaged *DamagedError
			if errors.As(err, &damaged) {
				got = append(got, "damaged")
			} else if err != nil {
				t.Fatal(err)
			} else {
				got = append(got, fmt.Sprint(f.N))
			}
		}
		if strings.Join(got, " ") != "damaged 2 3" {
			t.Errorf("newest %d: %q", newest, got)
		}
	}
	if got, err := s.Get("last"); err != nil || got.ID != ex.ID {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWriteFramesJSON(t *testing.T) {
	s := open(t, t.TempDir())
	ex := openWebSocket(t, s)
	if err := s.AddFrames(ex.ID, sampleFrames()); err != nil {
		t.Fatal(err)
	}
	for newest, want := range map[int]int{0: 5, 2: 2} {
		var buf bytes.Buffer
		if err := s.WriteFramesJSON(&buf, ex, newest); err != nil {
			t.Fatal(err)
		}
		var back struct {
			ID     ID      `json:"id"`
			Frames []Frame `json:"frames"`
		}
		if err := json.Unmarshal(buf.Bytes(), &back); err != nil {
			t.Fatalf("%v in %s", err, buf.Bytes())
		}
		if back.ID != ex.ID || len(back.Frames) != want || back.Frames[want-1].N != 5 {
			t.Errorf("newest %d: %+v", newest, back)
		}
	}
	other := sample()
	var with, without bytes.Buffer
	if err := errors.Join(s.WriteFramesJSON(&with, other, 0), s.WriteJSON(&without, other)); err != nil || with.String() != without.String() {
		t.Errorf("what is no WebSocket: %s, %v", with.String(), err)
	}
}

// What is written is JSON in one line, and read back it is the same.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("text"), "reason", "detail", int64(4), 1000, true)
	f.Add([]byte("\xff\x00\n"), "\xed\xa0\x80", "\x1b\u009b", int64(1)<<62, 0, false)
	f.Fuzz(func(t *testing.T, body []byte, reason, detail string, n int64, code int, truncated bool) {
		want := Frame{N: n, At: opened, Dir: Out, Op: OpBinary, Body: body, Size: n, Truncated: truncated, Wire: max(0, n/2), Code: code, Reason: reason, Detail: detail}
		raw, _ := want.MarshalJSON()
		if !json.Valid(raw) || !utf8.Valid(raw) || bytes.ContainsAny(raw, "\n\x1b\x7f") {
			t.Fatalf("not safe: %q", raw)
		}
		var back Frame
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if len(body) == 0 {
			want.Body = nil
		}
		if !reflect.DeepEqual(back, want) {
			t.Fatalf("got  %+v\nwant %+v", back, want)
		}
	})
}

func BenchmarkAddFrames(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			s := open(b, benchDir(b))
			ex := openWebSocket(b, s)
			list := make([]Frame, n)
			for i := range list {
				list[i] = Frame{N: int64(i), At: opened, Dir: In, Op: OpText, Body: bytes.Repeat([]byte(`{"a":1} `), 32), Size: 256}
			}
			for b.Loop() {
				if err := s.AddFrames(ex.ID, list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
