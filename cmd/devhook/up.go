package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"devhook/internal/config"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

func (p *program) upCommand() *cli.Command {
	return &cli.Command{
		Name: "up", Aliases: []string{"listen"}, Usage: "open a door for webhooks: verify, record, forward",
		ArgsUsage: "[APP…]",
		Description: `Opens a public URL through ngrok, or a local one, and forwards what comes in.

  devhook up --forward :3000
  devhook up --forward :3000 --provider tiktok --secret env:TIKTOK_CLIENT_SECRET
  devhook up --tunnel local --listen 127.0.0.1:4050
  devhook up --forward :3000 --json | jq .
  devhook up --forward :3000 --source tuniform

The first Ctrl-C ends in order, the second at once.`,
		Flags: slices.Concat(
			under("The app",
				&cli.StringSliceFlag{Name: "forward", Aliases: []string{"f", "forward-to"}, Usage: "the `APP`: 3000, :3000, HOST:PORT or a URL; each further one gets a copy"},
				&cli.StringFlag{Name: "host-header", Usage: "what the app sees as Host: rewrite, preserve or a `VALUE`" + byDefault("host-header")},
				&cli.StringFlag{Name: "timeout", Usage: "how `LONG` an app may take to answer" + byDefault("timeout")},
				&cli.StringFlag{Name: "max-body", Usage: "the largest body that is taken, a `SIZE`" + byDefault("max-body")},
			),
			under("The way in",
				&cli.StringFlag{Name: "tunnel", Usage: "`HOW` to be reached: ngrok, local, or auto: ngrok if there is an authtoken" + byDefault("tunnel")},
				&cli.StringFlag{Name: "listen", Usage: "the local door's `ADDR`; port 0 is any" + byDefault("listen")},
				&cli.StringFlag{Name: "url", Usage: "the ngrok `URL` or domain to ask for"},
				&cli.StringFlag{Name: "authtoken", Usage: "`REF` to ngrok's authtoken: env:NAME, file:PATH or -"},
				&cli.BoolFlag{Name: "pooling-enabled", Usage: "share the URL with other endpoints"},
				&cli.StringFlag{Name: "traffic-policy-file", Usage: "`FILE` with the endpoint's traffic policy"},
				&cli.StringFlag{Name: "name", Usage: "the endpoint's `NAME`"},
				&cli.StringFlag{Name: "description", Usage: "the endpoint's description, a `TEXT`"},
				&cli.StringFlag{Name: "metadata", Usage: "the endpoint's metadata, a `TEXT`"},
				&cli.StringFlag{Name: "ngrok-connect-url", Usage: "`HOST:PORT` of the ngrok service"},
				&cli.StringFlag{Name: "ngrok-connect-cas", Usage: "`FILE` of the certificates it is checked with; or trusted, host"},
				&cli.StringFlag{Name: "ngrok-proxy-url", Usage: "`URL` of a proxy on the way to it (default: HTTPS_PROXY)"},
			),
			under("Who gets through",
				&cli.StringFlag{Name: "provider", Aliases: []string{"verify-webhook"}, Usage: "the `ID` of the provider whose webhooks come in (default: detected)"},
				&cli.StringSliceFlag{Name: "secret", Aliases: []string{"verify-webhook-secret"}, Usage: "`[ID=]REF` to a provider's secret: env:NAME, file:PATH or -; several are tried in turn"},
				&cli.StringSliceFlag{Name: "with", Usage: "what a scheme needs beside the secret, `[ID.]NAME=VALUE`"},
				&cli.StringFlag{Name: "verify", Usage: "`WHO` gets through: enforce, strict, report or off" + byDefault("verify")},
				&cli.StringSliceFlag{Name: "accept-handshake", Usage: "take the secret that the provider `ID` hands over: the first that comes"},
				&cli.BoolFlag{Name: "confirm", Usage: "confirm the subscriptions that providers ask about (Amazon SNS)"},
			),
			under("What is recorded",
				&cli.StringFlag{Name: "keep-age", Usage: "how `LONG` recordings are kept: 12h, 30d, off" + byDefault("keep-age")},
				&cli.StringFlag{Name: "keep-size", Usage: "the `SIZE` up to which they are kept: 500mb, off" + byDefault("keep-size")},
			),
			under("Streams that devhook dials",
				&cli.StringSliceFlag{Name: "source", Usage: "listen to a stream, too: `NAME` is tuniform or euler; --secret is its token then"},
				&cli.StringFlag{Name: "creator", Usage: "whose stream it is, `@NAME` (euler)"},
				&cli.StringFlag{Name: "source-url", Usage: "another `URL` than the platform's, as of devhook emulate"},
				&cli.StringFlag{Name: "source-path", Usage: "the `PATH` of the app that gets the events (default /hooks/NAME)"},
				&cli.StringFlag{Name: "ws-mirror", Usage: "hand events on to overlays that connect to `[ADDR]` (default " + defaultMirror + ")"},
			),
			under("The inspector",
				&cli.StringFlag{Name: "inspect", Usage: "the inspector's `ADDR`, or off; port 0 is any" + byDefault("inspect")},
				&cli.StringSliceFlag{Name: "inspect-host", Usage: "a further `NAME` that the inspector may be asked by"},
				&cli.StringSliceFlag{Name: "allow-to", Usage: "a `HOST` that the inspector may send to, beside the apps"},
			),
			under("What is printed",
				&cli.StringFlag{Name: "output", Usage: "`WHAT` to print: auto, lines, json or quiet" + byDefault("output")},
				&cli.BoolFlag{Name: "json", Usage: "the same as --output json"},
				&cli.StringFlag{Name: "ready-file", Usage: "`PATH` of a file that appears, with the URL in it, when webhooks can come"},
				&cli.BoolFlag{Name: "verbose", Usage: "tell more"},
				&cli.StringFlag{Name: "log", Usage: "write the lines of ngrok's log to `WHERE`: stdout (alone then), stderr or a file"},
				&cli.StringFlag{Name: "log-format", Usage: "of --log: logfmt or json, a `NAME`", Value: "logfmt"},
				&cli.BoolFlag{Name: "api-control", Usage: "let who closes the tunnel in ngrok's API end devhook"},
			),
			[]cli.Flag{configFlag()},
			commonFlags(),
		),
		Action: func(c *cli.Context) error { return p.up(c, c.Args().Slice()) },
	}
}

// httpCommand is for hands that know ngrok.
func (p *program) httpCommand() *cli.Command {
	cmd := p.upCommand()
	cmd.Name, cmd.Aliases, cmd.Hidden = "http", nil, true
	return cmd
}

// source returns what c's flags, the environment and devhook.yaml say.
func (p *program) source(c *cli.Context, args []string) config.Source {
	trust, err := config.UserTrust()
	trusted := trust.Has
	if err != nil {
		trusted = func(string, []byte) bool { return false }
	}
	return config.Source{
		Dir: ".", File: c.String("config"), Getenv: p.getenv, Trusted: trusted, Fetch: &fetched,
		Flag: func(name string) []string {
			switch {
			case name == "output" && c.Bool("json"):
				return []string{"json"}
			case name == "forward":
				if all := append(c.StringSlice("forward"), args...); len(all) > 0 {
					return all
				}
				return nil
			case !c.IsSet(name):
				return nil
			case name == "inspect" && c.String(name) == "false": // as ngrok's agent has it
				return []string{"off"}
			}
			if list := c.StringSlice(name); list != nil {
				return list
			}
			return []string{fmt.Sprint(c.Value(name))}
		},
	}
}

// load settles the configuration. A file that is not trusted is asked about if
// there is a terminal to ask at.
func (p *program) load(src config.Source) (*config.Config, error) {
	cfg, err := config.Load(src)
	var untrusted *config.UntrustedError
	if errors.As(err, &untrusted) && terminal.IsTerminal(p.stdin) && terminal.IsTerminal(p.stderr) {
		if err := p.askTrust(untrusted); err != nil {
			return nil, err
		}
		return config.Load(src)
	}
	return cfg, err
}

// resolver finds secrets, and asks for those that are to be typed.
func (p *program) resolver(errs *terminal.Terminal) *config.Resolver {
	r := &config.Resolver{Getenv: p.getenv, Warn: errs.Warning}
	if f, ok := p.stdin.(*os.File); ok && terminal.IsTerminal(f) {
		r.Prompt = func(label string) (string, error) { return errs.ReadSecret(f, label) }
	}
	return r
}

// up is `devhook up` from its flags to its end.
func (p *program) up(c *cli.Context, args []string) error {
	errs := p.errs(c)
	errs.Patient(unreadTime)
	src := p.source(c, args)
	cfg, err := p.load(src)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if c.Bool("verbose") {
		level = slog.LevelDebug
	}
	u := &up{
		p: p, cfg: cfg, src: src, errs: errs, out: terminal.New(p.stdout, terminal.Color(c.String("color")), p.getenv),
		log: slog.New(errs.LogHandler(level)), resolver: p.resolver(errs),
		verbose: c.Bool("verbose"), readyFile: c.String("ready-file"), accept: c.StringSlice("accept-handshake"),
	}
	if c.Bool("confirm") {
		u.confirm = &fetched
	}
	if u.agentLog, err = p.openAgentLog(c); err != nil {
		return err
	}
	defer u.agentLog.close()
	signals, stopSignals := interrupts(2, endAtOnce)
	defer stopSignals()
	if c.Bool("api-control") {
		ctx, end := context.WithCancel(c.Context)
		defer end()
		c.Context, u.endByAPI = ctx, end
	}
	signal.Ignore(syscall.SIGPIPE) // who stops reading what is printed does not stop the webhooks
	err = u.run(c.Context, signals)
	if err != nil && !errors.Is(err, errInterrupted) {
		u.agentLog.write(levelCritical, "command failed", "err", cause(err))
	}
	return err
}
