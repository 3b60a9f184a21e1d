package recorder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// benchDir is on a real disk: the usual temporary directory can be memory.
func benchDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func benchExchange() *Exchange {
	ex := sample()
	ex.ID = ""
	ex.Request.Headers.Set("X-Filler", strings.Repeat("h", 1000))
	ex.Request.Body.Bytes = []byte(strings.Repeat(`{"a":1} `, 128))
	return ex
}

// The limit: one write of a line and one fdatasync after the other.
func BenchmarkBareSync(b *testing.B) {
	f, err := os.Create(filepath.Join(benchDir(b), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 3<<10)
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := syncData(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("c=%d", c), func(b *testing.B) {
			s := open(b, benchDir(b))
			b.SetParallelism(c) // times GOMAXPROCS, which -cpu 1 makes one
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.Append(context.Background(), benchExchange()); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	ex := benchExchange()
	ex.ID = NewID(time.Now())
	e := encoder{}
	e.raw(exchangePre)
	e.exchange(ex)
	raw := sealLine(e.buf, 0)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		l, err := parseLine(raw[:len(raw)-1])
		if err == nil {
			_, err = l.exchange()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
