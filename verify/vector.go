package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"devhook/internal/jsonx"
)

// A Vector is a message and what is to be found of it: one entry of a list as
// testdata/ID.json holds it. Source, JudgedBy and Note are for people.
type Vector struct {
	Name     string `json:"name"`
	Provider string `json:"provider,omitempty"` // the ID of whose it is, if not all are of one
	Source   string `json:"source,omitempty"`
	JudgedBy string `json:"judged_by,omitempty"`
	Note     string `json:"note,omitempty"`

	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Body64  []byte            `json:"body_base64,omitempty"` // in place of Body, where that is no UTF-8
	Secret  string            `json:"secret"`
	With    map[string]string `json:"with,omitempty"`
	Fetched map[string]string `json:"fetched,omitempty"` // what is at the URLs that the message names
	Now     int64             `json:"now"`               // Unix seconds
	Status  Status            `json:"status"`
	Reason  Reason            `json:"reason,omitempty"`
}

// ParseVectors reads a list of vectors in JSON.
func ParseVectors(src []byte) ([]Vector, error) {
	if err := jsonx.Check(src); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	var vs []Vector
	if err := d.Decode(&vs); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one list")
	}
	statuses := []Status{Valid, Invalid, Unsigned, Unverified}
	for i, v := range vs {
		switch {
		case v.Name == "":
			return nil, fmt.Errorf("vector %d has no name", i+1)
		case !slices.Contains(statuses, v.Status):
			return nil, fmt.Errorf("vector %s: status %s is none of valid, invalid, unsigned, unverified", quote(v.Name), quote(string(v.Status)))
		}
		if _, err := v.Message(); err != nil {
			return nil, fmt.Errorf("vector %s: %w", quote(v.Name), err)
		}
	}
	return vs, nil
}

// Message returns v's message.
func (v Vector) Message() (Message, error) {
	u, err := url.Parse(v.URL)
	if err != nil {
		return Message{}, errors.New("its url is none")
	}
	m := Message{Method: v.Method, URL: u, Header: http.Header{}, Body: v.Body64}
	for name, value := range v.Headers {
		m.Header.Set(name, value)
	}
	if m.Body == nil {
		m.Body = []byte(v.Body)
	}
	return m, nil
}

// Keys returns what the receiver knows in v.
func (v Vector) Keys() Keys {
	k := Keys{Secrets: []Secret{NewSecret(v.Secret)}, With: v.With}
	if v.Fetched != nil {
		k.Fetch = pages(v.Fetched)
	}
	return k
}

// pages is a Fetcher of pages that are at hand, by their URLs.
type pages map[string]string

func (p pages) Fetch(_ context.Context, url string) ([]byte, error) {
	if text, ok := p[url]; ok {
		return []byte(text), nil
	}
	return nil, errors.New("404 Not Found")
}

// Holds reports whether a verdict is the one that v asks for. A vector without
// a reason takes any.
func (v Vector) Holds(got Verdict) bool {
	return got.Status == v.Status && (v.Reason == "" || got.Reason == v.Reason)
}
