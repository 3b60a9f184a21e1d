package verify

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// A Provider is a sender of webhooks: how it signs them, and what else a
// receiver wants to know. All of it comes from one file in the language of
// providers/README.md. Copies share slices with the [Catalog]: do not change
// them.
type Provider struct {
	ID      string
	Name    string
	Aliases []string // other IDs that Lookup knows it by
	Docs    string   // the page that describes the signature
	Sources []Source // where each fact was read
	// Env is the environment variable that the secret is kept in by default.
	Env string
	// SecretName is what the provider calls the secret, SecretAt where it shows
	// it; both for people.
	SecretName, SecretAt string
	// Needs are what the scheme reads from [Keys.With].
	Needs []Need
	// Summary tells in one line how messages are signed.
	Summary string
	Scheme  Scheme
	// Ack is what the provider expects to hear if there is no app to answer,
	// Reject what it expects if a signature is wrong.
	Ack, Reject Answer
	// Answers are others that the provider understands, by name, as "reject".
	Answers map[string]Answer
	Retry   Retry
	// Dashboard are the steps to set a webhook URL by hand. {url} stands for
	// the URL; Steps fills it in.
	Dashboard []string
	Notes     []string // what is odd about the provider, a sentence each
	// Checklist is what to look at if its webhooks fail or do not come.
	Checklist []Check

	facets *facets
}

// facets are the parts of a provider's file that methods read.
type facets struct {
	marks           []mark
	event, delivery []template
	handshakes      []handshake
	// The members of a body that event and delivery refer to, numbered; see view.wanted.
	eventNames, deliveryNames map[string]int

	standIns    []standIn
	understands []string // members of the JSON that an answer has to be; none: anything will do
	explain     []explanation
}

var noFacets facets

// own gives the parts of p's file, empty ones of a provider that was made without one.
func (p Provider) own() *facets {
	if p.facets == nil {
		return &noFacets
	}
	return p.facets
}

// A Source is where a fact about a provider was read.
type Source struct {
	URL string
	// Confidence is high for the provider's own documentation, code or a
	// published example that was computed again, medium for what others wrote,
	// low for what is assumed.
	Confidence string
	About      string // what was read there
}

// A Need is a value that a scheme needs beside the secret.
type Need struct {
	Name     string `json:"name"`          // the key in Keys.With
	Env      string `json:"env,omitempty"` // the environment variable that it is kept in by default
	About    string `json:"about,omitempty"`
	Required bool   `json:"required"` // without it nothing verifies
}

// An Answer is an HTTP response. Its Header holds a Content-Type where there
// is a body. It belongs to the Provider: do not change it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Retry is what is known of how a provider sends again what was not answered
// well. The zero value means that nothing is documented.
type Retry struct {
	After   []time.Duration // the pauses before the second try, the third …
	Within  time.Duration   // gives up after that long in all
	Times   int             // how often it tries again at most; 0: not known
	Backoff string          // how the pauses grow where they are not documented
	Timeout time.Duration   // how long the provider waits for an answer
	Success []int           // the statuses that it takes for success; nil: all 2xx
	About   string
	// After which failures it tries again: those of Again alone, nil being all, and none of
	// Final. Each is a status, or all of a class as in 5xx. That there was no answer is none
	// of them: after that it does.
	Again, Final []string
	// FinalHeader, as in "X-Slack-No-Retry: 1", is what an app adds to its answer so that it
	// does not try again; "" if there is nothing such.
	FinalHeader string
	// RetryAfter are the failures after which it waits as long as the answer's Retry-After
	// says, in the form of Final, and at most RetryAfterMost; 0: no limit is known.
	RetryAfter     []string
	RetryAfterMost time.Duration
}

// Event returns the name of the event that m tells of, in the provider's own
// words, or "" if m names none. It is at most 200 bytes of printable text. Of a
// JSON body the first 65,536 members are looked at.
func (p Provider) Event(m Message) string {
	return firstOf(m, p.own().event, p.own().eventNames)
}

// Events returns the names of the event in all places of m that have one, in the order in
// which [Provider.Event] looks for the first.
func (p Provider) Events(m Message) (names []string) {
	v := &view{m: m}
	for _, t := range p.own().event {
		if name, _ := v.first([]template{t}); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// DeliveryID returns what the provider calls this delivery, the same in each
// try to deliver it, or "" if it does not name deliveries. Its bounds are those
// of Event.
func (p Provider) DeliveryID(m Message) string {
	return firstOf(m, p.own().delivery, p.own().deliveryNames)
}

// IDPrefix returns what each delivery id of the provider begins with, as in evt_, as far
// as its description says how one is made; else "".
func (p Provider) IDPrefix() string {
	if d, ok := p.Scheme.(*declared); ok && d.fresh != nil {
		return d.fresh.form[0].literal
	}
	return ""
}

// DeliveryParts returns the values in m that DeliveryID is made of.
func (p Provider) DeliveryParts(m Message) (values []string) {
	v := &view{m: m}
	_, t := v.first(p.own().delivery)
	for i := range t {
		if text, ok := v.text(&t[i]); ok && t[i].ref != refLiteral {
			values = append(values, text)
		}
	}
	return values
}

// CheckSecret returns nil if s can be a secret of the provider. The error tells
// what is wrong with it, as in `the secret is not base64 (after "whsec_")`, and
// not what it is.
func (p Provider) CheckSecret(s Secret) error {
	if d, ok := p.Scheme.(*declared); ok {
		return s.key(d.form).err
	}
	if s.Empty() {
		return noKey.err
	}
	return nil
}

// CheckKeys returns no error if Verify can judge with k: if one secret can be
// used, and everything in Needs that is required is there. The error tells what
// is missing; the hint, how to give it.
func (p Provider) CheckKeys(k Keys) (hint string, err error) {
	d, ok := p.Scheme.(*declared)
	if !ok {
		return "", nil
	}
	if err := d.checkKeys(k); err != nil {
		return d.keyHint(err), err
	}
	return "", nil
}

// CheckSign returns no error if Sign can sign with k: if CheckKeys has none, and
// one of the secrets is more than a public key.
func (p Provider) CheckSign(k Keys) (hint string, err error) {
	if hint, err = p.CheckKeys(k); err != nil {
		return hint, err
	}
	d, ok := p.Scheme.(*declared)
	if !ok || d.signingKey(k) >= 0 {
		return "", nil
	}
	return fmt.Sprintf("devhook keys %s makes a pair: the public one for the app, the private one for devhook", p.ID), noSigner(k)
}

// Steps returns the steps to set url as the webhook URL by hand.
func (p Provider) Steps(url string) []string {
	steps := make([]string, len(p.Dashboard))
	for i, s := range p.Dashboard {
		steps[i] = strings.ReplaceAll(s, "{url}", url)
	}
	return steps
}

// A handshake is a message by which a provider asks whether the URL is ours.
type handshake struct {
	when   mark
	first  bool // answered before the signature is checked
	status int
	media  string
	header map[string]template
	body   template
	secret template // the secret that the message brings; none mostly
	visit  *remote  // what is visited to confirm; nil mostly
}

// Handshake returns what to answer to m, if m is not an event but a question of
// the provider whether it has the right URL. Where the provider signs such
// questions and k holds a secret, one that is not signed right is none.
//
// What the sender put into m and an answer repeats is at most 4 KiB of
// printable text, and the answer is text/plain or application/json, so that no
// browser takes it for a page. One that brings a secret is not answered here,
// but by [Provider.Offer], and one that asks for a visit by
// [Provider.Confirmation].
func (p Provider) Handshake(m Message, k Keys, now time.Time) (a Answer, ok bool) {
	v := &view{m: m, with: k.With, key: p.firstKey(k)}
	for _, h := range p.own().handshakes {
		if len(h.secret) > 0 || h.visit != nil || !h.when.holds(v) {
			continue
		}
		a, ok := h.answer(v)
		if !ok {
			continue
		}
		if !h.first && k.hasSecret() && p.Scheme.Verify(m, k, now).Status != Valid {
			continue
		}
		return a, true
	}
	return Answer{}, false
}

// Offer returns the text of the secret that m brings, if it is a handshake by
// which the provider hands one over, and the answer that takes it. Anyone can
// offer a secret: who calls this has to know that one is due, to take the first,
// and not to record the text.
func (p Provider) Offer(m Message) (a Answer, secret string, ok bool) {
	v := &view{m: m}
	for _, h := range p.own().handshakes {
		if len(h.secret) == 0 || !h.when.holds(v) {
			continue
		}
		text, ok := h.secret.expand(v, maxName, nil)
		if a, answered := h.answer(v); ok && answered && text != "" {
			return a, text, true
		}
	}
	return Answer{}, "", false
}

// Confirmation returns the URL whose visit confirms what m asks to have
// confirmed, as a subscription of Amazon SNS: https, and on a server that the
// provider's description names. Anyone can ask: who visits it has verified m, and
// wants what it asks for.
func (p Provider) Confirmation(m Message) (url string, ok bool) {
	v := &view{m: m}
	for _, h := range p.own().handshakes {
		if h.visit == nil || !h.when.holds(v) {
			continue
		}
		text, ok := h.visit.url.expand(v, maxEcho, nil)
		if u, fault := h.visit.allow(text); ok && fault == "" {
			return u.String(), true
		}
	}
	return "", false
}

// Offers reports whether p hands its secret over in a handshake.
func (p Provider) Offers() bool {
	return slices.ContainsFunc(p.own().handshakes, func(h handshake) bool { return len(h.secret) > 0 })
}

// firstKey gives the bytes of the first secret that can be used, nil if there
// is none.
func (p Provider) firstKey(k Keys) []byte {
	d, ok := p.Scheme.(*declared)
	if !ok {
		return nil
	}
	for _, s := range k.Secrets {
		if key := s.key(d.form); key.err == nil {
			return key.bytes
		}
	}
	return nil
}

func (h *handshake) answer(v *view) (a Answer, ok bool) {
	a = Answer{Status: h.status, Header: http.Header{}}
	for name, t := range h.header {
		text, ok := t.expand(v, maxEcho, nil)
		if !ok {
			return a, false
		}
		a.Header.Set(name, text)
	}
	var escape func(string) string
	if h.media == mediaJSON {
		escape = func(s string) string {
			quoted := jsonx.AppendQuote(nil, s)
			return string(quoted[1 : len(quoted)-1])
		}
	}
	body, ok := h.body.expand(v, maxEcho, escape)
	if !ok || h.media == mediaJSON && body != "" && !jsonx.Valid([]byte(body)) {
		return a, false
	}
	if a.Body = []byte(body); body != "" {
		a.Header.Set("Content-Type", h.media)
		a.Header.Set("X-Content-Type-Options", "nosniff")
	}
	return a, true
}

// The media types of answers.
const (
	mediaText = "text/plain"
	mediaJSON = "application/json"
)

// String returns p's name and ID.
func (p Provider) String() string { return fmt.Sprintf("%s (%s)", p.Name, p.ID) }
