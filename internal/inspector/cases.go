package inspector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// mostCases bounds how many cases one request has.
const mostCases = 1000

// A testRequest is cases that are sent to an app.
type testRequest struct {
	Cases string `json:"cases"` // a file of them, as devhook test reads it
	sendingTo
	// App and Ready are of the command line alone: they start a program.
	App   string `json:"app"`
	Ready string `json:"ready"`
}

// A testCase is one of them, and what it sends.
type testCase struct {
	replay.Case
	plan replay.Plan
}

// test sends cases to an app, and answers which of them are right.
func (in *Inspector) test(r *http.Request, req testRequest) (any, error) {
	cases, err := in.cases(r, req)
	timeout, within, err2 := req.times()
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	ctx, end, err := in.long(r, within)
	if err != nil {
		return nil, err
	}
	defer end()
	answer := struct {
		Cases    []trial.ToldCase `json:"cases"`
		Right    int              `json:"right"`
		Wrong    int              `json:"wrong"`
		TimedOut bool             `json:"timed_out"`
	}{Cases: []trial.ToldCase{}}
	for _, c := range cases {
		c.plan.Timeout = timeout
		send := func(ctx context.Context) (*recorder.Exchange, error) { return in.o.Send(ctx, c.plan) }
		var why string
		var done *recorder.Exchange
		if why, done, err = trial.Run(ctx, c.Case, c.plan.Source, send, in.o.Store.ReadBody); err != nil {
			err = inCase(c.Case, err)
			break
		}
		if answer.Cases = append(answer.Cases, trial.TellCase(c.Case, "", why, done)); why == "" {
			answer.Right++
		} else {
			answer.Wrong++
		}
	}
	answer.TimedOut, err = late(ctx, err)
	return answer, err
}

// cases reads the cases of req, and where each is sent; one that cannot be keeps all back.
func (in *Inspector) cases(r *http.Request, req testRequest) (list []testCase, err error) {
	if req.App != "" || req.Ready != "" {
		return nil, &Error{http.StatusForbidden, "the API starts no program", "devhook test DIR --app COMMAND --ready URL does; without them it is the app that runs that is tested"}
	}
	if strings.TrimSpace(req.Cases) == "" {
		return nil, &Error{http.StatusBadRequest, "cases are missing", "they are what a file of devhook test holds: send: tiktok/video.publish.completed"}
	}
	all, err := replay.ParseCases([]byte(req.Cases))
	if err != nil {
		return nil, &Error{http.StatusBadRequest, "cases: " + err.Error(), ""}
	}
	if len(all) > mostCases {
		return nil, &Error{http.StatusBadRequest, fmt.Sprintf("%d cases are more than %d", len(all), mostCases), ""}
	}
	for i, c := range all {
		if c.Name == "" {
			c.Name = fmt.Sprintf("case %d", i+1)
		}
		tc := testCase{Case: c}
		if tc.plan, err = in.planCase(r, c, req.To); err != nil {
			return nil, inCase(c, err)
		}
		list = append(list, tc)
	}
	return list, nil
}

// planCase returns what c sends.
func (in *Inspector) planCase(r *http.Request, c replay.Case, to string) (p replay.Plan, err error) {
	if strings.HasPrefix(c.Send, "./") || strings.HasPrefix(c.Send, "../") {
		return p, &Error{http.StatusForbidden, "the API reads no file", "devhook test DIR does; send: PROVIDER/EVENT sends a sample"}
	}
	p = replay.Plan{Origin: recorder.Trigger, Mutations: c.Changes, Sign: c.Sign}
	if p.To, err = in.appNamed(to); err != nil {
		return p, err
	}
	if err := in.sample(&p, c.Send); err != nil {
		return p, err
	}
	if p.Sign == "" {
		p.Sign = replay.SignAuto
	}
	if p.At, err = in.when("at", c.At, time.Time{}); err != nil {
		return p, err
	}
	if err := in.aim(&p, in.mayAim(r)); err != nil {
		return p, err
	}
	_, err = in.o.Plan(p) // whether it can be made
	return p, err
}

// inCase tells where the case stands that cannot be sent.
func inCase(c replay.Case, err error) error { return prefixed(fmt.Sprintf("line %d: ", c.Line), err) }

// prefixed has err tell first what it is of.
func prefixed(of string, err error) error {
	var told *Error
	var bad *replay.Error
	switch {
	case errors.As(err, &told):
		return &Error{told.Status, of + told.Text, told.Hint}
	case errors.As(err, &bad):
		return &Error{http.StatusUnprocessableEntity, of + bad.Text, flagWords.Replace(bad.Hint)}
	}
	return err
}
