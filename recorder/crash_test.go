package recorder

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RECORDER_TEST_VICTIM"); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

// victim appends from many goroutines and tells each exchange that it was
// promised, until it is killed.
func victim(dir string) {
	s, err := Open(dir, Options{segmentSize: 256 << 10})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var mu sync.Mutex
	for range 16 {
		go func() {
			for n := 0; ; n++ {
				ex := newExchange(n)
				ex.Request.Body.Bytes = []byte(strings.Repeat("x", rand.IntN(8<<10)))
				if n%20 == 0 {
					sp := s.Spool()
					for range 1 + MaxInline/1024 {
						sp.Write([]byte(strings.Repeat("y", 1024)))
					}
					if ex.Request.Body, err = sp.Body(); err != nil {
						fmt.Println("error", err)
						os.Exit(1)
					}
				}
				if err := s.Append(context.Background(), ex); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(ex.ID)
				mu.Unlock()
				s.Finish(context.Background(), ex.ID, Result{Outcome: Answered, Response: &Response{Status: 200}})
			}
		}()
	}
	select {}
}

// kills is how often the processes of TestKilledUnderLoad are killed; `make
// soak` has it more.
func kills(t *testing.T) int {
	text := os.Getenv("DEVHOOK_SOAK")
	if text == "" {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two processes write to one store and are killed at any moment, again and
// again: what was acknowledged is there, once, and its body with it.
func TestKilledUnderLoad(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[ID]bool{}
	for range kills(t) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 2 {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "RECORDER_TEST_VICTIM="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			left := 10 + rand.IntN(200) // so many it may acknowledge
			wg.Go(func() {
				defer cmd.Wait()
				for r := bufio.NewReader(out); ; {
					text, err := r.ReadString('\n')
					if err != nil {
						return // a line that it did not live to end was no promise
					}
					text = strings.TrimSuffix(text, "\n")
					if len(text) != idLen {
						t.Errorf("the process says %q", text)
						return
					}
					mu.Lock()
					acknowledged[ID(text)] = true
					mu.Unlock()
					if left--; left == 0 {
						cmd.Process.Kill() // what it has said already is still read
					}
				}
			})
		}
		wg.Wait()
	}

	open(t, dir) // mends the end
	seen := map[ID]bool{}
	last := uint64(0)
	s, err := Open(dir, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[ex.ID] || ex.Seq <= last {
			t.Errorf("%s is there twice, or #%d after #%d", ex.ID, ex.Seq, last)
		}
		seen[ex.ID], last = true, ex.Seq
		if body, err := s.ReadBody(ex.Request.Body); err != nil || ex.Request.Body.Sum != "" && len(body) <= MaxInline {
			t.Errorf("%s: body of %d bytes: %v", ex.ID, len(body), err)
		}
	}
	for id := range acknowledged {
		if !seen[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	t.Logf("%d acknowledged, %d there", len(acknowledged), len(seen))
}
