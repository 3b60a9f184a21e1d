package trial

import (
	"encoding/base64"
	"unicode/utf8"

	"devhook/internal/delivery"
	"devhook/recorder"
)

// A ToldPolicy is a [delivery.Policy] in JSON.
type ToldPolicy struct {
	Provider  string             `json:"provider"`
	Certainty delivery.Certainty `json:"certainty"`
	Tries     int                `json:"tries"`
	Lasts     int64              `json:"lasts_ns"`
	Timeout   int64              `json:"timeout_ns,omitempty"`
	Again     []string           `json:"again,omitempty"`
	Final     []string           `json:"final,omitempty"`
	// What an app tells by its answer's headers.
	FinalHeader string   `json:"final_header,omitempty"`
	RetryAfter  []string `json:"retry_after,omitempty"`
	About       string   `json:"about,omitempty"`
}

// TellPolicy returns p, of a provider, as it is told in JSON.
func TellPolicy(provider string, p delivery.Policy) ToldPolicy {
	return ToldPolicy{provider, p.Certainty, len(p.At), int64(p.At[len(p.At)-1]), int64(p.Timeout), p.Again, p.Final, p.FinalHeader, p.RetryAfter, p.About}
}

// A ToldTry is a [Try] in JSON.
type ToldTry struct {
	N         int    `json:"n"`
	At        int64  `json:"at_ns"`
	ID        string `json:"id"`
	Status    int    `json:"status,omitempty"`
	Took      int64  `json:"took_ns,omitempty"`
	Delivered bool   `json:"delivered"`
	Result    string `json:"result"`
}

// Tell returns t as it is told in JSON.
func (t Try) Tell() ToldTry {
	told := ToldTry{N: t.N, At: int64(t.At), ID: string(t.Done.ID), Status: Status(t.Done), Delivered: t.OK, Result: t.Result}
	if t.Done.Response != nil {
		told.Took = int64(t.Done.Response.Took)
	}
	return told
}

// A ToldShrunk is a [Shrunk] in JSON.
type ToldShrunk struct {
	ID    recorder.ID `json:"id"`
	From  int64       `json:"from"` // bytes
	To    int         `json:"to"`
	Tries int         `json:"tries"`
	Done  bool        `json:"done"`
	Body  any         `json:"body"` // a text, or {"base64":…}
	// How often a body was sent before it counted as one that the app does not fail on, and
	// in the end the smallest, and how often the app failed on it.
	Each   int  `json:"each"`
	Asked  int  `json:"asked"`
	Failed int  `json:"failed"`
	Steady bool `json:"steady"`
}

// Tell returns s as it is told in JSON; from is how many bytes the whole body had.
func (s Shrunk) Tell(from int64) ToldShrunk {
	told := ToldShrunk{ID: s.Exchange.ID, From: from, To: len(s.Body), Tries: s.Tries, Done: s.Done, Each: s.Each, Asked: s.Asked, Failed: s.Failed, Steady: s.Steady, Body: string(s.Body)}
	if !utf8.Valid(s.Body) {
		told.Body = map[string]string{"base64": base64.StdEncoding.EncodeToString(s.Body)}
	}
	return told
}
