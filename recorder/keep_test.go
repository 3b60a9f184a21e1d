package recorder

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// What a process keeps is there while it lives and afterwards, when one other,
// and only one, can take it over.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	all := func([]byte) bool { return true }
	taken := func(s *Store, use func(*Announcement)) (texts []string) {
		t.Helper()
		err := s.TakeOver("things", all, func(a *Announcement, text []byte) {
			texts = append(texts, string(text))
			use(a)
		})
		if err != nil {
			t.Fatal(err)
		}
		return texts
	}
	nothing := func(*Announcement) {}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("at first", taken(s, nothing))
	one, err := s.Keep("things", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // names are ordered by the millisecond
	if err := one.Update([]byte("one, changed")); err != nil {
		t.Fatal(err)
	}
	want("of the living", taken(open(t, dir), nothing))
	list, err := readOnly(t, dir).Kept("things")
	if err != nil || len(list) != 1 || string(list[0].Text) != "one, changed" || !list[0].Alive {
		t.Errorf("kept: %v, %v", list, err)
	}

	one.f.Close() // as good as killed
	want("of the dead", taken(s, func(a *Announcement) {
		want("of one that another took over", taken(open(t, dir), nothing))
		if err := a.Update([]byte("taken over")); err != nil {
			t.Error(err)
		}
		want("of one that another took over and changed", taken(open(t, dir), nothing))
	}), "one, changed")
	want("of one that was left", taken(s, func(a *Announcement) {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}), "taken over")
	want("of one that was closed", taken(s, nothing))
	if names, _ := filepath.Glob(filepath.Join(dir, "things", "*")); len(names) > 0 {
		t.Errorf("there is %v", names)
	}
	if _, err := readOnly(t, dir).Keep("things", nil); err != ErrReadOnly {
		t.Errorf("got %v", err)
	}
}

// What others could have written is not ours, nor what is empty or huge.
func TestKeepIsOurs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "things"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		size int
		mode os.FileMode
	}{
		"a.json": {1, 0o644}, "b.json": {1, 0o660}, "c.json": {0, 0o600}, "d.json": {maxKept + 1, 0o600}, "e.txt": {1, 0o600}, "f.json": {1, 0o600},
	} {
		path := filepath.Join(dir, "things", name)
		if err := os.WriteFile(path, make([]byte, f.size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, f.mode); err != nil {
			t.Fatal(err)
		}
	}
	n, want := 0, 1
	if runtime.GOOS == "windows" { // whose files have no such mode
		want = 3
	}
	if err := s.TakeOver("things", func([]byte) bool { return true }, func(*Announcement, []byte) { n++ }); err != nil || n != want {
		t.Errorf("%d were taken over, %v", n, err)
	}
}
