package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"devhook/internal/delivery"
	"devhook/internal/terminal"
	"devhook/internal/trial"

	"github.com/urfave/cli/v2"
)

func (p *program) deliverCommand() *cli.Command {
	return &cli.Command{
		Name: "deliver", Usage: "deliver a webhook as its provider does, with retries", ArgsUsage: "PROVIDER/EVENT|REF|FILE",
		Description: `Sends a webhook until the app has answered as the provider wants it, and when it
does not, as often as the provider tries: with its time limit and what it takes for
success. The clock between the tries is a virtual one, so that 72 hours take as long
as the app does; each try is signed with the present time.

  devhook deliver tiktok/video.publish.completed --to :3000
  devhook deliver last --as stripe --duplicate --json

The exit code is 1 if the provider would give up, 4 if the app never answered.`,
		Flags: tryingFlags(
			&cli.StringFlag{Name: "as", Usage: "deliver as the provider `ID` does (default: the webhook's own)"},
			&cli.BoolFlag{Name: "duplicate", Usage: "deliver it once more when it was delivered, as providers do now and then"},
		),
		Action: p.deliver,
	}
}

func (p *program) deliver(c *cli.Context) error {
	as := "as"
	if !c.IsSet("as") {
		as = "provider"
	}
	t, err := p.try(c, as)
	if err != nil {
		return err
	}
	defer t.close()
	policy := delivery.Of(t.Provider.Retry)
	if c.IsSet("timeout") {
		t.Timeout = t.apps.Default.Timeout
	}
	if err := p.policy(c, t, policy); err != nil {
		return err
	}
	ctx, cancel := interruptible(c)
	defer cancel()
	last := 0 // the status of the last answer
	d, err := t.Deliver(ctx, policy, c.Bool("duplicate"), func(one trial.Try) error {
		last = one.Tell().Status
		return p.tried(c, t, one)
	})
	if ctx.Err() != nil {
		return &failure{code: 1, text: fmt.Sprintf("interrupted in try %d of %d", d.Tries+1, len(policy.At))}
	}
	if err != nil {
		return err
	}
	if err := p.delivered(c, d); err != nil {
		return err
	}
	switch {
	case d.Delivered && (d.Duplicate || !c.Bool("duplicate")):
		return nil
	case d.Answered == 0:
		return &failure{code: 4, text: "the app did not answer in " + countOf(d.Tries, "try", "tries"), hint: "start the app, or name another with --to"}
	case d.Delivered:
		return &failure{code: 1, text: "the duplicate was not answered as " + t.Provider.ID + " wants it"}
	}
	return &failure{
		code: 1, text: fmt.Sprintf("%s gives up after %s", t.Provider.ID, countOf(d.Tries, "try", "tries")),
		hint: t.misplaced(t.Source, t.Origin, strconv.Itoa(last)),
	}
}

// policy says what is known of the provider.
func (p *program) policy(c *cli.Context, t *trying, policy delivery.Policy) error {
	if c.Bool("json") {
		return p.line(event{"policy", trial.TellPolicy(t.Provider.ID, policy)})
	}
	var said []string
	switch {
	case policy.Certainty == delivery.Unknown:
		said = append(said, "no schedule of retries is documented: one try")
	case len(policy.At) == 1:
		said = append(said, "one try, and no other")
	default:
		said = append(said, fmt.Sprintf("%d tries within %s", len(policy.At), span(policy.At[len(policy.At)-1])))
	}
	if policy.Certainty == delivery.Assumed {
		said = append(said, "when is not documented: these times are assumed")
	}
	if policy.Timeout > 0 {
		said = append(said, fmt.Sprintf("%s to answer", policy.Timeout))
	}
	if policy.Again != nil {
		said = append(said, "again only after "+strings.Join(policy.Again, ", ")+" and no answer")
	}
	if policy.Final != nil {
		said = append(said, "not again after "+strings.Join(policy.Final, ", "))
	}
	if policy.FinalHeader != "" {
		said = append(said, "not again if the answer has "+policy.FinalHeader)
	}
	if policy.RetryAfter != nil {
		said = append(said, "after "+strings.Join(policy.RetryAfter, ", ")+" as Retry-After says")
	}
	if policy.About != "" {
		said = append(said, policy.About)
	}
	t.out.Paragraph(2, t.Provider.ID+": "+terminal.Safe(strings.Join(said, "; ")))
	return wrote(t.out.Err())
}

// tried prints what became of one try.
func (p *program) tried(c *cli.Context, t *trying, one trial.Try) error {
	told := one.Tell()
	if c.Bool("json") {
		return p.line(event{"try", told})
	}
	did := "no answer"
	if told.Status != 0 {
		did = fmt.Sprint(told.Status)
	}
	text := t.out.Good(one.Result)
	if !one.OK {
		text = t.out.Bad(terminal.Safe(one.Result))
	}
	t.out.Printf("%4d  +%-11s %-9s  %6s  %s", one.N, span(one.At), did, terminal.Took(time.Duration(told.Took)), text)
	return wrote(t.out.Err())
}

// span returns a duration without the zeros at its end.
func span(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (p *program) delivered(c *cli.Context, d trial.Delivery) error {
	if !c.Bool("json") {
		return nil
	}
	return p.line(event{"end", struct {
		Tries     int  `json:"tries"`
		Delivered bool `json:"delivered"`
		Duplicate bool `json:"duplicate"`
	}{d.Tries, d.Delivered, d.Duplicate}})
}
