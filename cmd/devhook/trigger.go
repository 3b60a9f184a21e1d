package main

import (
	"fmt"
	"slices"
	"strings"

	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) triggerCommand() *cli.Command {
	s := &sending{p: p}
	return &cli.Command{
		Name: "trigger", Usage: "send a sample webhook, signed, without the provider", ArgsUsage: "PROVIDER/EVENT",
		Description: `Samples are those that devhook brings, and before them those of your project: the
files fixtures/PROVIDER/EVENT.json beside devhook.yaml (devhook save makes them).

  devhook trigger --list tiktok
  devhook trigger tiktok/video.publish.completed
  devhook trigger stripe/invoice.paid --set data.object.amount_due=4200
  devhook trigger github/push --header 'X-GitHub-Event: ping' --dry-run

It goes to the app of the running devhook up, or of devhook.yaml.`,
		Flags: slices.Concat(
			under("Which sample",
				&cli.BoolFlag{Name: "list", Usage: "list the samples, of one provider or of all"},
			),
			s.flags("its path is where the sample goes"),
		),
		Action: func(c *cli.Context) error { return s.report(s.trigger(c)) },
	}
}

func (s *sending) trigger(c *cli.Context) error {
	if err := s.begin(c); err != nil {
		return err
	}
	if c.Bool("list") {
		return s.listFixtures(c)
	}
	if c.NArg() != 1 {
		f := &failure{code: 2, text: fmt.Sprintf("trigger takes one PROVIDER/EVENT, not %d", c.NArg()), hint: "devhook trigger --list"}
		if _, known := verify.Lookup(c.Args().First()); known && c.NArg() == 2 {
			f.hint = "devhook trigger " + strings.Join(c.Args().Slice(), "/")
		}
		return f
	}
	if arg := c.Args().First(); (strings.HasSuffix(arg, ".json") || strings.HasSuffix(arg, ".http")) && (isThere(arg) || !strings.Contains(arg, "/")) {
		return &failure{code: 2, text: arg + " is a file, and trigger takes PROVIDER/EVENT", hint: "devhook replay " + arg + " sends it"}
	}
	id, name, _ := strings.Cut(c.Args().First(), "/")
	named := ""
	if c.IsSet("secret") || c.IsSet("with") { // which then are the provider's
		named = id
	}
	if err := s.settle(named); err != nil {
		return err
	}
	all := s.fixturesOf(id)
	sample, err := s.sample(all, id, name)
	if err != nil {
		return err
	}
	f, err := s.made(sample)
	if err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	s.ready()
	s.total = max(0, c.Int("repeat")-s.plans.skip)
	s.plans.shuffle = false // there is one
	path := s.takePath()
	return s.sendOrShow(func(yield func(*recorder.Exchange, error) bool) {
		var err error
		if s.rereads {
			sample, err = s.sample(s.fixturesOf(id), id, name)
		}
		if err == nil && (s.rereads || s.round > 0) {
			f, err = s.made(sample)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		yield(s.addressAt(f, path), nil)
	}, recorder.Trigger)
}
