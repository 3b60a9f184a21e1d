package main

import (
	"context"
	"os"
	"syscall"
	"time"
)

// A family are the children of this process. On Linux it adopts what its descendants leave
// behind (prctl(2), PR_SET_CHILD_SUBREAPER), so that what leaves the group of an app, as a
// daemon does by setsid, is found all the same.
type family struct {
	before map[int]bool // whom it had already
}

// adopting returns the family as it is before an app is started.
func adopting() family {
	const subreaper = 36 // linux/prctl.h
	syscall.RawSyscall(syscall.SYS_PRCTL, subreaper, 1, 0)
	f := family{map[int]bool{}}
	for _, p := range f.children() {
		f.before[p.id] = true
	}
	return f
}

// children are those that have come since.
func (f family) children() []process {
	var list []process
	for _, p := range processes() {
		if p.parent == os.Getpid() && !f.before[p.id] {
			list = append(list, p)
		}
	}
	return list
}

// end ends all who have come since, and whom they leave behind: they are asked to, and
// killed once ctx is done. The app itself has been waited for.
func (f family) end(ctx context.Context) {
	late := ctx.Done()
	asked := map[int]bool{}
	for signal := syscall.SIGTERM; ; {
		left := f.children()
		if len(left) == 0 {
			return
		}
		for _, p := range left {
			switch {
			case p.ended:
				syscall.Wait4(p.id, nil, syscall.WNOHANG, nil)
			case !asked[p.id] || signal == syscall.SIGKILL:
				asked[p.id] = true
				syscall.Kill(p.id, signal)
			}
		}
		select {
		case <-late:
			signal = syscall.SIGKILL
			late = nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}
