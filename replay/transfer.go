package replay

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
)

// maxCoded is the longest line that RFC 2045 §6.7 and §6.8 allow, in bytes.
const maxCoded = 76

// decodePart returns what raw says, in a Content-Transfer-Encoding: RFC 2045 §6.
// Coding "" is the content itself.
func decodePart(coding, raw string) (string, error) {
	var text []byte
	var err error
	switch coding {
	case "":
		return raw, nil
	case "base64":
		text, err = base64.StdEncoding.Strict().DecodeString(strings.Map(func(r rune) rune {
			if strings.ContainsRune("\r\n\t ", r) {
				return -1
			}
			return r
		}, raw))
	case "quoted-printable":
		text, err = io.ReadAll(quotedprintable.NewReader(strings.NewReader(raw)))
	default:
		return "", fmt.Errorf("the field is in an encoding that is not known (Content-Transfer-Encoding: %s); base64 and quoted-printable are", coding)
	}
	if err != nil {
		return "", fmt.Errorf("the field is not in the encoding that it names (Content-Transfer-Encoding: %s): %w", coding, err)
	}
	return string(text), nil
}

// encodePart returns text in a Content-Transfer-Encoding, in lines as those of raw,
// which it takes the place of.
func encodePart(coding, raw, text, eol string) (string, error) {
	old, err := decodePart(coding, raw)
	switch {
	case err != nil:
		return "", err
	case old == text:
		return raw, nil // also where it could be spelled otherwise
	case coding == "base64":
		content := strings.TrimRight(raw, "\r\n\t ")
		first, _, several := strings.Cut(content, "\n")
		most := len(strings.TrimRight(first, "\r"))
		switch {
		case several && most > 0:
		case most <= maxCoded:
			most = maxCoded
		default:
			most = 0 // as long as it takes
		}
		return inLines(base64.StdEncoding.EncodeToString([]byte(text)), most, eol) + raw[len(content):], nil
	case coding == "quoted-printable":
		lines := strings.Split(text, eol)
		for i, line := range lines {
			var b bytes.Buffer
			w := quotedprintable.NewWriter(&b)
			w.Binary = true // a line break that is none of this body is a byte like others
			_, err := io.WriteString(w, line)
			if err := errors.Join(err, w.Close()); err != nil {
				return "", err
			}
			lines[i] = strings.ReplaceAll(b.String(), "=\r\n", "="+eol)
		}
		return strings.Join(lines, eol), nil
	}
	return text, nil
}

// inLines breaks s into lines of most bytes; 0: one.
func inLines(s string, most int, eol string) string {
	var b strings.Builder
	for ; most > 0 && len(s) > most; s = s[most:] {
		b.WriteString(s[:most] + eol)
	}
	return b.String() + s
}
