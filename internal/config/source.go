package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"devhook/internal/loopback"
	"devhook/internal/stream"
	"devhook/internal/yamlx"
)

// A Stream is a source of events that devhook dials out to.
type Stream struct {
	Provider string
	Creator  string   // "" where the platform needs none
	URL      string   // "" is the platform's own
	Path     string   // of the app that events are posted to
	Forward  *url.URL // the app; nil is where the routes have Path go
	secret   Value    // a reference
	poll     Value    // a reference to a URL, mostly none
	from     string
}

var streamFields = yamlx.Fields[*Stream]{
	"provider": func(s *Stream, n yamlx.Node) (err error) {
		s.Provider, err = n.Word("source", stream.Names())
		return err
	},
	"creator": func(s *Stream, n yamlx.Node) (err error) {
		s.Creator, err = n.Label()
		return err
	},
	"url": func(s *Stream, n yamlx.Node) (err error) {
		if s.URL, err = n.Label(); err == nil {
			err = misplaced(n, sourceError(stream.CheckURL(s.URL)))
		}
		return err
	},
	"path": func(s *Stream, n yamlx.Node) (err error) {
		if s.Path, err = n.Label(); err == nil {
			err = misplaced(n, checkPath(s.Path))
		}
		return err
	},
	"forward": func(s *Stream, n yamlx.Node) error {
		text, err := n.Scalar()
		if err == nil {
			s.Forward, err = ParseForward(text)
		}
		return misplaced(n, err)
	},
	"secret": func(s *Stream, n yamlx.Node) error { return s.secret.refer(n) },
	"poll":   func(s *Stream, n yamlx.Node) error { return s.poll.refer(n) },
}

// refer reads a reference into v.
func (v *Value) refer(n yamlx.Node) error {
	ref, err := secretRef(n)
	*v = Value{Texts: []string{ref}, Given: true}
	return err
}

func (f *file) readSources(n yamlx.Node) error {
	seen := map[string]bool{}
	for _, item := range n.List() {
		s := Stream{from: f.from(item)}
		if err := streamFields.Read(&s, item); err != nil {
			return err
		}
		if s.Provider == "" {
			return item.Errorf("has no provider (known: %s)", strings.Join(stream.Names(), ", "))
		}
		if seen[s.String()] {
			return item.Errorf("is there twice")
		}
		seen[s.String()] = true
		if u, err := url.Parse(s.URL); err == nil && s.URL != "" && !loopback.Is(u.Host) {
			f.risk(item, "sends the secret of %s to %s", s.Provider, u.Host)
		}
		if s.Forward != nil {
			f.weigh("forward", s.Forward.String(), item)
		}
		env, _ := stream.Env(s.Provider)
		for _, v := range []*Value{&s.secret, &s.poll} {
			if v.Given {
				f.weighRef(item, v.Text(), env)
				v.Texts, v.From = []string{f.relative(v.Text())}, s.from
			}
		}
		if s.poll.Given && !isRef(s.poll.Text()) {
			f.risk(item, "takes events from a URL of its own")
		}
		f.sources = append(f.sources, s)
	}
	return nil
}

// String names the source without what is secret.
func (s Stream) String() string {
	if s.Creator != "" {
		return s.Provider + " @" + strings.TrimPrefix(s.Creator, "@")
	}
	return s.Provider
}

// Same reports whether s and o are listened to in the same way, wherever they stand.
func (s Stream) Same(o Stream) bool {
	for _, one := range []*Stream{&s, &o} {
		one.from, one.secret.From, one.poll.From = "", "", ""
	}
	return reflect.DeepEqual(s, o)
}

func checkPath(path string) error {
	if _, err := url.ParseRequestURI(path); err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, "#") {
		return errorf("write a path of your app, as in /hooks/tuniform", "%s is no path", quoted(path))
	}
	return nil
}

// sourceError is err of a source as an error of this package.
func sourceError(err error) error {
	var e *stream.Error
	if errors.As(err, &e) {
		return &Error{Text: e.Text, Hint: e.Hint, Err: err}
	}
	return err
}

// settleSources takes the sources that flags name, each with what devhook.yaml
// says of it, or else those of devhook.yaml. It returns the values of --secret
// that are not theirs.
func (c *Config) settleSources(src Source, f *file) (secrets []string, err error) {
	if f != nil {
		c.sources = slices.Clone(f.sources)
	}
	if flagged := c.Get("source").Texts; flagged != nil {
		if c.sources, err = chosen(flagged, c.sources); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"creator", "source-url", "source-path"} {
		v := c.Get(name)
		if !v.Given {
			continue
		}
		if len(c.sources) != 1 {
			return nil, errorf("name one source with --source, or write it into devhook.yaml", "--%s: which source is meant?", name)
		}
		switch one := &c.sources[0]; name {
		case "creator":
			one.Creator = v.Text()
		case "source-url":
			one.URL = v.Text()
		default:
			one.Path = v.Text()
		}
	}
	secrets = c.takeSecrets(src.Flag("secret"))
	for i := range c.sources {
		if err := c.sources[i].complete(src.Getenv, c.Get("source-url").Given); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// chosen are the sources that --source names, with what is known of them.
func chosen(names []string, known []Stream) (list []Stream, err error) {
	for _, name := range names {
		is := func(s Stream) bool { return s.Provider == name }
		if slices.ContainsFunc(list, is) {
			return nil, errorf("write several streams of one platform into devhook.yaml", "--source %s is there twice", name)
		}
		s := Stream{Provider: name}
		if i := slices.IndexFunc(known, is); i >= 0 {
			s = known[i]
		}
		s.from = "--source"
		list = append(list, s)
	}
	return list, nil
}

// takeSecrets gives the sources those values of --secret that are theirs, and returns the
// rest. Theirs is what has the name of one before it, and is no secret of webhooks; and what
// has no name, if it is the only one, for one --source and no --provider.
func (c *Config) takeSecrets(secrets []string) (rest []string) {
	bare := 0 // without an id
	for _, text := range secrets {
		if id, _ := c.splitID(text); id == "" {
			bare++
		}
	}
	alone := bare == 1 && len(c.Get("source").Texts) == 1 && c.Get("provider").Text() == ""
	for _, text := range secrets {
		name, ref, ok := strings.Cut(text, "=")
		i := slices.IndexFunc(c.sources, func(s Stream) bool { return ok && s.Provider == name })
		id, whole := c.splitID(text)
		switch {
		case id != "" || i < 0 && (!alone || isBlank(text)):
			rest = append(rest, text)
			continue
		case i < 0:
			i, ref = 0, whole
		}
		c.sources[i].secret = Value{Texts: []string{ref}, From: "--secret", Given: true}
	}
	return rest
}

// complete adds to s what is not said of it, and looks whether that is all. urlSaid: a
// flag has its URL.
func (s *Stream) complete(getenv func(string) string, urlSaid bool) error {
	env, _ := stream.Env(s.Provider)
	if v := s.secret; !v.Given || v.From != "--secret" && getenv(env) != "" {
		s.secret = Value{Texts: []string{"env:" + env}, From: env, Given: true}
	}
	if u := strings.ToUpper(s.Provider) + "_WS_URL"; getenv(u) != "" && !urlSaid {
		s.URL = getenv(u)
		if err := stream.CheckURL(s.URL); err != nil {
			return sourceError(err).(*Error).at(u)
		}
	}
	s.Path = cmp.Or(s.Path, "/hooks/"+s.Provider)
	if stream.NeedsCreator(s.Provider) && s.Creator == "" {
		return errorf("name it with --creator @name, or creator: in devhook.yaml", "%s: the source %s needs a creator", s.from, s.Provider)
	}
	return nil
}

// Sources returns the streams that are to be listened to.
func (c *Config) Sources() []Stream { return c.sources }

// Options returns how s is listened to, with the secrets that r finds. The
// error is an [*Error].
func (s Stream) Options(r *Resolver) (stream.Options, error) {
	env, what := stream.Env(s.Provider)
	o := stream.Options{Creator: s.Creator, URL: s.URL}
	secret, err := r.Resolve(s.secret.Text(), "the "+what+" of "+s.Provider, s.secret.From)
	var unset *Error
	if u, bad := url.Parse(s.URL); bad == nil && loopback.Is(u.Host) && s.secret.From == env && errors.As(err, &unset) {
		unset.Hint += "; devhook emulate " + s.Provider + " prints one that will do"
	}
	if err != nil {
		return o, err
	}
	o.Secret = strings.TrimSpace(secret)
	if s.poll.Given {
		poll, err := r.Resolve(s.poll.Text(), "the URL to poll of "+s.Provider, s.poll.From)
		if err != nil {
			return o, err
		}
		if err := stream.CheckPollURL(poll); err != nil {
			return o, sourceError(err).(*Error).at(s.poll.From)
		}
		o.Poll = stream.HTTPPoller{URL: poll}
	}
	return o, nil
}

// show is s as a line of `devhook config`.
func (s Stream) show() Shown {
	parts := []string{"path " + s.Path, "secret " + mask(s.secret.Texts)}
	if s.URL != "" {
		parts = append(parts, "url "+s.URL)
	}
	if s.Forward != nil {
		parts = append(parts, "forward "+s.Forward.String())
	}
	if s.poll.Given {
		parts = append(parts, "poll "+mask(s.poll.Texts))
	}
	return Shown{fmt.Sprintf("source %s", s), strings.Join(parts, ", "), s.from}
}
