package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is the name of a project's configuration.
const FileName = "devhook.yaml"

// upwards calls f for dir and the directories above it, until f returns false
// or a border is reached: the root of a repository, the user's home, or the
// edge of a file system. The border itself is the last that f gets.
func upwards(dir, home string, f func(dir string) bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return
	}
	device, _ := deviceOf(dir)
	for f(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || dir == home {
			return
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return
		}
		if d, ok := deviceOf(parent); ok && d != device {
			return
		}
		dir = parent
	}
}

// FindStore returns the directory of the store that is meant in dir: the
// nearest one upwards that is the user's own, or else the one to make in dir.
func FindStore(dir, name string, getenv func(string) string) string {
	found := filepath.Join(dir, name)
	upwards(dir, getenv("HOME"), func(d string) bool {
		path := filepath.Join(d, name)
		info, err := os.Stat(path)
		if err == nil && info.IsDir() && ownedByUser(info) {
			if d != absolute(dir) { // else its short name will do
				found = path
			}
			return false
		}
		return true
	})
	return found
}

// locate returns the devhook.yaml that is meant in dir, "" if there is none.
// One that others could have written is refused.
func locate(dir string, getenv func(string) string) (string, error) {
	var path string
	var err error
	upwards(dir, getenv("HOME"), func(d string) bool {
		p := filepath.Join(d, FileName)
		info, statErr := os.Stat(p)
		if errors.Is(statErr, fs.ErrNotExist) {
			return true
		}
		if statErr != nil {
			err = errorf("", "%v", statErr)
			return false
		}
		if why := unsafe(info); why != "" {
			err = errorf("make it yours alone (chmod go-w "+p+"), or name the one to use with --config", "%s %s: it is not read", p, why)
			return false
		}
		path = p
		return false
	})
	return path, err
}
