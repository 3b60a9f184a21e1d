package main

import (
	"fmt"
	"slices"
	"strings"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/register"
	"devhook/internal/stream"
	"devhook/internal/terminal"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) providersCommand() *cli.Command {
	return &cli.Command{
		Name: "providers", Usage: "list the providers whose webhooks can be verified", ArgsUsage: "[ID]",
		Description: `--check tries a description of your own: that it is well formed (exit code 2 if it is
not), that what it signs it also verifies, and its vectors, which are requests with the
verdict that each must get (exit code 1 if one gets another).

  devhook providers
  devhook providers tiktok
  devhook providers --check my-gateway.yaml`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
			&cli.StringFlag{Name: "check", Usage: "try the descriptions in `FILE`: one provider, or a devhook.yaml"},
			&cli.StringFlag{Name: "vectors", Usage: "the requests to try it on, a `FILE` in JSON (default: the one beside it)"},
			colorFlag(),
		},
		Action: func(c *cli.Context) error {
			switch {
			case c.IsSet("check"):
				return p.checkProviders(c)
			case c.IsSet("vectors"):
				return &failure{code: 2, text: "--vectors is for --check", hint: "devhook providers --check FILE --vectors " + c.String("vectors")}
			}
			return p.providers(c)
		},
	}
}

func (p *program) providers(c *cli.Context) error {
	out := p.out(c)
	var list []verify.Provider
	catalog, from := verify.Builtin(), func(string) string { return "" }
	if cfg, err := config.Load(p.source(c, nil)); err == nil { // one that is wrong is no reason not to look
		catalog, from = cfg.Catalog(), cfg.SecretFrom
	}
	if id := c.Args().First(); id == "" {
		list = catalog.Providers()
	} else {
		one, ok := catalog.Lookup(id)
		if !ok {
			return unknownProvider(catalog, id)
		}
		list = []verify.Provider{one}
		if !c.Bool("json") {
			p.describeProvider(out, one, from(one.ID))
			return wrote(out.Err())
		}
	}
	idWidth, nameWidth := 0, 0
	for _, one := range list {
		idWidth, nameWidth = max(idWidth, len(one.ID)), max(nameWidth, terminal.Columns(one.Name))
	}
	if out.Lasts() { // else grep is to find the whole of it
		nameWidth = min(nameWidth, maxNameShown)
	}
	for _, one := range list {
		if c.Bool("json") {
			if err := p.line(providerJSON(one)); err != nil {
				return err
			}
			continue
		}
		mark := " "
		if from(one.ID) != "" || one.Env != "" && p.getenv(one.Env) != "" {
			mark = "*"
		}
		width := out.Room(2+idWidth+2+2+len(one.Env), 8, nameWidth)
		out.Printf("%s %-*s  %s  %s", mark, idWidth, one.ID, terminal.Pad(terminal.Cut(one.Name, width), width), out.Dim(one.Env))
	}
	if err := wrote(out.Err()); err != nil {
		return err
	}
	if !c.Bool("json") {
		errs := p.errs(c)
		errs.Paragraph(0, "* its secret is in the environment, or devhook.yaml names it; devhook providers ID tells more")
		errs.Paragraph(0, "Streams are no webhooks: devhook up --source "+strings.Join(stream.Names(), ", or --source ")+" dials out to them")
	}
	return nil
}

// maxNameShown is how much of a name a list shows, so that 80 columns hold it.
const maxNameShown = 28

func providerJSON(one verify.Provider) any {
	return struct {
		V         int           `json:"v"`
		ID        string        `json:"id"`
		Name      string        `json:"name"`
		Aliases   []string      `json:"aliases,omitempty"`
		Docs      string        `json:"docs,omitempty"`
		Env       string        `json:"env,omitempty"`
		With      []verify.Need `json:"with,omitempty"`
		Summary   string        `json:"summary,omitempty"`
		Dashboard []string      `json:"dashboard,omitempty"`
		Notes     []string      `json:"notes,omitempty"`
	}{1, one.ID, one.Name, one.Aliases, one.Docs, one.Env, one.Needs, one.Summary, one.Dashboard, one.Notes}
}

// describeProvider tells all of a provider, of whose secret from says where it is, "" if it
// is not known.
func (p *program) describeProvider(out *terminal.Terminal, one verify.Provider, from string) {
	out.Printf("%s  %s", out.Bold(one.Name), one.ID)
	row := func(name, text string) {
		if text != "" {
			out.Row(name, text)
		}
	}
	row("also", strings.Join(one.Aliases, ", "))
	row("signature", one.Summary)
	row("docs", one.Docs)
	set := func(env string) string {
		switch {
		case env == "":
			return ""
		case p.getenv(env) != "":
			return env + " (set)"
		}
		return env + " (not set)"
	}
	secret := set(one.Env)
	if from != "" && from != one.Env {
		secret = from + " names it, in the place of " + one.Env
	}
	row("secret", strings.TrimSpace(one.SecretName+"  "+secret))
	row("", one.SecretAt)
	for _, n := range one.Needs {
		need := "optional"
		if n.Required {
			need = "needed"
		}
		row("with", fmt.Sprintf("%s  %s, %s: --with %s.%s=VALUE", n.Name, need, set(n.Env), one.ID, n.Name))
		row("", n.About)
	}
	if len(one.Dashboard) > 0 {
		out.Printf("")
		out.Printf("  To set the URL:")
		for _, step := range one.Steps("<the public URL of devhook up>") {
			out.Paragraph(4, step)
		}
	}
	out.Printf("")
	out.Printf("  Here:")
	for _, h := range p.handles(one) {
		out.Beside(fmt.Sprintf("    %-38s ", h[0]), out.Dim(h[1]))
	}
	if names := one.AnswerNames(); len(names) > 1 {
		out.Printf("")
		row("answers", strings.Join(names, ", ")+": for ack: in devhook.yaml")
	}
	if len(one.Checklist) > 0 {
		out.Printf("")
		out.Printf("  If webhooks fail, or none comes, look whether:")
		for _, c := range one.Checklist {
			out.Printf("    %s", c.About)
		}
	}
	if len(one.Notes) > 0 {
		out.Printf("")
		for _, n := range one.Notes {
			out.Item(n)
		}
	}
}

// handles are the commands that there are for one provider, with what each does.
func (p *program) handles(one verify.Provider) [][2]string {
	var list [][2]string
	if n := len(fixtures.Of(one.ID)); n > 0 {
		list = append(list, [2]string{"devhook trigger --list " + one.ID, countOf(n, "sample", "samples") + " to send, signed"})
	}
	how := "says what to paste where, and waits for the first webhook"
	if _, ok := register.Lookup(one.ID); ok {
		how = "registers by the provider's API, until Ctrl-C"
	}
	list = append(list, [2]string{"devhook register " + one.ID, how})
	if env, _ := stream.Env(one.ID); env != "" {
		whose := ""
		if stream.NeedsCreator(one.ID) {
			whose = " --creator @NAME"
		}
		list = append(list, [2]string{"devhook up --source " + one.ID + whose, "listens to its stream, with " + env})
	}
	for _, sub := range p.emulateCommand().Subcommands {
		if sub.Name == one.ID || slices.Contains(one.Aliases, sub.Name) {
			list = append(list, [2]string{"devhook emulate " + sub.Name, "the far side, without an account"})
		}
	}
	return list
}
