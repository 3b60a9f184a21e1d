package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"time"

	"devhook/internal/attack"
	"devhook/internal/terminal"
	"devhook/internal/trial"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) attackCommand() *cli.Command {
	return &cli.Command{
		Name: "attack", Usage: "try an app with right and wrong variants of a webhook", ArgsUsage: "PROVIDER/EVENT|REF|FILE",
		Description: `Sends variants of one webhook, signed and unsigned: changed, old, forged, in other
spellings, broken, twice. What a right handler does with each follows from how the
provider signs; what this one does otherwise is a finding, with what to change.

  devhook attack tiktok/video.publish.completed --to :3000
  devhook attack last --effects http://localhost:3000/count --sarif my.sarif
  devhook attack github/push --to :3000 --only twice --only twice-at-once

--effects is a URL, or a command for the shell, that prints how many webhooks the app
has acted on: only then is it seen that one was acted on twice. Try an app that may
be hurt; all that is sent is recorded. The exit code is 1 if there is a finding.`,
		Flags: tryingFlags(
			&cli.StringFlag{Name: "effects", Usage: "the `URL|COMMAND` that prints how many webhooks were acted on"},
			&cli.StringSliceFlag{Name: "only", Usage: "only the variant of that `NAME`; several with commas, or given again"},
			&cli.BoolFlag{Name: "list", Usage: "list the variants"},
			&cli.StringFlag{Name: "junit", Usage: "write the results to `FILE` in JUnit's format"},
			&cli.StringFlag{Name: "sarif", Usage: "write the findings to `FILE` in SARIF"},
		),
		Action: p.attack,
	}
}

func (p *program) attack(c *cli.Context) (err error) {
	list, err := chosenVariants(c.StringSlice("only"))
	if err != nil {
		return err
	}
	if c.Bool("list") {
		return p.listVariants(c, list)
	}
	for _, flag := range []string{"junit", "sarif"} {
		if err := checkPlace(flag, c.String(flag)); err != nil {
			return err
		}
	}
	attacked := false
	defer func() {
		if !attacked {
			err = brokenReports(c, err)
		}
	}()
	t, err := p.try(c, "provider")
	if err != nil {
		return err
	}
	defer t.close()
	ctx, cancel := interruptible(c)
	defer cancel()
	var effects func(context.Context) (int, error)
	if text := c.String("effects"); text != "" {
		effects = attack.Count(asking(text))
	} else if c.IsSet("effects") {
		return &failure{code: 2, text: "--effects is empty"}
	}
	heading := t.Provider.ID
	if t.Source.Event != "" {
		heading += "/" + t.Source.Event
	}
	var broken error
	first := !c.Bool("json")
	results, err := t.Attack(ctx, list, effects, func(r attack.Result) {
		if first {
			t.out.Printf("%s", t.out.Bold(terminal.Safe(heading)))
			t.out.Printf("%s", t.out.Dim(strings.TrimRight(attackCells("", "should", "did"), " ")))
			first = false
		}
		if err := p.attacked(c, t.out, r); err != nil && broken == nil {
			broken = err
			cancel()
		}
	})
	var counting *attack.EffectsError
	switch {
	case broken != nil:
		return broken
	case errors.As(err, new(*trial.UnreachableError)):
		f := unreachable(err)
		if strings.Contains(err.Error(), "no answer within") { // it is there
			f.hint = "wait longer with --timeout, or have the app answer before it acts"
		}
		return f
	case ctx.Err() != nil:
		return &failure{code: 1, text: fmt.Sprintf("interrupted after %d of %d variants", len(results), len(list))}
	case errors.As(err, &counting):
		return &failure{code: 2, text: "--effects: " + counting.Text, hint: counting.Hint, err: err}
	case err != nil:
		return misused(err)
	}
	attacked = true
	return p.attackResult(c, t, heading, results)
}

// chosenVariants are those of the given names, which may stand behind one flag with
// commas between them, or all.
func chosenVariants(said []string) ([]attack.Variant, error) {
	var names []string
	for _, some := range said {
		names = append(names, strings.Split(some, ",")...)
	}
	list, err := attack.Choose(names)
	if err != nil {
		return nil, &failure{code: 2, text: err.Error(), hint: "devhook attack --list", err: err}
	}
	return list, nil
}

func (p *program) listVariants(c *cli.Context, list []attack.Variant) error {
	out := p.out(c)
	for _, v := range list {
		if !c.Bool("json") {
			out.Hanging(fmt.Sprintf("%-22s %-8s ", v.Name, v.Want), 32, v.About)
			continue
		}
		if err := p.line(struct {
			V     int         `json:"v"`
			Name  string      `json:"name"`
			About string      `json:"about"`
			Want  attack.Want `json:"want"`
		}{1, v.Name, v.About, v.Want}); err != nil {
			return err
		}
	}
	return wrote(out.Err())
}

// attacked prints what became of one variant.
func (p *program) attacked(c *cli.Context, out *terminal.Terminal, r attack.Result) error {
	if c.Bool("json") {
		return p.line(event{"variant", r.Tell()})
	}
	want, did, mark, text := string(r.Shot.Want), r.Said(), out.Good("ok"), out.Dim(terminal.Safe(r.Note))
	switch {
	case r.Skipped != "":
		want, did, mark, text = "-", "not sent", "", out.Dim(terminal.Safe(r.Skipped))
	case r.Fault != "":
		mark, text = out.Bad("FINDING"), terminal.Safe(r.Fault+": "+r.Detail)
	}
	out.Beside(strings.TrimRight(attackCells(r.Variant.Name, want, terminal.Safe(did))+" "+mark, " "), text)
	return wrote(out.Err())
}

// attackCells is the beginning of a line of the table. What four requests did at once
// can be wider than its column.
func attackCells(name, want, did string) string {
	return fmt.Sprintf("%-22s %-8s %-18s", name, want, did)
}

// brokenReports writes the reports of an attack that err broke off, as those of an earlier
// one must not stand for it, and returns err, unless they cannot be written.
func brokenReports(c *cli.Context, err error) error {
	err = reportOf(c.String("junit"), "devhook attack", nil, err)
	failed := writeReport("sarif", c.String("sarif"), func(w io.Writer) error {
		return attack.WriteSARIF(w, version, nil, nil, cmp.Or(explain(err).text, "interrupted"))
	})
	return cmp.Or(failed, err)
}

// attackResult prints the findings and writes the reports.
func (p *program) attackResult(c *cli.Context, t *trying, heading string, results []attack.Result) error {
	findings, summary := attack.Findings(results), attack.Summarize(results)
	suite := "devhook attack " + heading
	handler := handlerOf(t.App, t.Source)
	reports := []struct {
		flag  string
		write func(io.Writer) error
	}{
		{"junit", func(w io.Writer) error { return reportJUnit(w, suite, checkedVariants(suite, results)) }},
		{"sarif", func(w io.Writer) error { return attack.WriteSARIF(w, version, handler, findings, "") }},
	}
	for _, r := range reports {
		if err := writeReport(r.flag, c.String(r.flag), r.write); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		if err := p.line(event{"end", summary}); err != nil {
			return err
		}
	} else {
		t.out.Printf("")
		for _, f := range findings {
			t.out.Beside(t.out.Bad(f.Fault.ID)+"  the app "+f.Fault.Text, t.out.Dim("("+strings.Join(f.Variants, ", ")+")"))
			t.out.Paragraph(4, t.out.Dim("Seen: "+terminal.Safe(f.Detail)))
			t.out.Paragraph(4, f.Fault.Fix)
		}
		if target := c.String("effects"); target == "" {
			t.out.Paragraph(0, t.out.Dim("Whether the app acts twice on one webhook was not looked at: --effects tells how often it acted."))
		}
		t.out.Printf("%s sent, %s", countOf(summary.Sent, "variant", "variants"), countOf(len(findings), "finding", "findings"))
		if err := wrote(t.out.Err()); err != nil {
			return err
		}
	}
	if len(findings) == 0 {
		if c.String("effects") != "" && !slices.ContainsFunc(results, func(r attack.Result) bool { return r.Effects > 0 }) {
			t.errs.Warning("--effects has told of none, whatever was sent: does it print what the app counts?")
		}
		return nil
	}
	if hint := t.misplaced(t.Source, t.Origin, results[0].Said()); hint != "" { // the first is right in all
		t.errs.Hint(hint)
	}
	return &failure{code: 1}
}

// checkedVariants are the entries of a report.
func checkedVariants(class string, results []attack.Result) (list []checked) {
	for _, r := range results {
		c := checked{name: r.Variant.Name, class: class, skipped: r.Skipped}
		for _, a := range r.Answers {
			c.took += a.Took
		}
		if r.Fault != "" {
			f := attack.FaultOf(r.Fault)
			c.why, c.said = f.Text+": "+r.Tell().Detail, r.Variant.About+".\n"+f.Fix
		}
		list = append(list, c)
	}
	return list
}

// handlerOf is where ex goes in the app, without what is behind the path.
func handlerOf(app *url.URL, ex *recorder.Exchange) *url.URL {
	handler, err := url.ParseRequestURI(strings.TrimRight(app.EscapedPath(), "/") + recorder.PathOf(ex.Request.URL)) // where //x is no host
	if err != nil {                                                                                                  // a path that no URL has
		handler = &url.URL{Path: app.Path}
	}
	handler.Scheme, handler.Host = app.Scheme, app.Host
	return handler
}

// asking returns what asks how many effects there were: a URL, or a command of the user's.
func asking(text string) func(context.Context) (string, error) {
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return attack.Ask(http.DefaultClient, text)
	}
	return func(ctx context.Context) (string, error) { return command(ctx, text) }
}

// command runs a line in a shell and returns what it prints, which is not much. When ctx
// ends, so does all that it has started.
func command(ctx context.Context, line string) (string, error) {
	cmd := shellCommand(ctx, line)
	ownGroup(cmd)
	cmd.Cancel = func() error {
		askGroup(cmd)
		killGroup(cmd)
		return nil
	}
	cmd.WaitDelay = time.Second // for what has left the group, and what it prints to
	var said saying
	var complaint tailBuffer
	cmd.Stdout, cmd.Stderr = &said, &complaint
	began := time.Now()
	err := cmd.Run()
	switch last := complaint.last(); {
	case said.full:
		return "", fmt.Errorf("%s: it prints more than %d bytes", line, maxSaid)
	case errors.Is(err, exec.ErrWaitDelay): // it has ended, and what it left in the background has not
		killGroup(cmd)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("%s: it has not ended after %v (%w)", line, time.Since(began).Round(time.Second), err)
	case err != nil && last != "":
		return "", fmt.Errorf("%s: %s (%w)", line, terminal.Cut(terminal.Safe(last), 200), err)
	case err != nil:
		return "", fmt.Errorf("%s: %w", line, err)
	}
	return said.text.String(), nil
}

// saying is what a command prints, up to a bound: then it takes no more, and is full.
type saying struct {
	text strings.Builder
	full bool
}

const maxSaid = 64 << 10 // bytes, as of a URL

func (s *saying) Write(b []byte) (int, error) {
	if s.text.Len()+len(b) > maxSaid {
		s.full = true
		return 0, io.ErrShortBuffer // which ends the pipe, and so the command
	}
	return s.text.Write(b)
}
