//go:build !windows

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// shellCommand runs a line as it is typed. When ctx ends, the shell does.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", command)
}

// ownGroup makes cmd the first of a process group, so that all that it starts can
// be ended with it, and a Ctrl-C is devhook's alone.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askGroup asks all of the group to end; killGroup asks nobody. cmd has been started.
func askGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// groupGone reports whether nothing of the group is left but what nobody has waited
// for: as the first process of a container many a program does not.
func groupGone(cmd *exec.Cmd) bool {
	if syscall.Kill(-cmd.Process.Pid, 0) == syscall.ESRCH {
		return true
	}
	all := processes()
	for _, p := range all {
		if p.group == cmd.Process.Pid && !p.ended {
			return false
		}
	}
	return len(all) > 0
}

// A process is one of this machine. ended says that nobody has waited for its end.
type process struct {
	id, parent, group int
	ended             bool
}

// processes are those that there are; none but on Linux.
func processes() []process {
	var all []process
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path) // it can be gone by now
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 3 {
			continue
		}
		p := process{ended: fields[0] == "Z"} // proc(5): state, parent, group
		p.id, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		all = append(all, p)
	}
	return all
}
