package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

// helpWidth is how many columns help takes at most, and narrowHelp how few.
const (
	helpWidth  = 80
	narrowHelp = 40
)

// A helpWriter is where cli prints help, which is of so many columns there.
type helpWriter struct {
	io.Writer
	columns int
}

func (p *program) helpWriter() helpWriter {
	return helpWriter{p.stdout, terminal.New(p.stdout, terminal.Never, p.getenv).Room(0, narrowHelp, helpWidth)}
}

// cli's own help lists all aliases in a table that no terminal is wide enough for.
func init() {
	cli.HelpPrinter = func(w io.Writer, name string, of any) { printHelp(w.(helpWriter), name, of) }
}

// printHelp prints the help of an app or of a command. It is made only then: that of
// all commands takes as long as the rest of a short one does.
func printHelp(to helpWriter, name string, of any) error {
	var text string
	switch of := of.(type) {
	case *cli.App:
		text = appHelp(of, to.columns)
	case *cli.Command:
		text = commandHelp(of, name, to.columns)
	}
	_, err := io.WriteString(to, text)
	return wrote(err)
}

// settleCommand gives a command and those below it the names that printHelp gets in place
// of a template, and the way they meet a wrong flag.
func settleCommand(c *cli.Command, name string) {
	c.HideHelpCommand = true
	c.OnUsageError = usageError
	c.CustomHelpTemplate = name
	for _, sub := range c.Subcommands {
		settleCommand(sub, name+" "+sub.Name)
	}
}

func (p *program) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Aliases: []string{"h"}, Usage: "tell more of a command, or of filters and references", ArgsUsage: "[COMMAND…]",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			if name == "" {
				return printHelp(p.helpWriter(), "", c.App)
			}
			cmd := c.App.Command(name)
			if t, ok := topicOf(name); ok && cmd == nil && c.NArg() == 1 {
				_, err := fmt.Fprintf(p.stdout, "devhook help %s: %s\n\n%s", t.name, t.about, t.text)
				return wrote(err)
			}
			if cmd == nil {
				return unknownCommand(c.App, name)
			}
			for _, more := range c.Args().Tail() {
				sub := subcommand(cmd, more)
				if sub == nil {
					return &failure{code: 2, text: fmt.Sprintf("devhook %s has no command %q", name, more), hint: "devhook help " + name}
				}
				cmd, name = sub, name+" "+more
			}
			return printHelp(p.helpWriter(), name, cmd)
		},
	}
}

func commandHelp(c *cli.Command, name string, width int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "devhook %s: %s\n\n  devhook %s", name, c.Usage, name)
	flags := groups(c.Flags)
	if len(flags) > 0 {
		b.WriteString(" [flags]")
	}
	if c.ArgsUsage != "" {
		b.WriteString(" " + c.ArgsUsage)
	}
	b.WriteString("\n")
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", flow(strings.TrimSpace(c.Description), width))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\n")
		longest := 10
		for _, sub := range c.Subcommands {
			longest = max(longest, len(sub.Name))
		}
		for _, sub := range c.Subcommands {
			b.WriteString(hanging(fmt.Sprintf("  devhook %s %-*s ", name, longest, sub.Name), sub.Usage, width))
		}
	}
	for _, g := range flags {
		fmt.Fprintf(&b, "\n%s:\n", g.name)
		for _, f := range g.flags {
			b.WriteString(flagHelp(f, width))
		}
	}
	return b.String()
}

// under puts flags under a heading of their command's help. All kinds of cli's
// flags have the field, and no interface sets it.
func under(heading string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		reflect.ValueOf(f).Elem().FieldByName("Category").SetString(heading)
	}
	return flags
}

type flagGroup struct {
	name  string
	flags []cli.Flag
}

// groups returns what of flags is shown, by heading, in the order in which
// headings are first met; what has none is last.
func groups(flags []cli.Flag) []flagGroup {
	var list []flagGroup
	rest := flagGroup{name: "Flags"}
	for _, f := range flags {
		if f == cli.HelpFlag || !f.(cli.VisibleFlag).IsVisible() {
			continue
		}
		name := f.(cli.CategorizableFlag).GetCategory()
		at := slices.IndexFunc(list, func(g flagGroup) bool { return g.name == name })
		switch {
		case name == "":
			rest.flags = append(rest.flags, f)
		case at < 0:
			list = append(list, flagGroup{name, []cli.Flag{f}})
		default:
			list[at].flags = append(list[at].flags, f)
		}
	}
	if len(list) > 0 {
		rest.name = "Other flags"
	}
	if len(rest.flags) > 0 {
		list = append(list, rest)
	}
	return list
}

// flagHelp is one flag's lines, of at most width columns: its one-letter name, its
// name, what it takes, and what it is for.
func flagHelp(f cli.Flag, width int) string {
	names := f.Names()
	short, long := "    ", ""
	for i, n := range names {
		switch {
		case len(n) == 1 && i == 0:
			long = "-" + n
			short = ""
		case len(n) == 1:
			short = "-" + n + ", "
		case i == 0:
			long = "--" + n
		}
	}
	doc := f.(cli.DocGenerationFlag)
	usage := doc.GetUsage()
	if v := doc.GetValue(); v != "" && v != "0" && v != "0s" && v != "false" && doc.TakesValue() && !strings.Contains(usage, "(default") {
		usage += " (default: " + v + ")"
	}
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		value, after, _ := strings.Cut(rest, "`")
		long += " " + value
		usage = before + value + after
	}
	column := 30
	if width < 2*column {
		column = 10
	}
	head := "  " + short + long
	if len(head) > column-2 {
		return head + "\n" + hanging(strings.Repeat(" ", column), usage, width)
	}
	return hanging(fmt.Sprintf("%-*s", column, head), usage, width)
}

// hanging is text behind head, in lines of at most width columns.
func hanging(head, text string, width int) string {
	return head + strings.Join(terminal.Wrap(text, width-len(head)), "\n"+strings.Repeat(" ", len(head))) + "\n"
}

func appHelp(app *cli.App, width int) string {
	var b strings.Builder
	about := app.Description
	if width < helpWidth { // else it is as it was written
		about = flow(about, width)
	}
	fmt.Fprintf(&b, "devhook %s: %s\n\n%s\n", app.Version, app.Usage, about)
	heading := ""
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		if c.Category != heading {
			heading = c.Category
			fmt.Fprintf(&b, "\n%s:\n", heading)
		}
		b.WriteString(hanging(fmt.Sprintf("  %-12s ", c.Name), c.Usage, width))
	}
	b.WriteString("\ndevhook help COMMAND tells more; so do\n")
	for _, t := range topics {
		b.WriteString(hanging(fmt.Sprintf("  devhook help %-12s ", t.name), t.about, width))
	}
	return b.String()
}

// byDefault tells in a flag's help what holds where neither it nor devhook.yaml
// says anything.
func byDefault(setting string) string { return " (default: " + config.Default(setting) + ")" }

// flow breaks the paragraphs of text anew, to width. What is indented stays as it is.
func flow(text string, width int) string {
	var lines, paragraph []string
	end := func() {
		if paragraph != nil {
			lines, paragraph = append(lines, terminal.Wrap(strings.Join(paragraph, " "), width)...), nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || line[0] == ' ' {
			end()
			lines = append(lines, line)
		} else {
			paragraph = append(paragraph, line)
		}
	}
	end()
	return strings.Join(lines, "\n")
}
