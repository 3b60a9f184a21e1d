package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "see it work: no account, no app, no network",
		Description: `Starts a small app and a gateway on a local door, and sends it signed webhooks of
TikTok, Euler and Tencent, a forged one and a stale one.

  devhook demo            goes on until Ctrl-C
  devhook demo --once     ends when they are sent`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "once", Usage: "end when the webhooks are sent"},
			colorFlag(),
		},
		Action: p.demo,
	}
}

// demoSecrets are made up, and have to be nobody's.
var demoSecrets = map[string]string{
	"TIKTOK_CLIENT_SECRET": "demo-client-secret",
	"EULER_WEBHOOK_SECRET": "demo-webhook-secret",
	"TENCENT_LIVE_TOKEN":   "demo-token",
}

// demoSends are the webhooks of the demo.
var demoSends = []struct {
	about             string
	provider, fixture string
	age               time.Duration // of the signature
	forged            bool
}{
	{"TikTok says that a video was published", "tiktok", "video.publish.completed", 0, false},
	{"Euler says that a creator is live", "euler", "alert.live.assumed-sdk-shape", 0, false},
	{"Tencent says that a room was made", "tencent-live", "Live.CallbackAfterCreateRoom", 0, false},
	{"somebody else claims to be TikTok", "tiktok", "authorization.removed", 0, true},
	{"TikTok's from before, caught and sent again", "tiktok", "video.publish.completed", 12 * time.Minute, false},
}

func (p *program) demo(c *cli.Context) error {
	errs := p.errs(c)
	out := p.out(c)
	dir, err := os.MkdirTemp("", "devhook-demo-*")
	if err != nil {
		return storeFailure(err)
	}
	defer os.RemoveAll(dir)

	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return &failure{code: 2, text: "no port for the demo's app: " + err.Error(), err: err}
	}
	server := &http.Server{Handler: http.HandlerFunc(demoApp), ReadHeaderTimeout: time.Minute}
	go server.Serve(app)
	defer server.Close()

	flags := map[string]string{
		"forward": "http://" + app.Addr().String(), "tunnel": "local", "listen": "127.0.0.1:0",
		"store": filepath.Join(dir, recorder.Dir), "inspect": "off",
	}
	getenv := func(name string) string { return demoSecrets[name] }
	src := sourceOf(dir, getenv, flags)
	cfg, err := config.Load(src)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.Context)
	defer stop()
	sent := make(chan error, 1)
	u := &up{
		p: p, cfg: cfg, src: src, out: out, errs: errs, log: slog.New(errs.LogHandler(slog.LevelWarn)),
		resolver: &config.Resolver{Getenv: getenv}, brief: true,
		onReady: func(door string) {
			go func() {
				sent <- demoSend(door)
				if c.Bool("once") {
					stop()
				}
			}()
		},
	}
	errs.Printf("A small app and a gateway in front of it, on this machine only:")
	signals, stopSignals := interrupts(2, endAtOnce)
	defer stopSignals()
	if err := u.run(ctx, signals); err != nil {
		return err
	}
	select {
	case err := <-sent:
		if err != nil {
			return &failure{code: 1, text: "the demo did not work: " + err.Error(), err: err}
		}
	default: // ended by hand
		return nil
	}
	p.demoOutro(errs)
	return nil
}

// demoApp is an app as a user would have one.
func demoApp(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"ActionStatus":"OK","ErrorInfo":"thank you for %d bytes","ErrorCode":0}`+"\n", len(body)) // as Tencent demands it; the others take anything
}

// demoSend sends the webhooks, and checks that what should get through does.
func demoSend(door string) error {
	for _, s := range demoSends {
		status, err := demoSendOne(door, s.provider, s.fixture, time.Now().Add(-s.age), s.forged)
		if err != nil {
			return err
		}
		want := http.StatusOK
		if s.forged || s.age > 0 {
			want = http.StatusForbidden
		}
		if status != want {
			return fmt.Errorf("%s: the sender hears %d, not %d", s.about, status, want)
		}
	}
	return nil
}

func demoSendOne(door, provider, name string, at time.Time, forged bool) (status int, err error) {
	f, ok := fixtures.Lookup(provider, name)
	known, ok2 := verify.Lookup(provider)
	if !ok || !ok2 {
		return 0, fmt.Errorf("no fixture %s/%s", provider, name)
	}
	if f, err = f.Fill(at, rand.Uint64()); err != nil {
		return 0, err
	}
	_, target := recorder.SplitURL(f.Exchange.Request.URL)
	u, err := url.Parse(strings.TrimRight(door, "/") + target)
	if err != nil {
		return 0, err
	}
	secret := demoSecrets[known.Env]
	if forged {
		secret = "a guess"
	}
	m := verify.Message{Method: http.MethodPost, URL: u, Header: f.Exchange.Request.Headers.Clone(), Body: f.Exchange.Request.Body.Bytes}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}}
	if err := known.Scheme.Sign(&m, keys, verify.SignOptions{}, at); err != nil {
		return 0, err
	}
	req, err := http.NewRequest(m.Method, m.URL.String(), bytes.NewReader(m.Body))
	if err != nil {
		return 0, err
	}
	req.Header = m.Header
	client := http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func (p *program) demoOutro(t *terminal.Terminal) {
	t.Printf("\nWhat you saw:")
	for i, s := range demoSends {
		t.Printf("  #%d  %s", i+1, s.about)
	}
	t.Printf(`
The forged and the stale one never reached the app. All five were recorded, as
your webhooks will be in .devhook; the demo's own store is gone now.

Go on:
  devhook up --forward :3000          the same for your app on port 3000
  devhook providers tiktok            what TikTok needs, and where its URL goes
  %-36sa public URL, so that providers reach it`, config.Assign(runtime.GOOS, "NGROK_AUTHTOKEN", "…"))
}

// sourceOf is a configuration from flags that nobody typed.
func sourceOf(dir string, getenv func(string) string, flags map[string]string) config.Source {
	return config.Source{Dir: dir, Getenv: getenv, Flag: func(name string) []string {
		if v, ok := flags[name]; ok {
			return []string{v}
		}
		return nil
	}}
}
