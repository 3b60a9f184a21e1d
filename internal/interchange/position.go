package interchange

import (
	"io"
	"slices"
)

// A position knows where lines begin in what was read last, and how much may be
// read before somebody calls next.
type position struct {
	in      io.Reader
	most    int64 // bytes to read between two calls of next
	keep    int   // how many beginnings of lines are remembered
	read    int64
	started int64   // what was read when next was called
	skipped int64   // bytes before those that offsets count
	lines   []int64 // where each line begins, but for the first and for those forgotten
	forgot  int
}

// next says that what follows is another exchange.
func (p *position) next() { p.started = p.read }

func (p *position) Read(b []byte) (int, error) {
	if p.read-p.started > p.most {
		return 0, errTooLarge
	}
	n, err := p.in.Read(b)
	for i, c := range b[:n] {
		if c != '\n' {
			continue
		}
		if len(p.lines) == p.keep {
			half := p.keep / 2
			p.forgot += half
			p.lines = append(p.lines[:0], p.lines[half:]...)
		}
		p.lines = append(p.lines, p.read+int64(i)+1)
	}
	p.read += int64(n)
	return n, err
}

// of gives line and column, in bytes, of an offset.
func (p *position) of(at int64) (line, column int) {
	at += p.skipped
	i, exact := slices.BinarySearch(p.lines, at)
	if exact {
		i++
	}
	start := int64(0)
	if i > 0 {
		start = p.lines[i-1]
	}
	return p.forgot + i + 1, int(at-start) + 1
}
