package inspector

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"devhook/internal/attack"
)

// An attackRequest is a webhook whose variants are sent.
type attackRequest struct {
	tryRequest
	Only    []string `json:"only"`    // variants by name
	Effects string   `json:"effects"` // a URL that answers how many webhooks were acted on
}

// variants lists the variants that an attack has.
func (in *Inspector) variants(*http.Request) (any, error) {
	type variant struct {
		Name  string      `json:"name"`
		About string      `json:"about"`
		Want  attack.Want `json:"want"`
	}
	list := struct {
		Variants []variant `json:"variants"`
	}{}
	for _, v := range attack.Variants {
		list.Variants = append(list.Variants, variant{v.Name, v.About, v.Want})
	}
	return list, nil
}

// attack tries an app with right and wrong variants of a webhook, and answers once all were
// sent, or time is up.
func (in *Inspector) attack(r *http.Request, req attackRequest) (any, error) {
	list, err := attack.Choose(req.Only)
	if err != nil {
		return nil, &Error{http.StatusBadRequest, err.Error(), "GET /devhook/v1/attack lists all"}
	}
	effects, err := in.effects(r, req.Effects)
	if err != nil {
		return nil, err
	}
	t, ctx, end, err := in.tries(r, req.tryRequest)
	if err != nil {
		return nil, err
	}
	defer end()
	results, err := t.Attack(ctx, list, effects, func(attack.Result) {})
	if counting := new(attack.EffectsError); errors.As(err, &counting) {
		err = &Error{http.StatusUnprocessableEntity, "effects: " + counting.Text, "the URL has to answer a number: how many webhooks the app has acted on so far"}
	}
	timedOut, err := late(ctx, err)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Provider string        `json:"provider"`
		Variants []attack.Told `json:"variants"`
		attack.Summary
		TimedOut bool `json:"timed_out"`
	}{Provider: t.Provider.ID, Variants: []attack.Told{}, Summary: attack.Summarize(results), TimedOut: timedOut}
	for _, r := range results {
		answer.Variants = append(answer.Variants, r.Tell())
	}
	return answer, nil
}

// effects returns what asks a URL how many webhooks were acted on; nil for none. It has to
// be of an address that may be sent to. Commands are started by who is at the command
// line, and by no API.
func (in *Inspector) effects(r *http.Request, text string) (func(context.Context) (int, error), error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		if strings.HasPrefix(text, "http:") || strings.HasPrefix(text, "https:") {
			return nil, &Error{http.StatusBadRequest, "effects is no URL", ""}
		}
		return nil, &Error{http.StatusForbidden, "effects is no URL, and the API starts no command", "devhook attack --effects COMMAND does"}
	}
	if err := in.reach(u, in.mayAim(r)); err != nil {
		return nil, err
	}
	client := &http.Client{ // that goes nowhere else
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return attack.Count(attack.Ask(client, text)), nil
}
