// Package replay plans how a webhook is sent again: what is changed of it, and
// how it is signed anew. It sends nothing, and touches neither network nor disk.
//
// A [Plan] has a source, which is never changed, and [Mutation]s, which are
// applied to a copy in order; then the copy is signed. Every byte that no
// mutation and no signature names stays as it was recorded.
package replay

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// A Plan is one webhook that is to be sent.
type Plan struct {
	// Source is what it is made of: a recording, or a fixture. Its provider,
	// if it has one, signs. A body of at most [verify.MaxBody] bytes has to be
	// in memory.
	Source *recorder.Exchange
	// Origin is what it will be: [recorder.Replay], [recorder.Trigger] or
	// [recorder.Stream].
	Origin recorder.Origin
	// To is the app; its path goes before that of the request. Route is the
	// name of the route that it belongs to, for the record.
	To    *url.URL
	Route string
	// Timeout is how long the app may take to its response headers; 0: as who sends
	// has it.
	Timeout time.Duration

	Mutations []Mutation
	Sign      SignMode
	// At is the time of the signature; zero is the time of the sending.
	At time.Time
	// FreshID gives the delivery a new id, where the provider names deliveries
	// and the message has an id.
	FreshID bool
}

// SignMode says whether a webhook is signed anew.
type SignMode string

// The modes of a [Plan].
const (
	SignAuto   SignMode = "auto"   // if the secret is known; the zero value means the same
	SignAlways SignMode = "always" // an error if it is not
	SignNever  SignMode = "never"  // the signature is sent as it was recorded
)

// SignModes are all modes.
var SignModes = []SignMode{SignAuto, SignAlways, SignNever}

// A Signer gives the provider with the given id, and the keys that are known
// of it. ok is false if there is no such provider.
type Signer func(id string) (p verify.Provider, k verify.Keys, ok bool)

// Keys is the [Signer] that knows one provider.
func Keys(p verify.Provider, k verify.Keys) Signer {
	return func(id string) (verify.Provider, verify.Keys, bool) { return p, k, id == p.ID }
}

// ErrTruncated means that the source is not the whole of what was received.
var ErrTruncated = errors.New("not all of its body was kept")

// An Error tells what of a plan cannot be done.
type Error struct {
	Text string
	Hint string // what to type instead, "" if there is no telling
	Err  error  // may be nil
}

func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Build returns the exchange to send, with its origin, parent and changes, its
// provider, and the request, signed at now unless the plan names a time. What a
// mutation gives a header or a query parameter stays, also where the signature
// would stand. The error is an [*Error].
func (p Plan) Build(sign Signer, now time.Time) (*recorder.Exchange, error) {
	src := p.Source
	ex := &recorder.Exchange{
		Origin: p.Origin, Parent: src.ID, Route: p.Route, Provider: src.Provider,
		Request: src.Request, Outcome: recorder.Pending,
	}
	req := &ex.Request
	if req.Headers = req.Headers.Clone(); req.Headers == nil {
		req.Headers = http.Header{}
	}
	var named map[string]bool // headers that are left as they are given
	applied := 0
	for i, m := range p.Mutations {
		if i == applied {
			n, err := applyFirst(p.Mutations[i:], req)
			if _, ok := errors.AsType[*Error](err); ok {
				return nil, err
			}
			if err != nil {
				return nil, &Error{Text: fmt.Sprintf("%s: %v", m, err), Err: err}
			}
			applied += n
		}
		if h, ok := HeaderName(m); ok {
			if named == nil {
				named = map[string]bool{}
			}
			named[h] = true
		}
		ex.Changes = append(ex.Changes, m.String())
	}
	if req.Truncated {
		return nil, &Error{
			Text: fmt.Sprintf("%s of %d bytes cannot be sent again: %v", name(src), req.Size, ErrTruncated),
			Hint: "give a body with --body @FILE", Err: ErrTruncated,
		}
	}
	var before http.Header
	if len(named) > 0 {
		before = req.Headers.Clone()
	}
	asked := req.URL
	if err := p.sign(req, sign, now); err != nil {
		return nil, err
	}
	for h := range named {
		if values, ok := before[h]; ok {
			req.Headers[h] = values
		} else {
			delete(req.Headers, h)
		}
	}
	for _, m := range p.Mutations {
		if q, ok := m.(query); ok && q.holds(asked) {
			q.Apply(req)
		}
	}
	if req.Body.Sum == "" {
		req.Size = int64(len(req.Body.Bytes))
	}
	if len(req.Headers["Content-Length"]) > 0 && !named["Content-Length"] {
		req.Headers["Content-Length"] = []string{strconv.FormatInt(req.Size, 10)}
	}
	return ex, nil
}

// Names reports whether a mutation of p names the header.
func (p Plan) Names(header string) bool {
	return slices.ContainsFunc(p.Mutations, func(m Mutation) bool {
		name, ok := HeaderName(m)
		return ok && name == header
	})
}

// sign signs req as the plan has it.
func (p Plan) sign(req *recorder.Request, sign Signer, now time.Time) error {
	if p.Sign == SignNever {
		return nil
	}
	always := p.Sign == SignAlways
	cannot := func(why, hint string, err error) error {
		if !always {
			return nil
		}
		return &Error{Text: fmt.Sprintf("%s cannot be signed: %s", name(p.Source), why), Hint: hint, Err: err}
	}
	if req.Proto == recorder.ProtoStream {
		return cannot("events of a stream have no signature", "--sign never sends it as it is", nil)
	}
	if p.Source.Provider == "" {
		return cannot("its provider is not known", "--sign never sends it as it is", nil)
	}
	provider, keys, ok := sign(p.Source.Provider)
	if !ok {
		return cannot("the provider "+p.Source.Provider+" is not known", "devhook providers lists all", nil)
	}
	if req.Body.Sum != "" {
		return cannot("its body is larger than what is signed", "--sign never sends it as it is", nil)
	}
	if hint, err := provider.CheckSign(keys); err != nil {
		return cannot(err.Error(), hint, err)
	}
	if !p.At.IsZero() {
		now = p.At
	}
	m, err := req.Message()
	if err == nil && !always && provider.NeverSigned(m) {
		return nil
	}
	if err == nil {
		err = provider.Scheme.Sign(&m, keys, verify.SignOptions{FreshID: p.FreshID}, now)
	}
	if err != nil {
		return &Error{Text: fmt.Sprintf("%s cannot be signed: %v", name(p.Source), err), Hint: "--sign never sends it without a new signature", Err: err}
	}
	req.Headers = m.Header
	req.Body.Bytes = m.Body
	req.URL = withQuery(req.URL, m.URL.RawQuery)
	return nil
}

// withQuery returns the absolute URL with another raw query; nothing else of it
// changes.
func withQuery(absolute, query string) string {
	rest, old, has := strings.Cut(absolute, "?")
	if old == query && (has || query == "") {
		return absolute
	}
	return rest + "?" + query
}

// name is how a source is called in an error.
func name(ex *recorder.Exchange) string {
	switch {
	case ex.Seq != 0:
		return fmt.Sprintf("recording #%d", ex.Seq)
	case ex.Provider != "" && ex.Event != "":
		return ex.Provider + " " + ex.Event
	}
	return "the webhook"
}

// AppOf returns the app that ex went to: the part of its target that does not
// come from its request. ok is false if it went nowhere.
func AppOf(ex *recorder.Exchange) (app *url.URL, ok bool) {
	_, target := recorder.SplitURL(ex.Request.URL)
	path, _, _ := strings.Cut(target, "?")
	if path == "/" { // it stands for the app's own path, as it was typed
		target = target[1:]
	}
	base, ok := strings.CutSuffix(ex.Target, target)
	if ex.Target == "" || !ok {
		return nil, false
	}
	app, err := url.Parse(base)
	if err != nil || app.Host == "" {
		return nil, false
	}
	if app.Path == "/" {
		app.Path = ""
	}
	return app, true
}

// ParseSignMode reads a mode.
func ParseSignMode(text string) (SignMode, error) {
	if m := SignMode(text); slices.Contains(SignModes, m) {
		return m, nil
	}
	return "", &Error{Text: fmt.Sprintf("--sign %q is none of auto, always, never", text)}
}
