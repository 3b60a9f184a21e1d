package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A lockedBuffer can be written to by several at once.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Whatever the store does not take, each sender is told to try again, also one
// that is in the middle of a large body, and the user is told once.
func TestStoreInTrouble(t *testing.T) {
	var told lockedBuffer
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {})),
		Options{Log: slog.New(slog.NewTextHandler(&told, nil))})
	bodies := filepath.Join(r.store.Path(), "bodies")
	if err := errors.Join(os.RemoveAll(bodies), os.WriteFile(bodies, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	const n = 5
	for range n {
		if status, answer := r.post("/", strings.Repeat("x", 20<<20)); status != 503 || !strings.Contains(answer, "not_recorded") {
			t.Errorf("the sender hears %d %s", status, answer)
		}
	}
	if lines := strings.Count(told.String(), "\n"); lines != 1 {
		t.Errorf("told %d lines:\n%s", lines, told.String())
	}
	if got := r.g.NotRecorded(); got != n {
		t.Errorf("%d were not recorded, want %d", got, n)
	}
	if status, _ := r.post("/", "small"); status != 200 {
		t.Errorf("one that needs no file: %d", status)
	}
}

func TestTroubleIsNew(t *testing.T) {
	full := func(id int) error {
		return fmt.Errorf("record %d: %w", id, errors.Join(&os.PathError{Op: "write", Path: "p", Err: syscall.ENOSPC}))
	}
	var tr trouble
	now := time.Unix(1e9, 0)
	for i, step := range []struct {
		after time.Duration
		err   error
		want  bool
	}{
		{0, full(1), true},
		{time.Second, full(2), false},
		{quietTime, full(3), false}, // it goes on
		{time.Second, errors.New("another"), true},
		{time.Second, full(4), true},
		{quietTime + 1, full(5), true}, // once more
	} {
		now = now.Add(step.after)
		if got := tr.isNew(step.err, now); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}
