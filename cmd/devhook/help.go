package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is how many columns help takes at most.
const helpWidth = 80

// addHelp gives every command of app its help, and the way it meets a wrong
// flag. cli's own help lists all aliases in a table that no terminal is wide
// enough for.
func addHelp(app *cli.App) {
	for _, c := range app.Commands {
		addCommandHelp(c, c.Name)
	}
	app.CustomAppHelpTemplate = appHelp(app)
}

func addCommandHelp(c *cli.Command, name string) {
	c.HideHelpCommand = true
	c.OnUsageError = usageError
	c.CustomHelpTemplate = commandHelp(c, name)
	for _, sub := range c.Subcommands {
		addCommandHelp(sub, name+" "+sub.Name)
	}
}

func (p *program) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Aliases: []string{"h"}, Usage: "tell more of a command", ArgsUsage: "[COMMAND…]",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			if name == "" {
				_, err := fmt.Fprint(p.stdout, c.App.CustomAppHelpTemplate)
				return wrote(err)
			}
			cmd := c.App.Command(name)
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
			_, err := fmt.Fprint(p.stdout, cmd.CustomHelpTemplate)
			return wrote(err)
		},
	}
}

func commandHelp(c *cli.Command, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "devhook %s: %s\n\n  devhook %s", name, c.Usage, name)
	if len(c.Flags) > 0 {
		b.WriteString(" [flags]")
	}
	if c.ArgsUsage != "" {
		b.WriteString(" " + c.ArgsUsage)
	}
	b.WriteString("\n")
	if c.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Description))
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\n")
		width := 10
		for _, sub := range c.Subcommands {
			width = max(width, len(sub.Name))
		}
		for _, sub := range c.Subcommands {
			fmt.Fprintf(&b, "  devhook %s %-*s %s\n", name, width, sub.Name, sub.Usage)
		}
	}
	if len(c.Flags) > 0 {
		b.WriteString("\nFlags:\n")
		for _, f := range c.Flags {
			b.WriteString(flagHelp(f))
		}
	}
	return b.String()
}

// flagHelp is one flag's lines: its one-letter name, its name, what it takes,
// and what it is for.
func flagHelp(f cli.Flag) string {
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
	usage := f.(cli.DocGenerationFlag).GetUsage()
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		value, after, _ := strings.Cut(rest, "`")
		long += " " + value
		usage = before + value + after
	}
	const column = 30
	head := "  " + short + long
	indent := strings.Repeat(" ", column)
	lines := wrap(usage, helpWidth-column)
	if len(head) > column-2 {
		return head + "\n" + indent + strings.Join(lines, "\n"+indent) + "\n"
	}
	return fmt.Sprintf("%-*s", column, head) + strings.Join(lines, "\n"+indent) + "\n"
}

func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "devhook %s: %s\n\n%s\n\nCommands:\n", app.Version, app.Usage, app.Description)
	for _, c := range app.Commands {
		if !c.Hidden {
			fmt.Fprintf(&b, "  %-12s %s\n", c.Name, c.Usage)
		}
	}
	b.WriteString("\ndevhook help COMMAND tells more.\n")
	return b.String()
}

// wrap breaks text into lines of at most width columns.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
