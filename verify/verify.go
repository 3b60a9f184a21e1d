// Package verify checks and makes the signatures of webhooks.
//
// A provider is described once, in a file of the declarative language that
// providers/README.md explains, and both directions follow from it: what
// [Scheme.Sign] signs, [Scheme.Verify] finds valid. What becomes of a message
// that is not valid is left to others.
//
// # In a server
//
// [Handler] is middleware for one provider, [Guard] for several and with
// options. The handler behind it is called for verified webhooks only, and reads
// the body as if nobody had:
//
//	stripe, _ := verify.Lookup("stripe")
//	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(os.Getenv("STRIPE_WEBHOOK_SECRET"))}}
//	http.Handle("/hooks/stripe", verify.Handler(paid, stripe, keys))
//
// It asks [FromContext] for the event, the id of the delivery and, if several
// providers are let in, which one it was. [Guard.Check] belongs at the start of
// the program: what cannot be verified for want of a key is answered with 500.
//
// # One message
//
// [Lookup] gives a [Provider] by its ID; [Detect] those that a message looks
// like. A provider's Scheme judges a [Message] with the [Keys] that its
// receiver has, and signs one anew:
//
//	verdict := stripe.Scheme.Verify(message, keys, time.Now())
//	err := stripe.Scheme.Sign(&message, keys, verify.SignOptions{}, time.Now())
//
// A Message has the bytes as they came: a body that was parsed and written again
// is another body. Its URL is the one that the sender addressed, which behind a
// proxy is not that of the request.
//
// The rest of a Provider is what a gateway wants to know beside that: the name
// of an event and of a delivery, handshakes, what it expects as an answer, where
// to set the URL. [Provider.CheckKeys] is Guard.Check for one provider.
//
// # Keys
//
// Most providers have one secret: its text as they show it, with whsec_ or
// whatever stands before it. Several mean rotation; any may be right. For a
// provider that signs with a key pair the secret is its public key, and a private
// one where messages are to be signed. Some need more, which [Provider.Needs]
// names. A [Secret] remembers what is prepared from it: make it once.
//
// # Verdicts
//
// A forged message is no error but a [Verdict]: Valid, Invalid, Unsigned, or
// Unverified if it cannot be judged. Whoever acts on a webhook acts on Valid
// alone. The first of these that applies is its Reason: no usable secret or other
// key (NoSecret), a body over MaxBody (TooLarge), no signature
// (MissingSignature), one that cannot be read in exactly one way
// (MalformedSignature, MissingTimestamp), one that no secret gives
// (BadSignature), one whose key could not be fetched (Unsupported), another
// receiver's account (WrongAccount), a time outside the tolerance (Stale,
// Future). So Stale and Future mean that the sender holds the secret. A
// signature in time can come twice: many providers sign no time, so whoever must
// not act twice remembers [Provider.DeliveryID].
//
// [Catalog.Diagnose] tries what goes wrong in practice, and says why a signature
// is not right. It costs some hundred times as much as Verify: it is for tools
// and logs, and never for the answer to the sender.
//
// # Other providers
//
// [ParseProvider] and [ParseProviders] read descriptions of other senders, in
// the language of the built-in ones, and [Catalog.With] puts them beside these.
// [Provider.Trials] tries one, [ParseVectors] reads requests to try it on, and
// [Catalog.Solve] proposes one from recordings and the secret.
//
// # Security
//
// Comparisons take the same time wherever a signature differs. What two readers
// could read in two ways is not accepted: a header, parameter or JSON member
// that is there twice, base64 with bits left over, numbers with signs. Keys stay
// in memory as long as their [Secret]; texts in a Verdict hold neither a secret
// nor a right signature, and what they quote of a message is short and ASCII.
//
// # Purity and speed
//
// No network, no disk, no clock: the time is an argument, but for a Guard, which
// is given a clock or takes the system's, and so is the network, as [Keys].Fetch,
// which some keys need. All of a Catalog is safe for concurrent use. Verify takes
// as long as the HMAC of the body, and allocates nothing for most schemes once a
// secret has been used.
package verify

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// MaxBody is the largest body in bytes that is verified. GitHub, the largest
// sender known, stops at 25 MiB.
const MaxBody = 32 << 20

// A Message is all of a request that a signature can cover.
//
// URL is absolute and as the sender addressed it; its RawQuery is taken byte
// for byte. Header has canonical names ([http.Header]) and may hold Host.
// Body is at most [MaxBody] bytes. Verify never changes a Message.
type Message struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// Keys is what the receiver knows of a provider.
type Keys struct {
	// Secrets are tried in order; several mean rotation. Empty ones are
	// passed over: an empty secret verifies nothing.
	Secrets []Secret
	// With holds what a scheme needs beside the secret, by the names in
	// [Provider.Needs] (an app key, a key id, a verify token).
	With map[string]string
	// Fetch gets the keys that a message or a provider's description names by
	// a URL. Without it, or of other providers, only Secrets verify.
	Fetch Fetcher
}

// hasSecret reports whether k has a secret with a text, usable or not.
func (k Keys) hasSecret() bool {
	return slices.ContainsFunc(k.Secrets, func(s Secret) bool { return !s.Empty() })
}

// A Scheme checks and makes one provider's signatures. It is safe for
// concurrent use. Its law: for all keys k with a usable secret and every time
// now from 1970 to 9999, a Message that Sign has signed verifies as [Valid] at
// now.
type Scheme interface {
	// Verify judges m at the time now. Without a usable secret the verdict is
	// Unverified, [NoSecret].
	Verify(m Message, k Keys, now time.Time) Verdict
	// Sign signs m anew at the time now with the first usable secret, and
	// replaces what it carries of an older signature. It may set headers,
	// query parameters and JSON fields of the body; all other bytes stay. m's
	// Header and URL are changed in place, Body is replaced, never written to.
	// Signing twice at one time gives one message. If the keys do not suffice,
	// the error wraps [ErrNoSecret]; after any error m is as it was.
	Sign(m *Message, k Keys, o SignOptions, now time.Time) error
}

// SignOptions are the choices in a signature that the message does not make.
type SignOptions struct {
	// FreshID asks for a new delivery id. Otherwise the one that the message
	// has is kept, and made only where the scheme needs one and none is there.
	FreshID bool
	// Rand is where fresh ids come from; nil means crypto/rand.
	Rand io.Reader
}

// A Verdict is what is known of a message's signature. It is a value and not
// an error: a forged webhook is an expected result.
type Verdict struct {
	Status Status `json:"status"`
	Reason Reason `json:"reason,omitempty"`
	// Detail says what was found, Hint what to do about it; one sentence each
	// at most. Neither holds a secret or a right signature.
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// Status is the first word of a [Verdict].
type Status string

// The statuses of a [Verdict].
const (
	Valid      Status = "valid"      // signed by a holder of a known secret, in time
	Invalid    Status = "invalid"    // signed, but not right
	Unsigned   Status = "unsigned"   // a signature was due and there is none
	Unverified Status = "unverified" // cannot be judged
	Skipped    Status = "skipped"    // was not to be judged
)

// Reason is why a [Verdict] is not Valid.
type Reason string

// The reasons of a [Verdict].
const (
	BadSignature       Reason = "bad_signature"
	Stale              Reason = "stale"
	Future             Reason = "future"
	MissingSignature   Reason = "missing_signature"
	MalformedSignature Reason = "malformed_signature"
	MissingTimestamp   Reason = "missing_timestamp"
	MissingKeyID       Reason = "missing_key_id"
	WrongAccount       Reason = "wrong_account"
	NoSecret           Reason = "no_secret"
	UnknownProvider    Reason = "unknown_provider"
	TooLarge           Reason = "too_large"
	Unsupported        Reason = "unsupported"
	Off                Reason = "off"
)
