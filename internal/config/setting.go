package config

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"devhook/internal/similar"
	"devhook/internal/stream"
	"devhook/recorder"
)

// A setting is one thing that can be set.
type setting struct {
	name    string // of the flag; in devhook.yaml with _ for -
	env     string // "" if no variable sets it
	def     string // "" if there is no default
	inFile  bool   // may stand in devhook.yaml
	list    bool
	free    bool // may be empty
	secret  bool // its value is never shown
	check   func(string) error
	choices []string
}

var settings = []setting{
	{name: "forward", inFile: true, list: true, check: parses(ParseForward)},
	{name: "tunnel", def: "auto", inFile: true, choices: []string{"auto", "ngrok", "local"}},
	{name: "listen", def: "127.0.0.1:4050", inFile: true, check: checkListen},
	{name: "url", inFile: true, check: withoutUser("write a domain, as in https://me.ngrok.app")},
	{name: "authtoken", env: "NGROK_AUTHTOKEN", inFile: true, secret: true, check: checkRef},
	{name: "ngrok-connect-url", env: "DEVHOOK_NGROK_CONNECT_URL", check: withoutUser("write HOST:PORT")},
	{name: "ngrok-connect-cas", env: "DEVHOOK_NGROK_CONNECT_CAS"},
	{name: "ngrok-proxy-url", secret: true},
	{name: "traffic-policy-file", inFile: true},
	{name: "pooling-enabled", inFile: true, choices: []string{"true", "false"}},
	{name: "name", inFile: true, free: true},
	{name: "description", inFile: true, free: true},
	{name: "metadata", inFile: true, free: true},
	{name: "provider", inFile: true},
	{name: "verify", def: "enforce", inFile: true, choices: modes},
	{name: "host-header", def: "rewrite", inFile: true, check: checkHostHeader},
	{name: "timeout", def: "30s", inFile: true, check: parses(parseTimeout)},
	{name: "max-body", def: "256mb", inFile: true, check: checkSize},
	{name: "keep-age", def: "90d", check: orOff(parses(ParseAge))},
	{name: "keep-size", def: "10gb", check: orOff(checkSize)},
	{name: "inspect", env: "DEVHOOK_INSPECT", def: "127.0.0.1:4040", inFile: true, check: orOff(checkListen)},
	// These two stand in no file: a stranger's could let a page of his in.
	{name: "inspect-host", list: true, check: checkHostName},
	{name: "allow-to", list: true, check: checkHostName},
	{name: "source", list: true, choices: stream.Names()},
	{name: "creator"},
	{name: "source-url", check: func(s string) error { return sourceError(stream.CheckURL(s)) }},
	{name: "source-path", check: checkPath},
	{name: "ws-mirror", inFile: true, check: checkListen},
	{name: "store", env: "DEVHOOK_STORE"},
	{name: "output", def: "auto", choices: []string{"auto", "lines", "json", "quiet"}},
}

// parses checks what parse reads.
func parses[T any](parse func(string) (T, error)) func(string) error {
	return func(s string) error { _, err := parse(s); return err }
}

// orOff checks what may also be off.
func orOff(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "off" {
			return nil
		}
		return check(s)
	}
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

// settingOf returns the setting with a name; the zero setting if there is none.
func settingOf(name string) setting {
	for _, s := range settings {
		if s.name == name {
			return s
		}
	}
	return setting{}
}

// Default returns what holds of a setting that nobody has set; "" if there is
// no such setting, or nothing holds.
func Default(name string) string { return settingOf(name).def }

// Choices returns the values that a setting can have, if they are a closed list.
func Choices(name string) []string { return slices.Clone(settingOf(name).choices) }

// settle takes the first of the sources that has s.
func (s setting) settle(src Source, f *file) (Value, error) {
	if texts := src.Flag(s.name); texts != nil {
		for _, t := range texts {
			if !s.free && isBlank(t) {
				return Value{}, emptyFlag(s.name)
			}
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

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// emptyFlag refuses a flag that was given nothing, as by a variable that is
// not set: who names --provider must not get a gateway without one.
func emptyFlag(name string) error {
	return errorf("write --"+name+" VALUE, or leave it out; if the value is a shell variable, set that first", "--%s is empty", name)
}

func (e *Error) at(where string) error {
	return &Error{Text: where + ": " + e.Text, Hint: e.Hint, Err: e.Err}
}

// ok checks one value.
func (s setting) ok(text string) *Error {
	if s.choices != nil && !slices.Contains(s.choices, text) {
		e := &Error{Text: quoted(text) + " is none of " + strings.Join(s.choices, ", ")}
		if meant := similar.Typo(text, s.choices); meant != "" {
			e.Hint = "write " + meant
		}
		return e
	}
	if s.check == nil {
		return nil
	}
	err := s.check(text)
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return &Error{Text: err.Error()}
}

func parseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && d > 0 {
		return d, nil
	}
	hint := "write a duration as in 30s or 1m30s"
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n > 0 {
		hint = "write " + s + "s for seconds"
	}
	return 0, errorf(hint, "%s is not a time to wait", quoted(s))
}

// checkSize checks a number of bytes, which is more than nothing.
func checkSize(s string) error {
	const hint = "write 10mb, 500kb or a number of bytes"
	switch n, err := recorder.ParseSize(s); {
	case err != nil:
		return errorf(hint, "%s is not a size", quoted(s))
	case n == 0:
		return errorf(hint, "%s bytes would be room for nothing", quoted(s))
	}
	return nil
}

// ParseAge reads how long something is kept, as [recorder.ParseAge] does. The error is an
// [*Error].
func ParseAge(s string) (time.Duration, error) {
	age, err := recorder.ParseAge(s)
	if err != nil {
		return 0, errorf("write 90d, 12h or 2w", "%s is not an age", quoted(s))
	}
	return age, nil
}

// checkHostHeader checks what an app is to see as Host. What could end the
// line would smuggle in headers, or a request.
func checkHostHeader(s string) error {
	const hint = "write rewrite, preserve, HOST or HOST:PORT"
	switch {
	case s == "":
		return errorf(hint, "a Host cannot be empty")
	case !utf8.ValidString(s), strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }):
		return errorf(hint, "%s is not a Host: it has control characters in it", quoted(s))
	case strings.ContainsAny(s, "\r\n"):
		return errorf(hint, "%s is not a Host: it has a line break in it", quoted(s))
	case strings.ContainsFunc(s, unicode.IsSpace):
		return errorf(hint, "%s is not a Host: it has a space in it", quoted(s))
	case strings.ContainsAny(s, `/?#\@`):
		return errorf(hint, "%s is not a Host: it has more in it than a name and a port", quoted(s))
	}
	return nil
}

// checkPolicy checks that the file of a traffic policy is there, which else
// would show only once the tunnel opens.
func checkPolicy(v Value) error {
	path := v.Text()
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory")
	}
	if err == nil {
		return nil
	}
	return errorf("name a file that is there, as in --traffic-policy-file policy.yml", "%s: cannot read the traffic policy %s: %v", v.From, path, cause(err))
}

// cause returns why a file could not be read, without its path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
