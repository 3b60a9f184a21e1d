package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/attack"
	"devhook/internal/config"
	"devhook/internal/similar"
	"devhook/internal/terminal"
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
  devhook attack last --effects 'http://localhost:3000/count' --sarif attack.sarif
  devhook attack github/push --to :3000 --only twice --only twice-at-once

--effects is a URL, or a command for the shell, that prints how many webhooks the app
has acted on: only then is it seen that one was acted on twice. Try an app that may
be hurt; all that is sent is recorded. The exit code is 1 if there is a finding.`,
		Flags: tryingFlags(
			&cli.StringFlag{Name: "effects", Usage: "the `URL|COMMAND` that prints how many webhooks were acted on"},
			&cli.StringSliceFlag{Name: "only", Usage: "only the variant of that `NAME`; may be given again"},
			&cli.BoolFlag{Name: "list", Usage: "list the variants"},
			&cli.StringFlag{Name: "junit", Usage: "write the results to `FILE` in JUnit's format"},
			&cli.StringFlag{Name: "sarif", Usage: "write the findings to `FILE` in SARIF"},
		),
		Action: func(c *cli.Context) error { return p.attack(c) },
	}
}

func (p *program) attack(c *cli.Context) error {
	list, err := chosenVariants(c.StringSlice("only"))
	if err != nil {
		return err
	}
	if c.Bool("list") {
		return p.listVariants(c, list)
	}
	t, err := p.try(c, "provider")
	if err != nil {
		return err
	}
	defer t.close()
	a, err := attack.New(t.provider, t.keys, t.ex.Request, p.now())
	if err != nil {
		return &failure{code: 2, text: err.Error(), err: err}
	}
	ctx, cancel := interruptible(c)
	defer cancel()
	target := attack.Target{Now: p.now, Send: func(ctx context.Context, v attack.Variant, req recorder.Request) (attack.Answer, error) {
		done, err := t.shoot(ctx, req, "attack "+v.Name)
		if err != nil {
			return attack.Answer{}, err
		}
		answer := attack.Answer{ID: string(done.ID), Status: status(done), Detail: orDefault(done.Detail, string(done.Outcome))}
		if done.Response != nil {
			answer.Took = done.Response.Took
		}
		return answer, nil
	}}
	if text := c.String("effects"); text != "" {
		target.Effects = effects(text)
	} else if c.IsSet("effects") {
		return &failure{code: 2, text: "--effects is empty"}
	}
	heading := t.provider.ID
	if t.ex.Event != "" {
		heading += "/" + t.ex.Event
	}
	var broken error
	first := !c.Bool("json")
	results, err := a.Run(ctx, target, list, func(r attack.Result) {
		if first {
			t.out.Printf("%s", t.out.Bold(terminal.Safe(fmt.Sprintf("%-22s %-8s %-20s", heading, "should", "did"))))
			first = false
		}
		if err := p.attacked(c, t.out, r); err != nil && broken == nil {
			broken = err
			cancel()
		}
	})
	switch {
	case broken != nil:
		return broken
	case errors.Is(err, attack.ErrUnreachable):
		hint := "start the app, or name another with --to"
		if strings.Contains(err.Error(), "no answer within") { // it is there
			hint = "wait longer with --timeout, or have the app answer before it acts"
		}
		return &failure{code: 4, text: err.Error(), hint: hint, err: err}
	case ctx.Err() != nil:
		return &failure{code: 1, text: fmt.Sprintf("interrupted after %d of %d variants", len(results), len(list))}
	case err != nil:
		return err
	}
	return p.attackResult(c, t, heading, results)
}

// chosenVariants are those of the given names, or all.
func chosenVariants(names []string) ([]attack.Variant, error) {
	if len(names) == 0 {
		return attack.Variants, nil
	}
	var list []attack.Variant
	var known []string
	for _, v := range attack.Variants {
		known = append(known, v.Name)
		if slices.Contains(names, v.Name) {
			list = append(list, v)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &failure{code: 2, text: fmt.Sprintf("unknown variant %q (near: %s)", name, strings.Join(similar.Names(name, known, 3), ", ")), hint: "devhook attack --list"}
		}
	}
	return list, nil
}

func (p *program) listVariants(c *cli.Context, list []attack.Variant) error {
	out, err := p.out(c)
	if err != nil {
		return err
	}
	for _, v := range list {
		if !c.Bool("json") {
			out.Printf("%-22s %-8s %s", v.Name, v.Want, v.About)
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
		return p.attackedJSON(r)
	}
	want, did := string(r.Shot.Want), r.Said()
	text := out.Good("ok")
	switch {
	case r.Skipped != "":
		want, did, text = "-", "not sent", out.Dim(terminal.Safe(r.Skipped))
	case r.Fault != "":
		text = out.Bad("FINDING") + " " + terminal.Safe(r.Fault+": "+r.Detail)
	case r.Note != "":
		text += "  " + out.Dim(terminal.Safe(r.Note))
	}
	out.Printf("%-22s %-8s %-20s %s", r.Variant.Name, want, terminal.Safe(did), text)
	return wrote(out.Err())
}

func (p *program) attackedJSON(r attack.Result) error {
	type answer struct {
		ID     string `json:"id,omitempty"`
		Status int    `json:"status,omitempty"`
		Detail string `json:"detail,omitempty"`
		Took   int64  `json:"took_ns,omitempty"`
	}
	line := struct {
		V       int         `json:"v"`
		Type    string      `json:"type"`
		Name    string      `json:"name"`
		About   string      `json:"about"`
		Want    attack.Want `json:"want,omitempty"`
		Answers []answer    `json:"answers,omitempty"`
		Effects *int        `json:"effects,omitempty"`
		Finding string      `json:"finding,omitempty"`
		Detail  string      `json:"detail,omitempty"`
		Note    string      `json:"note,omitempty"`
		Skipped string      `json:"skipped,omitempty"`
	}{V: 1, Type: "variant", Name: r.Variant.Name, About: r.Variant.About, Want: r.Shot.Want, Finding: r.Fault, Detail: r.Detail, Note: r.Note, Skipped: r.Skipped}
	for _, a := range r.Answers {
		one := answer{ID: a.ID, Status: a.Status, Took: int64(a.Took)}
		if a.Status == 0 {
			one.Detail = a.Detail
		}
		line.Answers = append(line.Answers, one)
	}
	if r.Effects != attack.Unknown {
		line.Effects = &r.Effects
	}
	return p.line(line)
}

// attackResult prints the findings and writes the reports.
func (p *program) attackResult(c *cli.Context, t *trying, heading string, results []attack.Result) error {
	findings := attack.Findings(results)
	sent := 0
	for _, r := range results {
		if r.Skipped == "" {
			sent++
		}
	}
	handler := *t.app
	handler.User = nil
	reports := []struct {
		flag  string
		write func(io.Writer) error
	}{
		{"junit", func(w io.Writer) error { return attack.WriteJUnit(w, "devhook attack "+heading, results) }},
		{"sarif", func(w io.Writer) error { return attack.WriteSARIF(w, version, handler.String(), findings) }},
	}
	for _, r := range reports {
		if !c.IsSet(r.flag) {
			continue
		}
		var b bytes.Buffer
		if err := r.write(&b); err != nil {
			return err
		}
		if err := config.WriteFile(c.String(r.flag), b.Bytes()); err != nil {
			return wrote(err)
		}
	}
	if c.Bool("json") {
		if err := p.attackEndJSON(sent, findings); err != nil {
			return err
		}
	} else {
		t.out.Printf("")
		for _, f := range findings {
			t.out.Printf("%s  the app %s  %s", t.out.Bad(f.Fault.ID), f.Fault.Text, t.out.Dim("("+strings.Join(f.Variants, ", ")+")"))
			t.out.Paragraph(4, f.Fault.Fix)
		}
		if target := c.String("effects"); target == "" {
			t.out.Paragraph(0, t.out.Dim("Whether the app acts twice on one webhook was not looked at: --effects tells how often it acted."))
		}
		t.out.Printf("%d variants sent, %d %s", sent, len(findings), map[bool]string{true: "finding", false: "findings"}[len(findings) == 1])
		if err := wrote(t.out.Err()); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return &failure{code: 1}
	}
	return nil
}

func (p *program) attackEndJSON(sent int, findings []attack.Finding) error {
	type finding struct {
		ID       string   `json:"id"`
		Text     string   `json:"text"`
		Fix      string   `json:"fix"`
		Detail   string   `json:"detail"`
		Variants []string `json:"variants"`
	}
	end := struct {
		V        int       `json:"v"`
		Type     string    `json:"type"`
		Sent     int       `json:"sent"`
		Findings []finding `json:"findings"`
	}{1, "end", sent, []finding{}}
	for _, f := range findings {
		end.Findings = append(end.Findings, finding{f.Fault.ID, f.Fault.Text, f.Fault.Fix, f.Detail, f.Variants})
	}
	return p.line(end)
}

// effects returns what counts the effects: it asks a URL, or runs a command of the
// user's, and reads the first number of what that says.
func effects(text string) func(context.Context) (int, error) {
	ask := command
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		ask = get
	}
	return func(ctx context.Context) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		var digits []string
		for i := 0; len(digits) == 0; i++ { // a file is empty while it is being written
			said, err := ask(ctx, text)
			if err != nil {
				return 0, &failure{code: 2, text: "--effects: " + err.Error(), hint: "it has to print a number, and 0 as long as the app has not acted: cat FILE || echo 0", err: err}
			}
			digits = strings.FieldsFunc(said, func(r rune) bool { return r < '0' || r > '9' })
			if len(digits) == 0 && (i == 10 || strings.TrimSpace(said) != "") {
				return 0, &failure{code: 2, text: fmt.Sprintf("--effects: there is no number in %q", terminal.Cut(strings.TrimSpace(said), 60)), hint: "it has to print how many webhooks were acted on, as in 12"}
			}
			if len(digits) == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		n, err := strconv.Atoi(digits[0])
		if err != nil {
			return 0, &failure{code: 2, text: "--effects: " + digits[0] + " is too large a number", err: err}
		}
		return n, nil
	}
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", url, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return string(text), err
}

func command(ctx context.Context, line string) (string, error) {
	shell := []string{"sh", "-c", line}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/c", line}
	}
	text, err := exec.CommandContext(ctx, shell[0], shell[1:]...).Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) && len(failed.Stderr) > 0 {
		return "", fmt.Errorf("%s: %s (%w)", line, terminal.Cut(terminal.Safe(strings.TrimSpace(string(failed.Stderr))), 200), err)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	return string(text), nil
}
