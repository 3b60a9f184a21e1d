package config

import (
	"os"
	"path/filepath"
)

// deviceOf returns the volume that path is on.
func deviceOf(path string) (string, bool) { return filepath.VolumeName(path), true }

// ownedByUser trusts the access lists of Windows, which keep others out of a
// user's directories.
func ownedByUser(os.FileInfo) bool { return true }

func unsafe(os.FileInfo) (why, fix string) { return "", "" }
