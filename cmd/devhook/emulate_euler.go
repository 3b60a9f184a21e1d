package main

import (
	"strings"

	"devhook/internal/stream/eulertest"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateEulerCommand() *cli.Command {
	return &cli.Command{
		Name: "euler", Usage: "the WebSocket of Euler Stream",
		Description: `A server on this machine that the vendor's SDK can connect to (EULER_WS_URL): it
checks the options, bundles events, and closes with the codes of the vendor.

  devhook emulate euler                          sample events, for ever
  devhook emulate euler --not-live               closes with 4404
  devhook emulate euler --close-after 5 --close-code 4555

devhook up --source euler --creator @x --source-url ws://127.0.0.1:4071 listens to it.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "key", Usage: "the API key that is valid, a `REF` (default: any)"},
			&cli.StringFlag{Name: "creator", Usage: "the one who is live, `@NAME` (default: any)"},
			&cli.BoolFlag{Name: "not-live", Usage: "nobody is live"},
			&cli.IntFlag{Name: "refuse", Usage: "close each connection at once with this `CODE`"},
		}, streamFlags("4071")...),
		Action: func(c *cli.Context) error {
			e, err := p.newEmulation(c, "euler")
			if err != nil {
				return err
			}
			o := eulertest.Options{Creator: c.String("creator"), NotLive: c.Bool("not-live"), Code: c.Int("refuse"), Log: e.log}
			if c.IsSet("key") {
				key, err := p.resolver(e.errs).Resolve(c.String("key"), "the API key", "--key")
				if err != nil {
					return err
				}
				o.Key = strings.TrimSpace(key)
			}
			if o.Code != 0 && (o.Code < 1000 || o.Code > 4999) {
				return &failure{code: 2, text: "--refuse wants a close code", hint: "write one from 1000 to 4999, as 4401"}
			}
			if o.Ping, err = e.duration("ping", 1); err != nil {
				return err
			}
			e.about = func(addr string) []string {
				return []string{
					"ws://" + addr,
					"Clients connect to ws://" + addr + "/?uniqueId=NAME&apiKey=KEY, as the SDK does with EULER_WS_URL=ws://" + addr,
					"devhook up --source euler --creator @NAME --source-url ws://" + addr,
				}
			}
			s := eulertest.New(o)
			return e.run(s, s, eulertest.Samples(c.Bool("unknown")))
		},
	}
}
