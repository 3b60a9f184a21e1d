package recorder

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile renames a file over another of the same directory, which those who have
// that open go on with. It goes by an os.Root, which on Windows asks for POSIX semantics
// (FILE_RENAME_POSIX_SEMANTICS, as of Windows 10 1709 on NTFS): os.Rename does not, and
// refuses if somebody has it open.
func replaceFile(from, to string) error {
	return within(filepath.Dir(to), func(r *os.Root) error { return r.Rename(filepath.Base(from), filepath.Base(to)) })
}

// removeFile removes a file, whose name is free then even if somebody has it open.
func removeFile(path string) error {
	return within(filepath.Dir(path), func(r *os.Root) error { return r.Remove(filepath.Base(path)) })
}

func within(dir string, f func(*os.Root) error) error {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(f(r), r.Close())
}
