package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"devhook/fixtures"
	"devhook/internal/terminal"
	"devhook/recorder"
)

// A filler fills in a sample that is to be sent.
type filler func(fixtures.Fixture) (fixtures.Fixture, error)

// read returns the webhooks that args name: recordings, files, stdin. Samples in
// files are filled in, unless fill is nil.
func (p *program) read(store *recorder.Store, args []string, fill filler) ([]*recorder.Exchange, error) {
	var list []*recorder.Exchange
	for _, arg := range args {
		if !isFile(arg) {
			if store == nil {
				return nil, nothingRecorded()
			}
			ex, err := store.Get(arg)
			if errors.Is(err, recorder.ErrNotFound) {
				return nil, &failure{code: 2, text: err.Error(), hint: meantBy(arg), err: err}
			}
			if err != nil {
				return nil, err
			}
			list = append(list, ex)
			continue
		}
		text, err := p.readFile(arg)
		if err != nil {
			f := &failure{code: 2, text: err.Error(), err: err}
			if errors.Is(err, fs.ErrNotExist) {
				f.hint = meantBy(arg)
			}
			return nil, f
		}
		found, err := recorder.Parse(text)
		if arg == "-" {
			arg = "stdin"
		}
		if err != nil {
			f := &failure{code: 2, text: arg + ": " + err.Error(), err: err}
			if errors.Is(err, recorder.ErrFormat) {
				f.hint = "devhook show last --raw prints an HTTP message; devhook show last --json, an exchange"
			}
			return nil, f
		}
		if len(found) == 0 {
			return nil, &failure{code: 2, text: arg + " holds no webhook"}
		}
		if f, ok, err := fixtures.Open(text); ok && fill != nil {
			if err == nil {
				f, err = fill(f)
			}
			if err != nil {
				return nil, &failure{code: 2, text: arg + ": " + err.Error(), err: err}
			}
			found[0].Request = f.Exchange.Request
		}
		list = append(list, found...)
	}
	return list, nil
}

// readOne is read of an arg that is to be one webhook.
func (p *program) readOne(store *recorder.Store, arg string, fill filler) (*recorder.Exchange, error) {
	list, err := p.read(store, []string{arg}, fill)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, &failure{code: 2, text: fmt.Sprintf("%s holds %d webhooks, and this is for one", arg, len(list))}
	}
	return list[0], nil
}

// meantBy is the hint for arg, which names nothing.
func meantBy(arg string) string {
	first, last, isRange := strings.Cut(strings.Replace(arg, "-", "..", 1), "..")
	switch {
	case isRange && isDigits(first) && isDigits(last):
		return "several are a filter, as in devhook replay --filter seq:" + first + ".." + last
	case arg == "all":
		return "all are a filter, as in devhook replay --filter 'path:*'"
	case isThere(arg):
		return "if the file " + arg + " is meant: ./" + arg
	}
	return "devhook list shows what there is"
}

func isDigits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// isFile reports whether arg is a file, and not the name of a recording.
func isFile(arg string) bool {
	return arg == "-" || strings.ContainsAny(arg, "/.") || strings.ContainsRune(arg, filepath.Separator)
}

// isThere reports whether there is a file of that name.
func isThere(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func (p *program) readFile(arg string) ([]byte, error) {
	if arg == "-" {
		return io.ReadAll(p.typed())
	}
	return os.ReadFile(arg)
}

// typed is stdin. Where that is a terminal it is said that it is read, and how
// it ends.
func (p *program) typed() io.Reader {
	if terminal.IsTerminal(p.stdin) {
		end := "Ctrl-D"
		if runtime.GOOS == "windows" {
			end = "Ctrl-Z and Enter"
		}
		errs := terminal.New(p.stderr, terminal.Auto, p.getenv)
		errs.Printf("%s", errs.Dim("Reading what is typed here, until "+end+"."))
	}
	return p.stdin
}
