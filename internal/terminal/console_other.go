//go:build !windows

package terminal

import "os"

// readsSequences reports whether the terminal f reads escape sequences, as all do here.
func readsSequences(*os.File) bool { return true }
