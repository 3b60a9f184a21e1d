package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func expect(t *testing.T, w *Watcher, what string) {
	t.Helper()
	select {
	case <-w.C:
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing was told when %s", what)
	}
}

// quiet takes what is still told of one change: there can be several steps.
func settle(w *Watcher) {
	for {
		select {
		case <-w.C:
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	w := File(path)
	defer w.Close()
	write(t, path, "1")
	expect(t, w, "the file appeared")
	settle(w)
	write(t, path, "22")
	expect(t, w, "it was written")
	settle(w)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("3")
	expect(t, w, "it was appended to")
	f.Close()
	settle(w)

	// As editors save: beside, and then renamed. Twice, because the second
	// file must be watched too.
	for range 2 {
		write(t, path+".new", "new")
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		expect(t, w, "it was replaced")
		settle(w)
	}
	write(t, path, "in place again")
	expect(t, w, "the new file was written")
	settle(w)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(t, w, "it was removed")
	settle(w)
	write(t, path, "back")
	expect(t, w, "it is back")
}

// Where the system tells nothing, looking does.
func TestPolling(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "1")
	c := make(chan struct{}, 1)
	w := &Watcher{path: path, C: c, c: c, stop: make(chan struct{})}
	seen := look(path)
	w.done.Go(func() { w.run(nil, seen) })
	defer w.Close()
	write(t, path, "22")
	expect(t, w, "it was written")
}

func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	w := File(path)
	w.Close()
	write(t, path, "1")
	select {
	case <-w.C:
		t.Error("told after Close")
	case <-time.After(200 * time.Millisecond):
	}
}
