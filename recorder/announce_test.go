package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

func announced(t *testing.T, s *Store) []string {
	t.Helper()
	list, err := s.Announced()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, about := range list {
		texts = append(texts, string(about))
	}
	return texts
}

// What a living process says of itself is there, the newest first, and nothing
// of one that has died.
func TestAnnounce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	reader := readOnly(t, dir)
	if got := announced(t, reader); len(got) != 0 {
		t.Errorf("at first there is %q", got)
	}
	first, err := s.Announce([]byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // names are ordered by the millisecond
	second, err := open(t, dir).Announce([]byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	if got := announced(t, reader); !slices.Equal(got, []string{"second", "first"}) {
		t.Errorf("there is %q", got)
	}
	time.Sleep(2 * time.Millisecond)
	if err := first.Update([]byte("changed")); err != nil {
		t.Fatal(err)
	}
	if got := announced(t, reader); !slices.Equal(got, []string{"changed", "second"}) {
		t.Errorf("after a change there is %q", got)
	}

	second.f.Close() // as good as killed: its file stays
	if got := announced(t, reader); !slices.Equal(got, []string{"changed"}) {
		t.Errorf("of one that has died there is %q", got)
	}
	third, err := s.Announce([]byte("third"))
	if err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(filepath.Join(dir, "run")); err != nil || len(names) != 2 {
		t.Errorf("%d files are left, %v", len(names), err)
	}
	for _, a := range []*Announcement{first, third} {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if names, err := os.ReadDir(filepath.Join(dir, "run")); err != nil || len(names) != 0 {
		t.Errorf("at the end %d files are left, %v", len(names), err)
	}
	if _, err := reader.Announce(nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader announces: %v", err)
	}
}

// With a store that is removed an announcement is lost, and made anew by its update.
func TestAnnounceAnew(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows does not let it happen")
		return
	}
	dir := t.TempDir()
	a, err := open(t, dir).Announce([]byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if !a.Lost() {
		t.Error("with the store removed nothing is lost")
	}
	if err := a.Update([]byte("again")); err != nil || a.Lost() {
		t.Errorf("after the store was removed: %v, still lost: %v", err, a.Lost())
	}
	if got := announced(t, readOnly(t, dir)); !slices.Equal(got, []string{"again"}) {
		t.Errorf("in the store that was made anew there is %q", got)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// Who looks at an announcement does not keep its owner from taking it back or changing it.
func TestAnnouncementGoesWhileItIsRead(t *testing.T) {
	s := open(t, t.TempDir())
	a, err := s.Announce([]byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() error{func() error { return a.Update([]byte("second")) }, a.Close} {
		looked := 0
		err := s.eachIn("run", func(string, *os.File, bool) {
			looked++
			if err := change(); err != nil {
				t.Error(err)
			}
		})
		if err != nil || looked != 1 {
			t.Errorf("%d are there, %v", looked, err)
		}
	}
	if names, err := os.ReadDir(s.path("run")); err != nil || len(names) != 0 {
		t.Errorf("%d files are left, %v", len(names), err)
	}
}
