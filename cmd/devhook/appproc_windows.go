package main

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"
)

// shellCommand gives cmd.exe the line as it was typed: it has rules of its own for
// quotes. When ctx ends, cmd.exe does.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + command + `"`}
	return cmd
}

func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr.CreationFlags = syscall.CREATE_NEW_PROCESS_GROUP
}

// askGroup ends cmd and all that it has started: there is no signal that all
// programs understand.
func askGroup(cmd *exec.Cmd) {
	exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
}

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

// groupGone reports whether nothing is left: askGroup has seen to that.
func groupGone(*exec.Cmd) bool { return true }
