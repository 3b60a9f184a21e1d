package main

import (
	"io"
	"os"
	"slices"

	"devhook/replay"

	"github.com/urfave/cli/v2"
)

// A typedChange is a change as it stands on the command line. The flags share
// one list, so that the order in which they were typed is kept.
type typedChange struct{ word, text string }

type changeFlag struct {
	word string
	list *[]typedChange
}

func (f *changeFlag) Set(text string) error {
	*f.list = append(*f.list, typedChange{f.word, text})
	return nil
}

func (f *changeFlag) String() string { return "" }

// flags are those of replay and of trigger; toPath is what the path of a --to means there.
func (s *sending) flags(toPath string) []cli.Flag {
	change := func(word, usage string) cli.Flag {
		return &cli.GenericFlag{Name: word, Usage: usage, Value: &changeFlag{word, &s.typed}}
	}
	return slices.Concat(
		under("Where to",
			&cli.StringFlag{Name: "to", Usage: "another `APP`: 3000, :3000, HOST:PORT or a URL; " + toPath},
			&cli.StringFlag{Name: "host-header", Usage: "what the app sees as Host: rewrite, preserve or a `VALUE`" + byDefault("host-header")},
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` the app may take to answer" + byDefault("timeout")},
			&cli.BoolFlag{Name: "when-ready", Usage: "wait until the app's port answers; with --watch, until the restarted app's does"},
		),
		under("What is changed",
			change("set", "change the JSON or form body at `PATH=VALUE`; every other byte stays"),
			change("set-string", "the same, and VALUE is a string whatever it looks like: `PATH=VALUE`"),
			change("unset", "take the value at `PATH` out of the JSON or form body"),
			&cli.BoolFlag{Name: "create", Usage: "let --set and --set-string add what is not there"},
			change("jq", "put what the jq `EXPR` makes of the JSON body in its place, written anew"),
			change("header", "set a header, `'NAME: VALUE'`; the same name again adds a value"),
			change("unset-header", "take the header `NAME` away"),
			change("query", "set a query parameter, `NAME=VALUE`"),
			change("method", "another `METHOD`"),
			change("path", "another `PATH`"),
			change("body", "another body, `@FILE|TEXT`; @- is stdin"),
			&cli.BoolFlag{Name: "edit", Usage: "change the message in $EDITOR"},
			change("mutate", "change what a recipe says: its `NAME`, or a file"),
			&cli.StringFlag{Name: "save-as", Usage: "keep these changes as the recipe `NAME`, for --mutate"},
			&cli.BoolFlag{Name: "dry-run", Usage: "send nothing; print the message, and what is different"},
		),
		under("How it is signed",
			&cli.StringFlag{Name: "sign", Usage: "`WHEN` to sign anew: auto (if the secret is known), always or never", Value: "auto"},
			&cli.StringFlag{Name: "at", Usage: "the `TIME` of the signature: -5m, unix seconds, RFC 3339 (default: now)"},
			&cli.BoolFlag{Name: "fresh-id", Usage: "give the delivery a new id, where the provider names deliveries"},
			&cli.BoolFlag{Name: "fresh-ids", Usage: "give all deliveries and events of the session new ids, the same for the same"},
			&cli.StringFlag{Name: "shift-time", Usage: "move all times by one span, so that the newest webhook is of now or of a `TIME`; or by a DURATION"},
			&cli.StringSliceFlag{Name: "secret", Usage: "`[ID=]REF` to a provider's secret: env:NAME, file:PATH or -"},
			&cli.StringSliceFlag{Name: "with", Usage: "what a scheme needs beside the secret, `[ID.]NAME=VALUE`"},
		),
		under("How often and how fast",
			&cli.IntFlag{Name: "repeat", Usage: "send everything `N` times", Value: 1},
			&cli.IntFlag{Name: "concurrency", Usage: "send up to `N` at once (default: 1, and 64 with a schedule)", Value: 1},
			&cli.StringFlag{Name: "speed", Usage: "keep the pauses between the recordings: 1x, `10x`, or max for none", Value: "max"},
			&cli.StringFlag{Name: "rate", Usage: "send so `MANY` in a time: 50/s, 100/m"},
			&cli.BoolFlag{Name: "shuffle", Usage: "send in another order, that of the --seed"},
			&cli.Uint64Flag{Name: "seed", Usage: "make the same choices again: the `N` of an earlier run"},
			&cli.IntFlag{Name: "skip", Usage: "leave out the first `N`, which were sent before"},
			&cli.StringSliceFlag{Name: "watch", Usage: "send again when `FILE`, a recipe or a file that is sent is saved; 'src/*.js' is all of them"},
		),
		under("What is expected",
			&cli.StringFlag{Name: "expect", Usage: "`WHAT` every answer must be: 2xx, 200, or same as it was recorded"},
			&cli.StringFlag{Name: "baseline", Usage: "compare with an earlier run, the `FILE` that --json made: exit 1 only for what regressed"},
			&cli.StringFlag{Name: "junit", Usage: "write what was as expected into `FILE`, as CI systems read it"},
		),
		[]cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print each exchange as a line of JSON"},
			configFlag(),
		},
		commonFlags(),
	)
}

// mutations reads the changes in the order in which they were typed, but for
// the body, which is what the others change.
func (s *sending) mutations() ([]replay.Mutation, error) {
	var bodies, list []replay.Mutation
	seen := map[string]bool{}
	anew := false
	for _, t := range s.typed {
		word := t.word
		switch {
		case word == "body":
			bytes, err := s.bodyBytes(t.text)
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, replay.Body(bytes))
			continue
		case word == "mutate":
			changes, err := s.recipe(t.text)
			if err != nil {
				return nil, err
			}
			anew = anew || slices.ContainsFunc(changes, replay.Rewrites)
			list = append(list, changes...)
			continue
		case s.c.Bool("create") && word == "set":
			word = "create"
		case s.c.Bool("create") && word == "set-string":
			word = "create-string"
		}
		m, err := replay.Parse(word + " " + t.text)
		if err != nil {
			return nil, err
		}
		if doubt := replay.Doubt(m); doubt != "" {
			s.errs.Warning(doubt + " (--set-string if that is meant)")
		}
		if name, ok := replay.HeaderName(m); ok && word == "header" {
			if seen[name] {
				m, _ = replay.Parse("add-header " + t.text)
			}
			seen[name] = true
		}
		anew = anew || replay.Rewrites(m)
		list = append(list, m)
	}
	if anew {
		s.errs.Warning("jq writes the whole body anew: white space, order and the spelling of values may change")
	}
	return append(bodies, list...), nil
}

func (s *sending) bodyBytes(text string) ([]byte, error) {
	switch {
	case text == "@-":
		return io.ReadAll(s.p.typed())
	case len(text) > 0 && text[0] == '@':
		b, err := os.ReadFile(text[1:])
		if err != nil {
			return nil, &failure{code: 2, text: "--body: " + err.Error(), err: err}
		}
		return b, nil
	}
	return []byte(text), nil
}
