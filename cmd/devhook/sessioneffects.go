package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"devhook/internal/livesession"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

// effects are what an app has counted, by the names of the totals.
type effects map[string]int

const (
	effectsTimeout = 10 * time.Second // to say what was counted
	effectsLag     = 2 * time.Second  // an app may answer first, and count so long after that
)

// appCount returns what asks the app as --effects says; without it, what tells nothing.
func appCount(c *cli.Context) (func(context.Context) (effects, error), error) {
	if !c.IsSet("effects") {
		return func(context.Context) (effects, error) { return nil, nil }, nil
	}
	if c.String("effects") == "" {
		return nil, &failure{code: 2, text: "--effects is empty"}
	}
	ask := asking(c.String("effects"))
	return func(ctx context.Context) (effects, error) {
		ctx, cancel := context.WithTimeout(ctx, effectsTimeout)
		defer cancel()
		said, err := ask(ctx)
		if err != nil {
			return nil, &failure{code: 2, text: "--effects: " + err.Error(), hint: "it has to print numbers, and 0 as long as nothing was counted", err: err}
		}
		counted := parseEffects(said)
		if len(counted) == 0 {
			return nil, &failure{
				code: 2, text: fmt.Sprintf("--effects: there is no total in %q", terminal.Cut(terminal.Safe(strings.TrimSpace(said)), 60)),
				hint: `it has to print JSON as {"gifts": 61, "diamonds": 90}, with names of the totals, or the number of gifts`,
			}
		}
		return counted, nil
	}, nil
}

// parseEffects reads what was counted: members of a JSON object that have the name of a
// total, or a number, which is gifts.
func parseEffects(said string) effects {
	if n, err := strconv.Atoi(strings.TrimSpace(said)); err == nil {
		return effects{"gifts": n}
	}
	var members map[string]any
	if json.Unmarshal([]byte(said), &members) != nil {
		return nil
	}
	counted := effects{}
	for _, total := range (livesession.Totals{}).Named() {
		if n, ok := members[total.Name].(float64); ok && n == float64(int(n)) {
			counted[total.Name] = int(n)
		}
	}
	return counted
}

// settleEffects returns what the app has counted of events since before, once it is right or
// the app has had its time.
func settleEffects(ctx context.Context, count func(context.Context) (effects, error), before effects, events []livesession.Event) (effects, error) {
	for end := time.Now().Add(effectsLag); ; {
		counted, err := count(ctx)
		if err != nil {
			return nil, err
		}
		for name := range counted {
			counted[name] -= before[name]
		}
		if len(counted.wrong(events)) == 0 || time.Now().After(end) {
			return counted, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// A miscounted is a total that an app has counted wrong.
type miscounted struct {
	Name string `json:"name"`
	Want int    `json:"want"`
	Got  int    `json:"got"`
	Why  string `json:"why,omitempty"` // the mistake that comes to the same number
}

func (m miscounted) String() string {
	text := fmt.Sprintf("%s: the app has counted %d, and it is %d.", strings.ReplaceAll(m.Name, "_", " "), m.Got, m.Want)
	if m.Why != "" {
		text += fmt.Sprintf(" %d is what an app comes to that %s.", m.Got, m.Why)
	}
	return text
}

// wrong returns which of the totals of events were counted wrong.
func (e effects) wrong(events []livesession.Event) (list []miscounted) {
	for _, total := range livesession.Sum(events).Named() {
		if got, asked := e[total.Name]; asked && got != total.N {
			list = append(list, miscounted{total.Name, total.N, got, livesession.Why(events, total.Name, got)})
		}
	}
	return list
}
