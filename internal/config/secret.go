package config

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"devhook/internal/similar"
	"devhook/internal/stream"
	"devhook/verify"
)

// A Resolver finds the value of a reference: env:NAME, file:PATH, "-" for a
// prompt, or the value itself. It remembers what was prompted for, and what came out of a
// pipe, as a shell's <(…) is one.
type Resolver struct {
	Getenv func(string) string
	// Prompt asks the user for a secret; nil if there is nobody to ask.
	Prompt func(label string) (string, error)

	// Files are those that were read, or are not there, in order; of them, those that can
	// be read again.
	Files []string

	once   map[string]string // what can be had once: by its label what was typed, by its name what stood in a pipe
	warned map[string]bool
	// Warn is told once of each secret that others may see; may be nil.
	Warn func(text string)
}

// Resolve returns the value of ref. label says what it is, as in "the secret
// for tiktok"; from, where the reference stands. The error never has the
// value.
func (r *Resolver) Resolve(ref, label, from string) (string, error) {
	if isBlank(ref) {
		return "", errorf("use env:NAME or file:PATH", "%s is empty", label)
	}
	var bad *Error
	if errors.As(checkRef(ref), &bad) {
		return "", bad.at(label)
	}
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case ref == "-":
		return r.prompt(label)
	case kind == "env":
		v := r.Getenv(name)
		if v == "" {
			return "", errorf(Assign(runtime.GOOS, name, "…"), "%s: the variable %s is not set or empty", label, name)
		}
		return v, nil
	case isRef(ref):
		return r.file(name, label)
	}
	if r.Warn != nil && !r.warned[label] {
		if r.warned == nil {
			r.warned = map[string]bool{}
		}
		r.warned[label] = true
		where := "stands on the command line, where ps shows it"
		if !strings.HasPrefix(from, "--") {
			where = "stands in " + from
		}
		r.Warn(fmt.Sprintf("%s %s: better env:NAME or file:PATH", label, where))
	}
	return ref, nil
}

// Assign is the command that gives a variable a value on a system; on Windows in PowerShell.
func Assign(goos, name, value string) string {
	if goos == "windows" {
		return "$env:" + name + `="` + value + `"`
	}
	return "export " + name + "=" + value
}

// isRef reports whether s refers to a variable or a file.
func isRef(s string) bool {
	kind, _, ok := strings.Cut(s, ":")
	return ok && (kind == "env" || kind == "file")
}

// checkRef refuses a reference that names nothing. A value is none.
func checkRef(ref string) error {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case !isRef(ref):
		return nil
	case kind == "file" && isBlank(name):
		return errorf("write file:PATH, as in file:secret.txt", "file: names no file")
	case kind == "file":
		return nil
	case isBlank(name):
		return errorf("write env:NAME, as in env:TIKTOK_CLIENT_SECRET", "env: names no variable")
	case strings.ContainsAny(name, "$=") || strings.ContainsFunc(name, unicode.IsSpace):
		return errorf("write env:NAME, without $ and what the variable holds", "what follows env: is not the name of a variable")
	}
	return nil
}

// readSecret returns what stands in a file, but for the end of its line, and for the mark
// of how it is encoded.
func readSecret(path, label string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		hint := "put it into " + path + ", or name another file with file:PATH"
		if errors.Is(err, fs.ErrPermission) {
			hint = "chmod u+r " + path
		}
		return "", errorf(hint, "%s: cannot read %s: %v", label, path, cause(err))
	}
	v := strings.TrimSuffix(strings.TrimSuffix(decoded(text), "\n"), "\r")
	if v == "" {
		return "", errorf("put it into "+path, "%s: the file %s is empty", label, path)
	}
	return v, nil
}

// decoded is text without its byte order mark, and as UTF-8 if it is UTF-16 by that, as
// what > of Windows PowerShell 5 writes is.
func decoded(text []byte) string {
	var order binary.ByteOrder
	switch rest := text[min(2, len(text)):]; {
	case len(rest)%2 != 0:
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		order, text = binary.LittleEndian, rest
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		order, text = binary.BigEndian, rest
	}
	if order == nil {
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return string(utf16.Decode(units))
}

// file returns the secret in a file.
func (r *Resolver) file(path, label string) (string, error) {
	if v, ok := r.once[path]; ok {
		return v, nil
	}
	info, err := os.Stat(path)
	again := err != nil || info.Mode().IsRegular()
	if again && !slices.Contains(r.Files, path) {
		r.Files = append(r.Files, path)
	}
	v, err := readSecret(path, label)
	if err == nil && !again {
		r.keep(path, v)
	}
	return v, err
}

func (r *Resolver) keep(name, v string) {
	if r.once == nil {
		r.once = map[string]string{}
	}
	r.once[name] = v
}

func (r *Resolver) prompt(label string) (string, error) {
	if v, ok := r.once[label]; ok {
		return v, nil
	}
	if r.Prompt == nil {
		return "", errorf("use env:NAME or file:PATH", "%s: there is no terminal to ask at", label)
	}
	v, err := r.Prompt(label)
	if err != nil {
		return "", &Error{Text: fmt.Sprintf("%s: %v", label, err), Err: err}
	}
	if v == "" {
		return "", errorf("", "%s is empty", label)
	}
	r.keep(label, v)
	return v, nil
}

// lookup is the catalog's, with an error that names the nearest.
func (c *Config) lookup(id, where string) (verify.Provider, error) {
	p, ok := c.catalog.Lookup(id)
	if !ok {
		e := Unknown(c.catalog, id)
		return p, errorf(e.Hint, "%s: %s", where, e.Text)
	}
	return p, nil
}

// Unknown returns the error of an id that no provider of catalog has: a platform that
// sends only a stream, or a slip, of which it tells what is near.
func Unknown(catalog *verify.Catalog, id string) *Error {
	if env, _ := stream.Env(id); env != "" {
		return &Error{
			Text: id + " sends no webhooks: it is a source that devhook dials out to",
			Hint: "devhook up --source " + id + " --secret env:" + env + "; without an account, the far side is devhook emulate " + id,
		}
	}
	near, hint := catalog.Nearest(id), "devhook providers lists all"
	if meant := similar.Typo(id, near); meant != "" {
		hint = "write " + meant + "; " + hint
	}
	return &Error{Text: fmt.Sprintf("unknown provider %s (near: %s)", quoted(id), strings.Join(near, ", ")), Hint: hint}
}

// settleProviders finds the references of secrets and of what else schemes
// need: flags before the providers' own variables before devhook.yaml. secrets
// are the values of --secret.
func (c *Config) settleProviders(src Source, f *file, secrets []string) error {
	c.secrets, c.with = map[string]Value{}, map[string]map[string]Value{}
	if f != nil {
		c.takeKeys(f)
	}
	c.findKeys(src.Getenv)
	named := c.Get("provider").Text()
	if named != "" {
		if _, err := c.lookup(named, c.Get("provider").From); err != nil {
			return err
		}
	}
	if err := c.readSecretFlags(secrets, named); err != nil {
		return err
	}
	return c.readWithFlags(src.Flag("with"), named)
}

// takeKeys takes what f has, whose names were checked when it was read.
func (c *Config) takeKeys(f *file) {
	for id, v := range f.secrets {
		p, _ := c.catalog.Lookup(id)
		c.secrets[p.ID] = v
	}
	for id, values := range f.with {
		p, _ := c.catalog.Lookup(id)
		for name, v := range values {
			own, _ := checkWith(p, name)
			c.setWith(p, own, v)
		}
	}
}

// findKeys takes the variables that are set.
func (c *Config) findKeys(getenv func(string) string) {
	isSet := func(name string) bool { return name != "" && getenv(name) != "" }
	of := func(name string) Value { return Value{Texts: []string{"env:" + name}, From: name, Given: true} }
	for _, p := range c.catalog.WithEnv(isSet) {
		if isSet(p.Env) {
			c.secrets[p.ID] = of(p.Env)
		}
		for _, n := range p.Needs {
			if isSet(n.Env) {
				c.setWith(p, n.Name, of(n.Env))
			}
		}
	}
}

// readSecretFlags reads --secret, whose values without an id are those of named.
func (c *Config) readSecretFlags(secrets []string, named string) error {
	given := map[string]Value{}
	for _, text := range secrets {
		if isBlank(text) {
			return emptyFlag("secret")
		}
		id, ref := c.splitID(text)
		if id = cmp.Or(id, named); id == "" {
			return errorf("write --secret tiktok=env:NAME, or add --provider tiktok", "--secret: whose secret is it?")
		}
		p, _ := c.catalog.Lookup(id)
		given[p.ID] = Value{Texts: append(given[p.ID].Texts, ref), From: "--secret", Given: true}
	}
	maps.Copy(c.secrets, given)
	return nil
}

// readWithFlags reads --with, whose names without an id are those of named.
func (c *Config) readWithFlags(with []string, named string) error {
	for _, text := range with {
		if isBlank(text) {
			return emptyFlag("with")
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok || isBlank(value) {
			return errorf("write --with tiktok-shop.app_key=VALUE", "--with %s has no value", quoted(key))
		}
		id, name, ok := strings.Cut(key, ".")
		if !ok {
			id, name = named, key
		}
		if id == "" {
			return errorf("write --with tiktok-shop.app_key=VALUE, or add --provider tiktok-shop", "--with %s: for which provider?", name)
		}
		p, err := c.lookup(id, "--with")
		if err != nil {
			return err
		}
		own, err := checkWith(p, name)
		if err != nil {
			return errorf("devhook providers "+p.ID+" tells what it needs", "--with: %v", err)
		}
		c.setWith(p, own, Value{Texts: []string{value}, From: "--with", Given: true})
	}
	return nil
}

// splitID takes a known provider's id off the front of text.
func (c *Config) splitID(text string) (id, ref string) {
	if before, after, ok := strings.Cut(text, "="); ok {
		if p, known := c.catalog.Lookup(before); known {
			return p.ID, after
		}
	}
	return "", text
}

// SecretRef returns the reference of a value of --secret, without the provider's id that
// can stand before it.
func (c *Config) SecretRef(text string) string {
	_, ref := c.splitID(text)
	return ref
}

// setWith keeps a value beside the secret of p, under the name that p has for it.
func (c *Config) setWith(p verify.Provider, own string, v Value) {
	if c.with[p.ID] == nil {
		c.with[p.ID] = map[string]Value{}
	}
	c.with[p.ID][own] = v
}

// checkWith returns the name that p has for a value beside its secret.
func checkWith(p verify.Provider, name string) (string, error) {
	var names []string
	for _, n := range p.Needs {
		names = append(names, n.Name)
	}
	own := strings.ReplaceAll(name, "-", "_")
	if slices.Contains(names, own) {
		return own, nil
	}
	known := "it needs nothing beside its secret"
	if len(names) > 0 {
		known = "known: " + strings.Join(names, ", ")
	}
	return "", fmt.Errorf("%s knows no %q (%s)", p.ID, name, known)
}
