//go:build !windows

package recorder

import "os"

// openShared opens a file of the store so that it can be removed or replaced
// meanwhile, which here every file can be.
func openShared(path string, flag int) (*os.File, error) { return os.OpenFile(path, flag, 0o600) }
