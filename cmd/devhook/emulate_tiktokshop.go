package main

import (
	"devhook/internal/register/shoptest"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateTiktokShopCommand() *cli.Command {
	return &cli.Command{
		Name: "tiktok-shop", Usage: "the webhooks API of TikTok Shop, and its webhooks",
		Description: `The API that the URL of each topic is set with, on this machine. It checks the signature
of each call, and sends a webhook, signed, to the URL of its topic when it is asked to:

  POST /emulator/fire?topic=ORDER_STATUS_CHANGE

with a body that is sent in the place of the sample's, or none. Unlike the real one it
takes any URL, as those of this machine.

  devhook emulate tiktok-shop --app-key abcdef --app-secret env:SECRET
  devhook register tiktok-shop --api-url http://127.0.0.1:4073 \
    --topic ORDER_STATUS_CHANGE

The vendor's pages on this API are known to devhook second hand, and the words of errors
are assumed.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "app-key", Usage: "the `KEY` of the app (default: TIKTOK_SHOP_APP_KEY, else any)"},
			&cli.StringFlag{Name: "app-secret", Usage: "the app's secret, a `REF` (default: TIKTOK_SHOP_APP_SECRET; without it, any signature will do)"},
			&cli.StringFlag{Name: "access-token", Usage: "the access token that is valid, a `REF` (default: any)"},
			&cli.StringFlag{Name: "shop-cipher", Usage: "the `CIPHER` of the shop (default: any)"},
		}, serverFlags("4073")...),
		Action: func(c *cli.Context) error {
			e := p.newEmulation(c, "tiktok-shop")
			o := shoptest.Options{AppKey: c.String("app-key"), Cipher: c.String("shop-cipher"), Log: e.log}
			if !c.IsSet("app-key") {
				o.AppKey = p.getenv("TIKTOK_SHOP_APP_KEY")
			}
			o.AppSecret = e.secret("app-secret", "TIKTOK_SHOP_APP_SECRET", "the app secret")
			o.Token = e.secret("access-token", "", "the access token")
			e.about = func(addr string) []string {
				return []string{
					"http://" + addr,
					"devhook register tiktok-shop --api-url http://" + addr + " --topic ORDER_STATUS_CHANGE",
					"curl -X POST 'http://" + addr + "/emulator/fire?topic=ORDER_STATUS_CHANGE'",
				}
			}
			s := shoptest.New(o)
			return e.serve(noPages(firing(s, "topic", e.log, s.Fire)), nil, nil)
		},
	}
}
