package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"
)

// byHand tells what to do at a provider that has no API for it. If a devhook up
// runs that can record it, it waits for the provider's first webhook, and says
// what became of that.
func (r *registerRun) byHand(known verify.Provider) error {
	store, err := r.p.openToRead(r.c)
	var up *running
	var from recorder.Cursor
	if err == nil { // else there is no store, and nobody who runs
		defer store.Close()
		r.store = store
		if up, err = findRunning(store); err == nil {
			from, err = store.End()
		}
		if err != nil {
			return storeFailure(err)
		}
	}
	at, err := r.callback(known.ID)
	if err != nil {
		return err
	}
	waits := up != nil && !r.c.Bool("dry-run")
	if err := r.steps(known, at, waits); err != nil || !waits {
		return err
	}
	ctx, stop := interruptible(r.c)
	defer stop()
	if r.c.IsSet("timeout") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.c.Duration("timeout"))
		defer cancel()
	}
	return r.await(ctx, known, at, from)
}

// steps prints what is to be done by hand, and copies the URL, if there is one
// and somebody looks on. waits says that the answer is waited for.
func (r *registerRun) steps(known verify.Provider, at string, waits bool) error {
	u := at
	if u == "" {
		u = "<the public URL of devhook up>"
	}
	if r.c.Bool("json") {
		return r.p.line(event{"steps", struct {
			Provider string   `json:"provider"`
			URL      string   `json:"url,omitempty"`
			Steps    []string `json:"steps"`
		}{known.ID, at, append([]string{}, known.Steps(u)...)}})
	}
	if len(known.Dashboard) == 0 {
		r.out.Printf("%s: paste it where the provider asks for it: %s", known.Name, terminal.Safe(u))
	} else {
		r.out.Beside(r.out.Bold(known.Name)+" ", terminal.Safe(u))
		for _, step := range known.Steps(u) {
			r.out.Paragraph(2, terminal.Safe(step))
		}
	}
	if at != "" && !register.Reachable(at) {
		r.errs.Warning(fmt.Sprintf("%s cannot be reached over the internet: start devhook up with an ngrok authtoken", at))
	}
	if at != "" && terminal.IsTerminal(r.p.stdout) {
		// OSC 52 of xterm's control sequences: the terminal itself has the clipboard,
		// also on the far side of ssh. One that does not know it shows nothing.
		fmt.Fprintf(r.p.stdout, "\x1b]52;c;%s\a", base64.StdEncoding.EncodeToString([]byte(at)))
		r.out.Printf("%s", r.out.Dim("The URL is in the clipboard, if this terminal lets programs write there."))
	}
	if waits {
		r.out.Printf("%s", r.out.Dim("Waiting for the first webhook of "+known.Name+". Ctrl-C ends."))
	}
	return wrote(r.out.Err())
}

// await waits for the first webhook of the provider behind from.
func (r *registerRun) await(ctx context.Context, known verify.Provider, at string, from recorder.Cursor) error {
	live, stop := r.live(ctx, from)
	defer stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case ex := <-live:
			if ex.Provider == known.ID || ex.Request.URL == at {
				return r.arrived(known, ex)
			}
		case <-ctx.Done():
			return r.nothing(known, ctx.Err())
		case <-tick.C:
			now, err := r.callback(known.ID)
			if err != nil || now == "" || now == at {
				continue
			}
			at = now
			r.errs.Printf("%s", r.errs.Warn("the public URL has changed: once more, with this one"))
			if err := r.steps(known, at, true); err != nil {
				return err
			}
		}
	}
}

// live gives what comes in from then on. stop ends that before the caller closes the store.
func (r *registerRun) live(ctx context.Context, from recorder.Cursor) (live <-chan *recorder.Exchange, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	came := make(chan *recorder.Exchange)
	var following sync.WaitGroup
	following.Go(func() {
		for ex, err := range r.store.Follow(ctx, from) {
			if err != nil || ex.Origin != recorder.Live {
				continue
			}
			select {
			case came <- ex:
			case <-ctx.Done():
				return
			}
		}
	})
	return came, func() {
		cancel()
		following.Wait()
	}
}

// nothing tells that no webhook came, in time or until somebody ended it.
func (r *registerRun) nothing(known verify.Provider, why error) error {
	if errors.Is(why, context.DeadlineExceeded) {
		return &failure{
			code: 5, text: fmt.Sprintf("no webhook of %s came within %s", known.Name, r.c.Duration("timeout")),
			hint: "is the URL saved there, and does it lead here? devhook list shows what came",
		}
	}
	if !r.c.Bool("json") {
		r.out.Printf("no webhook of %s came", known.Name)
	}
	return wrote(r.out.Err())
}

// arrived tells of the webhook that was waited for.
func (r *registerRun) arrived(known verify.Provider, ex *recorder.Exchange) error {
	status := 0
	if ex.Response != nil {
		status = ex.Response.Status
	}
	var err error
	if r.c.Bool("json") {
		err = r.p.line(event{"arrived", struct {
			Provider string         `json:"provider"`
			Event    string         `json:"event,omitempty"`
			Exchange recorder.ID    `json:"exchange"`
			At       time.Time      `json:"at"`
			Verdict  verify.Verdict `json:"verdict"`
			Status   int            `json:"status"` // 0: it was not answered
		}{known.ID, ex.Event, ex.ID, ex.At, ex.Verdict, status}})
	} else {
		r.out.Exchange(ex)
		answer := "it was not answered"
		if status != 0 {
			answer = fmt.Sprintf("it was answered %d", status)
		}
		r.out.Printf("%s came at %s; its signature: %s; %s", terminal.Safe(name(ex)), ex.At.Local().Format("15:04:05"), r.out.Verdict(ex.Verdict), answer)
	}
	return cmp.Or(err, judged("the webhook", ex), wrote(r.out.Err()))
}

// name is what to call a webhook by.
func name(ex *recorder.Exchange) string {
	if ex.Event != "" {
		return ex.Event
	}
	return "a webhook"
}
