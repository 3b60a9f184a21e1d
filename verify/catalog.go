package verify

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"devhook/internal/similar"
)

//go:embed providers/*.yaml
var files embed.FS

// A Catalog is a set of providers. The zero value is empty; [Builtin] is the
// one that comes with this package. A Catalog does not change and is safe for
// concurrent use.
type Catalog struct {
	entries []*entry          // by id
	byName  map[string]*entry // by id and alias
	// loadAll reads all entries, once, and detector indexes them, when it is first
	// asked for; nil in the zero Catalog.
	loadAll  func()
	detector func() *detector
}

// An entry is a provider, read when it is first asked for.
type entry struct {
	id      string
	aliases []string
	src     string // the file, of one that comes with this package; else ""
	load    func() *Provider
}

// Builtin returns the providers that come with this package. Each is read from
// its file when it is first asked for; Providers and Detect ask for all.
func Builtin() *Catalog { return builtin() }

var builtin = sync.OnceValue(openBuiltin)

func openBuiltin() *Catalog {
	names, err := files.ReadDir("providers")
	if err != nil {
		panic("verify: " + err.Error()) // the files are part of the program
	}
	var entries []*entry
	for _, name := range names {
		id := strings.TrimSuffix(name.Name(), ".yaml")
		src, err := files.ReadFile("providers/" + name.Name())
		if err != nil {
			panic("verify: " + err.Error())
		}
		text := string(src)
		entries = append(entries, &entry{id: id, aliases: peekAliases(text), src: text, load: sync.OnceValue(func() *Provider {
			p, err := ParseProvider(src)
			if err != nil {
				panic("verify: " + name.Name() + ": " + err.Error()) // TestBuiltin reads all
			}
			return &p
		})})
	}
	c, err := newCatalog(entries)
	if err != nil {
		panic("verify: " + err.Error())
	}
	return c
}

// loadAll reads the files of all entries, side by side: that is most of what a
// program does when it starts.
func loadAll(entries []*entry) {
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(entries)) {
		readers.Go(func() {
			for i := next.Add(1); i <= int64(len(entries)); i = next.Add(1) {
				entries[i-1].load()
			}
		})
	}
	readers.Wait()
}

// peekAliases reads the line "aliases: [a, b]" of a built-in file, without
// reading the file as YAML, which takes a hundred times as long.
func peekAliases(src string) []string {
	_, rest, ok := strings.Cut(src, "\naliases: [")
	if !ok {
		return nil
	}
	line, _, _ := strings.Cut(rest, "]")
	aliases := strings.Split(line, ",")
	for i := range aliases {
		aliases[i] = strings.TrimSpace(aliases[i])
	}
	return aliases
}

// peekEnv reports whether a built-in file names a variable for which set returns true,
// perhaps in a text that means something else, without reading it as YAML. What has no
// name of its own has that of [defaultEnv].
func peekEnv(src string, set func(name string) bool) bool {
	for rest := src; ; {
		var ok bool
		if _, rest, ok = strings.Cut(rest, "env: "); !ok {
			return false
		}
		name := rest[:len(rest)-len(strings.TrimLeft(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"))]
		if name != "" && set(name) {
			return true
		}
	}
}

// peekKey reports whether a built-in file says where a key is, which can be a URL.
func peekKey(src string) bool { return strings.Contains(src, "\nkey:") }

func newCatalog(entries []*entry) (*Catalog, error) {
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
	c := &Catalog{entries: entries, byName: make(map[string]*entry)}
	c.loadAll = sync.OnceFunc(func() { loadAll(entries) })
	c.detector = sync.OnceValue(func() *detector {
		c.loadAll()
		return newDetector(entries)
	})
	for _, e := range entries {
		if c.byName[e.id] != nil {
			return nil, fmt.Errorf("provider %s is there twice", e.id)
		}
		c.byName[e.id] = e
	}
	for _, e := range entries {
		for _, alias := range e.aliases {
			if other := c.byName[alias]; other != nil && other != e {
				return nil, fmt.Errorf("provider %s: alias %s is taken by %s", e.id, alias, other.id)
			}
			c.byName[alias] = e
		}
	}
	return c, nil
}

// With returns a Catalog of c's providers and ps. One of ps replaces the
// provider of c with the same ID, and takes over an ID that is an alias in c.
// It is an error if one of ps has no ID or Scheme, if two have the same name,
// or if an alias is the ID of another.
func (c *Catalog) With(ps ...Provider) (*Catalog, error) {
	given := make(map[string]bool)
	for _, p := range ps {
		if p.ID == "" || p.Scheme == nil {
			return nil, errors.New("a provider lacks its ID or Scheme")
		}
		if given[p.ID] {
			return nil, fmt.Errorf("provider %s is there twice", p.ID)
		}
		given[p.ID] = true
	}
	var entries []*entry
	for _, e := range c.entries {
		if !given[e.id] {
			kept := *e
			kept.aliases = slices.DeleteFunc(slices.Clone(e.aliases), func(alias string) bool { return given[alias] })
			entries = append(entries, &kept)
		}
	}
	for _, p := range ps {
		entries = append(entries, &entry{id: p.ID, aliases: p.Aliases, load: func() *Provider { return &p }})
	}
	return newCatalog(entries)
}

// Lookup returns the provider with the ID or alias. Case does not count, and
// '_' is as good as '-'.
func (c *Catalog) Lookup(id string) (p Provider, ok bool) {
	if e := c.byName[strings.ReplaceAll(strings.ToLower(id), "_", "-")]; e != nil {
		return *e.load(), true
	}
	return Provider{}, false
}

// IDs returns the IDs of all providers, sorted.
func (c *Catalog) IDs() []string {
	ids := make([]string, len(c.entries))
	for i, e := range c.entries {
		ids[i] = e.id
	}
	return ids
}

// Load reads all providers and gets ready to detect them, which else happens when it is
// first asked for, and takes some 50 ms of a processor: for who would rather wait now.
func (c *Catalog) Load() {
	if c.detector != nil {
		c.detector()
	}
}

// Providers returns all providers, sorted by ID.
func (c *Catalog) Providers() []Provider {
	if c.loadAll != nil {
		c.loadAll()
	}
	ps := make([]Provider, len(c.entries))
	for i, e := range c.entries {
		ps[i] = *e.load()
	}
	return ps
}

// WithEnv returns the providers, sorted by ID, that a variable of the environment is
// for, their own or that of one of their needs: one for which set returns true. Only
// they are read from their files, which takes a hundredth of what all would.
func (c *Catalog) WithEnv(set func(name string) bool) []Provider {
	return c.those(func(e *entry) bool { return set(defaultEnv(e.id)) || peekEnv(e.src, set) }, func(p *Provider) bool {
		return p.Env != "" && set(p.Env) || slices.ContainsFunc(p.Needs, func(n Need) bool { return n.Env != "" && set(n.Env) })
	})
}

// Fetching returns the providers, sorted by ID, whose keys are fetched; see
// [Provider.Fetches]. Only they are read from their files.
func (c *Catalog) Fetching() []Provider {
	return c.those(func(e *entry) bool { return peekKey(e.src) }, func(p *Provider) bool { return p.Fetches() })
}

// those returns the providers for which is returns true. Of those that have a file, only
// the ones for which could returns true are read.
func (c *Catalog) those(could func(*entry) bool, is func(*Provider) bool) []Provider {
	var ps []Provider
	for _, e := range c.entries {
		if e.src != "" && !could(e) {
			continue
		}
		if p := e.load(); is(p) {
			ps = append(ps, *p)
		}
	}
	return ps
}

// Nearest returns the IDs that are most similar to one that Lookup does not
// know, the most similar first, for a message; at most eight.
func (c *Catalog) Nearest(id string) []string {
	word := strings.ReplaceAll(strings.ToLower(id), "_", "-")
	var ids []string
	for _, name := range similar.Near(word, sortedKeys(c.byName), len(c.byName)) {
		if id := c.byName[name].id; !slices.Contains(ids, id) && len(ids) < 8 {
			ids = append(ids, id)
		}
	}
	return ids
}

// Lookup is [Catalog.Lookup] of [Builtin].
func Lookup(id string) (Provider, bool) { return Builtin().Lookup(id) }

// Providers is [Catalog.Providers] of [Builtin].
func Providers() []Provider { return Builtin().Providers() }

// Nearest is [Catalog.Nearest] of [Builtin].
func Nearest(id string) []string { return Builtin().Nearest(id) }

// Detect is [Catalog.Detect] of [Builtin].
func Detect(m Message) []Provider { return Builtin().Detect(m) }
