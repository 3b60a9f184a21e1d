package terminal

import (
	"os"
	"testing"

	"golang.org/x/sys/windows"
)

// A console reads escape sequences once something is written to it, whatever stdout is.
func TestConsole(t *testing.T) {
	f, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no console: ", err)
	}
	defer f.Close()
	h := windows.Handle(f.Fd())
	var before, after uint32
	if err := windows.GetConsoleMode(h, &before); err != nil {
		t.Skip("there is no console: ", err)
	}
	defer func() { _ = windows.SetConsoleMode(h, before) }()
	if err := windows.SetConsoleMode(h, before&^windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		t.Fatal(err)
	}
	out := New(f, Auto, func(string) string { return "" })
	if err := windows.GetConsoleMode(h, &after); err != nil {
		t.Fatal(err)
	}
	if after&windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING == 0 || !out.Lasts() || out.Bold("x") == "x" {
		t.Errorf("mode %#x, a terminal %v, bold is %q", after, out.Lasts(), out.Bold("x"))
	}
}
