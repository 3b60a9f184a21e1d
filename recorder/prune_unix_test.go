//go:build darwin || linux

package recorder

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Where nothing more can be written, a pruning does what needs no room, counts that
// alone, and tells what failed in one line; once there is room it does the rest.
func TestPruneOnFullDisk(t *testing.T) {
	if dir, words, ok := strings.Cut(os.Getenv("RECORDER_TEST_FULL"), "|"); ok {
		pruneUnwritable(t, dir, words)
		return
	}
	dir := t.TempDir()
	s := openSmall(t, dir, 4<<10)
	for range 60 {
		mustAppend(t, s, handled())
	}
	segments, err := s.segments()
	if err != nil || len(segments) < 4 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	// All of the first segment, which is removed, and some of the second, which is written anew.
	words := fmt.Sprintf("seq:<%d", segments[1]+3)
	f, err := ParseFilter(time.Now(), words)
	if err != nil {
		t.Fatal(err)
	}
	all := len(seqs(t, s, Query{Filter: f}))

	child := exec.Command(os.Args[0], "-test.run=^TestPruneOnFullDisk$") // the limit is the process's
	child.Env = append(os.Environ(), "RECORDER_TEST_FULL="+dir+"|"+words)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	some := len(seqs(t, s, Query{Filter: f}))
	if some == 0 || some == all {
		t.Errorf("%d of %d are still there", some, all)
	}
	if out := mustPrune(t, s, Pruning{Filter: f}); out.Exchanges != some || len(seqs(t, s, Query{})) != 60-all {
		t.Errorf("with room: %+v", out)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "journal", spoolPrefix+"*")); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// pruneUnwritable prunes while this process can make no file longer.
func pruneUnwritable(t *testing.T, dir, words string) {
	s := openSmall(t, dir, 4<<10)
	f, err := ParseFilter(time.Now(), words)
	if err != nil {
		t.Fatal(err)
	}
	before := len(seqs(t, s, Query{}))
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	out, err := s.Prune(Pruning{Filter: f, Now: time.Now()})
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q", err)
	}
	if left := len(seqs(t, s, Query{})); out.Exchanges != before-left {
		t.Errorf("%+v; %d of %d are left", out, left, before)
	}
}
