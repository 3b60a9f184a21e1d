package recorder

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes the bytes of f durable. fdatasync leaves out the times of the
// file, which a reader of the journal does not need.
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno error
	err = raw.Control(func(fd uintptr) {
		for {
			if errno = unix.Fdatasync(int(fd)); errno != unix.EINTR {
				return
			}
		}
	})
	if err != nil { // the file is being closed: its own error is none that can be told
		return os.ErrClosed
	}
	return os.NewSyscallError("fdatasync", errno)
}
