package recorder

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Locks here keep others from reading what is locked, so a byte is locked that
// no file reaches.
func lockedByte() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

// lockFile waits until no other process, and no other file of this one, holds
// the lock of f. The system frees it when the holder ends, however it ends.
func lockFile(f *os.File) error {
	return control(f, func(fd uintptr) error {
		return windows.LockFileEx(windows.Handle(fd), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, lockedByte())
	})
}

// shareLock waits until nobody has the lock of f for himself. Closing f frees it.
func shareLock(f *os.File) error {
	return control(f, func(fd uintptr) error {
		return windows.LockFileEx(windows.Handle(fd), 0, 0, 1, 0, lockedByte())
	})
}

func unlockFile(f *os.File) error {
	return control(f, func(fd uintptr) error {
		return windows.UnlockFileEx(windows.Handle(fd), 0, 1, 0, lockedByte())
	})
}

// tryShareLock takes a lock of f that others can have too, and reports whether
// it could: whether nobody has a lock for himself. Closing f frees it.
func tryShareLock(f *os.File) (bool, error) { return tryLockAs(f, 0) }

// tryLock is lockFile without waiting; it reports whether it could.
func tryLock(f *os.File) (bool, error) { return tryLockAs(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

func tryLockAs(f *os.File, how uint32) (bool, error) {
	err := control(f, func(fd uintptr) error {
		return windows.LockFileEx(windows.Handle(fd), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, lockedByte())
	})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
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
