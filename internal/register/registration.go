package register

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// applyAttempts is how often a change is tried whose call ends without a clear
// answer.
const applyAttempts = 3

// Options are what [Open] is told.
type Options struct {
	Store    *recorder.Store
	Provider Provider
	// Values are what the user said, by Param.Name; of a Secret, what it refers
	// to.
	Values map[string][]string
	API    string // the API's address; "" for the provider's own
	// Keep has Close leave what was made.
	Keep bool
	// Say is told of each step; may be nil. TakeSecret is as in [Settings]; may be nil.
	Say        func(Step)
	TakeSecret func(verify.Secret)

	pause func(context.Context, time.Duration) error // tests do not wait as long; nil: as it says
}

// A Step is something that was done at a provider, or taken back.
type Step struct {
	Change Change
	Undo   Undo // zero: the change was made
	Old    bool // it is of a process that has died
	Err    error
}

// Facts are a step for programs.
type Facts struct {
	Key    string `json:"key"`
	About  string `json:"about"`
	URL    string `json:"url,omitempty"`
	Result string `json:"result"` // "done", "failed", or an UndoResult
	Why    string `json:"why,omitempty"`
	Old    bool   `json:"old,omitempty"` // it is of a process that has died
}

// Facts tells s to programs.
func (s Step) Facts() Facts {
	f := Facts{s.Change.Key, s.Change.About, s.Change.URL, cmp.Or(string(s.Undo.Result), "done"), s.Undo.Why, s.Old}
	if s.Err != nil {
		f.Result, f.Why = "failed", s.Err.Error()
	}
	return f
}

// A Registration is what one process has changed at one provider. It is not
// for concurrent use. Make one with [Open].
type Registration struct {
	o      Options
	client *Client
	reg    Registrar
	ledger Ledger
	held   *recorder.Announcement // nil: nothing was made yet
	begun  bool                   // what the dead have left was looked at
	old    bool                   // is of a process that has died
}

// Open checks what the user said; it calls nothing. The error tells what is
// wrong with it.
//
// The caller closes the Registration.
func Open(o Options) (*Registration, error) {
	if o.Say == nil {
		o.Say = func(Step) {}
	}
	r := &Registration{o: o, ledger: Ledger{
		V: 1, PID: os.Getpid(), At: time.Now().UTC(), Provider: o.Provider.ID, API: strings.TrimRight(cmp.Or(o.API, o.Provider.API), "/"),
		Params: map[string][]string{}, Mark: rand.Text(), Keep: o.Keep,
	}}
	for _, p := range o.Provider.Params {
		if values := o.Values[p.Name]; p.Kind != Secret && len(values) > 0 {
			r.ledger.Params[p.Name] = values
		}
	}
	var err error
	if r.reg, r.client, err = r.open(o.Values, r.ledger.Mark); err != nil {
		return nil, err
	}
	r.ledger.Account = r.reg.Account()
	return r, nil
}

// A MissingError says that the user must say something.
type MissingError struct{ Param Param }

func (e *MissingError) Error() string {
	return e.Param.Name + " is missing: " + strings.ReplaceAll(e.Param.About, "`", "")
}

func (r *Registration) open(values map[string][]string, mark string) (Registrar, *Client, error) {
	for _, p := range r.o.Provider.Params {
		if p.Required && len(values[p.Name]) == 0 {
			return nil, nil, &MissingError{p}
		}
		for _, v := range values[p.Name] {
			if p.Check == nil {
				continue
			}
			if err := p.Check(v); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	c, err := NewClient(r.ledger.API)
	if err != nil {
		return nil, nil, err
	}
	if r.o.pause != nil {
		c.pause = r.o.pause
	}
	s := Settings{Values: values, Mark: mark, TakeSecret: r.o.TakeSecret, Another: r.another}
	if s.TakeSecret == nil {
		s.TakeSecret = func(verify.Secret) {}
	}
	reg, err := r.o.Provider.Open(s, c)
	return reg, c, err
}

// another is [Settings.Another].
func (r *Registration) another(url string) bool {
	list, _ := List(r.o.Store) // what cannot be read is nobody's
	return slices.ContainsFunc(list, func(l Ledger) bool {
		return l.Mark != r.ledger.Mark && l.Provider == r.ledger.Provider && l.API == r.ledger.API && l.Account == r.ledger.Account &&
			slices.ContainsFunc(l.Changes, func(ch Change) bool { return ch.Ours(url) })
	})
}

// Account is whose webhooks these are.
func (r *Registration) Account() string { return r.ledger.Account }

// Mark is what the registration is known by, here and, where there is room for it, at the
// provider.
func (r *Registration) Mark() string { return r.ledger.Mark }

// Same reports whether other is one of the same account that was told the same.
func (r *Registration) Same(other *Registration) bool {
	return r.ledger.Provider == other.ledger.Provider && r.ledger.API == other.ledger.API && r.ledger.Account == other.ledger.Account && r.ledger.sameParams(other.ledger)
}

// API returns where the provider's API is.
func (r *Registration) API() string { return r.ledger.API }

// Local reports whether the API is on this machine, so that it can reach what
// is here.
func (r *Registration) Local() bool { return r.client.Local() }

// Show is [Client.Show].
func (r *Registration) Show(call Call) (method, url, body string) { return r.client.Show(call) }

// Plan returns what Set would do. It changes nothing.
func (r *Registration) Plan(ctx context.Context, callback string) ([]Change, error) {
	return r.reg.Plan(ctx, callback, slices.Clone(r.ledger.Changes))
}

// Set makes callback the URL that webhooks go to, or moves them there. Before
// its first change it takes back what dead processes have left in the account.
// After an error what was made stays, for Close or for another Set.
func (r *Registration) Set(ctx context.Context, callback string) error {
	if !r.begun {
		r.takeBackOld(ctx)
		r.begun = true
	}
	plan, err := r.Plan(ctx, callback)
	for looked := false; err == nil && len(plan) > 0; {
		if err = ctx.Err(); err != nil {
			break
		}
		ch := plan[0]
		plan = plan[1:]
		if err = r.make(ctx, ch); !refused(err) || looked {
			continue
		}
		looked = true
		next, bad := r.Plan(ctx, callback)
		if bad == nil && !slices.ContainsFunc(next, func(other Change) bool { return other.Key == ch.Key }) {
			plan, err = next, nil // another has just done it
		}
	}
	if err != nil {
		return err
	}
	if r.ledger.URL = callback; len(r.ledger.Changes) == 0 {
		return nil
	}
	if err := r.write(); err != nil {
		return err
	}
	return r.takeBack(ctx, func(ch Change) bool { return ch.URL != "" && ch.URL != callback })
}

// make makes one change. It is in the ledger before its call and after.
func (r *Registration) make(ctx context.Context, ch Change) error {
	ch.State, ch.At = Intended, time.Now().UTC()
	before := slices.Clone(r.ledger.Changes)
	i := r.ledger.find(ch.Key)
	if i < 0 {
		r.ledger.Changes = append(r.ledger.Changes, ch)
		i = len(r.ledger.Changes) - 1
	} else {
		old := r.ledger.Changes[i]
		ch.At = old.At
		if ch.Was = append(slices.Clone(old.Was), old.URL); ch.URL == old.URL {
			ch.Was = old.Was
		}
		r.ledger.Changes[i] = ch
	}
	if err := r.write(); err != nil {
		r.ledger.Changes = before
		return err
	}
	err := r.apply(ctx, &ch, r.ledger.Changes[:i])
	if err == nil {
		ch.State = Done
		r.o.Say(Step{Change: ch})
	}
	r.ledger.Changes[i] = ch
	if refused(err) && !ch.Again {
		r.ledger.Changes = before
	}
	return cmp.Or(err, r.write())
}

// refused reports whether a provider has answered that it will not.
func refused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && !e.Unsure()
}

// apply tries a change again whose call ended without a clear answer.
func (r *Registration) apply(ctx context.Context, ch *Change, done []Change) error {
	for attempt := 1; ; attempt++ {
		err := r.reg.Apply(ctx, ch, done)
		if e, ok := errors.AsType[*Error](err); !ok || !e.Unsure() || attempt == applyAttempts {
			return err
		}
		ch.Again = true
		if r.client.pause(ctx, time.Duration(attempt)*time.Second) != nil {
			return err
		}
	}
}

// write puts the ledger on disk.
func (r *Registration) write() (err error) {
	text, err := json.MarshalIndent(r.ledger, "", " ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if r.held == nil {
		r.held, err = r.o.Store.Keep(kind, text)
	} else {
		err = r.held.Update(text)
	}
	if err != nil {
		return fmt.Errorf("write down what is done at %s: %w", r.o.Provider.ID, err)
	}
	return nil
}

// takeBack takes back the changes that want says, the newest first. What could
// not be taken back stays in the ledger.
func (r *Registration) takeBack(ctx context.Context, want func(Change) bool) error {
	var failed error
	for i := len(r.ledger.Changes) - 1; i >= 0; i-- {
		ch := r.ledger.Changes[i]
		if !want(ch) {
			continue
		}
		undo, err := r.reg.Revert(ctx, ch)
		r.o.Say(Step{Change: ch, Undo: undo, Err: err, Old: r.old})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", ch.Key, err))
			continue
		}
		if undo.Result == Later {
			continue
		}
		r.ledger.Changes = slices.Delete(r.ledger.Changes, i, i+1)
		if err := r.write(); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// Test has the provider send a webhook, and returns what it says of it. ok is
// false if the provider has no way to.
func (r *Registration) Test(ctx context.Context) (said string, ok bool, err error) {
	t, ok := r.reg.(Tester)
	if !ok {
		return "", false, nil
	}
	said, err = t.Test(ctx, slices.Clone(r.ledger.Changes))
	return said, true, err
}

// Close takes back what was made, or leaves it if it is to be kept. What could
// not be taken back, or may not be yet, stays in the store for a [Cleanup].
// The error says what is left.
func (r *Registration) Close(ctx context.Context) error {
	if r.held == nil {
		return nil
	}
	if r.ledger.Keep {
		return r.held.Leave()
	}
	err := r.takeBack(ctx, func(Change) bool { return true })
	if !r.old {
		say := r.o.Say
		r.o.Say = func(s Step) {
			if s.Undo.Result != Later { // was said
				say(s)
			}
		}
		defer r.takeBackOld(ctx) // what waited for this one
	}
	if len(r.ledger.Changes) == 0 {
		return errors.Join(err, r.held.Close())
	}
	return errors.Join(err, r.held.Leave())
}
