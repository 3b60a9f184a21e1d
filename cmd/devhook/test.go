package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"

	"github.com/urfave/cli/v2"
)

func (p *program) testCommand() *cli.Command {
	s := &sending{p: p}
	return &cli.Command{
		Name: "test", Usage: "send a folder of cases to an app, and tell what it does wrong", ArgsUsage: "DIR",
		Description: `A case is a file DIR/NAME.yaml: what is sent, what is changed, and what the app should
answer. DIR is searched with all that is in it.

  send: stripe/invoice.paid
  changes: [set data.object.amount_due=0]
  expect: 2xx

  devhook test webhooks --to :3000
  devhook test webhooks --app 'npm start' --ready http://127.0.0.1:3000/health \
    --junit report.xml

The app that it starts is stopped at the end, with all that it has started. docs/replay.md
has the fields of a case. What is sent is recorded.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "app", Usage: "start the app with this `COMMAND` and stop it at the end"},
			&cli.StringFlag{Name: "ready", Usage: "wait until the app answers at this `URL`, below 500"},
			&cli.DurationFlag{Name: "ready-timeout", Usage: "how `LONG` the app may take to be ready", Value: readyTimeout},
			&cli.StringFlag{Name: "to", Usage: "the `APP` (default: where --ready is; else that of the running devhook up or of devhook.yaml)"},
			&cli.StringSliceFlag{Name: "secret", Usage: "`[ID=]REF` to a provider's secret: env:NAME, file:PATH or -"},
			&cli.StringSliceFlag{Name: "with", Usage: "what a scheme needs beside the secret, `[ID.]NAME=VALUE`"},
			&cli.StringFlag{Name: "junit", Usage: "write the result into `FILE`, as CI systems read it"},
			&cli.StringFlag{Name: "host-header", Usage: "what the app sees as Host: rewrite, preserve or a `VALUE`"},
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` the app may take to answer"},
			&cli.BoolFlag{Name: "json", Usage: "print each case as a line of JSON, and how many are right"},
			configFlag(),
		}, commonFlags()...),
		Action: taking(1, "one folder of cases", "devhook test webhooks --to :3000", func(c *cli.Context) error { return s.report(s.test(c)) }),
	}
}

// A testCase is a case and the webhook that it sends.
type testCase struct {
	replay.Case
	file string
	ex   *recorder.Exchange
	to   *url.URL // nil: where it would go by itself
}

func (s *sending) test(c *cli.Context) (err error) {
	if err := s.prepare(c); err != nil {
		return err
	}
	var ready *url.URL // where the app answers once it is
	if text := c.String("ready"); text != "" {
		if ready, err = config.ParseForward(text); err != nil {
			return err
		}
		if s.to == nil {
			s.to = &url.URL{Scheme: ready.Scheme, Host: ready.Host}
		}
	}
	if c.IsSet("app") && strings.TrimSpace(c.String("app")) == "" {
		return &failure{code: 2, text: "--app is empty", hint: "name the command that starts it, or leave --app out if it runs"}
	}
	if c.IsSet("app") && ready == nil {
		return &failure{code: 2, text: "--app needs --ready, to know when it has started", hint: "--ready http://127.0.0.1:3000/"}
	}
	if err := s.settle(""); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	cases, err := s.cases(c.Args().First())
	if err != nil {
		return err
	}
	s.ready()

	ctx, cancel := context.WithCancel(context.WithoutCancel(c.Context))
	defer cancel()
	hurried, hurry := context.WithCancel(context.WithoutCancel(c.Context))
	defer hurry()
	defer onInterrupts(cancel, hurry)()
	var app *appProcess // nil if it was started by somebody else
	if command := c.String("app"); command != "" {
		if listens(ctx, ready) {
			return &failure{code: 2, text: "something answers at " + ready.String() + " before the app is started", hint: "end it, or leave out --app"}
		}
		if app, err = startApp(command); err != nil {
			return err
		}
		defer func() {
			app.stop(hurried)
			if hurried.Err() != nil {
				err = errInterrupted
			} else if listens(context.WithoutCancel(ctx), ready) {
				s.errs.Warning("something still answers at " + ready.String() + ": it has left the app's process group, and was not ended")
			}
		}()
	}
	if ready != nil { // when it is interrupted, what was not sent is told as ever
		if err := awaitReady(ctx, ready, c.Duration("ready-timeout"), app); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return s.runCases(ctx, cases, app)
}

// runCases sends one case after the other, to an app that is nil if somebody else has
// started it. When that has ended, what is left is not sent, and is wrong.
func (s *sending) runCases(ctx context.Context, cases []testCase, app *appProcess) error {
	failed, reached, ended, hint := 0, false, false, ""
	for _, tc := range cases {
		if ctx.Err() != nil {
			break
		}
		entry := checked{why: "not sent: the app has ended"}
		var done *recorder.Exchange
		if !ended {
			why, ex, err := s.runCase(ctx, tc)
			if ctx.Err() != nil {
				break
			}
			if err != nil {
				return err
			}
			done, entry = ex, checkedOf(ex, tc.ex, why)
			reached, s.last = reached || done.Outcome == recorder.Answered, done.Detail
			if ended = app != nil && done.Outcome != recorder.Answered && app.hasEnded(); ended {
				entry.why += "; it has ended"
			}
		}
		entry.name, entry.class = tc.Name, strings.TrimSuffix(filepath.ToSlash(tc.file), filepath.Ext(tc.file))
		s.reported = append(s.reported, entry)
		if entry.why != "" {
			failed++
			hint = cmp.Or(hint, s.misplacedCase(tc, done))
		}
		if err := s.printCase(tc, entry, done); err != nil {
			return err
		}
	}
	if err := s.printCases(len(cases), failed); err != nil {
		return err
	}
	f := &failure{code: 1, text: fmt.Sprintf("%d of %d cases are wrong", failed, len(cases)), hint: hint}
	switch {
	case len(s.reported) < len(cases):
		return &failure{code: 1, text: "interrupted before all was sent", hint: hint}
	case !reached && app == nil:
		return &failure{code: 4, text: "the app did not answer: " + s.last, hint: "start it, or let devhook do so with --app and --ready"}
	case !reached:
		f = &failure{code: 4, text: "the app did not answer: " + s.last}
	case failed == 0 && app != nil && app.failed():
		f = &failure{code: 4, text: "the app has ended by itself: what answers may be another, as where two are started at one port"}
	case failed == 0:
		return nil
	}
	if app != nil && f.hint == "" {
		f.hint = "what the app has printed can tell why; " + app.said()
	}
	return f
}

// misplacedCase is misplaced of what became of a case; done is nil if it was not sent.
func (s *sending) misplacedCase(tc testCase, done *recorder.Exchange) string {
	if done == nil || done.Response == nil {
		return ""
	}
	return s.misplaced(tc.ex, recorder.Trigger, strconv.Itoa(done.Response.Status))
}

// printCases prints how many of all are right.
func (s *sending) printCases(all, failed int) error {
	right, notSent := len(s.reported)-failed, all-len(s.reported)
	text := fmt.Sprintf("%s: %d right, %d wrong", countOf(all, "case", "cases"), right, failed)
	if notSent > 0 {
		text += fmt.Sprintf(", %d not sent", notSent)
	}
	s.errs.Printf("%s", text)
	if !s.c.Bool("json") {
		return nil
	}
	return s.p.line(event{"end", struct {
		Cases   int `json:"cases"`
		Right   int `json:"right"`
		Wrong   int `json:"wrong"`
		NotSent int `json:"not_sent"`
	}{all, right, failed, notSent}})
}

// runCase sends a case as often as it says, until an answer is not as expected.
func (s *sending) runCase(ctx context.Context, tc testCase) (why string, done *recorder.Exchange, err error) {
	s.changes, s.sign, s.at, s.to = tc.Changes, tc.Sign, time.Time{}, tc.to
	if tc.At != "" {
		if s.at, err = parseTime(tc.At, s.p.now()); err != nil {
			return "", nil, err
		}
	}
	if s.sign == "" {
		s.sign = replay.SignAuto
	}
	send := func(ctx context.Context) (*recorder.Exchange, error) {
		plan, err := s.plan(tc.ex, recorder.Trigger, 0)
		if most := s.apps.Default.Timeout; tc.Within > 0 && (most == 0 || tc.Within < most) {
			plan.Timeout = tc.Within
		}
		lent := false
		if err == nil {
			done, lent, err = s.lend(ctx, plan, false)
		}
		if err == nil && !lent {
			done, err = s.gateway.Send(ctx, plan)
		}
		if err != nil {
			return nil, inCase(tc, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.warnUnsigned(done, plan)
		return done, nil
	}
	return trial.Run(ctx, tc.Case, tc.ex, send, func(b recorder.Body) ([]byte, error) {
		text, err := s.store.ReadBody(b)
		return text, storeFailure(err)
	})
}

// inCase tells where the case stands that cannot be sent.
func inCase(tc testCase, err error) error {
	var bad *replay.Error
	if errors.As(err, &bad) {
		return &failure{code: 2, text: fmt.Sprintf("%s:%d: %s", tc.file, tc.Line, bad.Text), hint: bad.Hint, err: err}
	}
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	return storeFailure(err)
}

// printCase prints what became of a case; done is nil if it was not sent.
func (s *sending) printCase(tc testCase, entry checked, done *recorder.Exchange) error {
	if done == nil {
		done = new(recorder.Exchange)
	}
	if s.c.Bool("json") {
		return s.p.line(event{"case", trial.TellCase(tc.Case, tc.file, entry.why, done)})
	}
	if entry.why == "" {
		s.out.Printf("%s  %s  %s", s.out.Good("ok   "), terminal.Safe(tc.Name), s.out.Dim(fmt.Sprintf("#%d %s %s", done.Seq, outcomeText(done), terminal.Took(entry.took))))
	} else {
		why := entry.why
		if done.Seq != 0 {
			why = fmt.Sprintf("#%d: %s", done.Seq, why)
		}
		s.out.Printf("%s  %s  %s", s.out.Bad("WRONG"), terminal.Safe(tc.Name), terminal.Safe(why))
		if entry.said != "" {
			s.out.Printf("       it said: %s", s.out.Dim(terminal.Safe(entry.said)))
		}
	}
	return wrote(s.out.Err())
}

// maxCases bounds how many cases are looked for.
const maxCases = 100_000

// cases returns the cases in dir, by the names of their files.
func (s *sending) cases(dir string) (all []testCase, err error) {
	var files []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		if len(files) > maxCases {
			return fmt.Errorf("more than %d files", maxCases)
		}
		return err
	})
	if err != nil {
		return nil, &failure{code: 2, text: "test: " + err.Error(), hint: "devhook test DIR takes a folder of cases, files NAME.yaml with send: PROVIDER/EVENT in them", err: err}
	}
	for _, file := range files {
		list, err := s.casesOf(dir, file)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(all) == 0 {
		return nil, &failure{code: 2, text: "there is no case in " + dir, hint: "a case is a file NAME.yaml with send: PROVIDER/EVENT in it"}
	}
	return all, nil
}

// casesOf returns the cases of a file in dir, which are called by it where they have no name.
func (s *sending) casesOf(dir, file string) (all []testCase, err error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, &failure{code: 2, text: "test: " + err.Error(), err: err}
	}
	list, err := replay.ParseCases(src)
	if err != nil {
		return nil, inFile(file, err)
	}
	name, _ := filepath.Rel(dir, strings.TrimSuffix(file, filepath.Ext(file)))
	name = filepath.ToSlash(name)
	for i, c := range list {
		if c.Name == "" && len(list) > 1 {
			c.Name = fmt.Sprintf("%s %d", name, i+1)
		}
		c.Name = cmp.Or(c.Name, name)
		tc := testCase{Case: c, file: file}
		whole := s.to
		tc.ex, err = s.toSend(tc)
		tc.to, s.to = s.to, whole // of which a sample may have taken the path
		if err != nil {
			f := explain(err)
			return nil, &failure{code: f.code, text: fmt.Sprintf("%s:%d: %s", file, c.Line, f.text), hint: f.hint, err: err}
		}
		all = append(all, tc)
	}
	return all, nil
}

// toSend returns the webhook of a case: a sample, or that of a file.
func (s *sending) toSend(tc testCase) (*recorder.Exchange, error) {
	if strings.HasPrefix(tc.Send, "./") || strings.HasPrefix(tc.Send, "../") {
		list, err := s.p.read(nil, []string{filepath.Join(".", filepath.Dir(tc.file), tc.Send)}, s.fill)
		if err != nil {
			return nil, err
		}
		if len(list) != 1 {
			return nil, &failure{code: 2, text: fmt.Sprintf("%s holds %d webhooks, and a case sends one", tc.Send, len(list))}
		}
		return list[0], nil
	}
	id, event, _ := strings.Cut(tc.Send, "/")
	if s.samples == nil {
		s.samples = s.fixtures()
	}
	f, err := s.findFixture(s.samples, id, event)
	if err != nil {
		return nil, err
	}
	return s.address(f), nil
}
