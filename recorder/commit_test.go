package recorder

import (
	"sync"
	"testing"
)

// A sync that finds nothing to do must not be what somebody waits for who wrote
// just then.
func TestNoSyncIsMissed(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop := make(chan struct{})
	var idle sync.WaitGroup
	for range 2 {
		idle.Go(func() { // syncs, again and again, mostly for nothing
			for {
				select {
				case <-stop:
					return
				default:
					s.sync()
				}
			}
		})
	}
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for range 3000 {
				if err := s.Append(t.Context(), handled()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	idle.Wait()
}
