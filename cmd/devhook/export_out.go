package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
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
		return nil, nil, wrote(err)
	}
	w := bufio.NewWriterSize(tmp, 64<<10)
	return w, func(err error) error {
		if err == nil {
			err = wrote(errors.Join(w.Flush(), tmp.Sync()))
		}
		if err2 := tmp.Close(); err == nil {
			err = wrote(err2)
		}
		if err == nil {
			err = wrote(os.Rename(tmp.Name(), name))
		}
		if err != nil {
			os.Remove(tmp.Name())
		}
		return err
	}, nil
}

// withBodies returns ex with the bytes of bodies that are in files.
func withBodies(store *recorder.Store, ex *recorder.Exchange) (recorder.Exchange, error) {
	out := *ex
	load := func(b *recorder.Body) error {
		if b.Sum == "" {
			return nil
		}
		text, err := store.ReadBody(*b)
		*b = recorder.Body{Bytes: text}
		return err
	}
	err := load(&out.Request.Body)
	for _, r := range []**recorder.Response{&out.Response, &out.App} {
		if *r != nil && (*r).Body.Sum != "" && err == nil {
			loaded := **r
			err = load(&loaded.Body)
			*r = &loaded
		}
	}
	if err != nil {
		return out, fmt.Errorf("#%d: %w", ex.Seq, err)
	}
	return out, nil
}

// maxFrames is how many bytes of the messages of one WebSocket are exported: its first.
const maxFrames = 256 << 20

// framesOf returns the messages of the WebSocket that ex has opened.
func (e *exporting) framesOf(ex *recorder.Exchange) ([]recorder.Frame, error) {
	var list []recorder.Frame
	size := 0
	for f, err := range e.store.Frames(ex, 0) {
		if err != nil {
			e.errs.Printf("%s %s", e.errs.Warn("devhook: warning:"), terminal.Safe(err.Error()))
			e.failed = storeFailure(err)
			continue
		}
		if size += len(f.Body); size > maxFrames {
			e.errs.Printf("%s the WebSocket #%d has more than %s: its first %d messages are exported", e.errs.Warn("devhook: warning:"), ex.Seq, terminal.Size(maxFrames), len(list))
			break
		}
		if e.redactor != nil {
			clean, changed := e.redactor.Frame(*f)
			for _, c := range changed {
				e.replaced[c] = true
			}
			f = &clean
		}
		list = append(list, *f)
	}
	return list, nil
}

// bodyFile keeps a body beside the file that is written.
func (e *exporting) bodyFile(ex *recorder.Exchange, body []byte) (string, error) {
	path := fmt.Sprintf("%s.%d.body", e.c.String("o"), ex.Seq)
	if err := config.WriteFile(path, body); err != nil {
		return "", err
	}
	return filepath.Base(path), nil
}

// signAnew signs what had a right signature, or one that nobody could judge, with
// a secret that is the same for a provider in all that one store exports.
func (e *exporting) signAnew(ex *recorder.Exchange) error {
	if ex.Verdict.Status != verify.Valid && ex.Verdict.Status != verify.Unverified || ex.Provider == "" || ex.Request.Truncated {
		return nil
	}
	provider, ok := e.cfg.Catalog().Lookup(ex.Provider)
	if !ok {
		return nil
	}
	h := hmac.New(sha256.New, e.key)
	h.Write([]byte("throw-away secret of " + provider.ID))
	secret, err := provider.SecretText([]byte(base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])))
	if err != nil {
		return err
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}, With: map[string]string{}}
	command := "devhook verify --provider " + provider.ID + " --secret '" + secret + "'"
	for _, n := range provider.Needs {
		if n.Required {
			keys.With[n.Name] = "throw-away"
			command += " --with " + n.Name + "=throw-away"
		}
	}
	if _, err := provider.CheckSign(keys); err != nil {
		return err
	}
	signed, err := replay.Plan{Source: ex, Sign: replay.SignAlways}.Build(replay.Keys(provider, keys), ex.At)
	if err != nil {
		return err
	}
	ex.Request = signed.Request
	e.signed[provider.ID] = command
	return nil
}

// summary tells what was done.
func (e *exporting) summary() {
	if e.count == 0 {
		fmt.Fprintln(e.p.stderr, "no recording matches")
		return
	}
	if places := slices.Sorted(maps.Keys(e.replaced)); len(places) > 0 {
		const shown = 12
		more := ""
		if len(places) > shown {
			more = fmt.Sprintf(" and %d more", len(places)-shown)
			places = places[:shown]
		}
		e.errs.Paragraph(0, "left out or replaced: "+terminal.Safe(strings.Join(places, ", "))+more+". Look whether that is all before you share it.")
	}
	for _, id := range slices.Sorted(maps.Keys(e.signed)) {
		e.errs.Printf("signed anew, with a secret that is for nothing else: %s FILE", terminal.Safe(e.signed[id]))
	}
	for _, id := range slices.Sorted(maps.Keys(e.unsigned)) {
		e.errs.Printf("%s %s is not signed anew: %s", e.errs.Warn("devhook: warning:"), terminal.Safe(id), terminal.Safe(e.unsigned[id].Error()))
	}
	if e.frames > 0 {
		e.errs.Printf("%s the messages of %d WebSockets are not exported: --format har or ndjson has them", e.errs.Warn("devhook: warning:"), e.frames)
	}
	if name := e.c.String("o"); name != "" && name != "-" {
		e.errs.Printf("%d recordings in %s", e.count, terminal.Safe(name))
	}
}
