package config

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"devhook/internal/similar"
	"devhook/internal/yamlx"
	"devhook/verify"
)

// A mistake is something wrong in devhook.yaml that there is a hint for.
type mistake struct {
	error
	hint string
}

func (m *mistake) Unwrap() error { return m.error }

// misplaced gives err, if there is one, n's place, unless it has one. An
// [*Error] keeps its hint.
func misplaced(n yamlx.Node, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return &mistake{n.Errorf("%s", e.Text), e.Hint}
	}
	return n.Wrap(err)
}

// explain makes err, which is of reading f, one with the file's name, its
// place, and what to do about it.
func (f *file) explain(err error) error {
	var at *yamlx.Error
	var own *verify.ParseError
	switch {
	case errors.As(err, &at):
	case errors.As(err, &own):
		at = &yamlx.Error{Line: own.Line, Column: own.Column, Field: own.Field, What: own.What}
	default:
		return err
	}
	var m *mistake
	if !errors.As(err, &m) {
		m = &mistake{hint: hintOf(at)}
		if strings.HasPrefix(f.textAt(at.Line, at.Column), "\t") {
			m.hint = "write spaces: YAML takes no tabs here"
		}
		f.findAliases(at, m)
	}
	sep := ":"
	if at.Line == 0 {
		sep = ": "
	}
	return errorf(m.hint, "%s%s%v", f.path, sep, at)
}

// elsewhere is what other tools call a setting, and what that is here.
var elsewhere = map[string]string{
	"port": "forward: 3000, or another port of the app", "target": "forward:", "upstream": "forward:", "addr": "forward:, or listen: for devhook's own",
	"token": "authtoken:", "domain": "url:", "hostname": "url:", "subdomain": "url:",
}

// hintOf tells what to do about a name that is not known, or that stands where
// another belongs.
func hintOf(e *yamlx.Error) string {
	switch {
	case strings.HasPrefix(e.Field, "providers") && strings.Count(e.Field, ".") < 2 && strings.HasPrefix(e.What, "must be a mapping"):
		return "write each under its id, as in providers: {my-gateway: {extends: stripe}}"
	case strings.HasPrefix(e.Field, "routes[") && (strings.HasSuffix(e.Field, "].secret") || strings.HasSuffix(e.Field, "].secrets")):
		return "write secrets: {ID: env:NAME} beside routes:, with the provider's ID"
	}
	near, ok := strings.CutPrefix(e.What, "unknown field (near: ")
	if !ok {
		return ""
	}
	if path, ok := strings.CutPrefix(e.Field, "routes./"); ok {
		return "write - {path: /" + path + ", provider: ID}"
	}
	name := e.Field[strings.LastIndexByte(e.Field, '.')+1:]
	if meant := similar.Typo(name, strings.Split(strings.TrimSuffix(near, ")"), ", ")); meant != "" {
		return "write " + meant + ":"
	}
	if here, ok := elsewhere[name]; ok && name == e.Field {
		return "write " + here
	}
	if name == e.Field {
		return "devhook help up lists the settings; here they have _ for -"
	}
	return "take it out"
}

const aliasHint = "write out what it stands for; a text that begins with * goes in quotes"

// findAliases tells of an error that comes from a merge key or an alias, which
// nothing here needs. The library does not say where an alias is that has no
// anchor.
func (f *file) findAliases(e *yamlx.Error, m *mistake) {
	if name, ok := strings.CutPrefix(e.What, "not YAML: unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		e.Line, e.Column = f.findAlias(name)
	}
	here := f.textAt(e.Line, e.Column)
	switch {
	case strings.HasPrefix(here, "<<"):
		e.What, m.hint = "merge keys (<<) are not understood", "write out the settings that it stands for"
	case strings.HasPrefix(here, "*"):
		e.What, m.hint = "aliases (as *name) are not understood", aliasHint
	}
}

// findAlias returns the place of the first alias with the given name, or of
// the merge key that it belongs to; zeros if it is not found.
func (f *file) findAlias(name string) (line, column int) {
	alias := regexp.MustCompile(`(?:^|[\s\[{,:?-])((?:<<\s*:\s*)?\*` + regexp.QuoteMeta(name) + `)(?:[\s,\]}]|$)`)
	for i, text := range strings.Split(string(f.content), "\n") {
		if comment := strings.Index(" "+text, " #"); comment >= 0 {
			text = text[:comment]
		}
		if at := alias.FindStringSubmatchIndex(text); at != nil {
			return i + 1, utf8.RuneCountInString(text[:at[2]]) + 1
		}
	}
	return 0, 0
}

// textAt returns what is in the line from the column on, which is the first where an error
// has none; both count from 1.
func (f *file) textAt(line, column int) string {
	lines := strings.Split(string(f.content), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := []rune(lines[line-1])
	return string(text[min(max(column, 1)-1, len(text)):])
}
