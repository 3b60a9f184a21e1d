package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

func (p *program) configCommand() *cli.Command {
	return &cli.Command{
		Name: "config", Usage: "print each setting and where it comes from",
		Description: "Secrets are masked; a reference to one is shown.\n\n  devhook config",
		Flags: []cli.Flag{
			configFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
			colorFlag(),
		},
		Action: p.config,
	}
}

// maxValueShown is how wide a value may make its column.
const maxValueShown = 34

func (p *program) config(c *cli.Context) error {
	out := p.out(c)
	src := config.Source{Dir: ".", File: c.String("config"), Getenv: p.getenv}
	cfg, err := config.Load(src) // showing it is safe, whoever wrote it
	if err != nil {
		return err
	}
	shown := cfg.Show()
	names, values := 0, 0
	for _, s := range shown {
		names, values = max(names, terminal.Columns(terminal.Safe(s.Name))), max(values, min(terminal.Columns(terminal.Safe(s.Value)), maxValueShown))
	}
	for _, s := range shown {
		if c.Bool("json") {
			if err := p.line(struct {
				V     int    `json:"v"`
				Name  string `json:"name"`
				Value string `json:"value"`
				From  string `json:"from"`
			}{1, s.Name, s.Value, s.From}); err != nil {
				return err
			}
			continue
		}
		out.Printf("%s  %s  %s", terminal.Pad(terminal.Safe(s.Name), names), terminal.Pad(terminal.Safe(s.Value), values), out.Dim(terminal.Safe(s.From)))
	}
	if err := wrote(out.Err()); err != nil {
		return err
	}
	if cfg.Path == "" && !c.Bool("json") {
		fmt.Fprintln(p.stderr, "there is no devhook.yaml here or above")
	}
	return nil
}

func (p *program) trustCommand() *cli.Command {
	return &cli.Command{
		Name: "trust", Usage: "trust this project's devhook.yaml", ArgsUsage: "[FILE]",
		Description: `A devhook.yaml that reads files or variables, forwards to other machines, turns
verification off, describes providers, or sets ngrok's authtoken or traffic policy is
used only once you have trusted it, and again when it has changed. Read it first.`,
		Action: p.trust,
	}
}

func (p *program) trust(c *cli.Context) error {
	src := config.Source{
		Dir: ".", File: c.Args().First(), Getenv: p.getenv,
		Trusted: func(string, []byte) bool { return false },
	}
	cfg, err := config.Load(src)
	var untrusted *config.UntrustedError
	switch {
	case errors.As(err, &untrusted):
		return p.addTrust(untrusted)
	case err != nil:
		return err
	case cfg.Path == "":
		return &failure{code: 2, text: "there is no devhook.yaml here or above", hint: "devhook trust FILE names one"}
	}
	fmt.Fprintf(p.stderr, "%s needs no trust: it does nothing that would ask for it\n", terminal.Safe(cfg.Path))
	return nil
}

func (p *program) addTrust(u *config.UntrustedError) error {
	t, err := config.UserTrust()
	if err != nil {
		return err
	}
	if err := t.Add(u.Path, u.Content); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "%s is trusted as it is now:\n", terminal.Safe(u.Path))
	for _, r := range u.Reasons {
		fmt.Fprintf(p.stderr, "  %s\n", terminal.Safe(r))
	}
	return nil
}

// askTrust asks the user, who is at a terminal.
func (p *program) askTrust(u *config.UntrustedError) error {
	fmt.Fprintf(p.stderr, "%s is new or has changed. It:\n", terminal.Safe(u.Path))
	for _, r := range u.Reasons {
		fmt.Fprintf(p.stderr, "  %s\n", terminal.Safe(r))
	}
	fmt.Fprint(p.stderr, "Trust it? [y/N] ")
	var answer string
	if f, ok := p.stdin.(*os.File); ok {
		fmt.Fscanln(f, &answer)
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return &failure{code: 2, text: u.Path + " is not trusted", hint: "read it, then: devhook trust"}
	}
	return p.addTrust(u)
}
