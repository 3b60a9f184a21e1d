package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkLinks refuses a store that has symbolic links where devhook makes files and
// directories: it never makes one, but a project of somebody else can bring a store, whose
// journal would be another file of the user's, cut where it looks damaged and written on
// with what webhooks say.
func (s *Store) checkLinks(names []fs.DirEntry) error {
	linked := func(dir string, names []fs.DirEntry) error {
		for _, n := range names {
			if n.Type()&fs.ModeSymlink != 0 {
				return fmt.Errorf("%w: %s", ErrLinked, filepath.Join(dir, n.Name()))
			}
		}
		return nil
	}
	if err := linked("", names); err != nil {
		return err
	}
	journal, err := os.ReadDir(s.path("journal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return linked("journal", journal)
}
