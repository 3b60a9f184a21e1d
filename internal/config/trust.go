package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// An UntrustedError tells of a devhook.yaml that does what a stranger's file
// must not do without the user's word.
type UntrustedError struct {
	Path    string
	Content []byte
	Reasons []string // what it does, as in "line 3: reads file:/etc/passwd"
}

func (e *UntrustedError) Error() string {
	return e.Path + " is not trusted: " + strings.Join(e.Reasons, "; ")
}

// A TrustFile remembers which files the user trusts, by path and content.
type TrustFile struct{ path string }

// UserTrust returns the file in the user's configuration directory.
func UserTrust() (TrustFile, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		set := "set HOME"
		if runtime.GOOS == "windows" {
			set = "set APPDATA"
		}
		return TrustFile{}, errorf(set, "no place to remember what is trusted: %v", err)
	}
	return TrustFile{filepath.Join(dir, "devhook", "trusted.json")}, nil
}

// Path is where the file is, or will be.
func (t TrustFile) Path() string { return t.path }

func (t TrustFile) read() (map[string]string, error) {
	sums := map[string]string{}
	text, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &sums)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is trusted: %s: %w", t.path, err)
	}
	return sums, nil
}

// Has reports whether the file with this content is trusted. What cannot be
// read is not.
func (t TrustFile) Has(path string, content []byte) bool {
	sums, err := t.read()
	return err == nil && sums[resolvedFile(path)] == sum(content)
}

// Add has the file with this content trusted from now on.
func (t TrustFile) Add(path string, content []byte) error {
	sums, err := t.read()
	if err != nil {
		return err
	}
	sums[resolvedFile(path)] = sum(content)
	text, err := json.MarshalIndent(sums, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return err
	}
	return WriteFile(t.path, append(text, '\n'))
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// WriteFile writes a file of the user's own, whole or not at all.
func WriteFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
