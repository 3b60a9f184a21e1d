package register

import (
	"encoding/json"
	"slices"
	"time"

	"devhook/recorder"
)

// kind is the directory of the ledgers in the store.
const kind = "registrations"

// A Ledger is what one registration has changed at a provider. Its JSON stands
// in the store.
type Ledger struct {
	V        int                 `json:"v"`
	PID      int                 `json:"pid"`
	At       time.Time           `json:"at"` // when it was begun, UTC
	Provider string              `json:"provider"`
	Account  string              `json:"account"`
	API      string              `json:"api"`
	Params   map[string][]string `json:"params,omitempty"` // what was said, without secrets
	Mark     string              `json:"mark"`
	URL      string              `json:"url,omitempty"` // the callback, once it is set
	Keep     bool                `json:"keep,omitempty"`
	Changes  []Change            `json:"changes"`

	// Alive says that the process that keeps it lives. It is not written.
	Alive bool `json:"-"`
}

// List returns the ledgers in the store, the oldest first.
func List(store *recorder.Store) ([]Ledger, error) {
	all, err := store.Kept(kind)
	var list []Ledger
	for _, one := range all {
		if l, ok := parseLedger(one.Text); ok {
			l.Alive = one.Alive
			list = append(list, l)
		}
	}
	return list, err
}

// parseLedger reads a ledger of this version.
func parseLedger(text []byte) (Ledger, bool) {
	var l Ledger
	return l, json.Unmarshal(text, &l) == nil && l.V == 1 && l.Provider != "" && l.Mark != ""
}

// find returns where the change with the given key is, -1 if it is not.
func (l *Ledger) find(key string) int {
	return slices.IndexFunc(l.Changes, func(ch Change) bool { return ch.Key == key })
}

// sameParams reports whether other was told the same.
func (l *Ledger) sameParams(other Ledger) bool {
	if len(l.Params) != len(other.Params) {
		return false
	}
	for name, values := range l.Params {
		if !slices.Equal(values, other.Params[name]) {
			return false
		}
	}
	return true
}
