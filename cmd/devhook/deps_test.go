package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// layers is who may import whom: a package imports only what is on a lower
// line. A package that is not here fails the test: give it a line, and a row
// in ARCHITECTURE.md.
var layers = [][]string{
	{"internal/loopback"},
	{"internal/neterr"},
	{"internal/similar", "internal/param", "internal/fetch", "internal/stream/feed"},
	{"internal/jsonx", "internal/yamlx", "internal/wsx", "internal/stream/eulertest"},
	{"tunnel", "tunnel/ngroktest", "verify", "internal/watch"},
	{"recorder"},
	{"fixtures", "replay", "internal/redact", "internal/interchange", "internal/census"},
	{"internal/gateway", "internal/terminal", "internal/stream", "internal/stream/tuniformtest", "internal/playback", "internal/register", "internal/register/eulertest", "internal/register/registertest", "internal/sharing", "internal/attack", "internal/delivery", "internal/shrink", "internal/livesession"},
	{"internal/register/tencenttest", "internal/register/shoptest", "internal/register/tiktoktest", "internal/trial"},
	{"internal/config", "internal/mcp", "internal/inspector"},
	{"cmd/devhook", "internal/vendors"},
}

// importers is the one package that imports each module of others, so that
// it can be replaced in one place. The reason for each module is in
// ARCHITECTURE.md.
var importers = map[string][]string{
	"golang.ngrok.com/ngrok/v2":       {"tunnel"},
	"golang.ngrok.com/muxado/v2":      {"tunnel/ngroktest"},
	"golang.org/x/net":                {"tunnel", "internal/terminal"}, // of two packages in it
	"github.com/urfave/cli/v2":        {"cmd/devhook"},
	"github.com/fsnotify/fsnotify":    {"internal/watch"},
	"github.com/fatih/color":          {"internal/terminal"},
	"golang.org/x/term":               {"internal/terminal"},
	"golang.org/x/text":               {"internal/terminal", "verify"}, // of two packages in it
	"go.yaml.in/yaml/v3":              {"internal/yamlx"},
	"github.com/oklog/ulid/v2":        {"recorder"},
	"github.com/coder/websocket":      {"internal/stream", "internal/stream/feed", "internal/playback"}, // the first dials, the others serve
	"golang.org/x/sys":                {"recorder", "internal/terminal"},                                // locks and disks; the console of Windows
	"github.com/itchyny/gojq":         {"replay"},
	"github.com/rogpeppe/go-internal": {}, // tests only

	"github.com/modelcontextprotocol/go-sdk":   {"internal/mcp"},
	"github.com/google/jsonschema-go":          {"internal/mcp"}, // the SDK's own
	"github.com/santhosh-tekuri/jsonschema/v6": {},               // tests only
	"github.com/chromedp/chromedp":             {},               // tests only, of the page in a browser
	"github.com/chromedp/cdproto":              {},               // tests only
}

type listed struct {
	ImportPath string
	Imports    []string
	Doc        string
}

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	var all []listed
	for _, goos := range []string{"linux", "windows", "darwin"} {
		cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Doc"}, args...)...)
		cmd.Dir = "../.."
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for d := json.NewDecoder(strings.NewReader(string(out))); ; {
			var l listed
			if err := d.Decode(&l); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
	}
	return all
}

const module = "devhook/"

func TestImports(t *testing.T) {
	layer := map[string]int{}
	for i, names := range layers {
		for _, n := range names {
			layer[n] = i
		}
	}
	seen := map[string]bool{}
	used := map[string]bool{}
	rows := mapRows(t)
	for _, p := range goList(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		seen[name] = true
		own, ok := layer[name]
		if !ok {
			t.Errorf("%s has no layer", name)
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", name)
		}
		if row, ok := rows[name]; !ok {
			t.Errorf("%s has no row in ARCHITECTURE.md", name)
		} else if got := ownImports(p); row != "all of them" && !strings.Contains(row, "tests only") && !slices.Equal(namesIn(row), got) {
			t.Errorf("ARCHITECTURE.md: %s imports %v, and its row says %s", name, got, row)
		}
		for _, imp := range p.Imports {
			if dep, ok := strings.CutPrefix(imp, module); ok {
				if l, known := layer[dep]; known && l >= own {
					t.Errorf("%s imports %s, which is not below it", name, dep)
				}
				continue
			}
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") {
				continue // the standard library
			}
			mod := moduleOf(imp)
			if mod == "" {
				t.Errorf("%s imports %s, which no line of importers allows", name, imp)
				continue
			}
			used[mod] = true
			if !slices.Contains(importers[mod], name) {
				t.Errorf("%s imports %s: only %v may", name, imp, importers[mod])
			}
		}
	}
	for name := range layer {
		if !seen[name] {
			t.Errorf("layers has %s, which is gone", name)
		}
	}
	for mod, names := range importers {
		if len(names) > 0 && !used[mod] {
			t.Errorf("importers has %s, which nobody imports", mod)
		}
	}
}

// mapRow is a row of the map in ARCHITECTURE.md: packages, and what they import.
var mapRow = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([^|]+) \\|")

func mapRows(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range mapRow.FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			rows[strings.Trim(name, "`")] = m[2]
		}
	}
	return rows
}

func namesIn(row string) []string {
	names := []string{}
	for name := range strings.SplitSeq(row, ", ") {
		if name != "nothing" {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

// ownImports are the packages of ours that p imports, by their last names, but for
// those that the map does not name.
func ownImports(p listed) []string {
	names := []string{}
	for _, imp := range p.Imports {
		if base := path.Base(imp); strings.HasPrefix(imp, module) && base != "similar" && base != "loopback" && base != "neterr" {
			names = append(names, base)
		}
	}
	slices.Sort(names)
	return names
}

func moduleOf(imp string) string {
	for mod := range importers {
		if imp == mod || strings.HasPrefix(imp, mod+"/") {
			return mod
		}
	}
	return ""
}
