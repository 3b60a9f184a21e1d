package tunnel

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestFindAuthtokenInAFile(t *testing.T) {
	const token = "2abcDEF_ghi"
	tests := []struct {
		name, file, want, err string
	}{
		{name: "format 2", file: "version: \"2\"\nauthtoken: " + token + "\ntunnels: {web: {proto: http, addr: 80}}\n", want: token},
		{name: "format 1", file: "authtoken: " + token + " # mine\nregion: eu\n", want: token},
		{name: "format 3", file: "version: 3\nagent:\n  authtoken: " + token + "\n  connect_url: h:443\nendpoints:\n  - name: web\n", want: token},
		{name: "quoted", file: "authtoken: \"" + token + "\"\n", want: token},
		{name: "both, of which 3 is newer", file: "authtoken: old\nagent: {authtoken: " + token + "}\n", want: token},
		{name: "twice", file: "authtoken: a\nauthtoken: secret-token\n", err: "it is not proper YAML (line 2)"},
		{name: "like a number", file: "authtoken: 0123_456 # mine\n", want: "0123_456"},
		{name: "like another number", file: "agent:\n  authtoken: 1e10\n", want: "1e10"},
		{name: "like a time", file: "authtoken: 2001-01-01\n", want: "2001-01-01"},
		{name: "like a truth", file: "authtoken: true\n", want: "true"},
		{name: "empty", file: "authtoken:\n", want: ""},
		{name: "empty, quoted", file: "authtoken: ''\n", want: ""},
		{name: "none", file: "version: 3\nagent: {}\n", want: ""},
		{name: "nothing of an agent", file: "version: 3\nagent:\n", want: ""},
		{name: "an empty file", file: "", want: ""},
		{name: "only a comment", file: "# authtoken: x\n", want: ""},
		{name: "with a byte order mark", file: "\uFEFFauthtoken: " + token + "\n", want: token},
		{name: "with line ends of Windows", file: "version: 3\r\nagent:\r\n  authtoken: " + token + "\r\n", want: token},
		{name: "no YAML", file: "version: 3\nagent:\n  authtoken: \"secret-token\n", err: "it is not proper YAML (line 3)"},
		{name: "tabs", file: "agent:\n\tauthtoken: secret-token\n", err: "it is not proper YAML"},
		{name: "a list", file: "authtoken: [secret-token]\n", err: "it is not proper YAML"},
		{name: "a list of agents", file: "agent: [secret-token]\n", err: "it is not proper YAML"},
		{name: "a text", file: "secret-token\n", err: "it is not proper YAML"},
		{name: "too large", file: strings.Repeat("# secret-token\n", 1<<17), err: "it is too large"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ngrok.yml")
			if err := os.WriteFile(path, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got, source, err := findAuthtoken(env(), []string{filepath.Join(t.TempDir(), "ngrok.yml"), path})
			if test.err != "" {
				e := wantError(t, err, "")
				if !errors.Is(err, ErrOption) || !strings.HasPrefix(e.Text, "cannot read ngrok's config file "+path+": "+test.err) {
					t.Errorf("text %q, want %q", e.Text, test.err)
				}
				if strings.Contains(e.Text+e.Hint+e.Err.Error(), "secret-token") {
					t.Errorf("the authtoken is in %q", e)
				}
				return
			}
			if err != nil || got != test.want {
				t.Fatalf("got %q, %v; want %q", got, err, test.want)
			}
			if want := map[bool]string{true: path, false: ""}[test.want != ""]; source != want {
				t.Errorf("source %q, want %q", source, want)
			}
		})
	}
}

func TestFindAuthtokenElsewhere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ngrok.yml")
	if err := os.WriteFile(path, []byte("authtoken: of-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, source, err := findAuthtoken(env("NGROK_AUTHTOKEN", " of-the-environment\n"), []string{path})
	if err != nil || got != "of-the-environment" || source != "NGROK_AUTHTOKEN" {
		t.Errorf("%q, %q, %v", got, source, err)
	}
	got, source, err = findAuthtoken(env("NGROK_AUTHTOKEN", " "), []string{filepath.Join(path, "below-a-file"), path})
	if err != nil || got != "of-the-file" || source != path {
		t.Errorf("%q, %q, %v", got, source, err)
	}
	if got, source, err = findAuthtoken(env(), nil); got != "" || source != "" || err != nil {
		t.Errorf("%q, %q, %v", got, source, err)
	}
	if _, _, err = findAuthtoken(env(), []string{dir}); !errors.Is(err, ErrOption) {
		t.Errorf("a directory: %v", err)
	}
}

func TestFindAuthtokenHere(t *testing.T) {
	home := t.TempDir()
	vars := env("HOME", home, "USERPROFILE", home)
	files := configFiles(runtime.GOOS, vars)
	path := files[len(files)-1]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("authtoken: abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, source, err := FindAuthtoken(vars); err != nil || got != "abc" || source != path {
		t.Errorf("%q, %q, %v", got, source, err)
	}
}

func TestConfigFiles(t *testing.T) {
	tests := []struct {
		goos string
		env  func(string) string
		want []string
	}{
		{"linux", env(), nil},
		{"linux", env("HOME", "/h"), []string{
			"/h/.config/ngrok/ngrok.yml", "/h/snap/ngrok/current/.config/ngrok/ngrok.yml", "/h/.ngrok2/ngrok.yml",
		}},
		{"linux", env("HOME", "/h", "XDG_CONFIG_HOME", "/x"), []string{
			"/x/ngrok/ngrok.yml", "/h/.config/ngrok/ngrok.yml", "/h/snap/ngrok/current/.config/ngrok/ngrok.yml", "/h/.ngrok2/ngrok.yml",
		}},
		{"darwin", env("HOME", "/h"), []string{
			"/h/Library/Application Support/ngrok/ngrok.yml", "/h/.config/ngrok/ngrok.yml", "/h/.ngrok2/ngrok.yml",
		}},
		{"windows", env("LOCALAPPDATA", "/l", "USERPROFILE", "/u", "HOMEDRIVE", "", "HOMEPATH", "/p"), []string{
			"/l/ngrok/ngrok.yml", "/u/AppData/Local/ngrok/ngrok.yml", "/p/AppData/Local/ngrok/ngrok.yml", "/u/.ngrok2/ngrok.yml", "/p/.ngrok2/ngrok.yml",
		}},
	}
	for _, test := range tests {
		got := configFiles(test.goos, test.env)
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.goos, got, test.want)
		}
	}
}
