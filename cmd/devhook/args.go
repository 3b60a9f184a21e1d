package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// usageError makes an error of a flag that cli does not understand.
func usageError(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	hint := "devhook help"
	hint += strings.TrimPrefix(c.Command.HelpName, "devhook")
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		name = strings.TrimLeft(name, "-")
		var names []string
		for _, f := range c.Command.Flags {
			names = append(names, f.Names()...)
		}
		text = "unknown flag " + dashed(name)
		if c.Command.HelpName == c.App.Name { // which has hardly any
			return &failure{code: 2, text: text, hint: "flags go with a command, as in devhook up --forward :3000; devhook help lists them", err: err}
		}
		var near []string
		for _, n := range nearFlags(name, names) {
			near = append(near, dashed(n))
		}
		if isDigits(name) && slices.Contains(names, "n") { // as head has it
			near = []string{"-n " + name}
		}
		if len(near) > 0 {
			text += " (near: " + strings.Join(near, ", ") + ")"
		}
	} else if rest, ok := strings.CutPrefix(text, "invalid value "); ok {
		value, rest, _ := strings.Cut(rest, " for flag -")
		name, _, _ := strings.Cut(rest, ":")
		text = dashed(name) + " is " + value + ", and no number that it takes"
	}
	return &failure{code: 2, text: text, hint: hint, err: err}
}

// dashed returns a flag as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// reorder puts the flags of args before its arguments, because cli takes all
// behind the first argument for arguments. A word that filters know is an
// argument, also with a minus before it.
func reorder(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	switch args[1] {
	case completeName: // whose words are all for it
		return args, nil
	case "-h", "--help", "-help":
		return slices.Concat([]string{args[0], "help"}, args[2:min(3, len(args))]), nil
	}
	cmd := app.Command(args[1])
	if cmd == nil {
		return args, flagsFirst(app, args)
	}
	first := 2
	for first < len(args) && subcommand(cmd, args[first]) != nil {
		cmd = subcommand(cmd, args[first])
		first++
	}
	var flags, rest []string
	for left := args[first:]; len(left) > 0; {
		switch a := left[0]; {
		case a == "--":
			rest, left = append(rest, left[1:]...), nil
		case len(a) < 2 || a[0] != '-' || recorder.IsFilterWord(a):
			rest, left = append(rest, a), left[1:]
		case slices.Contains([]string{"h", "help"}, flagName(a)):
			return slices.Concat([]string{args[0], "help"}, args[1:first]), nil
		default:
			words, behind, err := typedFlag(cmd, left)
			if err != nil {
				return nil, err
			}
			flags, left = append(flags, words...), behind
		}
	}
	return slices.Concat(args[:first], flags, []string{"--"}, rest), nil
}

// flagName is the name in a flag as it is typed, behind which its value may stand.
func flagName(word string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name
}

// typedFlag returns the flag that args begin with, in words that cli reads, and what is behind it.
func typedFlag(cmd *cli.Command, args []string) (words, behind []string, err error) {
	takesOne := map[string]bool{} // a value, by the names of flags
	for _, f := range cmd.Flags {
		for _, name := range f.Names() {
			takesOne[name] = takesValue(f)
		}
	}
	a, name := args[0], flagName(args[0])
	_, value, hasValue := strings.Cut(a, "=")
	_, known := takesOne[name]
	switch {
	case !known && takesOne[a[1:2]] && !unicode.IsLetter(rune(a[2])): // as in -n2, -f:3000
		return []string{a[:2], a[2:]}, args[1:], nil
	case name == "ws-mirror" && !hasValue && (len(args) == 1 || !strings.Contains(args[1], ":") || args[1][0] == '-'): // whose value may be left out
		return []string{a + "=" + defaultMirror}, args[1:], nil
	case !takesOne[name]:
		return args[:1], args[1:], nil
	case !hasValue && len(args) == 1:
		return nil, nil, &failure{code: 2, text: "flag needs a value: " + a, hint: "devhook help " + cmd.Name}
	}
	n := 1
	if !hasValue {
		value, n = args[1], 2
	}
	if value == "" && slices.Contains(neverEmpty, name) {
		return nil, nil, &failure{
			code: 2, text: dashed(name) + " is empty",
			hint: "leave it out, or give it a value; if that is a shell variable, set it first",
		}
	}
	return args[:n], args[n:], nil
}

// neverEmpty are flags that name something, and do without if they are left out. With an
// empty value, as of a variable that is not set, prune would empty another store than the
// one that is meant, and a script would wait for a file for ever.
var neverEmpty = []string{"store", "config", "o", "ready-file", "junit", "log", "by"}

// subcommand returns the one of cmd with that name, nil if there is none.
func subcommand(cmd *cli.Command, name string) *cli.Command {
	for _, sub := range cmd.Subcommands {
		if sub.HasName(name) {
			return sub
		}
	}
	return nil
}

// flagsFirst refuses flags before the command, and tells where they go. All
// but --version belong to one.
func flagsFirst(app *cli.App, args []string) error {
	if name := strings.TrimLeft(args[1], "-"); args[1][0] != '-' || name == "version" || name == "v" {
		return nil
	}
	for i, a := range args[2:] {
		if app.Command(a) != nil {
			typed := slices.Concat(args[:1:1], []string{a}, args[1:i+2], args[i+3:])
			typed[0] = app.Name
			return &failure{code: 2, text: args[1] + " stands before the command", hint: strings.Join(typed, " ")}
		}
	}
	return nil
}

// taking is action for exactly n arguments, which what names.
func taking(n int, what, hint string, action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.NArg() != n {
			return &failure{code: 2, text: fmt.Sprintf("%s takes %s, not %d", strings.TrimPrefix(c.Command.HelpName, "devhook "), what, c.NArg()), hint: hint}
		}
		return action(c)
	}
}

// limitArgs has commands refuse arguments that they would not look at: those
// that need none, by their ArgsUsage. The others count by themselves.
func limitArgs(app *cli.App) {
	for _, c := range app.Commands {
		most, action := len(strings.Fields(c.ArgsUsage)), c.Action
		if most > 0 && c.ArgsUsage[0] != '[' || strings.Contains(c.ArgsUsage, "…") {
			continue
		}
		c.Action = func(ctx *cli.Context) error {
			if ctx.NArg() > most {
				arg := ctx.Args().Get(most)
				return &failure{
					code: 2, text: fmt.Sprintf("%s does not take the argument %q", c.Name, arg),
					hint: cmp.Or(argElsewhere[c.Name+" "+arg], "devhook help "+c.Name),
				}
			}
			return action(ctx)
		}
	}
}
