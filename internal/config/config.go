// Package config settles what devhook is told: flags before environment before
// devhook.yaml before defaults. It hands out the very values that other
// packages take; what is done with them is left to those.
package config

import (
	"fmt"

	"devhook/recorder"
	"devhook/verify"
)

// An Error is something wrong with what devhook was told.
type Error struct {
	Text string
	Hint string // what to write or do instead, "" if there is no telling
	Err  error  // may be nil
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func errorf(hint, format string, a ...any) error {
	return &Error{Text: fmt.Sprintf(format, a...), Hint: hint}
}

// A Source is where a Config is read from.
type Source struct {
	// Flag returns the values that a flag was given, nil if it was not; a nil func has none. It
	// knows each [Settings] name, and secret and with.
	Flag   func(name string) []string
	Getenv func(name string) string
	// Dir is where the search for devhook.yaml starts. File is the file to
	// read instead; it must exist then.
	Dir, File string
	// Trusted tells whether the user has trusted a file with this content;
	// nil trusts all.
	Trusted func(path string, content []byte) bool
	// Fetch gets the keys that are named by a URL; nil for none.
	Fetch verify.Fetcher
}

// A Value is one setting and where it comes from.
type Value struct {
	Texts []string // one, but for settings that are a list
	From  string   // "--forward", "NGROK_AUTHTOKEN", "devhook.yaml:3" or "default"; "" if nothing is set
	Given bool     // is no default
}

// Text returns the value of a setting that is not a list, "" if there is none.
func (v Value) Text() string {
	if len(v.Texts) == 0 {
		return ""
	}
	return v.Texts[0]
}

// A Config is what devhook is told, checked. It does not change.
type Config struct {
	// Path is the devhook.yaml that was read, "" if there is none.
	Path string

	values  map[string]Value
	catalog *verify.Catalog
	secrets map[string]Value            // by provider id; references
	with    map[string]map[string]Value // by provider id and name
	routes  []route
	sources []Stream
	fetch   verify.Fetcher

	register []Registration
}

// Load reads what src has. The error is an [*Error] or an [*UntrustedError].
func Load(src Source) (*Config, error) {
	if src.Flag == nil {
		src.Flag = func(string) []string { return nil }
	}
	c := &Config{values: map[string]Value{}, catalog: verify.Builtin(), fetch: src.Fetch}
	f, err := findFile(src)
	if err != nil {
		return nil, err
	}
	if f != nil {
		c.Path, c.catalog, c.routes, c.register = f.path, f.catalog, f.routes, f.register
	}
	for _, s := range settings {
		v, err := s.settle(src, f)
		if err != nil {
			return nil, err
		}
		c.values[s.name] = v
	}
	if err := checkPolicy(c.Get("traffic-policy-file")); err != nil {
		return nil, err
	}
	secrets, err := c.settleSources(src, f)
	if err != nil {
		return nil, err
	}
	if err := c.settleProviders(src, f, secrets); err != nil {
		return nil, err
	}
	return c, nil
}

// Get returns the setting with the given name.
func (c *Config) Get(name string) Value {
	v, ok := c.values[name]
	if !ok {
		panic("config: no setting " + name)
	}
	return v
}

// Bool returns a setting that is true or false; one that is not set is false.
func (c *Config) Bool(name string) bool { return c.Get(name).Text() == "true" }

// MaxBody returns the setting max-body in bytes.
func (c *Config) MaxBody() int64 {
	n, _ := recorder.ParseSize(c.Get("max-body").Text())
	return n
}

// Catalog returns the providers that are known, devhook.yaml's own among them.
func (c *Config) Catalog() *verify.Catalog { return c.catalog }
