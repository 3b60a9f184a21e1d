package main

import (
	"crypto/rand"
	"encoding/hex"
	"runtime"

	"devhook/internal/config"
	"devhook/internal/stream/tuniformtest"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateTuniformCommand() *cli.Command {
	return &cli.Command{
		Name: "tuniform", Usage: "Stream Alerts: a WebSocket for overlays",
		Description: `A server for overlays on this machine, as Tuniform documents its own: it refuses
tokens in the platform's words, greets with CONNECTED, pings, and sends events.

  devhook emulate tuniform                              sample events, for ever
  devhook emulate tuniform --from 'provider:tuniform'   as recorded, at its pace
  devhook emulate tuniform --close-after 3 --duplicate --unknown

devhook up --source tuniform --source-url ws://127.0.0.1:4070/ws listens to it.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "token", Usage: "the `TOKEN` that is valid, 64 hex digits: a reference (default: any)"},
			&cli.StringFlag{Name: "hello", Usage: "the greeting, a `TEXT` (default: that of the documentation)"},
			&cli.BoolFlag{Name: "no-hello", Usage: "greet nobody, as the real one never does"},
		}, streamFlags("4070")...),
		Action: func(c *cli.Context) error {
			e := p.newEmulation(c, "tuniform")
			o := tuniformtest.Options{Mute: c.Bool("no-hello"), Log: e.log}
			if c.IsSet("hello") {
				o.Hello = []byte(c.String("hello"))
			}
			o.Token = e.secret("token", "", "the stream token")
			o.Ping = e.duration("ping", 1)
			e.about = func(addr string) []string {
				lines := []string{"ws://" + addr + "/ws", "Overlays connect to ws://" + addr + "/ws?token=TOKEN"}
				if o.Token == "" {
					made := make([]byte, 32)
					rand.Read(made)
					lines = append(lines, "TOKEN is any 64 hex digits: "+config.Assign(runtime.GOOS, "TUNIFORM_STREAM_TOKEN", hex.EncodeToString(made)))
				}
				return append(lines, "devhook up --source tuniform --source-url ws://"+addr+"/ws")
			}
			s := tuniformtest.New(o)
			return e.run(s, s, script{loop: true, round: func() []timed {
				return everySample(tuniformtest.Samples(c.Bool("unknown"), p.now()))
			}})
		},
	}
}
