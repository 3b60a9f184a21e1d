package verify

import (
	"errors"
	"fmt"
	"time"

	"devhook/internal/yamlx"
)

// A Tried is what came of trying a description of a provider, or one of its vectors.
type Tried struct {
	V        int      `json:"v"`
	Provider string   `json:"provider"`
	Vector   string   `json:"vector,omitempty"` // its name; "" for the description
	OK       bool     `json:"ok"`
	Summary  string   `json:"summary,omitempty"`
	Held     int      `json:"held,omitempty"` // laws
	Faults   []string `json:"faults,omitempty"`
	Skipped  []string `json:"skipped,omitempty"`
	Got      *Verdict `json:"got,omitempty"` // of a vector
	Want     *Verdict `json:"want,omitempty"`
}

// Try tries the laws that hold for each provider on messages that are made up, as of now:
// [Provider.Trials] has them.
func (p Provider) Try(now time.Time) Tried {
	c := Tried{V: 1, Provider: p.ID, Summary: p.Summary}
	for _, t := range p.Trials(now) {
		switch {
		case t.Fault != "":
			c.Faults = append(c.Faults, t.Law+": "+t.Fault)
		case t.Skipped != "":
			c.Skipped = append(c.Skipped, t.Law+": "+t.Skipped)
		default:
			c.Held++
		}
	}
	c.OK = len(c.Faults) == 0
	return c
}

// TryVector tries whether v gets the verdict that it must get.
func (p Provider) TryVector(v Vector) Tried {
	var got Verdict
	if m, err := v.Message(); err == nil { // which was tried when they were read
		got = p.Scheme.Verify(m, v.Keys(), time.Unix(v.Now, 0))
	}
	return Tried{V: 1, Provider: p.ID, Vector: v.Name, OK: v.Holds(got), Got: &got, Want: &Verdict{Status: v.Status, Reason: v.Reason}}
}

// ParseDescriptions reads one description, as [ParseProvider] does, or those of a
// devhook.yaml, as [ParseProviders] does. That there is none is an error, too.
func ParseDescriptions(src []byte) ([]Provider, error) {
	n, err := yamlx.Parse(src)
	if err != nil || n.Get("providers").Field == "" {
		one, err := ParseProvider(src)
		return []Provider{one}, err
	}
	list, err := ParseProviders(src, "providers")
	if err == nil && len(list) == 0 {
		err = errors.New("providers: describes none")
	}
	return list, err
}

// ErrWhose says that a vector names no provider where several are described.
var ErrWhose = errors.New("whose is it?")

// VectorsOf returns vectors by the ID of their provider, which has to be one of list; a
// vector that names none is that of the only one. The error wraps [ErrWhose] if there are
// several.
func VectorsOf(list []Provider, vectors []Vector) (map[string][]Vector, error) {
	by := map[string][]Vector{}
	for _, one := range list {
		by[one.ID] = nil
	}
	for _, v := range vectors {
		id := v.Provider
		if id == "" && len(list) == 1 {
			id = list[0].ID
		}
		if id == "" {
			return nil, fmt.Errorf("vector %q: %w", v.Name, ErrWhose)
		}
		if _, ok := by[id]; !ok {
			return nil, fmt.Errorf("vector %q is of the provider %q, which is not described", v.Name, id)
		}
		by[id] = append(by[id], v)
	}
	return by, nil
}
