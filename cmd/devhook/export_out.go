package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/interchange"
	"devhook/internal/sharing"
	"devhook/internal/terminal"
	"devhook/recorder"
)

// target returns where an answer goes: to stdout, or to a file of that name, which
// is there once finish is called without an error.
func (p *program) target(name string) (out io.Writer, finish func(error) error, err error) {
	if name == "" || name == "-" {
		w := bufio.NewWriterSize(p.stdout, 64<<10)
		return w, func(err error) error {
			if err == nil {
				err = wrote(w.Flush())
			}
			return err
		}, nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*") // 0600
	if err != nil {
		return nil, nil, wroteTo(name, err)
	}
	w := bufio.NewWriterSize(tmp, 64<<10)
	return w, func(err error) error {
		if err == nil {
			err = wroteTo(name, errors.Join(w.Flush(), tmp.Sync()))
		}
		if err2 := tmp.Close(); err == nil {
			err = wroteTo(name, err2)
		}
		if err == nil {
			err = wroteTo(name, os.Rename(tmp.Name(), name))
		}
		if err != nil {
			os.Remove(tmp.Name())
		}
		return err
	}, nil
}

// bodyFile keeps a body beside the file that is written. Its name has the id: two that
// were imported can have the same number.
func (e *exporting) bodyFile(ex *recorder.Exchange, body []byte) (string, error) {
	path := fmt.Sprintf("%s.%s.body", e.c.String("o"), ex.ID)
	if err := config.WriteFile(path, body); err != nil {
		return "", err
	}
	return filepath.Base(path), nil
}

// verifying is how whoever gets the file verifies what is signed anew in it, or else the
// secret: a format without times does not say as of when the signature is right.
func (e *exporting) verifying(provider string, s sharing.Signature) string {
	with := "--secret '" + s.Secret + "'"
	for _, name := range slices.Sorted(maps.Keys(s.With)) {
		with += " --with " + name + "=" + s.With[name]
	}
	file := "FILE"
	if name := e.c.String("o"); name != "" && name != "-" {
		file = quoteShell(name)
	}
	command := "devhook verify --provider " + provider + " " + with
	switch {
	case e.format == interchange.NDJSON && e.count == 1:
		return command + " " + file
	case e.format == interchange.NDJSON || e.format == interchange.HAR:
		return "devhook import " + file + ", then " + command + " REF"
	}
	return provider + " has " + with
}

// placesText names places of a message for a person, of many the first.
func placesText(places []string) string {
	const shown = 12
	more := ""
	if len(places) > shown {
		more = fmt.Sprintf(" and %d more", len(places)-shown)
		places = places[:shown]
	}
	return terminal.Safe(strings.Join(places, ", ")) + more
}

// summary tells what was done.
func (e *exporting) summary() {
	if e.count == 0 {
		fmt.Fprintln(e.p.stderr, "no recording matches")
		return
	}
	if places := slices.Sorted(maps.Keys(e.export.Replaced)); len(places) > 0 {
		e.errs.Paragraph(0, "left out or replaced: "+placesText(places)+". Look whether that is all before you share it.")
	}
	for _, id := range slices.Sorted(maps.Keys(e.export.Signed)) {
		e.errs.Paragraph(0, "signed anew, with a secret that is for nothing else: "+terminal.Safe(e.verifying(id, e.export.Signed[id])))
	}
	for _, id := range slices.Sorted(maps.Keys(e.export.Unsigned)) {
		e.errs.Warning(fmt.Sprintf("%s is not signed anew: %s", id, e.export.Unsigned[id].Error()))
	}
	if n := e.export.Unseen; n > 0 {
		e.errs.Warning(countOf(n, "body is", "bodies are") + " compressed or no text: only secrets that are configured are found there")
	}
	if n := e.export.Frames; n > 0 {
		e.errs.Warning(fmt.Sprintf("the messages of %d WebSockets are not exported: --format har or ndjson has them", n))
	}
	if name := e.c.String("o"); name != "" && name != "-" {
		e.errs.Printf("%s in %s", countOf(e.count, "recording", "recordings"), terminal.Safe(name))
	}
}
