package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// tables is where tables go.
var tables io.Writer = os.Stdout

// report has measure write its tables to stdout and, if there is one, into file, in
// place of what stands there between the marks of that name. What stands around them is
// for who reads the figures, and stays.
func report(file, name string, measure func() error) error {
	var text bytes.Buffer
	tables = io.MultiWriter(os.Stdout, &text)
	fmt.Fprintf(tables, "%s\n\n", machine())
	if err := measure(); err != nil || file == "" {
		return err
	}
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err = between(page, name, text.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, page, 0o644)
}

// between puts text between the marks called name.
func between(page []byte, name string, text []byte) ([]byte, error) {
	begin, end := []byte("<!-- bench "+name+" -->\n"), []byte("<!-- end "+name+" -->\n")
	from := bytes.Index(page, begin)
	to := bytes.Index(page, end)
	if from < 0 || to < from {
		return nil, fmt.Errorf("no %q before %q", strings.TrimSpace(string(begin)), strings.TrimSpace(string(end)))
	}
	from += len(begin)
	return bytes.Join([][]byte{page[:from], append(bytes.TrimSpace(text), '\n'), page[to:]}, nil), nil
}

// machine says on what this runs, as the system tells it.
func machine() string {
	parts := []string{fmt.Sprintf("%d processors", runtime.NumCPU())}
	if model := fieldOf("/proc/cpuinfo", "model name"); model != "" {
		parts[0] += " (" + model + ")"
	}
	if kB := fieldOf("/proc/meminfo", "MemTotal"); kB != "" {
		var n float64
		fmt.Sscan(kB, &n)
		parts = append(parts, fmt.Sprintf("%.0f GB of memory", n/1e6))
	}
	if text, err := exec.Command("uname", "-sr").Output(); err == nil {
		parts = append(parts, strings.TrimSpace(string(text)))
	} else {
		parts = append(parts, runtime.GOOS)
	}
	if text, err := exec.Command("df", "-PT", ".").Output(); err == nil { // of GNU; others go without
		if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) == 2 {
			if f := strings.Fields(lines[1]); len(f) > 1 {
				parts = append(parts, f[1]+" on "+f[0])
			}
		}
	}
	parts = append(parts, runtime.Version())
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		parts = append(parts, "load "+strings.Fields(string(text) + " ?")[0]+" before")
	}
	return strings.Join(parts, ", ") + "."
}

var space = regexp.MustCompile(`\s+`)

// fieldOf returns the value of the first line of a file in /proc that has the name.
func fieldOf(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(space.ReplaceAllString(value, " "))
		}
	}
	return ""
}

// rowName is what a contestant is called in a table.
func rowName(ct contestant) string {
	if ct.name == mitm {
		return ct.name + " -w"
	}
	return ct.name
}
