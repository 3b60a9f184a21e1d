package replay

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"devhook/recorder"
)

// maxShown is how many bytes of a body stand in the record of what was changed.
// The body itself is recorded beside it.
const maxShown = 1 << 10

// A body is another body.
type body struct{ bytes []byte }

// Body returns the mutation that puts another body in the place of the whole.
// The bytes must not be changed afterwards.
func Body(bytes []byte) Mutation { return body{bytes} }

// NewBody returns the body that m puts in the place of the whole. ok is false if m
// is another mutation.
func NewBody(m Mutation) (bytes []byte, ok bool) {
	b, ok := m.(body)
	return b.bytes, ok
}

// base64Prefix stands before a body that is not text.
const base64Prefix = "base64:"

func parseBody(rest string) (Mutation, error) {
	if encoded, ok := strings.CutPrefix(rest, base64Prefix); ok {
		bytes, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, bad("", "body: %v", err)
		}
		return body{bytes}, nil
	}
	if strings.HasPrefix(rest, "sha256:") {
		return nil, bad("give it with --body @FILE", "body: of a large body only the sum is known")
	}
	return body{[]byte(rest)}, nil
}

func (b body) String() string {
	if len(b.bytes) > maxShown {
		return fmt.Sprintf("body sha256:%x, %d bytes", sha256.Sum256(b.bytes), len(b.bytes))
	}
	return b.whole()
}

// whole is String of a body of any size.
func (b body) whole() string {
	text := string(b.bytes)
	if !utf8.Valid(b.bytes) || strings.HasPrefix(text, base64Prefix) || strings.HasPrefix(text, "sha256:") {
		return "body " + base64Prefix + base64.StdEncoding.EncodeToString(b.bytes)
	}
	return "body " + text
}

func (b body) Apply(req *recorder.Request) error {
	req.Body = recorder.Body{Bytes: b.bytes}
	req.Size = int64(len(b.bytes))
	req.Truncated = false
	return nil
}
