package recorder

import (
	"os"

	"golang.org/x/sys/windows"
)

const wholeFile = ^uint32(0)

// lockFile waits until no other process, and no other file of this one, holds
// the lock of f. The system frees it when the holder ends, however it ends.
func lockFile(f *os.File) error {
	return control(f, func(fd uintptr) error {
		return windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, wholeFile, wholeFile, new(windows.Overlapped))
	})
}

func unlockFile(f *os.File) error {
	return control(f, func(fd uintptr) error {
		return windows.UnlockFileEx(windows.Handle(fd), 0, wholeFile, wholeFile, new(windows.Overlapped))
	})
}

func control(f *os.File, call func(uintptr) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = call(fd) }); err != nil {
		return err
	}
	return inner
}

// syncDir does nothing: NTFS keeps its names in a log of its own, and a
// directory cannot be flushed.
func syncDir(string) error { return nil }

// removed reports whether the file that info is of has no name any more; one
// that is open cannot be removed here.
func removed(os.FileInfo) bool { return false }
