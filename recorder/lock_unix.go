//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package recorder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits until no other process, and no other file of this one, holds
// the lock of f. The system frees it when the holder ends, however it ends.
func lockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

// shareLock waits until nobody has the lock of f for himself. Closing f frees it.
func shareLock(f *os.File) error { return flock(f, unix.LOCK_SH) }

func unlockFile(f *os.File) error { return flock(f, unix.LOCK_UN) }

// tryShareLock takes a lock of f that others can have too, and reports whether
// it could: whether nobody has a lock for himself. Closing f frees it.
func tryShareLock(f *os.File) (bool, error) { return tryFlock(f, unix.LOCK_SH) }

// tryLock is lockFile without waiting; it reports whether it could.
func tryLock(f *os.File) (bool, error) { return tryFlock(f, unix.LOCK_EX) }

func tryFlock(f *os.File, how int) (bool, error) {
	err := flock(f, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func flock(f *os.File, how int) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno error
	err = raw.Control(func(fd uintptr) {
		for {
			if errno = unix.Flock(int(fd), how); errno != unix.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("flock", errno)
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
