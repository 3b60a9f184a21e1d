package main

import (
	"context"
	"strconv"
	"time"

	"devhook/internal/register/tencenttest"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateTencentCommand() *cli.Command {
	return &cli.Command{
		Name: "tencent", Aliases: []string{"tencent-live"}, Usage: "the API of Tencent Cloud Live, and its callbacks",
		Description: `The API that a callback URL and its token are set with, on this machine. It checks each
UserSig, and sends callbacks to the URL that is set: the samples of --fire, one after the
other, and whichever is asked for by

  POST /emulator/fire?command=Live.CallbackBeforeSendGift

with a body that is sent in the place of the sample's, or none. It says what the platform
would do with the answer: after 2 s without one a message is delivered, and a gift blocked,
unless Live.CallbackBeforeCallBackNotBlock is in the list.

  devhook emulate tencent --sdk-secret-key env:TENCENT_SDK_SECRET_KEY
  devhook emulate tencent --fire Live.CallbackBeforeSendGift --every 10s
  devhook register tencent --api-url http://127.0.0.1:4072 \
    --sdk-app-id 1400000000

The words of errors, and what is answered where nothing is set, are assumed: Tencent
documents neither.`,
		Flags: append([]cli.Flag{
			&cli.Uint64Flag{Name: "sdk-app-id", Usage: "the `SDKAPPID`", Value: 1400000000, DefaultText: "1400000000"},
			&cli.StringFlag{Name: "sdk-secret-key", Usage: "the app's secret key, a `REF` (default: TENCENT_SDK_SECRET_KEY; without it, any UserSig will do)"},
			&cli.StringFlag{Name: "admin", Usage: "the `NAME` of the app's administrator", Value: "administrator", DefaultText: "administrator"},
			&cli.StringFlag{Name: "url", Usage: "the callback `URL` that is set to begin with"},
			&cli.StringSliceFlag{Name: "command", Usage: "a callback `COMMAND` that is sent there (default: those of --fire)"},
			&cli.StringFlag{Name: "token", Usage: "what callbacks are signed with to begin with, a `REF`"},
			&cli.StringSliceFlag{Name: "fire", Usage: "send this `COMMAND`, again and again"},
			&cli.StringFlag{Name: "every", Usage: "the `PAUSE` before each", Value: "5s"},
			&cli.StringFlag{Name: "effective", Usage: "how `LONG` a new URL takes to get into effect; the real one takes 2m", Value: "0s"},
		}, serverFlags("4072")...),
		Action: func(c *cli.Context) error {
			e := p.newEmulation(c, "tencent")
			o := tencenttest.Options{App: c.Uint64("sdk-app-id"), Admin: c.String("admin"), Log: e.log}
			o.Key = e.secret("sdk-secret-key", "TENCENT_SDK_SECRET_KEY", "the secret key")
			o.Token.Token = e.secret("token", "", "the token")
			o.Token.Enabled = o.Token.Token != ""
			every := e.duration("every", 10*time.Millisecond)
			o.Effective = e.duration("effective", 0)
			fire := c.StringSlice("fire")
			if o.Set.URL = c.String("url"); o.Set.URL != "" {
				if o.Set.Commands = c.StringSlice("command"); len(o.Set.Commands) == 0 {
					o.Set.Commands = fire
				}
			}
			s := tencenttest.New(o)
			e.about = func(addr string) []string {
				return []string{
					"http://" + addr,
					"devhook register tencent --api-url http://" + addr + " --sdk-app-id " + strconv.FormatUint(o.App, 10),
					"curl -X POST 'http://" + addr + "/emulator/fire?command=Live.CallbackBeforeSendGift'",
				}
			}
			return e.serve(noPages(firing(s, "command", e.log, s.Fire)), func(ctx context.Context) { e.fire(ctx, s, fire, every) }, nil)
		},
	}
}

// fire sends callbacks until ctx ends.
func (e *emulation) fire(ctx context.Context, s *tencenttest.Server, commands []string, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	why := ""
	for i := 0; len(commands) > 0; i = (i + 1) % len(commands) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := s.Fire(ctx, commands[i], nil)
		if err != nil && ctx.Err() == nil && err.Error() != why { // once is enough
			why = err.Error()
			e.log(why)
		}
	}
}
