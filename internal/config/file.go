package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/loopback"
	"devhook/internal/yamlx"
	"devhook/verify"
)

// A file is a devhook.yaml that was read.
type file struct {
	path      string
	content   []byte
	values    map[string]Value
	secrets   map[string]Value // by provider, as it is named there
	with      map[string]map[string]Value
	routes    []route
	sources   []Stream
	register  []Registration
	providers []verify.Provider
	catalog   *verify.Catalog // with the providers
	mentions  []mention
	risks     []string // what asks for trust
}

// A mention is where a provider is named, or a value beside its secret. It is
// checked once all is read, as the providers may stand at the end.
type mention struct {
	part string // "secrets" or "with", where a provider may stand once; or ""
	id   string
	name string // "" if the provider itself is meant
	at   yamlx.Node
}

// findFile reads the devhook.yaml that src means; nil if there is none.
func findFile(src Source) (*file, error) {
	path := src.File
	if path == "" {
		var err error
		if path, err = locate(src.Dir, src.Getenv); path == "" {
			return nil, err
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, errorf("name a file that is there, or none: devhook.yaml is looked for from here upwards", "cannot read the configuration %s: %v", path, cause(err))
	}
	if short, err := filepath.Rel(resolved("."), resolvedFile(path)); err == nil && filepath.IsLocal(short) {
		path = short // as a person would name it
	}
	f, err := parseFile(path, content)
	if err != nil {
		return nil, err
	}
	if len(f.risks) > 0 && src.Trusted != nil && !src.Trusted(path, content) {
		return nil, &UntrustedError{path, content, f.risks}
	}
	return f, nil
}

func parseFile(path string, content []byte) (*file, error) {
	f := &file{path: path, content: content, values: map[string]Value{}, secrets: map[string]Value{}, with: map[string]map[string]Value{}}
	n, err := yamlx.Parse(content)
	if err == nil && !n.Empty() {
		err = fileFields.Read(f, n)
	}
	if err == nil {
		err = f.checkMentions()
	}
	if err == nil {
		err = f.checkAnswers()
	}
	return f, f.explain(err)
}

// fileFields are the keys of devhook.yaml.
var fileFields = func() yamlx.Fields[*file] {
	t := yamlx.Fields[*file]{
		"secrets":   (*file).readSecrets,
		"with":      (*file).readWith,
		"routes":    (*file).readRoutes,
		"providers": (*file).readProviders,
		"keep":      (*file).readKeep,
		"sources":   (*file).readSources,
		"register":  (*file).readRegister,
	}
	for _, s := range settings {
		if s.inFile {
			t[strings.ReplaceAll(s.name, "-", "_")] = reading(s.name)
		}
	}
	return t
}()

// from says where in the file n is.
func (f *file) from(n yamlx.Node) string {
	line, _ := n.Pos()
	return fmt.Sprintf("%s:%d", f.path, line)
}

// risk notes that n does what asks for trust.
func (f *file) risk(n yamlx.Node, format string, a ...any) {
	line, _ := n.Pos()
	f.risks = append(f.risks, fmt.Sprintf("line %d ", line)+fmt.Sprintf(format, a...))
}

func (f *file) readSetting(s setting, n yamlx.Node) error {
	items := []yamlx.Node{n}
	if s.list {
		items = n.List()
	}
	v := Value{From: f.from(n), Given: true}
	for _, item := range items {
		text, err := item.Scalar()
		if err != nil {
			return err
		}
		if !s.free && isBlank(text) {
			return misplaced(item, errEmpty)
		}
		if bad := s.ok(text); bad != nil {
			return misplaced(item, bad)
		}
		f.weigh(s.name, text, item)
		switch s.name {
		case "authtoken":
			text = f.relative(text)
		case "traffic-policy-file":
			text = f.relativePath(text)
		case "provider":
			f.mentions = append(f.mentions, mention{id: text, at: item})
		}
		v.Texts = append(v.Texts, text)
	}
	if len(v.Texts) == 0 {
		return misplaced(n, &Error{Text: "has no value", Hint: errEmpty.Hint})
	}
	f.values[s.name] = v
	return nil
}

var errEmpty = &Error{Text: "is empty", Hint: "give it a value, or take the line out"}

// weigh notes what a setting risks.
func (f *file) weigh(name, text string, n yamlx.Node) {
	switch name {
	case "forward":
		if u, err := ParseForward(text); err == nil && !loopback.Dials(u.Host) {
			f.risk(n, "sends webhooks to %s", u.Host)
		}
	case "verify":
		if text == "off" {
			f.risk(n, "turns verification off")
		}
	case "listen", "inspect", "ws-mirror":
		if text != "off" && !loopback.Is(text) {
			f.risk(n, "opens a door to other machines at %s", text)
		}
	case "traffic-policy-file":
		f.risk(n, "has ngrok apply the traffic policy %s, which decides who gets in and where requests go", text)
	case "authtoken":
		if !isRef(text) && text != "-" {
			f.risk(n, "brings an authtoken: the tunnel would open in the ngrok account of whoever wrote it")
		}
		f.weighRef(n, text, "NGROK_AUTHTOKEN")
	}
}

// weighRef notes what a reference reads, but for the variables that are
// usual for what it is used for.
func (f *file) weighRef(n yamlx.Node, ref string, usual ...string) {
	kind, name, ok := strings.Cut(ref, ":")
	if ok && (kind == "file" || kind == "env" && !slices.Contains(usual, name)) {
		f.risk(n, "reads %s", ref)
	}
}

// relative has a file: reference start from where devhook.yaml is.
func (f *file) relative(ref string) string {
	if name, ok := strings.CutPrefix(ref, "file:"); ok {
		return "file:" + f.relativePath(name)
	}
	return ref
}

// relativePath has a path start from where devhook.yaml is.
func (f *file) relativePath(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.path), path)
}

// reference reads n as a reference or a value.
func reference(n yamlx.Node) (string, error) {
	ref, err := n.Scalar()
	if err != nil {
		return "", err
	}
	if isBlank(ref) {
		return "", misplaced(n, errEmpty)
	}
	return ref, misplaced(n, checkRef(ref))
}

// secretRef is reference for a secret, which a file cannot have asked for.
func secretRef(n yamlx.Node) (string, error) {
	ref, err := reference(n)
	if ref == "-" {
		err = n.Errorf("a prompt is for the command line: use env:NAME or file:PATH")
	}
	return ref, err
}

func (f *file) readSecrets(n yamlx.Node) error {
	return n.Each(func(id string, value, key yamlx.Node) error {
		f.mentions = append(f.mentions, mention{part: "secrets", id: id, at: key})
		p, _ := verify.Lookup(id)
		v := Value{From: f.from(value), Given: true}
		for _, item := range value.List() {
			ref, err := secretRef(item)
			if err != nil {
				return err
			}
			f.weighRef(item, ref, p.Env)
			v.Texts = append(v.Texts, f.relative(ref))
		}
		if len(v.Texts) == 0 {
			return value.Errorf("has no value")
		}
		f.secrets[id] = v
		return nil
	})
}

func (f *file) readWith(n yamlx.Node) error {
	return n.Each(func(id string, value, key yamlx.Node) error {
		f.mentions = append(f.mentions, mention{part: "with", id: id, at: key})
		p, _ := verify.Lookup(id)
		var usual []string
		for _, need := range p.Needs {
			usual = append(usual, need.Env)
		}
		f.with[id] = map[string]Value{}
		return value.Each(func(name string, item, key yamlx.Node) error {
			f.mentions = append(f.mentions, mention{id: id, name: name, at: key})
			text, err := reference(item)
			if err != nil {
				return err
			}
			f.weighRef(item, text, usual...)
			f.with[id][name] = Value{Texts: []string{f.relative(text)}, From: f.from(item), Given: true}
			return nil
		})
	})
}

// readProviders reads the descriptions of the user's own providers, in the
// language of the built-in ones.
func (f *file) readProviders(n yamlx.Node) (err error) {
	f.risk(n, "describes providers of its own")
	f.providers, err = verify.ParseProviders(f.content, "providers")
	return err
}

// checkMentions checks that all providers that are named are known, and has routes name
// them by their ids.
func (f *file) checkMentions() (err error) {
	f.catalog = verify.Builtin()
	if len(f.providers) > 0 {
		if f.catalog, err = f.catalog.With(f.providers...); err != nil {
			return &yamlx.Error{Field: "providers", What: err.Error()}
		}
	}
	seen := map[string]bool{}
	for _, m := range f.mentions {
		p, ok := f.catalog.Lookup(m.id)
		if !ok {
			return misplaced(m.at, Unknown(f.catalog, m.id))
		}
		if m.name != "" {
			if _, err := checkWith(p, m.name); err != nil {
				return misplaced(m.at, errorf("devhook providers "+p.ID+" tells what it needs", "%v", err))
			}
		} else if m.part != "" {
			if seen[m.part+"."+p.ID] {
				return m.at.Errorf("is there twice: it is another name for %s", p.ID)
			}
			seen[m.part+"."+p.ID] = true
		}
	}
	for i := range f.routes {
		p, _ := f.catalog.Lookup(f.routes[i].provider)
		f.routes[i].provider = p.ID
	}
	return nil
}
