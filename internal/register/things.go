package register

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"devhook/verify"
)

// Most providers keep any number of things that have webhooks sent: hooks,
// endpoints, subscriptions. All of them are made, moved and taken back alike.
// In the Data of such a change, id is that of the thing once it is known, since
// the time when it was planned, and stale the id of one that a call without an
// answer has made before.

// A thing is one of them, as a provider lists it.
type thing struct {
	ID, URL string
	Mark    string // of the registration that made it; "" for none, and where there is no room for one
	Created time.Time
	Works   bool // it is not disabled, failed or revoked
}

// things is how one provider's are called.
type things struct {
	s    Settings
	name string // what one is called, as in "webhook"
	// marked says that there is room for the mark.
	marked bool
	// secret says that webhooks are signed with what is told once only, so that
	// one of somebody else at the same URL is of no use.
	secret bool
	// one says that there is one for a URL, even if it does not work.
	one bool
	// list lists those that the change's could be among.
	list   func(ctx context.Context, ch Change) ([]thing, error)
	create func(ctx context.Context, ch *Change) (id string, err error)
	move   func(ctx context.Context, ch Change) error // nil: there is no such call
	delete func(ctx context.Context, ch Change, id string) error
}

// plan adds want to the plan, unless nothing is to be done. want has all but
// what is told by what is there.
func (x *things) plan(ctx context.Context, plan []Change, want Change, done []Change) ([]Change, error) {
	all, err := x.list(ctx, want)
	if err != nil {
		return nil, err
	}
	want.Data = maps.Clone(want.Data)
	want.Data["since"] = time.Now().UTC().Format(time.RFC3339)
	mine := changeOf(done, want.Key)
	for _, t := range all {
		switch known := mine != nil && mine.Data["id"] == t.ID; {
		case known && t.URL == want.URL && t.Works && mine.State == Done:
			return plan, nil
		case known && x.move != nil && (mine.Ours(t.URL) || t.URL == want.URL):
			want.Data = maps.Clone(mine.Data)
			return append(plan, want), nil
		case known:
			if mine.URL == "" || mine.Ours(t.URL) {
				want.Data["stale"] = t.ID
			}
		case mine != nil && x.ours(*mine, t):
			want.Data["stale"] = t.ID
		case t.URL == want.URL && t.Works && !x.marked && !x.secret, t.URL == want.URL && t.Works && len(x.s.Values[webhookSecretName]) > 0:
			if given := x.s.Get(webhookSecretName); given != "" {
				x.s.TakeSecret(verify.NewSecret(given))
			}
			return plan, nil // somebody has seen to it
		case t.URL == want.URL && (t.Works || x.one) && x.secret:
			return nil, &Refusal{
				Text: fmt.Sprintf("a %s at %s is there already that this devhook has not made, and its secret cannot be read", x.name, want.URL),
				Hint: "delete it there; or say what it signs with: --" + webhookSecretName + " REF; what a devhook has left that is gone, devhook register --cleanup takes back",
			}
		}
	}
	return append(plan, want), nil
}

// ours reports whether t is what ch was to make, though it is not known what its
// call has answered.
func (x *things) ours(ch Change, t thing) bool {
	switch {
	case ch.Data["id"] != "":
		return t.ID == ch.Data["id"]
	case ch.Data["stale"] != "" && t.ID == ch.Data["stale"]:
		return true
	case x.marked:
		return t.Mark == x.s.Mark && (ch.URL == "" || ch.Ours(t.URL))
	case ch.URL != "" && !ch.Ours(t.URL):
		return false
	}
	since, err := time.Parse(time.RFC3339, ch.Data["since"])
	return err == nil && t.Created.Sub(since).Abs() <= aroundCreation
}

func (x *things) Apply(ctx context.Context, ch *Change, _ []Change) error {
	if ch.Data["id"] != "" && x.move != nil {
		return x.move(ctx, *ch)
	}
	if ch.Again || ch.Data["stale"] != "" {
		// The answer is lost, and with it a secret that is told once: another is made.
		if _, err := x.remove(ctx, *ch); err != nil {
			return err
		}
	}
	delete(ch.Data, "id")
	id, err := x.create(ctx, ch)
	if id != "" {
		ch.Data["id"] = id
		delete(ch.Data, "stale")
	}
	if err == nil && id == "" {
		err = errors.New("the API made a " + x.name + " and did not say which")
	}
	return err
}

func (x *things) Revert(ctx context.Context, ch Change) (Undo, error) { return x.remove(ctx, ch) }

// remove deletes what ch has made.
func (x *things) remove(ctx context.Context, ch Change) (Undo, error) {
	all, err := x.list(ctx, ch)
	if err != nil {
		return Undo{}, err
	}
	undo := Undo{Result: Gone}
	for _, t := range all {
		if !x.ours(ch, t) {
			continue
		}
		if ch.URL != "" && !ch.Ours(t.URL) || x.marked && t.Mark != x.s.Mark {
			return Undo{Left, "it was changed by somebody else"}, nil
		}
		err := x.delete(ctx, ch, t.ID)
		if err != nil && StatusOf(err) != http.StatusNotFound {
			return Undo{}, err
		}
		undo.Result = Reverted
	}
	return undo, nil
}

// maxPages bounds what a list that never ends costs.
const maxPages = 200

// advised adds what to look at to an error that has one of the statuses.
func advised(err error, advice string, statuses ...int) error {
	for _, status := range statuses {
		if err != nil && StatusOf(err) == status {
			return fmt.Errorf("%w (%s)", err, advice)
		}
	}
	return err
}

// instant reads a time as RFC 3339 has it; zero for none.
func instant(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

// webhookSecretName is the parameter of providers whose webhooks are signed with
// what is chosen here.
const webhookSecretName = "webhook-secret"

func webhookSecretParam(env, about string) Param {
	return Param{Name: webhookSecretName, About: "`REF` to " + about, Env: env, Kind: Secret}
}

// splitVersion splits NAME@VERSION.
func splitVersion(text string) (name, version string) {
	name, version, ok := strings.Cut(text, "@")
	if !ok {
		version = "1"
	}
	return name, version
}
