// Package sharing makes of recordings what may be given to others: whole, without
// credentials and personal data, and signed anew. What a [redact.Redactor] finds and how
// a format is written is left to those packages, and so is where it is written to.
package sharing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"devhook/internal/interchange"
	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// An Export is recordings that are written, one after the other. It is for one
// goroutine. Make one with [New].
type Export struct {
	Redactor *redact.Redactor // nil leaves everything as it is
	Anew     []byte           // a key that the secrets are made from with which is signed anew; nil: nothing is
	Lost     func(error)      // told of messages of WebSockets that are left out

	Replaced map[string]bool      // where something was
	Signed   map[string]Signature // by provider, what verifies it
	Unsigned map[string]error     // by provider, why its webhooks are not signed anew
	Unseen   int                  // bodies that are compressed or no text, in which only configured secrets are found
	Frames   int                  // WebSockets whose messages the format has no place for

	store   *recorder.Store
	catalog *verify.Catalog
	w       *interchange.Writer
}

// A Signature is what a signature was made with that is for nothing else. It is no
// secret: whoever gets the webhook is to have it.
type Signature struct {
	Secret string            `json:"secret"`
	With   map[string]string `json:"with,omitempty"`
}

// A LoadError says that the body of a recording cannot be read.
type LoadError struct{ Err error }

func (e *LoadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// New returns an Export of what is in store to w.
func New(store *recorder.Store, catalog *verify.Catalog, w *interchange.Writer) *Export {
	e := &Export{
		Lost: func(error) {}, Replaced: map[string]bool{}, Signed: map[string]Signature{}, Unsigned: map[string]error{},
		store: store, catalog: catalog, w: w,
	}
	w.Frames = e.frames
	return e
}

// Add writes ex. An error is a [*LoadError], and then nothing of ex was written, or one
// of [interchange.Writer.Write].
func (e *Export) Add(ex *recorder.Exchange) error {
	out, err := e.store.Load(ex)
	if err != nil {
		return &LoadError{err}
	}
	if ex.Ending != nil && !e.w.Format().HoldsFrames() {
		e.Frames++
	}
	if e.Redactor != nil {
		var changed []string
		provider, _ := e.catalog.Lookup(out.Provider)
		out, changed = e.Redactor.Of(provider).Exchange(out)
		e.replaced(changed)
		e.look(out.Request.Body, out.Request.Headers)
		for _, r := range []*recorder.Response{out.Response, out.App} {
			if r != nil {
				e.look(r.Body, r.Headers)
			}
		}
	}
	if e.Anew != nil {
		if err := e.sign(&out); err != nil {
			e.Unsigned[ex.Provider] = err
		}
	}
	return e.w.Write(&out)
}

// look counts a body in which nothing is seen.
func (e *Export) look(b recorder.Body, h http.Header) {
	if !redact.CanSee(b.Bytes, h) {
		e.Unseen++
	}
}

func (e *Export) replaced(changed []string) {
	for _, c := range changed {
		e.Replaced[c] = true
	}
}

// maxFrames is how many bytes of the messages of one WebSocket are exported: its first.
const maxFrames = 256 << 20

// frames returns the messages of the WebSocket that ex has opened.
func (e *Export) frames(ex *recorder.Exchange) ([]recorder.Frame, error) {
	var list []recorder.Frame
	size := 0
	for f, err := range e.store.Frames(ex, 0) {
		if err != nil {
			e.Lost(err)
			continue
		}
		if size += len(f.Body); size > maxFrames {
			e.Lost(fmt.Errorf("the WebSocket #%d has more than %d MiB: its first %d messages are exported", ex.Seq, maxFrames>>20, len(list)))
			break
		}
		if e.Redactor != nil {
			clean, changed := e.Redactor.Frame(*f)
			e.replaced(changed)
			f = &clean
		}
		list = append(list, *f)
	}
	return list, nil
}

// sign signs what had a right signature, or one that nobody could judge, as of the time
// when it came, with a secret that is the same for a provider in all that has one key.
func (e *Export) sign(ex *recorder.Exchange) error {
	if ex.Verdict.Status != verify.Valid && ex.Verdict.Status != verify.Unverified || ex.Provider == "" || ex.Request.Truncated {
		return nil
	}
	provider, ok := e.catalog.Lookup(ex.Provider)
	if !ok {
		return nil
	}
	h := hmac.New(sha256.New, e.Anew)
	h.Write([]byte("throw-away secret of " + provider.ID))
	secret, err := provider.SecretText([]byte(base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])))
	if err != nil {
		return err
	}
	s := Signature{Secret: secret, With: map[string]string{}}
	for _, n := range provider.Needs {
		if n.Required {
			s.With[n.Name] = "throw-away"
		}
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(secret)}, With: s.With}
	if _, err := provider.CheckSign(keys); err != nil {
		return err
	}
	signed, err := replay.Plan{Source: ex, Sign: replay.SignAlways}.Build(replay.Keys(provider, keys), ex.At)
	if err != nil {
		return err
	}
	ex.Request = signed.Request
	e.Signed[provider.ID] = s
	return nil
}
