package tunnel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"devhook/internal/neterr"
	"devhook/internal/yamlx"
)

// maxConfig is the most that is read of ngrok's config file, in bytes.
const maxConfig = 1 << 20

// FindAuthtoken looks for the user's authtoken: in NGROK_AUTHTOKEN, else in
// ngrok's own config file (formats 2 and 3) at its usual places on this
// system, newest first. source says where it was, in words for the screen. An
// empty token means that there is none anywhere.
//
// The error is an [*Error] about a file that cannot be read or understood. It
// wraps [ErrOption], names the file, and holds nothing of what is in it.
func FindAuthtoken(getenv func(string) string) (token, source string, err error) {
	return findAuthtoken(getenv, configFiles(runtime.GOOS, getenv))
}

func findAuthtoken(getenv func(string) string, files []string) (token, source string, err error) {
	const name = "NGROK_AUTHTOKEN"
	if token := strings.TrimSpace(getenv(name)); token != "" {
		return token, name, nil
	}
	for _, path := range files {
		token, err := readAuthtoken(path)
		if err != nil {
			return "", "", err
		}
		if token != "" {
			return token, path, nil
		}
	}
	return "", "", nil
}

// configFiles returns where ngrok's config file can be on a system, in the
// order in which ngrok's agent came to use these places, newest first.
func configFiles(goos string, getenv func(string) string) []string {
	var dirs []string
	add := func(base string, more ...string) {
		if base != "" {
			dirs = append(dirs, filepath.Join(append([]string{base}, more...)...))
		}
	}
	home := getenv("HOME")
	switch goos {
	case "windows":
		home = getenv("USERPROFILE")
		old := ""
		if path := getenv("HOMEPATH"); path != "" {
			old = getenv("HOMEDRIVE") + path
		}
		add(getenv("LOCALAPPDATA"), "ngrok")
		add(home, "AppData", "Local", "ngrok")
		add(old, "AppData", "Local", "ngrok")
		add(home, ".ngrok2")
		add(old, ".ngrok2")
	case "darwin":
		add(home, "Library", "Application Support", "ngrok")
		add(getenv("XDG_CONFIG_HOME"), "ngrok")
		add(home, ".config", "ngrok")
		add(home, ".ngrok2")
	default:
		add(getenv("XDG_CONFIG_HOME"), "ngrok")
		add(home, ".config", "ngrok")
		add(home, "snap", "ngrok", "current", ".config", "ngrok")
		add(home, ".ngrok2")
	}
	var files []string
	for _, dir := range dirs {
		files = append(files, filepath.Join(dir, "ngrok.yml"))
	}
	return files
}

// readAuthtoken returns the authtoken in ngrok's config file at path, or "" if
// there is no file, or no authtoken in it.
func readAuthtoken(path string) (string, error) {
	const hint = "check it with ngrok config check, or set NGROK_AUTHTOKEN, or use --authtoken env:NAME"
	text, err := readFile(path, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "", nil
	case err != nil:
		return "", optionError(hint, "cannot read ngrok's config file %s: %s", path, neterr.Text(err))
	}
	n, err := yamlx.Parse(text)
	var own, agent string // formats 2 and 3
	if err == nil && !n.Empty() {
		err = n.Each(func(name string, value, _ yamlx.Node) (err error) {
			switch {
			case name == "authtoken" && !value.Empty():
				own, err = value.Scalar()
			case name == "agent" && !value.Empty():
				err = value.Each(func(name string, value, _ yamlx.Node) (err error) {
					if name == "authtoken" && !value.Empty() {
						agent, err = value.Scalar()
					}
					return err
				})
			}
			return err
		})
	}
	if err != nil {
		return "", optionError(hint, "cannot read ngrok's config file %s: it is not proper YAML%s", path, position(err))
	}
	return strings.TrimSpace(cmp.Or(agent, own)), nil
}

// position says where in a file the error is, and nothing of what is there.
func position(err error) string {
	var y *yamlx.Error
	if errors.As(err, &y) && y.Line > 0 {
		return fmt.Sprintf(" (line %d)", y.Line)
	}
	return ""
}
