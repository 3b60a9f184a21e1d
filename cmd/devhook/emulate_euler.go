package main

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"devhook/internal/config"
	"devhook/internal/livesession"
	alertstest "devhook/internal/register/eulertest"
	"devhook/internal/stream/eulertest"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateEulerCommand() *cli.Command {
	return &cli.Command{
		Name: "euler", Usage: "the WebSocket and the alerts API of Euler Stream",
		Description: `A server on this machine that the vendor's SDK can connect to (EULER_WS_URL): it
checks the options, bundles events, and closes with the codes of the vendor.

  devhook emulate euler                          sample events, for ever
  devhook emulate euler --session --speed 60x    a whole LIVE, and its totals
  devhook emulate euler --not-live               closes with 4404
  devhook emulate euler --close-after 5 --close-code 4555

devhook up --source euler --creator @x --source-url ws://127.0.0.1:4071 listens to it.
The LIVE is that of devhook session: the same for the same --seed, --minutes and --start. It begins with the
first client, and at its end connections are closed with 4005, and then with 4404.

At /accounts/ is the alerts API, for the vendor's SDK and for devhook register: alerts and
targets, kept in memory, and the test alert, signed and sent to its target. The words of
errors and the body of an alert are assumed: Euler documents neither.

  devhook register euler --api-url http://127.0.0.1:4071 --creator @ada \
    --account 4242`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "key", Usage: "the API key that is valid, a `REF` (default: any)"},
			&cli.StringFlag{Name: "creator", Usage: "the one who is live, `@NAME` (default: any)"},
			&cli.BoolFlag{Name: "not-live", Usage: "nobody is live"},
			&cli.BoolFlag{Name: "session", Usage: "send a whole LIVE, made up, in place of samples"},
			&cli.IntFlag{Name: "refuse", Usage: "close each connection at once with this `CODE`"},
			&cli.Int64Flag{Name: "account", Usage: "the account's `ID`", Value: 4242},
			&cli.StringFlag{Name: "secret", Usage: "what alerts are signed with, a `REF` (default: EULER_WEBHOOK_SECRET, else euler-secret)"},
			&cli.IntFlag{Name: "max-alerts", Usage: "how many alerts the plan allows, a `NUMBER`", Value: 5},
			&cli.IntFlag{Name: "page-size", Usage: "alerts on a page of the list, a `NUMBER`", Value: 20},
			&cli.IntFlag{Name: "per-minute", Usage: "how many calls are answered each minute, a `NUMBER` (default: all)"},
			&cli.BoolFlag{Name: "http-status", Usage: "answer errors of the API with their HTTP status, too; else that is 200, and the code is in the body"},
		}, append(liveFlags(), streamFlags("4071")...)...),
		Action: func(c *cli.Context) error {
			e := p.newEmulation(c, "euler")
			o := eulertest.Options{Creator: c.String("creator"), Code: c.Int("refuse"), Log: e.log}
			o.Key = e.secret("key", "", "the API key")
			if o.Code != 0 && (o.Code < 1000 || o.Code > 4999) {
				e.note(&failure{code: 2, text: "--refuse wants a close code", hint: "write one from 1000 to 4999, as 4401"})
			}
			o.Ping = e.duration("ping", 1)
			alerts := e.eulerAlerts(o.Key)
			e.about = func(addr string) []string {
				lines := []string{
					"ws://" + addr,
					"Clients connect to ws://" + addr + "/?uniqueId=NAME&apiKey=KEY, as the SDK does with EULER_WS_URL=ws://" + addr,
				}
				if o.Key == "" {
					lines = append(lines, "KEY is any text: "+config.Assign(runtime.GOOS, "EULER_API_KEY", "any"))
				}
				return append(lines,
					"devhook up --source euler --creator @NAME --source-url ws://"+addr,
					"devhook register euler --api-url http://"+addr+" --account "+c.String("account")+" --creator @NAME",
				)
			}
			var over atomic.Bool
			over.Store(c.Bool("not-live"))
			o.Live = func() bool { return !over.Load() }
			s := eulertest.New(o)
			round := 0
			sc := script{loop: true, round: func() []timed {
				round++
				return everySample(eulertest.Samples(c.Bool("unknown"), p.now(), round))
			}}
			if c.Bool("session") {
				sc = e.liveScript()
				sc.end = func() {
					over.Store(true)
					s.Close(4005, "")
				}
			}
			both := http.NewServeMux()
			both.Handle("/", s)
			both.Handle("/accounts/", alerts)
			return e.run(s, both, sc)
		},
	}
}

// liveScript is a whole LIVE, as devhook session sends it.
func (e *emulation) liveScript() (sc script) {
	c := e.c
	for _, other := range []string{"from", "loop", "unknown"} {
		if c.IsSet(other) {
			e.note(&failure{code: 2, text: "emulate euler takes --session or --" + other + ", not both"})
		}
	}
	o, err := e.p.live(c)
	if e.note(err); err != nil {
		return sc
	}
	events := livesession.New(o)
	sc.round = func() (list []timed) {
		before := time.Duration(0)
		for _, ev := range events[1:] { // the first, roomInfo, is in what a client is greeted with
			list = append(list, timed{ev.At - before, ev.Body()})
			before = ev.At
		}
		return list
	}
	var happened []string
	for _, total := range livesession.Sum(events).Named() {
		happened = append(happened, fmt.Sprintf("%d %s", total.N, strings.ReplaceAll(total.Name, "_", " ")))
	}
	sc.about = "the LIVE is over: " + strings.Join(happened, ", ")
	return sc
}

// eulerAlerts returns the alerts API that the flags describe.
func (e *emulation) eulerAlerts(key string) http.Handler {
	c := e.c
	o := alertstest.Options{
		Key: key, Account: c.Int64("account"), MaxAlerts: c.Int("max-alerts"), PageSize: c.Int("page-size"),
		PerMinute: c.Int("per-minute"), HTTPStatus: c.Bool("http-status"), Log: e.log,
	}
	if o.Account < 1 || o.MaxAlerts < 1 || o.PageSize < 1 || o.PerMinute < 0 {
		e.note(&failure{code: 2, text: "--account, --max-alerts and --page-size are at least 1, --per-minute at least 0", hint: "devhook help emulate euler"})
	}
	o.Secret = e.secret("secret", "EULER_WEBHOOK_SECRET", "the webhook secret")
	return alertstest.New(o)
}
