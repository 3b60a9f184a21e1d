package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Where no shell parts an editor from its arguments, quotes do, and a program
// with spaces in its path needs none.
func TestEditorWords(t *testing.T) {
	spaced := filepath.Join(t.TempDir(), "my editor.exe")
	if err := os.WriteFile(spaced, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for editor, want := range map[string][]string{
		"":                    {"notepad"},
		"  ":                  {"notepad"},
		"code --wait":         {"code", "--wait"},
		spaced:                {spaced},
		`"C:\a b\c.exe"`:      {`C:\a b\c.exe`},
		`"C:\a b\c.exe" -n x`: {`C:\a b\c.exe`, "-n", "x"},
		`"C:\a b\c.exe`:       {`C:\a b\c.exe`},
	} {
		if got := editorWords(editor); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", editor, got, want)
		}
	}
}
