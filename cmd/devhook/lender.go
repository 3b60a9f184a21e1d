package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"devhook/internal/attack"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A lender has a running `devhook up` sign and verify with the keys of a provider
// that only it has. What is sent then is sent by this process, with its own limits.
type lender struct {
	running  *running
	store    *recorder.Store
	provider string
}

// lendsWithin bounds how long one signature may take.
const lendsWithin = 10 * time.Second

// A lending is what a lender asks for; it is what /devhook/v1/sign and verify read.
type lending struct {
	Exchange json.RawMessage `json:"exchange"`
	Provider string          `json:"provider"`
	KeysOf   string          `json:"keys_of,omitempty"`
	Secret   string          `json:"secret,omitempty"`
	At       string          `json:"at"`
	FreshID  bool            `json:"fresh_id,omitempty"`
}

// Sign has req signed.
func (l *lender) Sign(req recorder.Request, how attack.Signing) (recorder.Request, error) {
	var answer struct {
		Exchange *recorder.Exchange `json:"exchange"`
	}
	err := l.ask("/devhook/v1/sign", req, lending{Provider: how.As.ID, KeysOf: l.provider, Secret: how.Secret, FreshID: how.FreshID}, how.At, &answer)
	if err == nil && answer.Exchange == nil {
		err = errors.New("the running devhook up signs nothing")
	}
	if err != nil {
		return req, err
	}
	signed := answer.Exchange.Request
	signed.Remote = req.Remote
	return signed, nil
}

// Verify has req verified.
func (l *lender) Verify(req recorder.Request, at time.Time) (verify.Verdict, error) {
	var answer struct {
		Verdict verify.Verdict `json:"verdict"`
	}
	err := l.ask("/devhook/v1/verify", req, lending{Provider: l.provider}, at, &answer)
	return answer.Verdict, err
}

// judge is Verify for a gateway.
func (l *lender) judge(provider string, req *recorder.Request, at time.Time) (verify.Verdict, bool) {
	if provider != l.provider {
		return verify.Verdict{}, false
	}
	v, err := l.Verify(*req, at)
	return v, err == nil
}

func (l *lender) ask(path string, req recorder.Request, what lending, at time.Time, answer any) error {
	var text bytes.Buffer
	if err := l.store.WriteJSON(&text, &recorder.Exchange{Provider: l.provider, Request: req}); err != nil {
		return err
	}
	what.Exchange, what.At = text.Bytes(), at.UTC().Format(time.RFC3339Nano)
	ctx, cancel := context.WithTimeout(context.Background(), lendsWithin)
	defer cancel()
	err := l.running.ask(ctx, http.MethodPost, path, what, answer)
	if no := new(failure); errors.As(err, &no) { // it has said why not
		return &replay.Error{Text: no.text, Hint: no.hint, Err: err}
	}
	return err
}
