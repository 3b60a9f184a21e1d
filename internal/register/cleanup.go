package register

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"devhook/recorder"
)

// takeBackOld takes back what dead processes have left in the account, and
// what one was told to keep that was told the same. It is no error if it cannot
// be: it stays for the next.
func (r *Registration) takeBackOld(ctx context.Context) {
	r.cleanup(ctx, func(l Ledger) bool {
		return l.Account == r.ledger.Account && (!l.Keep || r.ledger.sameParams(l))
	})
}

// cleanup takes back the ledgers of dead processes that want says, and returns
// how many there were. What has to wait for another of them is tried again.
func (r *Registration) cleanup(ctx context.Context, want func(Ledger) bool) (int, error) {
	var undone []UndoResult
	say := r.o.Say
	r.o.Say = func(s Step) {
		undone = append(undone, s.Undo.Result)
		say(s)
	}
	defer func() { r.o.Say = say }()
	n, err := r.sweep(ctx, want)
	for err == nil && slices.Contains(undone, Later) && slices.Contains(undone, Reverted) {
		undone = nil
		_, err = r.sweep(ctx, want)
	}
	return n, err
}

// sweep is one round of a cleanup.
func (r *Registration) sweep(ctx context.Context, want func(Ledger) bool) (int, error) {
	var failed error
	n := 0
	err := r.o.Store.TakeOver(kind, func(text []byte) bool {
		l, ok := parseLedger(text)
		return ok && l.Provider == r.o.Provider.ID && l.API == r.ledger.API && want(l)
	}, func(a *recorder.Announcement, text []byte) {
		n++
		old := &Registration{o: r.o, held: a, old: true}
		old.ledger, _ = parseLedger(text)
		values := map[string][]string{}
		maps.Copy(values, old.ledger.Params) // which may be nil
		for _, p := range r.o.Provider.Params {
			if p.Kind == Secret {
				values[p.Name] = r.o.Values[p.Name]
			}
		}
		var err error
		if old.reg, old.client, err = old.open(values, old.ledger.Mark); err == nil {
			old.ledger.Keep = false
			err = old.Close(ctx)
		}
		failed = errors.Join(failed, err)
	})
	return n, errors.Join(failed, err)
}

// Cleanup takes back what dead processes have left at the provider, also what
// was to be kept, in every account that the credentials in o.Values are good
// for, and returns how many registrations that were. Those at another API than
// o.API are left.
func Cleanup(ctx context.Context, o Options) (int, error) {
	if o.Say == nil {
		o.Say = func(Step) {}
	}
	r := &Registration{o: o, ledger: Ledger{API: strings.TrimRight(cmp.Or(o.API, o.Provider.API), "/")}}
	if _, err := NewClient(r.ledger.API); err != nil {
		return 0, err
	}
	return r.cleanup(ctx, func(Ledger) bool { return true })
}
