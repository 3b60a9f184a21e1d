// Package trial sends webhooks to an app many times, each time otherwise, and finds out
// from the answers what the app does: it attacks, delivers as a provider does, shrinks,
// and plays a session. What the variants are, when a provider tries again and what is
// smaller is left to the packages for that; who sends is told by the caller.
package trial

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"devhook/internal/attack"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A Trial is one webhook that an app is tried with. All of it has to be set but Route
// and Timeout.
type Trial struct {
	Source   *recorder.Exchange // with its whole body in memory
	Provider verify.Provider
	Keys     attack.Keyholder // of the app; not used for an event of a stream, which nobody signs
	Origin   recorder.Origin  // of what is sent
	App      *url.URL
	Route    string
	Timeout  time.Duration // how long the app may take to answer; 0: as who sends has it
	Now      func() time.Time
	// Send sends a plan and returns the exchange as it ended, also when the app did not
	// answer.
	Send func(context.Context, replay.Plan) (*recorder.Exchange, error)
}

// An UnreachableError says that no app was there for the first request.
type UnreachableError struct{ Detail string }

func (e *UnreachableError) Error() string { return "the app did not answer: " + e.Detail }

// Handler takes the path from the address of an app, if it has one: a sample, which came
// to no path before, goes to where the app has its handler, and not to a path behind it. It
// returns the path, "" for none, and the app at its root; nil for nil.
func Handler(app *url.URL) (path string, root *url.URL) {
	if app == nil || strings.Trim(app.Path, "/") == "" {
		return "", app
	}
	at := *app
	at.Path, at.RawPath = "", ""
	return app.EscapedPath(), &at
}

// A remark is recorded among the changes, and changes nothing.
type remark string

func (remark) Apply(*recorder.Request) error { return nil }

func (r remark) String() string { return string(r) }

// shoot sends req as it is, and remarks why.
func (t *Trial) shoot(ctx context.Context, req recorder.Request, why string) (*recorder.Exchange, error) {
	ex := *t.Source
	ex.Request = req
	return t.Send(ctx, replay.Plan{
		Source: &ex, Origin: t.Origin, To: t.App, Route: t.Route, Timeout: t.Timeout, Sign: replay.SignNever, Mutations: []replay.Mutation{remark(why)},
	})
}

// signed returns req signed now, if its provider signs such a one; fresh gives it a delivery
// id that there was not before.
func (t *Trial) signed(req recorder.Request, fresh bool) (recorder.Request, error) {
	if req.Proto == recorder.ProtoStream {
		return req, nil
	}
	if m, err := req.Message(); err == nil && t.Provider.NeverSigned(m) {
		return req, nil
	}
	return t.Keys.Sign(req, attack.Signing{As: t.Provider, At: t.Now(), FreshID: fresh})
}

// Status is what the app answered, 0 if it did not.
func Status(ex *recorder.Exchange) int {
	if ex.Outcome != recorder.Answered || ex.Response == nil {
		return 0
	}
	return ex.Response.Status
}

// detail is why the app did not answer.
func detail(ex *recorder.Exchange) string { return cmp.Or(ex.Detail, string(ex.Outcome)) }

// Attack sends variants of the webhook, and calls each with what became of every one.
// effects counts what the app has done; nil: nobody counts. The error is an
// [*UnreachableError], one of Send or effects, one that tells why the webhook cannot be
// varied, or that of ctx.
func (t *Trial) Attack(ctx context.Context, variants []attack.Variant, effects func(context.Context) (int, error), each func(attack.Result)) ([]attack.Result, error) {
	if t.Source.Request.Proto == recorder.ProtoStream {
		return nil, &replay.Error{
			Text: "events of a stream have no signature, and that is what is attacked",
			Hint: "devhook deliver --duplicate has one come twice, devhook shrink makes it small, devhook session plays a whole LIVE",
		}
	}
	a, err := attack.New(t.Provider, t.Keys, t.Source.Request, t.Now())
	if err != nil {
		return nil, err
	}
	target := attack.Target{Now: t.Now, Effects: effects, Send: func(ctx context.Context, v attack.Variant, req recorder.Request) (attack.Answer, error) {
		done, err := t.shoot(ctx, req, "attack "+v.Name)
		if err != nil {
			return attack.Answer{}, err
		}
		answer := attack.Answer{ID: string(done.ID), Status: Status(done), Detail: detail(done)}
		if done.Response != nil {
			answer.Took = done.Response.Took
		}
		if done.Outcome == recorder.Answered && answer.Status >= 300 {
			answer.Said = terminal.Excerpt(done.Answer().Body.Bytes)
		}
		return answer, nil
	}}
	results, err := a.Run(ctx, target, variants, each)
	if errors.Is(err, attack.ErrUnreachable) {
		err = &UnreachableError{strings.TrimPrefix(err.Error(), attack.ErrUnreachable.Error()+": ")}
	}
	return results, err
}
