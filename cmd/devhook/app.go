package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"devhook/internal/terminal"

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
		Reader: p.stdin, Writer: p.helpWriter(), ErrWriter: p.stderr,
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
	for _, c := range app.Commands {
		settleCommand(c, c.Name)
	}
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

// commonFlags are those of all commands that look at recordings.
func commonFlags() []cli.Flag {
	return []cli.Flag{storeFlag(), colorFlag()}
}

func storeFlag() cli.Flag {
	return &cli.StringFlag{Name: "store", Usage: "the `DIR` of the recordings (default: the nearest .devhook upwards)"}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", Usage: "the `FILE` to read in place of devhook.yaml"}
}

// colorFlag is --color, which is looked at before the command does anything.
func colorFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "color", Usage: "`WHEN` to use colour: always, never or auto", Value: string(terminal.Auto),
		Action: func(_ *cli.Context, when string) error {
			switch terminal.Color(when) {
			case terminal.Auto, terminal.Always, terminal.Never:
				return nil
			}
			return &failure{code: 2, text: fmt.Sprintf("--color %q is none of auto, always, never", when)}
		},
	}
}

// interruptible returns a context that ends with Ctrl-C, or when the system wants an end.
// stop leaves signals to the system again.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
}

// out returns where a command's answer goes, as a person reads it.
func (p *program) out(c *cli.Context) *terminal.Terminal { return p.terminal(c, p.stdout) }

// errs returns where all goes that is not the answer.
func (p *program) errs(c *cli.Context) *terminal.Terminal { return p.terminal(c, p.stderr) }

func (p *program) terminal(c *cli.Context, w io.Writer) *terminal.Terminal {
	return terminal.New(w, terminal.Color(c.String("color")), p.getenv)
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
