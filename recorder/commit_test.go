package recorder

import (
	"runtime"
	"testing"
)

// A sync that saw nothing to do must not be what somebody waits for who wrote
// just then, and found it at work.
func TestNoSyncIsMissed(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 50 {
		s.syncing.Lock()
		seen := s.unsynced()
		if !seen.idle {
			s.syncSeen(seen)
			continue
		}
		appended := make(chan error)
		go func() { appended <- s.Append(t.Context(), handled()) }()
		for s.unsynced().idle {
			runtime.Gosched()
		}
		for range 100 { // so that it comes to wait
			runtime.Gosched()
		}
		s.syncSeen(seen)
		if err := <-appended; err != nil {
			t.Fatal(err)
		}
	}
}
