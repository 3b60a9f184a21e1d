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
func (p *program) read(store *recorder.Store, args []string, fill filler) (list []*recorder.Exchange, err error) {
	for _, arg := range args {
		var found []*recorder.Exchange
		if isFile(arg) {
			found, err = p.readWebhooks(arg, fill)
		} else {
			found, err = readRecording(store, arg)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// readRecording returns the one that ref names; store is nil if there is none.
func readRecording(store *recorder.Store, ref string) ([]*recorder.Exchange, error) {
	if store == nil {
		return nil, nothingRecorded()
	}
	ex, err := store.Get(ref)
	if errors.Is(err, recorder.ErrNotFound) {
		err = &failure{code: 2, text: err.Error(), hint: meantBy(ref), err: err}
	}
	return []*recorder.Exchange{ex}, err
}

// readWebhooks returns those of a file, one at least.
func (p *program) readWebhooks(name string, fill filler) ([]*recorder.Exchange, error) {
	text, err := p.readFile(name)
	if err != nil {
		f := &failure{code: 2, text: err.Error(), err: err}
		if errors.Is(err, fs.ErrNotExist) {
			f.hint = meantBy(name)
		}
		return nil, f
	}
	name = fileName(name)
	found, err := recorder.Parse(text)
	if err == nil && len(found) == 0 {
		return nil, &failure{code: 2, text: name + " holds no webhook"}
	}
	if f, ok, bad := fixtures.Open(text); err == nil && ok && fill != nil {
		if err = bad; err == nil {
			f, err = fill(f)
		}
		found[0].Request = f.Exchange.Request
	}
	if err != nil {
		f := &failure{code: 2, text: name + ": " + err.Error(), err: err}
		if errors.Is(err, recorder.ErrFormat) {
			f.hint = "devhook show last --raw prints an HTTP message; devhook show last --json, an exchange"
		}
		return nil, f
	}
	return found, nil
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
	return noneOfThatName
}

// noneOfThatName is the hint for a word that names no recording.
const noneOfThatName = "devhook list shows what there is; the newest is last"

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
