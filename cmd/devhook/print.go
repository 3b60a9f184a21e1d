package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"devhook/internal/terminal"
	"devhook/recorder"
)

// jsonLine returns v as a line of JSON, in which < and & stay as they are.
func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// An event is a line of which a command prints several kinds: {"v":1,"type":KIND, and the
// members of about, of which there is one at least.
type event struct {
	kind  string
	about any
}

// MarshalJSON is that of [json.Marshaler].
func (e event) MarshalJSON() ([]byte, error) {
	text, err := jsonLine(e.about)
	if err != nil {
		return nil, err
	}
	return append([]byte(`{"v":1,"type":"`+e.kind+`",`), text[1:]...), nil
}

// line prints v as a line of JSON, as jsonLine has it. That it cannot be written is a
// [*failure].
func (p *program) line(v any) error {
	text, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return wrote(err)
}

// printJSON prints ex as one line. The error is a [*failure] if the line could
// not be written, and tells else what of ex could not be read.
func (p *program) printJSON(store *recorder.Store, ex *recorder.Exchange) error {
	return p.printObject(func(w io.Writer) error { return store.WriteJSON(w, ex) })
}

// printObject prints what write writes as one line, with the errors of printJSON.
func (p *program) printObject(write func(io.Writer) error) error {
	w := &answer{w: p.stdout}
	err := write(w)
	if w.begun { // also a line that is broken has an end
		fmt.Fprintln(w)
	}
	return cmp.Or(wrote(w.err), err)
}

// An answer is where a command's answer goes. It keeps the first error of
// writing, so that it can be told from one of reading what is written.
type answer struct {
	w      io.Writer
	prefix string // goes before the first bytes
	begun  bool
	err    error
}

func (a *answer) Write(p []byte) (int, error) {
	if a.prefix != "" && !a.begun {
		io.WriteString(a.w, a.prefix)
	}
	n, err := a.w.Write(p)
	a.begun = a.begun || n > 0
	if a.err == nil {
		a.err = err
	}
	return n, err
}

// wrote returns the failure of an answer that could not be written, for the
// error that writing it had; nil for nil. Of a reader who has enough, as head or
// more, nothing is said: elsewhere a signal ends the command then.
func wrote(err error) error {
	if slices.ContainsFunc(unread, func(n syscall.Errno) bool { return errors.Is(err, n) }) {
		return &failure{code: 6, err: err}
	}
	return wroteTo("", err)
}

// unread are the numbers by which Windows says that nobody reads a pipe any more:
// https://learn.microsoft.com/windows/win32/debug/system-error-codes
var unread = []syscall.Errno{109, 232, 233}

// wroteTo is wrote, to the file of that name.
func wroteTo(name string, err error) error {
	if err == nil {
		return nil
	}
	cause := err
	if at := new(fs.PathError); errors.As(err, &at) {
		cause = at.Err
	}
	f := &failure{code: 6, text: "cannot write: " + cause.Error(), err: err}
	if name != "" {
		f.text = "cannot write " + name + ": " + cause.Error()
		if errors.Is(err, fs.ErrNotExist) {
			f.hint = "mkdir " + filepath.Dir(name)
		}
	}
	return f
}

// printMessage prints the request of ex as an HTTP message.
func (p *program) printMessage(store *recorder.Store, ex *recorder.Exchange) error {
	a := &answer{w: p.stdout}
	var w io.Writer = a
	if terminal.IsTerminal(p.stdout) {
		w = &safeWriter{a}
	}
	buf := bufio.NewWriter(w)
	err := requestMessage(&ex.Request).write(buf, store)
	err = cmp.Or(err, buf.Flush())
	return cmp.Or(wrote(a.err), err)
}

// A safeWriter writes text for a terminal.
type safeWriter struct{ w io.Writer }

func (s *safeWriter) Write(p []byte) (int, error) {
	text := terminal.SafeText(string(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))))
	if _, err := io.WriteString(s.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}
