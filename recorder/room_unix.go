//go:build darwin || linux

package recorder

import "golang.org/x/sys/unix"

// freeBytes returns how many bytes the disk with dir has for users.
func freeBytes(dir string) (uint64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true
}
