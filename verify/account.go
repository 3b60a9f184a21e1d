package verify

import (
	"fmt"
	"slices"
)

// ForAccount makes m one for the receiver's account that k.With names, where
// the provider's messages name an account: so a made-up message passes the check
// of it. Headers that repeat the account follow. m's Header and URL are changed
// in place, Body is replaced. Nothing is done if k names no account, or m none. What
// was signed before has to be signed anew.
func (p Provider) ForAccount(m *Message, k Keys) error {
	d, ok := p.Scheme.(*declared)
	if !ok || d.account == nil || d.account.at.in == "" || k.With[d.account.with] == "" {
		return nil
	}
	want := k.With[d.account.with]
	old, ok := d.account.from.expand(&view{m: *m}, maxName, nil)
	if !ok || old == want {
		return nil
	}
	if err := d.account.at.write(m, want, false); err != nil {
		return fmt.Errorf("put the account of %s into the %s: %w", p.ID, d.account.at, err)
	}
	for _, values := range m.Header {
		if i := slices.Index(values, old); i >= 0 && old != "" {
			values[i] = want
		}
	}
	return nil
}
