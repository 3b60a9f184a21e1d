package verify

// A ToldSearch is a [Search] in JSON. Nothing in it is a secret.
type ToldSearch struct {
	V       int      `json:"v"`
	Agree   int      `json:"agree"` // samples whose signature is right
	Of      int      `json:"of"`
	Known   []string `json:"known,omitempty"` // ids of providers that sign so
	YAML    string   `json:"yaml,omitempty"`
	Payload string   `json:"payload,omitempty"`
	Same    []string `json:"same,omitempty"`
	Trimmed bool     `json:"trimmed,omitempty"`
	Tried   int      `json:"tried"`
	Places  []string `json:"places,omitempty"`
	Why     string   `json:"why,omitempty"`
	Help    string   `json:"help,omitempty"`
}

// Tell returns s, of so many samples, as it is told in JSON.
func (s Search) Tell(of int) ToldSearch {
	told := ToldSearch{V: 1, Agree: len(s.Agree), Of: of, YAML: s.YAML, Payload: s.Payload, Same: s.Same, Trimmed: s.Trimmed, Tried: s.Tried, Places: s.Places, Why: s.Why, Help: s.Help}
	for _, p := range s.Known {
		told.Known = append(told.Known, p.ID)
	}
	return told
}
