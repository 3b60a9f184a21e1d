package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const attackAbout = `Tries the user's app with some sixty right and wrong variants of a webhook: unsigned, forged, old, changed, broken, huge, and twice. Tells what it does wrong with which, and what to change in it. All of it is sent and recorded: it is for an app that may be hurt.`

type attackInput struct {
	Ref     ref      `json:"ref,omitempty" jsonschema:"the recording that variants are made of: a number, an ID or a part of one, last, live"`
	Fixture string   `json:"fixture,omitempty" jsonschema:"or a sample: PROVIDER/EVENT, as in tiktok/video.publish.completed"`
	To      string   `json:"to,omitempty" jsonschema:"another app of the user's: a port, HOST:PORT or a URL"`
	Only    []string `json:"only,omitempty" jsonschema:"only these variants, by the names that an answer has; all if empty"`
	Seconds float64  `json:"within_seconds,omitempty" bounds:"0.1 600" jsonschema:"how long all of it may take, up to 600; 50 if not given, as many clients wait no longer than 60"`
}

// within is seconds as the API has it: what is left of a minute, if nothing is said.
func within(seconds float64) string {
	return time.Duration(cmp.Or(seconds, 50) * float64(time.Second)).String()
}

// attacked is what the API answers to an attack.
type attacked struct {
	Provider string
	Sent     int
	Findings []struct {
		ID, Text, Fix string
		Variants      []string
	}
	Variants []struct {
		Name, About, Want, Finding, Detail, Note, Skipped string

		Answers []struct {
			Status int
			Detail string
		}
	}
	TimedOut bool `json:"timed_out"`
}

func (s *server) attack(ctx context.Context, in attackInput) (string, error) {
	if (in.Ref == "") == (in.Fixture == "") {
		return "", errors.New("one of ref and fixture is needed: a recording, or a sample PROVIDER/EVENT")
	}
	var got attacked
	err := s.post(ctx, "/devhook/v1/attack", map[string]any{
		"ref": in.Ref, "fixture": in.Fixture, "to": in.To, "only": in.Only, "within": within(in.Seconds),
	}, &got)
	if err != nil {
		return "", err
	}
	var p page
	p.say("%d variants of a webhook of %s were sent; findings: %d.", got.Sent, got.Provider, len(got.Findings))
	if got.TimedOut {
		p.say("Time was up before all of them were: within_seconds allows more.")
	}
	for _, f := range got.Findings {
		p.say("finding %s: the app %s. To do: %s (%s)", f.ID, f.Text, f.Fix, strings.Join(f.Variants, ", "))
	}
	var right []string
	var other strings.Builder // quotes what answers were like
	for _, v := range got.Variants {
		if v.Finding == "" && v.Note == "" && v.Skipped == "" {
			right = append(right, v.Name)
			continue
		}
		var answers []string
		for _, a := range v.Answers {
			answers = append(answers, cmp.Or(a.Detail, fmt.Sprint(a.Status)))
		}
		fmt.Fprintf(&other, "%s (%s): ", v.Name, v.About)
		if v.Skipped != "" {
			fmt.Fprintf(&other, "not sent: %s\n", short(v.Skipped, 300))
			continue
		}
		fmt.Fprintf(&other, "should %s, answered %s. %s %s\n", v.Want, short(strings.Join(answers, ", "), 300), short(v.Detail, 300), short(v.Note, 300))
	}
	if len(right) > 0 {
		fmt.Fprintf(&p, "Answered as they should be: %s\n", strings.Join(right, ", "))
	}
	if other.Len() > 0 {
		p.say("What there is to say of the others:")
		p.quote(other.String())
	}
	return p.String(), nil
}
