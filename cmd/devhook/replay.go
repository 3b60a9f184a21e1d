package main

import (
	"iter"
	"slices"
	"strings"

	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) replayCommand() *cli.Command {
	s := &sending{p: p}
	return &cli.Command{
		Name: "replay", Usage: "send recordings again, changed and signed anew", ArgsUsage: "REF…|FILE…",
		Description: `REF is a number, an ID or a part of one, last, last~2, live or live~1. FILE, with a
/ or . in its name, is an HTTP message or exchanges in JSON; - is stdin.

  devhook replay last
  devhook replay 12 --to :4000 --set data.amount=50.00
  devhook replay --filter 'provider:tiktok status:5xx' --expect 2xx
  devhook replay 12 --header 'X-Debug: 1' --dry-run
  devhook replay last --edit --save-as refund
  devhook replay --filter since:1h --speed 10x     with the pauses of then
  devhook replay last --watch 'src/*.js' --when-ready

It goes where it went the first time, or to the app of the running devhook up.
The recording stays as it is; what is sent is recorded, too.`,
		Flags: slices.Concat(
			under("Which recordings",
				&cli.StringSliceFlag{Name: "filter", Usage: "send all recordings that a `FILTER` lets through, in their order"},
				&cli.Uint64Flag{Name: "upto", Usage: "of these, the ones up to `NUMBER` (default: all that there are now)"},
			),
			s.flags("its path goes before that of the recording"),
		),
		Action: func(c *cli.Context) error { return s.report(s.replay(c)) },
	}
}

func (s *sending) replay(c *cli.Context) error {
	if err := s.begin(c); err != nil {
		return err
	}
	words, args := c.StringSlice("filter"), c.Args().Slice()
	if err := checkChosen(words, args); err != nil {
		return err
	}
	f, err := s.p.filter(words)
	if err != nil {
		return err
	}
	s.many = len(words) > 0
	var groups [][]*recorder.Exchange // of each argument
	if s.many || slices.ContainsFunc(args, func(arg string) bool { return !isFile(arg) }) {
		err = s.p.needStore(c) // what fails must not make one
	} else {
		groups, err = s.readEach(args, nil)
	}
	if err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	sources := s.recordings(f)
	if s.many {
		err = s.countRecordings(f)
	} else {
		sources, err = s.arguments(args, groups)
	}
	if err != nil {
		return err
	}
	named, err := s.named(sources)
	if err != nil {
		return err
	}
	if err := s.settle(named); err != nil {
		return err
	}
	s.ready()
	return s.sendOrShow(sources, recorder.Replay)
}

// checkChosen refuses what names no recordings, or in two ways.
func checkChosen(filter, args []string) error {
	switch {
	case len(args) == 0 && len(filter) == 0:
		return &failure{code: 2, text: "replay takes a recording, a file or --filter", hint: "devhook replay last"}
	case len(args) > 0 && recorder.IsFilterWord(args[0]):
		return &failure{code: 2, text: args[0] + " is a filter, and no recording", hint: "devhook replay --filter " + quoteShell(strings.Join(args, " "))}
	case len(args) > 0 && len(filter) > 0:
		return &failure{code: 2, text: "replay takes recordings or --filter, not both"}
	case len(filter) > 0 && strings.TrimSpace(strings.Join(filter, "")) == "":
		return &failure{code: 2, text: "--filter is empty, which would send everything", hint: "if everything is meant: --filter 'path:*'"}
	}
	return nil
}

// countRecordings counts what f lets through, for the bar.
func (s *sending) countRecordings(f recorder.Filter) error {
	s.newest = s.c.Uint64("upto")
	if !s.errs.Lasts() || s.c.Bool("dry-run") {
		return nil
	}
	n, err := s.store.Count(s.upTo(f))
	s.total = max(0, n*s.c.Int("repeat")-s.plans.skip)
	return storeFailure(err)
}

// arguments gives the webhooks that args name, those of files as they are whenever it is
// asked. groups are them, if they were read already.
func (s *sending) arguments(args []string, groups [][]*recorder.Exchange) (list iter.Seq2[*recorder.Exchange, error], err error) {
	if groups == nil {
		if groups, err = s.readEach(args, nil); err != nil {
			return nil, err
		}
	}
	for i, arg := range args {
		s.refs = append(s.refs, 0)
		if !isFile(arg) {
			s.refs[i] = groups[i][0].Seq
		}
	}
	s.total = max(0, len(slices.Concat(groups...))*s.c.Int("repeat")-s.plans.skip)
	return func(yield func(*recorder.Exchange, error) bool) {
		now := groups
		if s.rereads {
			var err error
			if now, err = s.readEach(args, groups); err != nil {
				yield(nil, err)
				return
			}
		}
		for _, ex := range slices.Concat(now...) {
			if !yield(ex, nil) {
				return
			}
		}
	}, nil
}

// readEach returns the webhooks that each of args names. Of those that were read before,
// nil for none, only files are read anew. Recordings stay, also those that are called last:
// what was sent since then is one.
func (s *sending) readEach(args []string, before [][]*recorder.Exchange) ([][]*recorder.Exchange, error) {
	groups := make([][]*recorder.Exchange, len(args))
	copy(groups, before)
	for i, arg := range args {
		if before != nil && (!isFile(arg) || arg == "-") {
			continue
		}
		var err error
		if groups[i], err = s.p.read(s.store, []string{arg}, s.fill); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// recordings gives those that f lets through and that are there now: what is
// sent is recorded, and must not be sent again.
func (s *sending) recordings(f recorder.Filter) iter.Seq2[*recorder.Exchange, error] {
	return func(yield func(*recorder.Exchange, error) bool) {
		if s.store == nil {
			return
		}
		q := s.upTo(f)
		q.Arrivals = !s.expect.Compares()
		for ex, err := range s.store.Query(q) {
			if err != nil {
				err = storeFailure(err)
			}
			if !yield(ex, err) {
				return
			}
		}
	}
}

// upTo returns the query for what f lets through of what was there when it was first
// called.
func (s *sending) upTo(f recorder.Filter) recorder.Query {
	if s.newest == 0 {
		for ex, err := range s.store.Query(recorder.Query{Newest: 1}) {
			if err == nil {
				s.newest = ex.Seq
			}
		}
	}
	return recorder.Query{Filter: f, Before: s.newest + 1} // none, if there was none
}

// named returns the provider of all that is sent, if it is one and a secret
// was given, which then is its own.
func (s *sending) named(sources iter.Seq2[*recorder.Exchange, error]) (string, error) {
	if !s.c.IsSet("secret") && !s.c.IsSet("with") {
		return "", nil
	}
	var ids []string
	for ex, err := range sources {
		if err != nil {
			return "", err
		}
		id := ex.Provider
		if id == "" {
			id = ex.Request.Detect(verify.Builtin())
		}
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 1 {
		return ids[0], nil
	}
	return "", nil
}
