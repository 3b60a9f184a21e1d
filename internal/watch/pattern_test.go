package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func create(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, name, "1")
	}
}

func TestMatch(t *testing.T) {
	t.Chdir(t.TempDir())
	create(t, "a.js", "src/a.js", "src/b.ts", "src/x/y/c.js", "src/x/d.js", "src/.git/e.js", "src/x/.f.js", "src/node_modules/m/g.js", "app/[id]/h.js")
	if err := os.Symlink("src", "link"); err != nil {
		t.Skip(err)
	}
	for pattern, want := range map[string][]string{
		"*.js":                    {"a.js"},
		"**":                      {"a.js", "app/[id]/h.js", "src/a.js", "src/b.ts", "src/x/d.js", "src/x/y/c.js"},
		"src/**":                  {"src/a.js", "src/b.ts", "src/x/d.js", "src/x/y/c.js"},
		"./src/**/*.js":           {"src/a.js", "src/x/d.js", "src/x/y/c.js"},
		"src/*/*.js":              {"src/x/d.js"},
		"src/**/y/**":             {"src/x/y/c.js"},
		"src/*":                   {"src/a.js", "src/b.ts"},
		"src/[ab].*":              {"src/a.js", "src/b.ts"},
		"src/x/.*":                {"src/x/.f.js"},
		"src/node_modules/*/*.js": {"src/node_modules/m/g.js"},
		"link/*.js":               {"link/a.js"},
		"src/**/nothing":          nil,
		"nothing/**":              nil,
	} {
		got, err := Match(pattern)
		for i, name := range got {
			got[i] = filepath.ToSlash(name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %v, not %v (%v)", pattern, got, want, err)
		}
	}
	if _, err := Match("src/**/[a"); !errors.Is(err, filepath.ErrBadPattern) {
		t.Errorf("a malformed pattern: %v", err)
	}
	if IsPattern("app/[id]/h.js") || !IsPattern("app/[id]/*") {
		t.Error("the name of a file is taken for a pattern, or the other way round")
	}
}

func TestMatchBound(t *testing.T) {
	dir := t.TempDir()
	for i := range maxFiles + 1 {
		write(t, filepath.Join(dir, fmt.Sprint(i)), "")
	}
	if _, err := Match(dir + "/**"); !errors.Is(err, ErrMany) {
		t.Errorf("more than the bound: %v", err)
	}
	if got, err := Match(dir + "/*00"); err != nil || len(got) != 5 {
		t.Errorf("%d files of many: %v", len(got), err)
	}
}

// What is new below is watched, too, as what was there.
func TestPattern(t *testing.T) {
	dir := t.TempDir()
	create(t, dir+"/src/a.js")
	w := Pattern(dir + "/src/**/*.js")
	defer w.Close()
	write(t, dir+"/src/a.js", "22")
	expect(t, w, "a file was written")
	settle(w)
	create(t, dir+"/src/x/y/b.js")
	expect(t, w, "a file appeared in a new directory")
	settle(w)
	write(t, dir+"/src/x/y/b.js", "22")
	expect(t, w, "that one was written")
	settle(w)
	if err := os.RemoveAll(dir + "/src/x"); err != nil {
		t.Fatal(err)
	}
	expect(t, w, "it was removed")
	settle(w)
	create(t, dir+"/src/x/y/b.js")
	expect(t, w, "it is there again")
	settle(w)
	write(t, dir+"/src/x/y/b.js", "333")
	expect(t, w, "that one was written")

	other := Pattern(dir + "/src/**/*.js") // which has nothing more to tell of what was before
	defer other.Close()
	write(t, dir+"/src/b.txt", "1")
	select {
	case <-other.C:
		t.Error("another file was told of")
	case <-time.After(100 * time.Millisecond):
	}
}
