package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// fileName is the name of a project's configuration, and otherName what it is often
// called by mistake.
const (
	fileName  = "devhook.yaml"
	otherName = "devhook.yml"
)

// upwards calls f for dir and the directories above it, until f returns false
// or a border is reached: the root of a repository, the user's home, or the
// edge of a file system. The border itself is the last that f gets. What is
// above a directory is told without the links that led to it: a link beside
// the home must not lead around the border.
func upwards(dir, home string, f func(dir string) bool) {
	dir = resolved(dir)
	device, _ := deviceOf(dir)
	for f(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || home != "" && sameDir(dir, home) {
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

// homeVariable names the variable that holds the user's home.
func homeVariable(goos string) string {
	if goos == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

func home(getenv func(string) string) string { return getenv(homeVariable(runtime.GOOS)) }

// resolved returns path from the root on and without links, as far as it can
// be told.
func resolved(path string) string {
	path = absolute(path)
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

// resolvedFile is resolved, but for the last name: a link to a file stays one.
func resolvedFile(path string) string {
	return filepath.Join(resolved(filepath.Dir(path)), filepath.Base(path))
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// sameDir reports whether both are one directory, however they are spelled:
// on some systems case does not count.
func sameDir(a, b string) bool {
	if resolved(a) == resolved(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// FindStore returns the directory of the store that is meant in dir: the
// nearest one upwards that is the user's own, or else the one to make in dir.
func FindStore(dir, name string, getenv func(string) string) string {
	found, here := filepath.Join(dir, name), resolved(dir)
	upwards(dir, home(getenv), func(d string) bool {
		path := filepath.Join(d, name)
		info, err := os.Stat(path)
		if err == nil && info.IsDir() && ownedByUser(info) {
			if d != here { // else its short name will do
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
	upwards(dir, home(getenv), func(d string) bool {
		p := filepath.Join(d, fileName)
		info, statErr := os.Stat(p)
		if errors.Is(statErr, fs.ErrNotExist) {
			other := filepath.Join(d, otherName)
			if info, otherErr := os.Lstat(other); otherErr == nil && ownedByUser(info) { // else what it asks for would be missed in silence
				err = errorf("rename it to "+fileName, "%s is not read: the name is %s", other, fileName)
			}
			return err == nil
		}
		if statErr != nil {
			err = errorf("make it readable, or name the one to use with --config", "cannot read %s: %v", p, cause(statErr))
			return false
		}
		if !info.Mode().IsRegular() { // a pipe would be waited for
			err = errorf("put it away, or name the one to use with --config", "%s is no file", p)
			return false
		}
		if why, fix := unsafe(info); why != "" {
			err = errorf(fix+" "+p+", or name the one to use with --config", "%s %s: it is not read", p, why)
			return false
		}
		path = p
		return false
	})
	return path, err
}
