package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// Stores as earlier devhooks have written them: of f6e3ac3, the first that had an up; of
// 9e45803, with what apps answered, and frames; of 5b4e23c, with pins. All are of format 1,
// to which members and kinds of lines were added. They are read as they were meant, and
// what is in them stays as it is, byte for byte, when a recording is added.
func TestEarlierStores(t *testing.T) {
	stores, err := filepath.Glob("testdata/stores/*/journal")
	if err != nil || len(stores) != 3 {
		t.Fatalf("%v, %v", stores, err)
	}
	large := bytes.Repeat([]byte("large "), MaxInline/6+1)
	sum := sha256.Sum256(large)
	for _, journal := range stores {
		from := filepath.Dir(journal)
		t.Run(filepath.Base(from), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, "bodies"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "bodies", hex.EncodeToString(sum[:])), large, 0o600); err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(from, "want.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			r := readOnly(t, dir)
			if got := told(t, r, large); !bytes.Equal(got, want) {
				t.Errorf("it is read as\n%s\nwant\n%s", got, want)
			}
			was, err := os.ReadFile(r.segmentPath(0))
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, dir)
			ex := handled()
			mustAppend(t, s, ex)
			now, err := os.ReadFile(s.segmentPath(0))
			if err != nil || !bytes.HasPrefix(now, was) || len(now) == len(was) {
				t.Errorf("the journal is another one now: %v", err)
			}
			if got := told(t, s, large); !bytes.HasPrefix(got, want) {
				t.Errorf("with one more it is read as\n%s", got)
			}
			if ex.Seq <= 4 {
				t.Errorf("#%d is not new", ex.Seq)
			}
		})
	}
}

// told is all that a store has, as list --json and show --frames all --json say it, with
// large bodies short.
func told(t *testing.T, s *Store, large []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WriteJSON(&out, ex); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
		for f, err := range s.Frames(ex, 0) {
			if err != nil {
				t.Fatal(err)
			}
			line, err := f.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(line, '\n'))
		}
	}
	return bytes.ReplaceAll(out.Bytes(), large, []byte("(large)"))
}
