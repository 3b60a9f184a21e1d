package verify

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
)

// A fresh makes new delivery ids.
type fresh struct {
	place
	form []freshPart
}

// A freshPart is literal text, or n random characters of an alphabet.
type freshPart struct {
	literal  string
	alphabet string
	n        int
	uuid     bool
}

var alphabets = map[string]string{
	"hex":    "0123456789abcdef",
	"digits": "0123456789",
	"base62": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
	"upper":  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}

// parseFresh reads the form of an id, as in "msg_{base62:27}".
func parseFresh(text string) ([]freshPart, error) {
	var form []freshPart
	for text != "" {
		literal, rest, ok := strings.Cut(text, "{")
		if literal != "" {
			form = append(form, freshPart{literal: literal})
		}
		if !ok {
			break
		}
		class, after, ok := strings.Cut(rest, "}")
		if !ok {
			return nil, fmt.Errorf("%q is not closed with }", short("{"+rest))
		}
		text = after
		name, count, _ := strings.Cut(class, ":")
		if class == "uuid" {
			form = append(form, freshPart{uuid: true})
			continue
		}
		n, err := strconv.Atoi(count)
		if alphabets[name] == "" || err != nil || n < 1 || n > 64 {
			return nil, fmt.Errorf("%q is not a form of random text (known: {uuid}, and {base62:N}, {digits:N}, {hex:N}, {upper:N} of N up to 64)", short("{"+class+"}"))
		}
		form = append(form, freshPart{alphabet: alphabets[name], n: n})
	}
	return form, nil
}

// renew gives m a new id if o asks for one, or if payload needs the one that is
// not there. An id in a body is never added, only replaced. A nil f does nothing.
func (f *fresh) renew(m *Message, o SignOptions, payload template) error {
	if f == nil {
		return nil
	}
	var fields *fields
	if f.in == inBody {
		fields = gather(m.Body, f.path[:1])
	}
	old, how := f.read(m, fields)
	missing := how == absent || how == present && old == ""
	inside := f.in == inBody || f.in == inForm
	if !o.FreshID && !(missing && !inside && payload.has(refKind(f.in)+".", f.key)) || missing && inside {
		return nil
	}
	random := o.Rand
	if random == nil {
		random = rand.Reader
	}
	id, err := f.make(random)
	if err != nil {
		return fmt.Errorf("a new id: %w", err)
	}
	return f.write(m, id, jsonx.KindOf([]byte(id)) == jsonx.Number)
}

func (f *fresh) make(random io.Reader) (string, error) {
	var b strings.Builder
	for _, p := range f.form {
		n := p.n
		if p.uuid {
			n = 16
		}
		bytes := make([]byte, n)
		if _, err := io.ReadFull(random, bytes); err != nil {
			return "", err
		}
		switch {
		case p.uuid: // version 4, RFC 9562 §5.4
			bytes[6] = bytes[6]&0x0f | 0x40
			bytes[8] = bytes[8]&0x3f | 0x80
			text := hex.EncodeToString(bytes)
			b.WriteString(strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-"))
		case p.alphabet != "":
			for _, c := range bytes {
				b.WriteByte(p.alphabet[int(c)%len(p.alphabet)])
			}
		default:
			b.WriteString(p.literal)
		}
	}
	return b.String(), nil
}
