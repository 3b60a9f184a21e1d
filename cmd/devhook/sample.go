package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/similar"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

// fixtures returns the user's own and then those that devhook brings, without
// what has the same name.
func (s *sending) fixtures() []fixtures.Fixture { return s.withOwn(fixtures.All()) }

// fixturesOf is fixtures, but that of those which devhook brings only the ones of a
// provider, by its id or an alias, are read.
func (s *sending) fixturesOf(id string) []fixtures.Fixture {
	if p, known := s.cfg.Catalog().Lookup(id); known {
		id = p.ID
	}
	return s.withOwn(fixtures.Of(id))
}

// withOwn puts the user's own before others, and warns of those that cannot be read.
func (s *sending) withOwn(others []fixtures.Fixture) []fixtures.Fixture {
	all, err := withOwn(s.p.fixturesDir(s.c, s.cfg), others)
	if err != nil {
		for text := range strings.SplitSeq(err.Error(), "\n") { // one of each file
			s.errs.Warning(text)
		}
	}
	return all
}

// allFixtures returns those in dir and then those that devhook brings, without
// what has the same name. The error tells of files that cannot be read.
func allFixtures(dir string) ([]fixtures.Fixture, error) { return withOwn(dir, fixtures.All()) }

// fixturesDir is where the user's own samples are: beside devhook.yaml, or
// beside the store.
func (p *program) fixturesDir(c *cli.Context, cfg *config.Config) string {
	return besideConfig(cfg, p.storeDir(c), "fixtures")
}

// besideConfig returns the directory of a name beside devhook.yaml, or, without one,
// beside the store.
func besideConfig(cfg *config.Config, store, name string) string {
	return filepath.Join(filepath.Dir(cmp.Or(cfg.Path, store)), name)
}

// fill fills f in, for the time of the signature. Each has other ids, and all follow
// from the seed.
func (s *sending) fill(f fixtures.Fixture) (fixtures.Fixture, error) {
	if !f.Template {
		return f, nil
	}
	at := s.at
	if at.IsZero() {
		at = s.p.now()
	}
	f, err := f.Fill(at, s.seed()+s.filled)
	if s.filled++; err != nil {
		return f, &failure{code: 2, text: err.Error(), err: err}
	}
	return f, nil
}

// made fills f in, for the account that the keys name.
func (s *sending) made(f fixtures.Fixture) (fixtures.Fixture, error) {
	f, err := s.fill(f)
	if p, known := s.cfg.Catalog().Lookup(f.Provider); known && err == nil {
		f, err = f.For(p, s.keys.all[p.ID])
	}
	return f, err
}

// findFixture is sample, made. all has the samples of the provider at least.
func (s *sending) findFixture(all []fixtures.Fixture, id, name string) (fixtures.Fixture, error) {
	f, err := s.sample(all, id, name)
	if err != nil {
		return f, err
	}
	return s.made(f)
}

// sample returns the sample with the given name, or else the first of an event of
// that name, not filled in: the names of some events cannot be those of files.
func (s *sending) sample(all []fixtures.Fixture, id, name string) (fixtures.Fixture, error) {
	if p, known := s.cfg.Catalog().Lookup(id); known {
		id = p.ID
	}
	own := slices.DeleteFunc(slices.Clone(all), func(f fixtures.Fixture) bool { return f.Provider != id })
	for _, is := range []func(f fixtures.Fixture) bool{
		func(f fixtures.Fixture) bool { return f.Name == name }, func(f fixtures.Fixture) bool { return f.Exchange.Event == name },
	} {
		if i := slices.IndexFunc(own, is); i >= 0 && name != "" {
			return own[i], nil
		}
	}
	return fixtures.Fixture{}, s.noSample(all, own, id, name)
}

// noSample is the failure of a name that none of own has, which are those of the provider.
func (s *sending) noSample(all, own []fixtures.Fixture, id, name string) error {
	_, known := s.cfg.Catalog().Lookup(id)
	f := &failure{code: 2, hint: "devhook trigger --list " + id}
	switch {
	case len(own) == 0 && known:
		f.text = "there is no sample of " + id
		f.hint = "devhook save last " + id + "/EVENT makes one of a recording"
	case len(own) == 0:
		f.hint = "devhook trigger --list"
		if whole := s.ofEvent(id); len(whole) > 0 && name == "" {
			f.text = fmt.Sprintf("whose %s? There is %s", id, strings.Join(whole, ", "))
			f.hint = "devhook trigger " + whole[0]
			break
		}
		if i := strings.IndexAny(id, ".:"); i > 0 && name == "" && s.has(id[:i]+"/"+id[i+1:]) { // in the spelling of others
			f.text = fmt.Sprintf("%q is not PROVIDER/EVENT", id)
			f.hint = "devhook trigger " + id[:i] + "/" + id[i+1:]
			break
		}
		ids := fixtures.Providers()
		for _, one := range all {
			ids = append(ids, one.Provider)
		}
		slices.Sort(ids)
		f.text = fmt.Sprintf("there is no sample of %q (near: %s)", id, strings.Join(similar.Near(id, slices.Compact(ids), 3), ", "))
	case name == "":
		f.text = "which event of " + id + "?"
	default:
		var names []string
		for _, one := range own {
			names = append(names, one.Name)
		}
		f.text = fmt.Sprintf("there is no sample %s/%s (near: %s)", id, name, strings.Join(similar.Near(name, names, 4), ", "))
	}
	return f
}

// has reports whether there is a sample PROVIDER/EVENT of that name.
func (s *sending) has(whole string) bool {
	id, name, _ := strings.Cut(whole, "/")
	_, err := s.sample(s.fixturesOf(id), id, name)
	return err == nil
}

// ofEvent names the samples of an event, whosever it is.
func (s *sending) ofEvent(event string) (list []string) {
	for _, f := range s.fixtures() {
		if f.Name == event || f.Exchange.Event == event {
			list = append(list, f.Provider+"/"+f.Name)
		}
	}
	return list
}

func (s *sending) listFixtures(c *cli.Context) error {
	if err := s.settle(""); err != nil {
		return err
	}
	wanted := c.Args().First()
	if c.NArg() > 1 {
		return &failure{code: 2, text: "--list takes one provider at most"}
	}
	var all []fixtures.Fixture
	if wanted == "" {
		all = s.fixtures()
	} else {
		all = s.fixturesOf(wanted)
	}
	if p, ok := s.cfg.Catalog().Lookup(wanted); ok {
		wanted = p.ID
	}
	slices.SortStableFunc(all, func(a, b fixtures.Fixture) int {
		return strings.Compare(a.Provider+"/"+a.Name, b.Provider+"/"+b.Name)
	})
	all = slices.DeleteFunc(all, func(f fixtures.Fixture) bool { return wanted != "" && f.Provider != wanted })
	longest := 0
	for _, f := range all {
		longest = max(longest, terminal.Columns(f.Provider+"/"+f.Name))
	}
	longest = s.out.Room(2+11, 0, longest) // one that is longer moves its own line only
	for _, f := range all {
		if !c.Bool("json") {
			name := terminal.Pad(terminal.Safe(f.Provider+"/"+f.Name), longest)
			s.out.Beside(name+"  "+terminal.Pad(terminal.Safe(string(f.Kind)), 11), terminal.Safe(f.Note))
			continue
		}
		if err := s.p.line(struct {
			V int `json:"v"`
			fixtures.Told
		}{1, f.Tell()}); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		_, err := s.findFixture(s.fixturesOf(wanted), wanted, "")
		return err
	}
	return wrote(s.out.Err())
}

// withOwn returns those in dir and then the others, without what has the same name.
func withOwn(dir string, others []fixtures.Fixture) ([]fixtures.Fixture, error) {
	own, err := fixtures.Load(dir)
	for _, f := range others {
		if !slices.ContainsFunc(own, func(o fixtures.Fixture) bool { return o.Provider == f.Provider && o.Name == f.Name }) {
			own = append(own, f)
		}
	}
	return own, err
}
