// Package config settles what devhook is told: flags before environment before
// devhook.yaml before defaults. It hands out the very values that other
// packages take; what is done with them is left to those.
package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	// Flag returns the values that a flag was given, nil if it was not. It
	// knows each [Settings] name, and secret and with.
	Flag   func(name string) []string
	Getenv func(name string) string
	// Dir is where the search for devhook.yaml starts. File is the file to
	// read instead; it must exist then.
	Dir, File string
	// Trusted tells whether the user has trusted a file with this content;
	// nil trusts all.
	Trusted func(path string, content []byte) bool
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
	// Notes are what the user should know of it, a sentence each.
	Notes []string

	values  map[string]Value
	catalog *verify.Catalog
	secrets map[string]Value            // by provider id; references
	with    map[string]map[string]Value // by provider id and name
	routes  []route
}

// A setting is one thing that can be set.
type setting struct {
	name    string // of the flag; in devhook.yaml with _ for -
	env     string // "" if no variable sets it
	def     string // "" if there is no default
	inFile  bool   // may stand in devhook.yaml
	list    bool
	secret  bool // its value is never shown
	check   func(string) error
	choices []string
}

var settings = []setting{
	{name: "forward", inFile: true, list: true, check: func(s string) error { _, err := ParseForward(s); return err }},
	{name: "tunnel", def: "auto", inFile: true, choices: []string{"auto", "ngrok", "local"}},
	{name: "listen", def: "127.0.0.1:4050", inFile: true, check: checkListen},
	{name: "url", inFile: true},
	{name: "authtoken", env: "NGROK_AUTHTOKEN", inFile: true, secret: true},
	{name: "ngrok-connect-url", env: "DEVHOOK_NGROK_CONNECT_URL"},
	{name: "ngrok-connect-cas", env: "DEVHOOK_NGROK_CONNECT_CAS"},
	{name: "ngrok-proxy-url", secret: true},
	{name: "traffic-policy-file", inFile: true},
	{name: "pooling-enabled", inFile: true, choices: []string{"true", "false"}},
	{name: "name", inFile: true},
	{name: "description", inFile: true},
	{name: "metadata", inFile: true},
	{name: "provider", inFile: true},
	{name: "verify", def: "enforce", inFile: true, choices: modes},
	{name: "host-header", def: "rewrite", inFile: true},
	{name: "timeout", def: "30s", inFile: true, check: func(s string) error { _, err := parseTimeout(s); return err }},
	{name: "max-body", def: "256mb", inFile: true, check: func(s string) error { _, err := recorder.ParseSize(s); return err }},
	// The default will be 127.0.0.1:4040, once there is an inspector.
	{name: "inspect", def: "off", inFile: true, check: func(s string) error {
		if s == "off" {
			return nil
		}
		return checkListen(s)
	}},
	{name: "store", env: "DEVHOOK_STORE"},
	{name: "output", def: "auto", choices: []string{"auto", "lines", "json", "quiet"}},
}

// Settings returns the names of all settings, in the order in which they are
// shown.
func Settings() []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	return names
}

// IsSecret reports whether a setting's value must not be shown.
func IsSecret(name string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return s.name == name && s.secret })
}

// Load reads what src has. The error is an [*Error] or an [*UntrustedError].
func Load(src Source) (*Config, error) {
	c := &Config{values: map[string]Value{}, catalog: verify.Builtin()}
	f, err := findFile(src)
	if err != nil {
		return nil, err
	}
	if f != nil {
		c.Path = f.path
		if len(f.providers) > 0 {
			if c.catalog, err = c.catalog.With(f.providers...); err != nil {
				return nil, errorf("", "%s: providers: %v", f.path, err)
			}
		}
		if f.keeps {
			c.Notes = append(c.Notes, "keep: is read and not acted on yet: nothing is deleted")
		}
		c.routes = f.routes
	}
	for _, s := range settings {
		v, err := s.settle(src, f)
		if err != nil {
			return nil, err
		}
		c.values[s.name] = v
	}
	if err := c.settleProviders(src, f); err != nil {
		return nil, err
	}
	return c, nil
}

// settle takes the first of the sources that has s.
func (s setting) settle(src Source, f *file) (Value, error) {
	if texts := src.Flag(s.name); texts != nil {
		for _, t := range texts {
			if err := s.ok(t); err != nil {
				return Value{}, err.at("--" + s.name)
			}
		}
		return Value{Texts: texts, From: "--" + s.name, Given: true}, nil
	}
	if s.env != "" {
		if t := src.Getenv(s.env); t != "" {
			if err := s.ok(t); err != nil {
				return Value{}, err.at(s.env)
			}
			return Value{Texts: []string{t}, From: s.env, Given: true}, nil
		}
	}
	if f != nil {
		if v, ok := f.values[s.name]; ok {
			return v, nil
		}
	}
	if s.def != "" {
		return Value{Texts: []string{s.def}, From: "default"}, nil
	}
	return Value{}, nil
}

func (e *Error) at(where string) error {
	return &Error{Text: where + ": " + e.Text, Hint: e.Hint}
}

// ok checks one value.
func (s setting) ok(text string) *Error {
	if s.choices != nil && !slices.Contains(s.choices, text) {
		return &Error{Text: fmt.Sprintf("%q is none of %s", text, strings.Join(s.choices, ", "))}
	}
	if s.check != nil {
		if err := s.check(text); err != nil {
			if e, ok := err.(*Error); ok {
				return e
			}
			return &Error{Text: err.Error()}
		}
	}
	return nil
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

func parseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, errorf("write a duration as in 30s or 1m30s", "%q is not a time to wait", s)
	}
	return d, nil
}
