package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	providers []verify.Provider
	keeps     bool
	risks     []string // what asks for trust
}

// A route as devhook.yaml has it.
type route struct {
	node     yamlx.Node
	path     string
	provider string
	forward  []*url.URL
	verify   string // "" for the general one
	timeout  time.Duration
}

var modes = []string{"enforce", "strict", "report", "off"}

// findFile reads the devhook.yaml that src means; nil if there is none.
func findFile(src Source) (*file, error) {
	path := src.File
	if path == "" {
		var err error
		if path, err = locate(src.Dir, src.Getenv); err != nil || path == "" {
			return nil, err
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, errorf("", "%v", err)
	}
	if wd, err := filepath.Rel(absolute(src.Dir), absolute(path)); err == nil && !strings.HasPrefix(wd, "..") {
		path = wd // as a person would name it
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
	var at *yamlx.Error
	var own *verify.ParseError
	if errors.As(err, &at) || errors.As(err, &own) {
		return nil, errorf("", "%s:%v", path, err)
	}
	return f, err
}

// fileFields are the keys of devhook.yaml.
var fileFields = func() yamlx.Fields[*file] {
	t := yamlx.Fields[*file]{
		"secrets":   (*file).readSecrets,
		"with":      (*file).readWith,
		"routes":    (*file).readRoutes,
		"providers": (*file).readProviders,
		"keep":      func(f *file, _ yamlx.Node) error { f.keeps = true; return nil },
		"sources": func(_ *file, n yamlx.Node) error {
			return n.Errorf("is not supported yet: this devhook listens to no streams")
		},
	}
	for _, s := range settings {
		if s.inFile {
			t[strings.ReplaceAll(s.name, "-", "_")] = func(f *file, n yamlx.Node) error { return f.readSetting(s, n) }
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
		if bad := s.ok(text); bad != nil {
			what := bad.Text
			if bad.Hint != "" {
				what += " (" + bad.Hint + ")"
			}
			return item.Errorf("%s", what)
		}
		v.Texts = append(v.Texts, text)
		f.weigh(s.name, text, item)
	}
	f.values[s.name] = v
	return nil
}

// weigh notes what a setting risks.
func (f *file) weigh(name, text string, n yamlx.Node) {
	switch name {
	case "forward":
		if u, err := ParseForward(text); err == nil && !isLoopback(u.Hostname()) {
			f.risk(n, "sends webhooks to %s", u.Host)
		}
	case "verify":
		if text == "off" {
			f.risk(n, "turns verification off")
		}
	case "listen", "inspect":
		if text != "off" && !listensHere(text) {
			f.risk(n, "opens a door to other machines at %s", text)
		}
	case "traffic-policy-file":
		if !filepath.IsLocal(text) {
			f.risk(n, "reads %s", text)
		}
	case "authtoken":
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
	if name, ok := strings.CutPrefix(ref, "file:"); ok && !filepath.IsAbs(name) {
		return "file:" + filepath.Join(filepath.Dir(f.path), name)
	}
	return ref
}

func (f *file) readSecrets(n yamlx.Node) error {
	return n.Each(func(id string, value, key yamlx.Node) error {
		v := Value{From: f.from(value), Given: true}
		for _, item := range value.List() {
			ref, err := item.Scalar()
			if err != nil {
				return err
			}
			if ref == "-" {
				return item.Errorf("a prompt is for the command line: use env:NAME or file:PATH")
			}
			v.Texts = append(v.Texts, ref)
			p, _ := verify.Lookup(id)
			f.weighRef(item, ref, p.Env)
			v.Texts[len(v.Texts)-1] = f.relative(ref)
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
		p, _ := verify.Lookup(id)
		var usual []string
		for _, need := range p.Needs {
			usual = append(usual, need.Env)
		}
		f.with[id] = map[string]Value{}
		return value.Each(func(name string, item, _ yamlx.Node) error {
			text, err := item.Scalar()
			if err != nil {
				return err
			}
			f.weighRef(item, text, usual...)
			f.with[id][name] = Value{Texts: []string{f.relative(text)}, From: f.from(item), Given: true}
			return nil
		})
	})
}

var routeFields = yamlx.Fields[*route]{
	"path": func(r *route, n yamlx.Node) (err error) {
		if r.path, err = n.Label(); err == nil && !strings.HasPrefix(r.path, "/") {
			err = n.Errorf("must start with /")
		}
		return err
	},
	"provider": func(r *route, n yamlx.Node) (err error) {
		r.provider, err = n.Label()
		return err
	},
	"forward": func(r *route, n yamlx.Node) error {
		for _, item := range n.List() {
			text, err := item.Scalar()
			if err != nil {
				return err
			}
			u, err := ParseForward(text)
			if err != nil {
				return item.Wrap(err)
			}
			r.forward = append(r.forward, u)
		}
		return nil
	},
	"verify": func(r *route, n yamlx.Node) (err error) {
		r.verify, err = n.Word("mode", modes)
		return err
	},
	"timeout": func(r *route, n yamlx.Node) (err error) {
		r.timeout, err = n.Duration()
		if err == nil && r.timeout == 0 {
			err = n.Errorf("must be more than nothing")
		}
		return err
	},
}

func (f *file) readRoutes(n yamlx.Node) error {
	seen := map[string]bool{}
	for _, item := range n.List() {
		r := route{node: item}
		if err := routeFields.Read(&r, item, "ack", "name"); err != nil {
			return err
		}
		if r.path == "" {
			return item.Errorf("has no path")
		}
		key := strings.TrimRight(r.path, "/")
		if seen[key] {
			return item.Errorf("path %s is there twice", r.path)
		}
		seen[key] = true
		for _, u := range r.forward {
			f.weigh("forward", u.String(), item)
		}
		f.weigh("verify", r.verify, item)
		f.routes = append(f.routes, r)
	}
	return nil
}

// readProviders reads the descriptions of the user's own providers, in the
// language of the built-in ones.
func (f *file) readProviders(n yamlx.Node) (err error) {
	f.risk(n, "describes providers of its own")
	f.providers, err = verify.ParseProviders(f.content, "providers")
	return err
}
