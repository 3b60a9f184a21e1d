//go:build unix

package config

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A givenAway is a file of somebody else.
type givenAway struct{ os.FileInfo }

func (g givenAway) Sys() any {
	st := *g.FileInfo.Sys().(*syscall.Stat_t)
	st.Uid++
	return &st
}

// What makes a file the user's own depends on what is wrong with it.
func TestUnsafe(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if why, fix := unsafe(info); why != "" || fix != "" {
		t.Errorf("the user's own: %q, %q", why, fix)
	}
	if why, fix := unsafe(givenAway{info}); why != "belongs to somebody else" || fix != "chown $USER" {
		t.Errorf("somebody else's: %q, %q", why, fix)
	}
	if err := os.Chmod(path, 0o602); err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if why, fix := unsafe(info); why != "can be written by others" || fix != "chmod go-w" {
		t.Errorf("open to all: %q, %q", why, fix)
	}
}
