//go:build !darwin && !linux && !windows

package recorder

// freeBytes does not know.
func freeBytes(string) (uint64, bool) { return 0, false }
