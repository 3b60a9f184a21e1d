package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// version is devhook's own; see CHANGELOG.md.
const version = "0.1.0"

// A program is one run of devhook and all that it has of the outside world.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	args           []string // with the flags before "--" and what stands behind that
}

// run is main without the exit.
func (p *program) run(args []string) int {
	app := p.app()
	if len(args) > 2 && args[1] == "trigger" && args[2] == "session" { // a command of its own, and no event
		args = slices.Concat(args[:1], args[2:])
	}
	args, err := reorder(app, args)
	if err == nil {
		p.args = args
		err = app.Run(args)
	}
	if err == nil {
		return 0
	}
	f := explain(err)
	if f.text != "" {
		errs := terminal.New(p.stderr, terminal.Auto, p.getenv)
		if f.mark != "" && errs.Lasts() {
			errs.Printf("%s", f.mark)
		}
		errs.Error(f.text, f.hint)
	}
	return f.code
}

const description = `Opens a public URL, verifies each webhook that comes in, records it, and
forwards it to your app.

  devhook up --forward :3000          a public URL for the app on port 3000
  devhook up                          answer by itself, and record
  devhook list status:5xx             what went wrong
  devhook show last                   the newest webhook, whole
  devhook replay last                 the same once more, signed anew
  devhook trigger tiktok/tiktok.ping  a sample, without the provider

Exit codes: 0 done · 1 an expectation failed, a signature is not valid ·
2 misuse, bad configuration, unreadable input · 3 tunnel or authentication ·
4 the app is unreachable · 5 timed out waiting · 6 the store ·
130 interrupted twice`

func (p *program) app() *cli.App {
	app := &cli.App{
		Name: "devhook", Usage: "a local gateway for webhooks", Version: version, Description: description,
		HideHelpCommand: true,
		Commands: slices.Concat(
			of("Receive", p.upCommand(), p.httpCommand(), p.registerCommand(), p.waitCommand(), p.statusCommand()),
			of("Look", p.listCommand(), p.showCommand(), p.tailCommand(), p.diffCommand(), p.statsCommand()),
			of("Send", p.replayCommand(), p.triggerCommand(), p.sessionCommand(), p.testCommand()),
			of("Try an app", p.attackCommand(), p.deliverCommand(), p.shrinkCommand()),
			of("Signatures", p.providersCommand(), p.verifyCommand(), p.signCommand(), p.keysCommand(), p.solveCommand()),
			of("Keep and share", p.saveCommand(), p.exportCommand(), p.importCommand(), p.pinCommand(), p.unpinCommand(), p.pruneCommand()),
			of("Set up", p.doctorCommand(), p.configCommand(), p.trustCommand(), p.completionCommand(), p.completeCommand(), p.mcpCommand()),
			of("Without an account", p.demoCommand(), p.emulateCommand()),
			of("About devhook", p.versionCommand(), p.helpCommand()),
		),
		Reader: p.stdin, Writer: p.stdout, ErrWriter: p.stderr,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // only main exits
		OnUsageError:              usageError,
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return unknownCommand(c.App, name)
			}
			return cli.ShowAppHelp(c)
		},
	}
	addHelp(app, p.helpColumns())
	limitArgs(app)
	return app
}

// of puts commands under a heading of devhook's help.
func of(heading string, commands ...*cli.Command) []*cli.Command {
	for _, c := range commands {
		c.Category = heading
	}
	return commands
}

func unknownCommand(app *cli.App, name string) error {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Names()...)
	}
	list, hint := nearCommands(name, names)
	return &failure{code: 2, text: fmt.Sprintf("unknown command %q (near: %s)", name, strings.Join(list, ", ")), hint: hint}
}

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
	takesValue := map[string]bool{}
	for _, f := range cmd.Flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			takesValue[name] = !isBool
		}
	}
	var flags, rest []string
	for i := first; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(a) < 2 || a[0] != '-' || recorder.IsFilterWord(a) {
			rest = append(rest, a)
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name == "h" || name == "help" {
			return slices.Concat([]string{args[0], "help"}, args[1:first]), nil
		}
		if _, known := takesValue[name]; !known && takesValue[a[1:2]] && !unicode.IsLetter(rune(a[2])) { // as in -n2, -f:3000
			flags = append(flags, a[:2], a[2:])
			continue
		}
		flags = append(flags, a)
		if name == "ws-mirror" && !hasValue && (i+1 == len(args) || !strings.Contains(args[i+1], ":") || args[i+1][0] == '-') { // whose value may be left out
			flags[len(flags)-1] += "=" + defaultMirror
			continue
		}
		if takesValue[name] && !hasValue {
			if i+1 == len(args) {
				return nil, &failure{code: 2, text: "flag needs a value: " + a, hint: "devhook help " + cmd.Name}
			}
			i++
			flags = append(flags, args[i])
		}
	}
	return slices.Concat(args[:first], flags, []string{"--"}, rest), nil
}

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

// commonFlags are those of all commands that look at recordings.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "store", Usage: "the `DIR` of the recordings (default: the nearest .devhook upwards)"},
		&cli.StringFlag{Name: "color", Usage: "`WHEN` to use colour: always, never or auto", Value: "auto"},
	}
}

// interruptible returns a context that ends with Ctrl-C, or when the system wants an end.
// stop leaves signals to the system again.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
}

// out returns where a command's answer goes, as a person reads it.
func (p *program) out(c *cli.Context) (*terminal.Terminal, error) { return p.terminal(c, p.stdout) }

func (p *program) terminal(c *cli.Context, w io.Writer) (*terminal.Terminal, error) {
	when := terminal.Color(c.String("color"))
	if when != terminal.Auto && when != terminal.Always && when != terminal.Never {
		return nil, &failure{code: 2, text: fmt.Sprintf("--color %q is none of auto, always, never", when)}
	}
	return terminal.New(w, when, p.getenv), nil
}

// storeDir returns the directory of the store that is meant.
func (p *program) storeDir(c *cli.Context) string {
	if dir := cmp.Or(c.String("store"), p.getenv("DEVHOOK_STORE")); dir != "" {
		return dir
	}
	return config.FindStore(".", recorder.Dir, p.getenv)
}

// openToRead opens the store to look at it.
func (p *program) openToRead(c *cli.Context) (*recorder.Store, error) {
	errs, err := p.terminal(c, p.stderr)
	if err != nil {
		return nil, err
	}
	return recorder.Open(p.storeDir(c), recorder.Options{
		ReadOnly: true, Log: slog.New(errs.LogHandler(slog.LevelWarn)), Indexing: indexing(errs),
	})
}

// indexing shows how far the index is while somebody waits for it.
func indexing(errs *terminal.Terminal) func(done, total int64) {
	return func(done, total int64) {
		if done == total {
			errs.Progress("")
			return
		}
		const width = 30
		bar := int(done * width / total)
		errs.Progress(fmt.Sprintf("making the index  [%s%s] %d%%", strings.Repeat("#", bar), strings.Repeat(" ", width-bar), done*100/total))
	}
}

// jsonLine returns v as a line of JSON, in which < and & stay as they are.
func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// line prints v as a line of JSON, as jsonLine has it. That it cannot be written is a
// [*failure].
func (p *program) line(v any) error {
	text, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return wrote(err)
}

func (p *program) now() time.Time { return time.Now() }

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Action: func(*cli.Context) error {
			_, err := fmt.Fprintln(p.stdout, "devhook", version)
			return wrote(err)
		},
	}
}
