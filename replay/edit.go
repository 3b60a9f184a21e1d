package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"devhook/recorder"
)

// ErrNotText means that a body cannot be edited as text.
var ErrNotText = errors.New("the body is not text")

// notEdited are headers that follow from the rest.
var notEdited = []string{"Content-Length", "Transfer-Encoding", "Connection"}

// EditText returns req as a text to edit: an HTTP message, whose head has LF
// at the ends of its lines. The error wraps [ErrNotText] for a body that an
// editor would spoil, and for one that is not in memory.
func EditText(req *recorder.Request) ([]byte, error) {
	if req.Body.Sum != "" {
		return nil, &Error{Text: "a body of more than 32 MiB cannot be edited", Hint: "put another in its place with --body @FILE", Err: ErrNotText}
	}
	if !isText(req.Body.Bytes) {
		return nil, &Error{Text: "a binary body cannot be edited", Hint: "put another in its place with --body @FILE", Err: ErrNotText}
	}
	var b bytes.Buffer
	_, target := recorder.SplitURL(req.URL)
	fmt.Fprintf(&b, "%s %s HTTP/1.1\n", req.Method, target)
	for _, name := range slices.Sorted(maps.Keys(req.Headers)) {
		if slices.Contains(notEdited, name) {
			continue
		}
		for _, v := range req.Headers[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteByte('\n')
	b.Write(req.Body.Bytes)
	return b.Bytes(), nil
}

// ParseEdit returns the mutations that make of req what edited says, where
// edited is what became of its [EditText]. The line break that editors put at
// the end of a text is not taken for a part of the body.
func ParseEdit(req *recorder.Request, edited []byte) ([]Mutation, error) {
	list, err := recorder.Parse(edited)
	if err != nil || len(list) != 1 {
		return nil, &Error{Text: fmt.Sprintf("the edited text is no HTTP message: %v", err), Hint: "keep the first line, and the empty line before the body", Err: err}
	}
	now := &list[0].Request
	var changes []Mutation
	add := func(word, rest string) {
		m, parseErr := Parse(word + " " + rest)
		if parseErr != nil {
			err = cmp.Or(err, parseErr)
			return
		}
		changes = append(changes, m)
	}
	if now.Method != req.Method {
		add("method", now.Method)
	}
	_, oldTarget := recorder.SplitURL(req.URL)
	_, newTarget := recorder.SplitURL(now.URL)
	if newTarget != oldTarget {
		if !strings.Contains(newTarget, "?") && strings.Contains(oldTarget, "?") {
			newTarget += "?" // the query was taken away
		}
		add("path", newTarget)
	}
	before, after := editable(req.Headers), editable(now.Headers)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if slices.Equal(before[name], after[name]) {
			continue
		}
		for i, v := range after[name] {
			if i == 0 {
				add("header", name+": "+v)
			} else {
				add("add-header", name+": "+v)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[name]; !ok {
			add("unset-header", name)
		}
	}
	old, text := req.Body.Bytes, now.Body.Bytes
	if !bytes.HasSuffix(old, []byte("\n")) {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	if !bytes.Equal(old, text) {
		changes = append(changes, Body(text))
	}
	return changes, err
}

func editable(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range notEdited {
		delete(h, name)
	}
	return h
}

func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	return bytes.IndexFunc(b, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	}) < 0
}
