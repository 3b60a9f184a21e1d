//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMB returns the most memory that a process had at once.
func peakMB(s *os.ProcessState) float64 {
	ru, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" { // in bytes
		return float64(ru.Maxrss) / 1e6
	}
	return float64(ru.Maxrss) / 1e3 // in kB
}
