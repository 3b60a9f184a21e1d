package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
)

// edited adds to the changes those that the user makes in his editor to the one
// webhook that is sent. The text stays in a file if done is called with the error
// that keeps it from being sent; done may be called in any case.
func (s *sending) edited(sources iter.Seq2[*recorder.Exchange, error]) (done func(error), err error) {
	done = func(error) {}
	if !s.c.Bool("edit") {
		return done, nil
	}
	var list []*recorder.Exchange
	for ex, err := range sources {
		if err != nil {
			return done, err
		}
		if list = append(list, ex); len(list) > 1 {
			return done, &failure{code: 2, text: "--edit is for one webhook, and these are several"}
		}
	}
	if len(list) == 0 {
		return done, nil
	}
	before, err := s.gateway.Plan(replay.Plan{Source: list[0], Mutations: s.changes, Sign: replay.SignNever})
	if err != nil {
		return done, err
	}
	text, err := replay.EditText(&before.Request)
	if err != nil {
		return done, err
	}
	d, err := newDraft(text)
	if err != nil {
		return done, &failure{code: 2, text: "--edit: " + err.Error(), err: err}
	}
	text, err = d.edit(s.c.Context, s.p)
	if err != nil {
		d.remove()
		return done, err
	}
	done = func(err error) {
		if err == nil || explain(err).code != 2 {
			d.remove()
			return
		}
		s.errs.Printf("the edited text is kept; once it is right: devhook replay %s", terminal.Safe(d.path))
	}
	changes, err := replay.ParseEdit(&before.Request, text)
	s.changes = append(s.changes, changes...)
	return done, err
}

// A draft is a message in a file, for an editor.
type draft struct{ dir, path string }

// newDraft writes text into a file of its own, which only the user can read.
func newDraft(text []byte) (draft, error) {
	dir, err := os.MkdirTemp("", "devhook-*")
	if err != nil {
		return draft{}, err
	}
	d := draft{dir, filepath.Join(dir, "webhook.http")}
	if err := os.WriteFile(d.path, text, 0o600); err != nil {
		d.remove()
		return draft{}, err
	}
	return d, nil
}

func (d draft) remove() { os.RemoveAll(d.dir) }

// edit returns what the user makes of the text in his editor, to which an
// interrupt meanwhile is left.
func (d draft) edit(ctx context.Context, p *program) ([]byte, error) {
	editor := cmp.Or(p.getenv("VISUAL"), p.getenv("EDITOR"))
	if editor == "" && !terminal.IsTerminal(p.stdin) {
		return nil, &failure{code: 2, text: "--edit: there is no terminal to edit at", hint: "set EDITOR to a program that edits the file it is given"}
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt) // and not Ignore, which the editor would inherit
	defer signal.Stop(interrupts)
	cmd := editorCommand(ctx, editor, d.path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stderr, p.stderr
	if err := cmd.Run(); err != nil {
		return nil, &failure{code: 2, text: fmt.Sprintf("the editor failed, and nothing was sent: %v", err), hint: "set EDITOR to the editor of your choice", err: err}
	}
	text, err := os.ReadFile(d.path)
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = errors.New("the edited text is empty: nothing was sent")
	}
	if err != nil {
		return nil, &failure{code: 2, text: "--edit: " + err.Error(), err: err}
	}
	return text, nil
}

// editorCommand runs an editor, which may have arguments of its own.
func editorCommand(ctx context.Context, editor, path string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		words := append(editorWords(editor), path)
		return exec.CommandContext(ctx, words[0], words[1:]...)
	}
	if editor == "" {
		editor = "vi"
	}
	return exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path)
}

// editorWords parts an editor from its arguments where no shell does: it is the
// whole if there is such a program, as in C:\Program Files\Vim\gvim.exe, and else
// what is in quotes is one word.
func editorWords(editor string) []string {
	if _, err := exec.LookPath(editor); err == nil {
		return []string{editor}
	}
	var words []string
	for i, part := range strings.Split(editor, `"`) {
		switch {
		case i%2 == 0:
			words = append(words, strings.Fields(part)...)
		case part != "":
			words = append(words, part)
		}
	}
	if len(words) == 0 {
		return []string{"notepad"}
	}
	return words
}
