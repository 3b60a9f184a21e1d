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

// cpuMS returns the processor time that this process has taken, in ms.
func cpuMS() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
