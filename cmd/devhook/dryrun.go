package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
)

// dryRun prints what would be sent, and in what it differs from its source.
func (s *sending) dryRun(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	none := true
	for src, err := range sources {
		if err != nil {
			return err
		}
		none = false
		plan, err := s.plan(src, origin)
		if err != nil {
			return err
		}
		ex, err := s.gateway.Plan(plan)
		if err != nil {
			return err
		}
		s.warnUnsigned(ex, plan)
		if s.c.Bool("json") {
			if err := s.p.printJSON(s.store, ex); err != nil {
				return storeFailure(err)
			}
			continue
		}
		if err := s.p.printMessage(s.store, ex); err != nil {
			return storeFailure(err)
		}
		before := src.Request
		if before.Body.Sum != "" && ex.Request.Body.Sum == "" {
			if before.Body.Bytes, err = s.store.ReadBody(before.Body); err != nil {
				return storeFailure(err)
			}
			before.Body.Sum = ""
		}
		s.printDiff(replay.Diff(&before, &ex.Request))
		s.errs.Printf("nothing was sent; it would go to %s", terminal.Safe(ex.Target))
	}
	if none {
		return &failure{code: 2, text: "nothing fits the filter", hint: "devhook list shows what there is"}
	}
	return nil
}

func (s *sending) printDiff(list []replay.Difference) {
	s.out.Printf("\n") // the body may end in the middle of a line
	if len(list) == 0 {
		s.out.Printf("%s", s.out.Dim("nothing is different"))
	}
	for _, d := range list {
		for _, v := range d.Old {
			s.out.Printf("%s", s.out.Bad("- "+terminal.Safe(d.What+": "+v)))
		}
		for _, v := range d.New {
			s.out.Printf("%s", s.out.Good("+ "+terminal.Safe(d.What+": "+v)))
		}
	}
}

// printMessage prints the request of ex as an HTTP message.
func (p *program) printMessage(store *recorder.Store, ex *recorder.Exchange) error {
	var w io.Writer = p.stdout
	if terminal.IsTerminal(w) {
		w = &safeWriter{w}
	}
	buf := bufio.NewWriter(w)
	if err := requestMessage(&ex.Request).write(buf, store); err != nil {
		return err
	}
	return buf.Flush()
}

// edited has the one webhook that is sent changed in the user's editor, if that
// is wanted.
func (s *sending) edited(sources iter.Seq2[*recorder.Exchange, error]) (iter.Seq2[*recorder.Exchange, error], error) {
	if !s.c.Bool("edit") {
		return sources, nil
	}
	var list []*recorder.Exchange
	for ex, err := range sources {
		if err != nil {
			return nil, err
		}
		if list = append(list, ex); len(list) > 1 {
			return nil, &failure{code: 2, text: "--edit is for one webhook, and these are several"}
		}
	}
	if len(list) == 0 {
		return sources, nil
	}
	before, err := s.gateway.Plan(replay.Plan{Source: list[0], Mutations: s.changes, Sign: replay.SignNever})
	if err != nil {
		return nil, err
	}
	text, err := replay.EditText(&before.Request)
	if err != nil {
		return nil, err
	}
	text, err = s.p.edit(s.c.Context, text)
	if err != nil {
		return nil, err
	}
	changes, err := replay.ParseEdit(&before.Request, text)
	if err != nil {
		return nil, err
	}
	s.changes = append(s.changes, changes...)
	return sources, nil
}

// edit returns what the user makes of text in his editor.
func (p *program) edit(ctx context.Context, text []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "devhook-*")
	if err != nil {
		return nil, &failure{code: 2, text: "--edit: " + err.Error(), err: err}
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "webhook.http")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, &failure{code: 2, text: "--edit: " + err.Error(), err: err}
	}
	editor := p.getenv("VISUAL")
	if editor == "" {
		editor = p.getenv("EDITOR")
	}
	if editor == "" && !terminal.IsTerminal(p.stdin) {
		return nil, &failure{code: 2, text: "--edit: there is no terminal to edit at", hint: "set EDITOR to a program that edits the file it is given"}
	}
	cmd := editorCommand(ctx, editor, path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stderr, p.stderr
	if err := cmd.Run(); err != nil {
		return nil, &failure{code: 2, text: fmt.Sprintf("the editor failed, and nothing was sent: %v", err), hint: "set EDITOR to the editor of your choice", err: err}
	}
	text, err = os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) == 0 {
		return nil, &failure{code: 2, text: "the edited text is empty: nothing was sent"}
	}
	if err != nil {
		return nil, &failure{code: 2, text: "--edit: " + err.Error(), err: err}
	}
	return text, nil
}

// editorCommand runs an editor, which may have arguments of its own.
func editorCommand(ctx context.Context, editor, path string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(editor), path)
		if editor == "" {
			words = []string{"notepad", path}
		}
		return exec.CommandContext(ctx, words[0], words[1:]...)
	}
	if editor == "" {
		editor = "vi"
	}
	return exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path)
}
