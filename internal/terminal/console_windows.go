package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// readsSequences has the console of f read escape sequences, which it does for a program
// that asks for it, and reports whether it does now. What module color asks is about stdout
// alone, which can be a pipe while stderr is the console.
func readsSequences(f *os.File) bool {
	h := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
