package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"devhook/internal/interchange"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) importCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "record what other programs have written", ArgsUsage: "FILE|-",
		Description: `Reads HAR, NDJSON (as export, list --json and up --json print it), one HTTP message,
curl commands, or what mitmdump -w writes, and records what is in it. Nothing is sent; devhook replay does that. A
file with a fault in it imports nothing.

  devhook import failed.har
  pbpaste | devhook import -

An exchange keeps its id where that is one of devhook's and not taken. Files that a curl
command names, as in --data @FILE, are not read unless --files says so.`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "files", Usage: "read the files that curl commands name, from where the command's file is"},
			&cli.BoolFlag{Name: "json", Usage: "print each recording as a line of JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: taking(1, "one file or -", "devhook import FILE", p.importFile),
	}
}

func (p *program) importFile(c *cli.Context) (err error) {
	name := c.Args().First()
	in, err := p.seekable(name)
	if err != nil {
		return &failure{code: 2, text: err.Error(), err: err}
	}
	defer in.Close()
	imp := &interchange.Importer{Catalog: p.catalog(c), Reader: interchange.Reader{Now: p.now().UTC()}}
	if c.Bool("files") {
		imp.Reader.Open = beside(name)
	}
	count, err := countWebhooks(in, name, imp.Reader, p.errs(c))
	if err != nil {
		return err
	}
	if imp.Store, err = p.openToWrite(c); err != nil {
		return err
	}
	defer func() {
		if closeErr := imp.Store.Close(); err == nil && closeErr != nil {
			err = storeFailure(closeErr)
		}
	}()
	var first, newest uint64
	n := 0
	done := func() {}
	if !c.Bool("json") { // whose lines may be on the same screen
		done = p.errs(c).Busy("recording " + countOf(count, "webhook", "webhooks") + " …")
	}
	err = imp.Import(c.Context, in, func(ex *recorder.Exchange) error {
		if n++; n == 1 {
			first = ex.Seq
		}
		newest = ex.Seq
		if !c.Bool("json") {
			return nil
		}
		return storeFailure(p.printJSON(imp.Store, ex))
	})
	done()
	var bad *interchange.StoreError
	switch {
	case errors.As(err, &bad):
		return storeFailure(bad.Err)
	case errors.As(err, new(*failure)):
		return err
	case err != nil: // the file was changed meanwhile
		return unreadable(name, err)
	case n == 0:
		return &failure{code: 2, text: fileName(name) + " holds no webhook"}
	case c.Bool("json"):
		return nil
	}
	text := fmt.Sprintf("imported #%d", first)
	if n > 1 {
		text = fmt.Sprintf("imported %d recordings, #%d to #%d", n, first, newest)
	}
	_, err = fmt.Fprintln(p.stdout, text)
	return wrote(err)
}

// beside reads files that are named from where the file called name is.
func beside(name string) func(string) ([]byte, error) {
	dir := "."
	if name != "-" {
		dir = filepath.Dir(name)
	}
	return func(file string) ([]byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		return os.ReadFile(file)
	}
}

// countWebhooks reads in through, back to its start, and tells what of it is left out. An
// error is a [*failure]: one with a fault in it imports nothing.
func countWebhooks(in io.ReadSeeker, name string, reader interchange.Reader, errs *terminal.Terminal) (int, error) {
	done := errs.Busy("reading " + terminal.Safe(fileName(name)) + " …")
	skipped := 0
	reader.Skipped = func(text string) {
		done()
		if skipped++; skipped <= 3 {
			errs.Warning(text)
		}
	}
	count, err := reader.Count(in)
	done()
	if err != nil {
		return 0, unreadable(name, err)
	}
	if skipped > 3 {
		errs.Warning(fmt.Sprintf("%s left out in all", countOf(skipped, "entry is", "entries are")))
	}
	if count == 0 {
		return 0, &failure{code: 2, text: fileName(name) + " holds no webhook"}
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return 0, &failure{code: 2, text: err.Error(), err: err}
	}
	return count, nil
}

// seekable opens a file; stdin, which is read to its end, becomes one.
func (p *program) seekable(name string) (io.ReadSeekCloser, error) {
	if name == "-" {
		return spooled(p.typed())
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return f, nil
	}
	defer f.Close()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", name)
	}
	if err != nil {
		return nil, err
	}
	return spooled(f)
}

// spooled reads all of r into memory, or into a file that is gone afterwards.
func spooled(r io.Reader) (io.ReadSeekCloser, error) {
	var small bytes.Buffer
	if _, err := io.CopyN(&small, r, 16<<20); err == io.EOF {
		return nopCloser{bytes.NewReader(small.Bytes())}, nil
	} else if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "devhook-import-*")
	if err != nil {
		return nil, err
	}
	large := goneFile{f}
	_, err = io.Copy(f, io.MultiReader(&small, r))
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		large.Close()
		return nil, err
	}
	return large, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

type goneFile struct{ *os.File }

func (f goneFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

func fileName(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// unreadable returns the failure of a file that cannot be read.
func unreadable(name string, err error) error {
	f := &failure{code: 2, text: fileName(name) + ": " + err.Error(), err: err}
	if e := new(interchange.Error); errors.As(err, &e) {
		f.hint = e.Hint
		if e.Line > 0 {
			f.text = fmt.Sprintf("%s:%d:%d: %s", fileName(name), e.Line, e.Column, e.Text)
		}
	}
	return f
}
