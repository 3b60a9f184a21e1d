package recorder

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"devhook/verify"
)

// varied returns exchanges of all kinds, recorded in small segments and
// finished late, so that results stand in other runs than their exchanges.
func varied(t testing.TB, dir string, n int) []*Exchange {
	t.Helper()
	s, err := Open(dir, Options{segmentSize: 8 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	var late, list []*Exchange
	for i := range n {
		ex := newExchange(i)
		ex.At = time.Unix(1_790_000_000, int64(i)*1e6).UTC()
		ex.Origin = Origin(pick("live", "replay", "mirror"))
		ex.Provider, ex.Event, ex.Route = pick("", "tiktok", "stripe"), pick("", "a.b", "ä\"\\"), pick("", "/hooks")
		ex.Verdict = verify.Verdict{Status: verify.Status(pick("valid", "invalid")), Reason: verify.Reason(pick("", "stale"))}
		ex.Request.Method = pick("POST", "GET")
		ex.DeliveryID = pick("", "d-7", "d\"8", "d\xff9")
		ex.Request.URL = pick("https://x/hooks/1?a=1", "https://x", "https://x?q", "http://y/caf\xe9", "https://x/\"q\"")
		ex.Request.Headers = http.Header{"Content-Type": {pick("application/json", "text/plain")}, "X-A": {pick("bar", "ba\xff", "b\"ar"), "second"}}
		body := pick(`{"user":{"id":42},"s":"{\"reason\":7}"}`, `{ "user" : { "id" : 42.0 } }`, `{"user":{"id":"42"}}`, `{"us\u0065r":{"\u0069d":43}}`, "{\n\"user\":\n{\"id\"\n:\n42}}",
			"needle\nnfoo", "bin\xff\xfe needle", "", `{"user":{"id":[42]},"x":["id",42]}`, `{"ok":true}`)
		ex.Request.Body, ex.Request.Size = Body{Bytes: []byte(body)}, int64(len(body))
		if i%31 == 0 {
			ex.Request.Body = spool(t, s, []byte(strings.Repeat("x", MaxInline)+"needle"))
			ex.Request.Size = MaxInline + 6
		}
		end := Result{Outcome: Answered, Response: &Response{
			Status: 200 + 101*r.IntN(4), Took: time.Duration(r.IntN(1000)) * time.Millisecond,
			Headers: http.Header{"X-A": {"bar"}}, Body: Body{Bytes: []byte(pick("", "ok", "needle", "\xff needle"))},
		}}
		if i%17 == 0 {
			end.App = &Response{Status: 500, Took: time.Second, Body: Body{Bytes: []byte("needle")}}
		}
		ex.Outcome = Pending
		if i%5 == 0 {
			ex.end(end)
			ex.Outcome = Refused
		}
		if _, err := s.Write(ex); err != nil {
			t.Fatal(err)
		}
		list = append(list, ex)
		if ex.Outcome != Pending {
			continue
		}
		late = append(late, ex)
		if len(late) > 20 {
			end.Detail = ex.Detail
			done := late[r.IntN(len(late))]
			late = slices.DeleteFunc(late, func(e *Exchange) bool { return e == done })
			if err := s.Finish(t.Context(), done.ID, end); err != nil {
				t.Fatal(err)
			}
		}
		if i%40 == 39 {
			if err := s.Pin(list[r.IntN(len(list))].ID, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	return list
}

var indexFilters = []string{
	"", "provider:tiktok", "-provider:tiktok", "event:a.*", `event:"ä\"\\"`, "verdict:invalid reason:stale", "outcome:pending", "outcome:answered", "-outcome:answered",
	"method:get", "path:/", "path:/hooks/*", "route:/hooks", "status:301", "status:5xx", "-status:5xx", "took:>500ms", "size:>10", "size:0",
	"since:1790000000", "until:2026-09-21T14:13:20.05Z", "origin:live,replay status:2xx,4xx",
	"needle", "-needle", "nfoo", "yBu", "bmV", "origin:live needle", `header.x-a:bar`, `-header.x-a:bar`, "header.x-a:second", `header.x-a:"b\"*"`, `header.x-a:b*`, "header.x-a:bar,second", "header.none:x", "header.content-type:*json",
	"body.user.id=42", "-body.user.id=42", `body.user.id="42"`, "body.user.id=43", "body.s.reason=7", "body.x.1=42", "body.ok=true", "body.user.id=[42]", "needle status:200 body.user.id=42",
	"pinned:true", "-pinned:true", "seq:>20", "seq:3,5..9", "id:01*", "body.user.id=41,42", "body.user.id=4*", `body.user.id=42.0`, `body.user.id=-0,"42"`, "body.s.reason=7,8", "delivery:*",
	"delivery:d-7", "-delivery:d-7", `delivery:""`, "delivery:d\\\"*", "-took:>500ms", "took:1s..2s", "-since:1790000000", "-size:>10", "since:1969-12-31", "until:1790000001", "-seq:>20", "took:>1h", "-took:>1h", "took:0s", "size:>10gb", "-size:>10gb", "size:0,>1gb", "until:1970-01-01", "-until:1970-01-01", "since:2030-01-01",
	"-body.user.id=42 -body.s.reason=7", "body.s.reason=7 body.user.id=42", "body.user.id=042", "header.x-a:bar delivery:d-7 body.user.id=42",
}

// What the index finds is what a look at every exchange finds.
func TestIndexFindsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	n := len(varied(t, dir, 350))
	s := readOnly(t, dir)
	var whole []*Exchange
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, ex)
	}
	if len(whole) != n {
		t.Fatalf("%d of %d are there", len(whole), n)
	}
	for _, text := range indexFilters {
		f, err := ParseFilter(time.Now(), text)
		if err != nil {
			t.Fatal(err)
		}
		var matching []uint64
		for _, ex := range whole {
			ok, err := f.Match(s, ex)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				matching = append(matching, ex.Seq)
			}
		}
		for _, q := range []Query{{Filter: f}, {Filter: f, Newest: 7}, {Filter: f, Newest: 7, Before: whole[n/2].Seq}, {Filter: f, Before: whole[n/3].Seq}} {
			want := matching
			if q.Before > 0 {
				want = slices.DeleteFunc(slices.Clone(matching), func(seq uint64) bool { return seq >= q.Before })
			}
			if q.Newest > 0 {
				want = want[max(0, len(want)-q.Newest):]
			}
			if got := seqs(t, s, q); !slices.Equal(got, want) {
				t.Errorf("%q, newest %d, before %d: got %v, want %v", text, q.Newest, q.Before, got, want)
			}
			if got, err := s.Count(q); err != nil || got != len(want) {
				t.Errorf("%q, newest %d, before %d: counted %d, want %d; %v", text, q.Newest, q.Before, got, len(want), err)
			}
		}
	}
	for _, i := range []int{0, 1, n / 2, n - 1} {
		for _, ref := range []string{fmt.Sprint(whole[i].Seq), string(whole[i].ID), string(whole[i].ID[8:])} {
			if ex, err := s.Get(ref); err != nil || ex.Seq != whole[i].Seq || ex.Outcome != whole[i].Outcome {
				t.Errorf("Get(%s): %v, %v", ref, ex, err)
			}
		}
	}
}

func seqs(t testing.TB, s *Store, q Query) (list []uint64) {
	t.Helper()
	for ex, err := range s.Query(q) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ex.Seq)
	}
	return list
}

// An index that is gone, cut, changed or of another journal is made anew; one
// that cannot be kept is not needed.
func TestIndexIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	list := varied(t, dir, 300)
	f, err := ParseFilter(time.Now(), "status:301")
	if err != nil {
		t.Fatal(err)
	}
	filter := func() any { return seqs(t, readOnly(t, dir), Query{Filter: f}) }
	one := func() any { // by number, and by ID
		s := readOnly(t, dir)
		var all []*Exchange
		for i, ex := range list {
			got, err := s.Get([]string{strconv.FormatUint(ex.Seq, 10), string(ex.ID)}[i%2])
			if err != nil || got.ID != ex.ID {
				t.Errorf("#%d: %v", ex.Seq, err)
			}
			all = append(all, got)
		}
		return all
	}
	ids := func() any {
		all, err := readOnly(t, dir).IDs()
		if err != nil || len(all) != len(list) || !all[list[7].ID] {
			t.Errorf("%d ids, %v", len(all), err)
		}
		return all
	}
	asks := []func() any{filter, one, ids}
	wants := []any{filter(), one(), ids()}
	files, err := filepath.Glob(filepath.Join(dir, "index", "*.idx"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files of the index, %v", len(files), err)
	}
	for name, spoil := range map[string]func(path string) error{
		"gone": os.Remove,
		"cut":  func(path string) error { return os.Truncate(path, 700) },
		"none": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"changed": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i := indexHead; i < len(b); i++ {
				b[i] ^= 0x40
			}
			return os.WriteFile(path, b, 0o600)
		},
		"changed where lines are": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var u run
			if err := u.parseHead(b, int64(len(b))); err != nil {
				return err
			}
			for _, i := range []int{colX, colR} {
				for at := u.table[i][0]; at < u.table[i][0]+u.table[i][1]; at += uint32(widths[i]) {
					b[at+1] ^= 1
				}
			}
			return os.WriteFile(path, b, 0o600)
		},
		"another's": func(path string) error {
			b, err := os.ReadFile(files[0])
			if err != nil || path == files[0] {
				return err
			}
			return os.WriteFile(path, b, 0o600)
		},
		"no place": func(string) error {
			if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "index"), nil, 0o600)
		},
	} {
		for i, ask := range asks {
			if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
				t.Fatal(err)
			}
			filter()
			for _, path := range files {
				if err := spoil(path); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if name == "no place" {
					break
				}
			}
			if got := ask(); !reflect.DeepEqual(got, wants[i]) {
				t.Errorf("%s: got %v, want %v", name, got, wants[i])
			}
		}
	}
}

// A file of the index that claims what cannot be, with the right sums, as one that comes
// with a stranger's project can, is made anew.
func TestForgedIndex(t *testing.T) {
	dir := t.TempDir()
	varied(t, dir, 300)
	want := seqs(t, readOnly(t, dir), Query{})
	f, err := ParseFilter(time.Now(), "status:301")
	if err != nil {
		t.Fatal(err)
	}
	found := seqs(t, readOnly(t, dir), Query{Filter: f})
	rows := len(indexMagic) + 8 + sealLen
	for name, forge := range map[string]func(b []byte) []byte{
		// As many as 32 bits hold, and a multiple of 2^32 bytes in each column.
		"rows": func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[rows:], 1<<31)
			for i, w := range widths {
				if w > 0 {
					binary.LittleEndian.PutUint32(b[indexHead-4-12*(columns-i)+4:], uint32(w<<31))
				}
			}
			return b
		},
		// Codes of three bytes each, of which one is read as four.
		"width": func(b []byte) []byte {
			n := int(binary.LittleEndian.Uint32(b[rows:]))
			at := indexHead - 4 - 12*(columns-colStatus)
			dict := append([]byte{3, 1, 0, 0, 0, 3, 0, 0, 0, '3', '0', '1'}, make([]byte, 3*n)...)
			binary.LittleEndian.PutUint32(b[at:], uint32(len(b)))
			binary.LittleEndian.PutUint32(b[at+4:], uint32(len(dict)))
			binary.LittleEndian.PutUint32(b[at+8:], crc32.Checksum(dict, castagnoli))
			return append(b, dict...)
		},
	} {
		files, err := filepath.Glob(filepath.Join(dir, "index", "*.idx"))
		if err != nil || len(files) < 3 {
			t.Fatalf("%d files of the index, %v", len(files), err)
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b = forge(b)
			binary.LittleEndian.PutUint32(b[indexHead-4:], crc32.Checksum(b[:indexHead-4], castagnoli))
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := seqs(t, readOnly(t, dir), Query{Filter: f}); !slices.Equal(got, found) {
			t.Errorf("%s: got %v, want %v", name, got, found)
		}
		if got := seqs(t, readOnly(t, dir), Query{}); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// Whoever has a store open finds what was appended since, and the index of
// what is full is kept.
func TestIndexGrows(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	r := readOnly(t, dir)
	for i := range 50 {
		mustAppend(t, s, handled())
		if got := len(seqs(t, r, Query{})); got != i+1 {
			t.Fatalf("%d of %d are found", got, i+1)
		}
	}
	segments, err := s.segments()
	if err != nil {
		t.Fatal(err)
	}
	if files := s.indexed(); len(files) < len(segments)-1 {
		t.Errorf("%d of %d segments have an index", len(files), len(segments))
	}
}

// A line that is damaged is told of also by the index.
func TestIndexKnowsDamage(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	for range 30 {
		mustAppend(t, s, handled())
	}
	path := s.segmentPath(0)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // while the index is made, and from the index
		found, damaged := 0, 0
		for _, err := range readOnly(t, dir).Query(Query{}) {
			if err != nil {
				damaged++
			} else {
				found++
			}
		}
		if found != 29 || damaged != 1 {
			t.Errorf("%d found, %d damaged", found, damaged)
		}
	}
}

// The end of the journal is parted between lines, and as many parts come of it as there
// are processors; one line that is longer than all parts stays one.
func TestSplitLines(t *testing.T) {
	procs := runtime.GOMAXPROCS(4)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	lines := strings.Repeat("0123456\n", 100)
	for _, tt := range []struct {
		text  string
		start int64
		least int64
		want  []int64
	}{
		{lines, 0, 8, []int64{0, 208, 408, 608, 800}},
		{lines, 400, 8, []int64{400, 504, 608, 704, 800}},
		{lines, 0, 300, []int64{0, 408, 800}},
		{lines, 0, 500, []int64{0, 800}},
		{lines, 0, 1000, []int64{0, 800}},
		{strings.Repeat("x", 799) + "\n", 0, 8, []int64{0, 800}},
		{"\n" + strings.Repeat("x", 700) + "\n" + strings.Repeat("y", 97) + "\n", 0, 8, []int64{0, 702, 800}},
	} {
		got, err := splitLines(strings.NewReader(tt.text), tt.start, int64(len(tt.text)), tt.least)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%.20q from %d, at least %d: %v, %v; want %v", tt.text, tt.start, tt.least, got, err, tt.want)
		}
	}
}

// One is found by its ID also where IDs are in another order than the recordings, as
// where old ones were imported after new ones.
func TestGetWhereIDsAreInNoOrder(t *testing.T) {
	s := open(t, t.TempDir())
	at := time.Unix(1_790_000_000, 0)
	var ids []ID
	for i := range 1200 {
		ex := handled()
		ex.ID = NewID(at.Add(-time.Duration(i) * time.Minute))
		if _, err := s.WriteLater(ex); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ex.ID)
	}
	for i := 0; i < len(ids); i += 150 {
		if ex, err := s.Get(string(ids[i])); err != nil || ex.Seq != uint64(i+1) {
			t.Errorf("#%d: %v", i+1, err)
		}
	}
}
