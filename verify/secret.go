package verify

import (
	"log/slog"
	"sync/atomic"
)

const hidden = "[secret]"

// A Secret is a key that a provider gave the receiver. It prints as "[secret]"
// in every way the standard library prints a value; only the schemes of this
// package read it, and [Hider], to take it out of texts. The zero value is the empty secret, which verifies nothing.
//
// A Secret remembers the hash states that schemes prepare from it, and copies
// share them: make it once and keep it.
type Secret struct {
	kept *kept
}

// kept is what the copies of a Secret share. It holds pointers only: fmt calls
// no method on an unexported field, and prints what one pointer leads to, but
// never what a second does.
type kept struct {
	text *string
	keys atomic.Pointer[[]*key] // made from text by schemes; the slice is never written to
}

// NewSecret returns the secret with the given text, exactly as the provider
// shows it; decoding, where a provider needs it, is part of its scheme.
func NewSecret(text string) Secret { return Secret{&kept{text: &text}} }

// Empty reports whether s has no text.
func (s Secret) Empty() bool { return s.kept == nil || *s.kept.text == "" }

// Reveal returns the text of s, for what cannot do with less: to hand it to another process
// of the same user. Who prints, records or logs it breaks the promise of this type.
func (s Secret) Reveal() string {
	if s.kept == nil {
		return ""
	}
	return *s.kept.text
}

// String returns "[secret]".
func (Secret) String() string { return hidden }

// GoString returns "[secret]".
func (Secret) GoString() string { return hidden }

// LogValue returns "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
