package config

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// homeAt is an environment with a home.
func homeAt(home string) func(string) string {
	return func(name string) string {
		if name == homeVariable(runtime.GOOS) {
			return home
		}
		return ""
	}
}

func TestFindStopsAtBorders(t *testing.T) {
	home := resolved(t.TempDir())
	getenv := homeAt(home)
	deep := filepath.Join(home, "repo", "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, fileName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		got, err := locate(deep, getenv)
		if err != nil || got != want {
			t.Errorf("found %q, %v; want %q", got, err, want)
		}
	}
	expect("")
	write(filepath.Dir(home)) // above the home
	expect("")
	os.Remove(filepath.Join(filepath.Dir(home), fileName))
	write(home)
	expect(filepath.Join(home, fileName))
	if err := os.Mkdir(filepath.Join(home, "repo", ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	expect("") // above the repository
	write(filepath.Join(home, "repo"))
	expect(filepath.Join(home, "repo", fileName))
	other := filepath.Join(deep, otherName)
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := locate(deep, getenv); got != "" || err == nil || err.Error() != other+" is not read: the name is "+fileName {
		t.Errorf("beside %s: %q, %v", otherName, got, err)
	}
	write(deep) // then the other is something else
	expect(filepath.Join(deep, fileName))
	os.Remove(filepath.Join(deep, fileName))
	os.Remove(other)

	if got := FindStore(deep, ".devhook", getenv); got != filepath.Join(deep, ".devhook") {
		t.Errorf("store: %s", got)
	}
	if err := os.WriteFile(filepath.Join(deep, ".devhook"), nil, 0o600); err != nil { // which is no store
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "repo", ".devhook"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := FindStore(deep, ".devhook", getenv); got != filepath.Join(home, "repo", ".devhook") {
		t.Errorf("store: %s", got)
	}

	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(filepath.Join(home, "repo", fileName), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := locate(deep, getenv); err == nil || !strings.Contains(err.Error(), "written by others") {
		t.Errorf("a file that others can write: %v", err)
	}
	if err := os.Remove(filepath.Join(home, "repo", fileName)); err != nil {
		t.Fatal(err)
	}
	pipe, err := net.Listen("unix", filepath.Join(home, "repo", fileName)) // no regular file either
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := locate(deep, getenv); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a socket in place of the file: %v", err)
	}
}

// The home is a border however it is spelled, and by whichever way somebody
// came below it.
func TestHomeIsABorderByAnyName(t *testing.T) {
	if homeVariable("windows") != "USERPROFILE" || homeVariable("linux") != "HOME" {
		t.Error("the home is looked up in the wrong variable")
	}
	top := resolved(t.TempDir())
	home, work := filepath.Join(top, "home"), filepath.Join(top, "home", "a", "b")
	if err := os.MkdirAll(work, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, fileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(to, name string) string {
		t.Helper()
		name = filepath.Join(top, name)
		if err := os.Symlink(to, name); err != nil {
			t.Skip(err)
		}
		return name
	}
	toHome, toWork := link(home, "h"), link(work, "w")
	for name, tt := range map[string]struct{ dir, home string }{
		"as it is":               {work, home},
		"a slash at its end":     {work, home + string(filepath.Separator)},
		"dots in it":             {work, filepath.Join(home, "a") + "/.."},
		"the home is a link":     {work, toHome},
		"came by a link to home": {filepath.Join(toHome, "a"), home},
		"came by a link below":   {toWork, home},
		"both":                   {filepath.Join(toHome, "a"), toHome + "/"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := locate(tt.dir, homeAt(tt.home)); got != "" || err != nil {
				t.Errorf("found %q, %v above the home", got, err)
			}
		})
	}
	if got, err := locate(work, homeAt("")); got != filepath.Join(top, fileName) || err != nil {
		t.Errorf("without a home: %q, %v", got, err)
	}

	// A project that is entered by a link is the project, and its file has the
	// name and the trust that it has without the link.
	own := filepath.Join(home, "a", fileName)
	if err := os.WriteFile(own, []byte("verify: off\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(toWork)
	trust := TrustFile{filepath.Join(top, "trusted.json")}
	if err := trust.Add(own, []byte("verify: off\n")); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Source{Dir: ".", Getenv: homeAt(home), Trusted: trust.Has})
	if err != nil || c.Path != own {
		t.Errorf("%v, %v", c, err)
	}
	t.Chdir(filepath.Join(toHome, "a"))
	c, err = Load(Source{Dir: ".", Getenv: homeAt(home), Trusted: trust.Has})
	if err != nil || c.Path != fileName {
		t.Errorf("%v, %v", c, err)
	}
	if got := FindStore(".", ".devhook", homeAt(home)); got != ".devhook" {
		t.Errorf("store: %s", got)
	}
}
