package verify

import "log/slog"

const hidden = "[secret]"

// A Secret is a key that a provider gave the receiver. It prints as "[secret]"
// in every way the standard library prints a value; only the schemes of this
// package read it. The zero value is the empty secret, which verifies nothing.
type Secret struct {
	text *string // a pointer, because fmt calls no method on an unexported field and would print the text
}

// NewSecret returns the secret with the given text, exactly as the provider
// shows it; decoding, where a provider needs it, is part of its scheme.
func NewSecret(text string) Secret { return Secret{&text} }

// Empty reports whether s has no text.
func (s Secret) Empty() bool { return s.text == nil || *s.text == "" }

// String returns "[secret]".
func (Secret) String() string { return hidden }

// GoString returns "[secret]".
func (Secret) GoString() string { return hidden }

// LogValue returns "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
