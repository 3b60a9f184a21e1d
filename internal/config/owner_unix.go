//go:build unix

package config

import (
	"os"
	"syscall"
)

// deviceOf returns the file system that path is on.
func deviceOf(path string) (uint64, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Dev), true
}

func ownedByUser(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// unsafe says why others could have written the file, "" if they could not, and
// the command that ends it.
func unsafe(info os.FileInfo) (why, fix string) {
	st, ok := info.Sys().(*syscall.Stat_t)
	// Where each user has a group of his own, of the same number, the usual
	// umask lets that group write.
	private := ok && st.Gid == st.Uid
	switch {
	case !ownedByUser(info):
		return "belongs to somebody else", "chown $USER"
	case info.Mode().Perm()&0o002 != 0, info.Mode().Perm()&0o020 != 0 && !private:
		return "can be written by others", "chmod go-w"
	}
	return "", ""
}
