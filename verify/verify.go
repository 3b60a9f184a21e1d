// Package verify checks and makes the signatures of webhooks.
//
// A provider is described once, in a file of the declarative language in
// providers/, and both directions follow from it: what [Scheme.Sign] signs,
// [Scheme.Verify] finds valid.
//
// The package is pure: no network, no disk, no clock. The time is an
// argument, and bytes are taken as they came: a body that was parsed and
// written again is another body.
package verify

import (
	"net/http"
	"net/url"
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
}

// A Scheme checks and makes one provider's signatures. It is safe for
// concurrent use. Its law: for all keys k with a secret that is not empty and
// every time now, a Message signed by Sign verifies as [Valid] at now.
type Scheme interface {
	// Verify judges m at the time now. Without a usable secret the verdict is
	// Unverified, [NoSecret].
	Verify(m Message, k Keys, now time.Time) Verdict
	// Sign signs m anew at the time now with the first usable secret, and
	// replaces what it carries of an older signature. It may set headers,
	// query parameters and JSON fields of the body; all other bytes stay. m's
	// Header and URL are changed in place, Body is replaced, never written to.
	Sign(m *Message, k Keys, o SignOptions, now time.Time) error
}

// SignOptions are the choices in a signature that the message does not make.
type SignOptions struct {
	// FreshID asks for a new delivery id. Otherwise the one that the message
	// has is kept, and made only where the scheme needs one and none is there.
	FreshID bool
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
