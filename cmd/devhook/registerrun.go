package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/verify"
)

// stay keeps the registration where the running up is, until a signal.
func (r *registerRun) stay(reg *register.Registration, callback string, signals <-chan os.Signal) error {
	told := make(chan error, 1)
	first := true
	held := register.Hold(reg, register.HoldOptions{
		First: told,
		Say:   func(text string) { r.errs.Error(text, "") },
		Set: func(url string) {
			r.registered(reg, url, first)
			first = false
		},
	})
	defer held.Release()
	held.Move(callback)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var failed error
	for waiting := true; waiting; {
		select {
		case <-signals:
			waiting = false
		case <-r.c.Context.Done():
			waiting = false
		case err := <-told: // the first attempt
			failed = apiFailure(err)
			waiting = err == nil
		case <-tick.C:
			r.handOver()
			now, err := r.callback(r.provider.ID) // what --url says never changes
			if err != nil || now == "" || now == callback || checkCallback(now, reg, r.c.Bool("force")) != nil {
				continue
			}
			callback = now
			held.Move(now)
		}
	}
	held.Release()
	select {
	case <-held.Done():
	case <-signals:
		return errInterrupted
	}
	return cmp.Or(failed, apiFailure(held.Err()), wrote(r.out.Err()))
}

// learn takes a secret that the API has told, and hands it over.
func (r *registerRun) learn(s verify.Secret) {
	r.mu.Lock()
	r.learned = append(r.learned, s)
	r.told = 0
	r.mu.Unlock()
	r.handOver()
}

// handOver tells the running devhook up what the webhooks are signed with that come to it;
// one that was started meanwhile, too. It keeps that in memory.
func (r *registerRun) handOver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	up, err := findRunning(r.store)
	if err != nil || up == nil || up.PID == r.told || len(r.learned) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(r.c.Context, 5*time.Second)
	defer cancel()
	for _, s := range r.learned {
		said := map[string]string{"provider": r.provider.ID, "secret": s.Reveal()}
		if err = up.ask(ctx, http.MethodPost, "/devhook/v1/register/secret", said, &struct{}{}); err != nil {
			break
		}
	}
	if r.told = up.PID; err != nil { // said once
		f := explain(err)
		r.errs.Warning(fmt.Sprintf("the running devhook up does not know what %s signs with: %s", r.provider.ID, f.text))
	}
}

// once registers, has a test sent, waits for it, and takes all back.
func (r *registerRun) once(reg *register.Registration, callback string, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(r.c.Context)
	defer cancel()
	ended := make(chan error, 1) // nobody may be left to take it
	go func() {
		err := apiFailure(reg.Set(ctx, callback))
		if err == nil {
			r.registered(reg, callback, false)
			err = r.test(ctx, reg, callback)
		}
		ended <- cmp.Or(err, apiFailure(register.Release(reg)), wrote(r.out.Err()))
	}()
	select {
	case err := <-ended:
		return err
	case <-signals:
		cancel()
	}
	select {
	case <-ended:
		return &failure{code: 130, text: "interrupted"}
	case <-signals:
		return errInterrupted
	}
}

// test has the provider send a webhook, and waits until it is recorded.
func (r *registerRun) test(ctx context.Context, reg *register.Registration, callback string) error {
	from, err := r.store.End()
	if err != nil {
		return storeFailure(err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.Duration("timeout"))
	defer cancel()
	said, ok, err := reg.Test(ctx)
	switch {
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return apiFailure(err)
	case err == nil && !ok:
		return &failure{code: 2, text: r.provider.ID + " has no way to send a test", hint: "leave --test out"}
	}
	for ex, err := range r.store.Follow(ctx, from) {
		if err == nil && ex.Origin == recorder.Live && (ex.Provider == r.provider.ID || ex.Request.URL == callback) {
			return r.came(said, ex)
		}
	}
	if r.c.Context.Err() != nil {
		return r.c.Context.Err()
	}
	return &failure{code: 5, text: fmt.Sprintf("the test did not come within %s; %s says: %s", r.c.Duration("timeout"), r.provider.ID, cmp.Or(said, "nothing")), hint: "is devhook up running on this store, and does its URL lead here?"}
}

// came tells of the test that was waited for. Its signature is looked at here, too,
// if the API has told the secret: the running up may not know it.
func (r *registerRun) came(said string, ex *recorder.Exchange) error {
	r.mu.Lock()
	learned := slices.Clone(r.learned)
	r.mu.Unlock()
	if known, ok := verify.Lookup(r.provider.ID); ok && len(learned) > 0 && ex.Verdict.Status != verify.Valid {
		one := *ex
		m, err := ex.Request.Message()
		if err == nil {
			m.Body, err = r.store.ReadBody(ex.Request.Body)
		}
		if err != nil {
			return storeFailure(err)
		}
		one.Verdict = known.Scheme.Verify(m, verify.Keys{Secrets: learned}, ex.At)
		ex = &one
	}
	var err error
	if r.c.Bool("json") {
		err = r.p.line(map[string]any{"v": 1, "type": "test", "provider": r.provider.ID, "said": said, "exchange": ex.ID, "verdict": ex.Verdict})
	} else {
		r.out.Printf("%s says: %s", r.provider.ID, said)
		r.out.Exchange(ex)
	}
	return cmp.Or(err, judged("the test", ex))
}

// judged is the failure of a webhook that was waited for, which what names: its signature
// is not right, or nobody took it. nil: it is as it should be.
func judged(what string, ex *recorder.Exchange) error {
	f := &failure{code: 1, hint: fmt.Sprintf("devhook show %d", ex.Seq)}
	switch status := trial.Status(ex); {
	case ex.Verdict.Status == verify.Invalid || ex.Verdict.Status == verify.Unsigned:
		f.text = what + " came, and its signature is not right: " + terminal.Safe(ex.Verdict.Detail)
	case ex.Response != nil && ex.Response.Status/100 == 2: // also of devhook itself
		return nil
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		came, asked := recorder.PathOf(ex.Request.URL), recorder.PathOf(ex.Target)
		f.text = fmt.Sprintf("%s came, and the app has nothing at %s: it answered %d", what, terminal.Safe(asked), status)
		f.hint = "--path /webhook names where your app takes them"
		if base, ok := strings.CutSuffix(asked, came); ok && base != "" {
			f.hint = fmt.Sprintf("devhook up puts %s before each path, as its forward has it: leave it out in one of the two", terminal.Safe(base))
		}
	case ex.Outcome == recorder.Unrouted:
		f.text = what + " came, and was answered 404: " + terminal.Safe(ex.Detail)
		f.hint = "--path /webhook names the path of a route; devhook.yaml has none for this one"
	default:
		f.text = what + " came, and was not answered with success"
	}
	return f
}
