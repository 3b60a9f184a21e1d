package main

import (
	"fmt"
	"strings"
	"time"

	"devhook/internal/delivery"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"

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
		Action: func(c *cli.Context) error { return p.deliver(c) },
	}
}

// A try is one attempt of a delivery.
type try struct {
	n      int
	at     time.Duration // on the virtual clock
	done   *recorder.Exchange
	result string // delivered, duplicate, or why it counts as failed
	ok     bool
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
	policy := delivery.Of(t.provider.Retry)
	if policy.Timeout > 0 && !c.IsSet("timeout") {
		t.apps.Default.Timeout = policy.Timeout
		t.ready()
	}
	first, err := t.fresh()
	if err != nil {
		return err
	}
	if err := p.policy(c, t, policy); err != nil {
		return err
	}
	ctx, cancel := interruptible(c)
	defer cancel()
	times, answered, delivered := policy.At, 0, false
	for i := 0; i < len(times); i++ {
		req, err := t.signed(first)
		if err != nil {
			return err
		}
		one := try{n: i + 1, at: times[i]}
		if one.done, err = t.shoot(ctx, req, fmt.Sprintf("delivery %d, %s after the first", one.n, one.at)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return &failure{code: 1, text: fmt.Sprintf("interrupted in try %d of %d", one.n, len(times))}
		}
		if status(one.done) != 0 {
			answered++
		}
		one.ok, one.result = t.delivered(policy, one.done)
		if delivered {
			one.result = orDefault(map[bool]string{true: "duplicate"}[one.ok], one.result)
		}
		if err := p.tried(c, t, one); err != nil {
			return err
		}
		if !one.ok {
			continue
		}
		if delivered || !c.Bool("duplicate") {
			return p.delivered(c, t, one.n, true, delivered)
		}
		delivered = true
		times = append(times[:i+1:i+1], one.at)
	}
	if err := p.delivered(c, t, len(times), delivered, false); err != nil {
		return err
	}
	switch {
	case answered == 0:
		return &failure{code: 4, text: fmt.Sprintf("the app did not answer in %d tries", len(times)), hint: "start the app, or name another with --to"}
	case delivered:
		return &failure{code: 1, text: "the duplicate was not answered as " + t.provider.ID + " wants it"}
	}
	return &failure{code: 1, text: fmt.Sprintf("%s gives up after %d %s", t.provider.ID, len(times), map[bool]string{true: "try", false: "tries"}[len(times) == 1])}
}

// fresh returns the webhook as a delivery that there was not before.
func (t *trying) fresh() (recorder.Request, error) {
	ex, err := replay.Plan{Source: t.ex, Origin: t.origin, Sign: replay.SignAlways, FreshID: true}.Build(replay.Keys(t.provider, t.keys), t.p.now())
	if err != nil {
		return recorder.Request{}, err
	}
	return ex.Request, nil
}

// delivered says whether the provider is content with what became of a try, and
// else why not.
func (t *trying) delivered(policy delivery.Policy, done *recorder.Exchange) (ok bool, result string) {
	n := status(done)
	if n == 0 {
		return false, orDefault(done.Detail, string(done.Outcome))
	}
	if !policy.Delivered(n) {
		return false, fmt.Sprintf("%d is a failure for %s", n, t.provider.ID)
	}
	if t.provider.Reads() {
		body := done.Response.Body.Bytes
		if done.Response.Body.Sum != "" {
			body = nil // so long an answer is none that it understands
		}
		if why := t.provider.Misunderstood(body); why != "" {
			return false, "the answer is not understood: " + why
		}
	}
	return true, "delivered"
}

// policy says what is known of the provider.
func (p *program) policy(c *cli.Context, t *trying, policy delivery.Policy) error {
	if c.Bool("json") {
		return p.line(struct {
			V         int                `json:"v"`
			Type      string             `json:"type"`
			Provider  string             `json:"provider"`
			Certainty delivery.Certainty `json:"certainty"`
			Tries     int                `json:"tries"`
			Lasts     int64              `json:"lasts_ns"`
			Timeout   int64              `json:"timeout_ns,omitempty"`
			About     string             `json:"about,omitempty"`
		}{1, "policy", t.provider.ID, policy.Certainty, len(policy.At), int64(policy.At[len(policy.At)-1]), int64(policy.Timeout), policy.About})
	}
	var said []string
	switch {
	case policy.Certainty == delivery.Unknown:
		said = append(said, "nothing is documented of its retries: one try")
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
	if policy.About != "" {
		said = append(said, policy.About)
	}
	t.out.Paragraph(2, t.provider.ID+": "+terminal.Safe(strings.Join(said, "; ")))
	return wrote(t.out.Err())
}

// tried prints what became of one try.
func (p *program) tried(c *cli.Context, t *trying, one try) error {
	did := "no answer"
	n := status(one.done)
	if n != 0 {
		did = fmt.Sprint(n)
	}
	var took time.Duration
	if one.done.Response != nil {
		took = one.done.Response.Took
	}
	if c.Bool("json") {
		return p.line(struct {
			V         int    `json:"v"`
			Type      string `json:"type"`
			N         int    `json:"n"`
			At        int64  `json:"at_ns"`
			ID        string `json:"id"`
			Status    int    `json:"status,omitempty"`
			Took      int64  `json:"took_ns,omitempty"`
			Delivered bool   `json:"delivered"`
			Result    string `json:"result"`
		}{1, "try", one.n, int64(one.at), string(one.done.ID), n, int64(took), one.ok, one.result})
	}
	text := t.out.Good(one.result)
	if !one.ok {
		text = t.out.Bad(terminal.Safe(one.result))
	}
	t.out.Printf("%4d  +%-11s %-9s  %6s  %s", one.n, span(one.at), did, terminal.Took(took), text)
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

func (p *program) delivered(c *cli.Context, t *trying, tries int, ok, twice bool) error {
	if !c.Bool("json") {
		return nil
	}
	return p.line(struct {
		V         int    `json:"v"`
		Type      string `json:"type"`
		Tries     int    `json:"tries"`
		Delivered bool   `json:"delivered"`
		Duplicate bool   `json:"duplicate"`
	}{1, "end", tries, ok, twice})
}

// line prints v as a line of JSON.
func (p *program) line(v any) error {
	text, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return wrote(err)
}
