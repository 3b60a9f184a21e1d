package main

import (
	"iter"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
)

// dryRun prints what would be sent, and in what it differs from its source.
func (s *sending) dryRun(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	none := true
	for src, err := range sources {
		if err == nil {
			none, err = false, s.showPlan(src, origin)
		}
		if err != nil {
			return err
		}
	}
	if none {
		return &failure{code: 2, text: "nothing fits the filter", hint: "devhook list shows what there is"}
	}
	return wrote(s.out.Err())
}

// showPlan is dryRun of one.
func (s *sending) showPlan(src *recorder.Exchange, origin recorder.Origin) error {
	plan, err := s.plan(src, origin, 0)
	if err != nil {
		return err
	}
	ex, lent, err := s.lend(s.c.Context, plan, true)
	if err == nil && !lent {
		ex, err = s.gateway.Plan(plan)
	}
	if err != nil {
		return err
	}
	s.warnUnsigned(ex, plan)
	s.warnEvents(ex, plan)
	if s.c.Bool("json") {
		return storeFailure(s.p.printJSON(s.store, ex))
	}
	if err := s.p.printMessage(s.store, ex); err != nil {
		return storeFailure(err)
	}
	before := src.Request
	if ex.Request.Body.Sum == "" {
		if err := s.store.LoadBody(&before.Body); err != nil {
			return storeFailure(err)
		}
	}
	s.out.Printf("\n") // the body may end in the middle of a line
	printDiff(s.out, replay.Diff(&before, &ex.Request))
	s.errs.Printf("nothing was sent; it would go to %s", terminal.Safe(ex.Target))
	return nil
}

// printDiff prints what is different, a line each.
func printDiff(out *terminal.Terminal, list []replay.Difference) {
	if len(list) == 0 {
		out.Printf("%s", out.Dim("nothing is different"))
	}
	for _, d := range list {
		for _, v := range d.Old {
			out.Printf("%s", out.Bad("- "+terminal.Safe(d.What+": "+v)))
		}
		for _, v := range d.New {
			out.Printf("%s", out.Good("+ "+terminal.Safe(d.What+": "+v)))
		}
	}
}
