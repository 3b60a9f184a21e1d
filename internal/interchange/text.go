package interchange

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"devhook/recorder"
)

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// address gives the URL of r with everything escaped that a text file could take
// for something of its own: {{ begins a variable.
func address(r *recorder.Request) string {
	var b strings.Builder
	for i := range len(r.URL) {
		if c := r.URL[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\"#<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func method(r *recorder.Request) string {
	if !isToken(r.Method) {
		return http.MethodPost
	}
	return r.Method
}

// http writes a request as the HTTP clients of editors read it: RFC 9112, with
// ### between requests.
func (w *Writer) http(b *bytes.Buffer, ex *recorder.Exchange, _ []recorder.Frame) error {
	r := &ex.Request
	fmt.Fprintf(b, "### %s\n%s %s HTTP/1.1\n", strings.ReplaceAll(title(ex), "{{", "{ {"), method(r), address(r))
	for _, f := range fields(r) {
		if !isPlain(f.value, "\t") || strings.Contains(f.value, "{{") {
			fmt.Fprintf(b, "# %s is left out: its value is no plain text\n", f.name)
			continue
		}
		fmt.Fprintf(b, "%s: %s\n", f.name, f.value)
	}
	b.WriteString("\n")
	switch body := r.Body.Bytes; {
	case len(body) == 0:
		return nil
	case standsInText(body):
		b.Write(body)
		b.WriteString("\n\n")
	case w.File == nil:
		return fmt.Errorf("the body of #%d cannot stand in a .http file: it is no text, or looks like a part of one", ex.Seq)
	default:
		name, err := w.File(ex, body)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "< ./%s\n\n", name)
	}
	return nil
}

// standsInText reports whether a body in a .http file is read as it is: not as
// another request, a file, a script or a variable, and with its end.
func standsInText(body []byte) bool {
	if !isPlain(body, "\n\t") || bytes.Contains(body, []byte("{{")) || bytes.HasSuffix(body, []byte("\n")) || bytes.TrimSpace(body) == nil {
		return false
	}
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		for _, mark := range []string{"###", "<", ">", "# @", "// @", "HTTP/"} {
			if bytes.HasPrefix(line, []byte(mark)) {
				return false
			}
		}
	}
	return !bytes.Equal(bytes.TrimSpace(body), nil) && body[0] != '\n' && body[0] != ' ' && body[0] != '\t'
}

// maxComment is the largest body, in bytes, that is repeated as a comment.
const maxComment = 4096

// hurl writes an entry of a Hurl file, whose answer must have the status
// that it had. Its strings have escapes and variables, and its JSON is spelled anew:
// a body that is more than a plain line is in base64, which stays byte for byte.
func (*Writer) hurl(b *bytes.Buffer, ex *recorder.Exchange, _ []recorder.Frame) error {
	r := &ex.Request
	fmt.Fprintf(b, "# %s\n%s %s\n", title(ex), method(r), address(r))
	for _, f := range fields(r) {
		if !utf8.ValidString(f.value) {
			fmt.Fprintf(b, "# %s is left out: its value is no text\n", f.name)
			continue
		}
		fmt.Fprintf(b, "%s: %s\n", hurlEscape(f.name), hurlEscape(f.value))
	}
	switch body := r.Body.Bytes; {
	case len(body) == 0:
	case isPlain(body, "") && !bytes.ContainsAny(body, "`#\\") && !bytes.Contains(body, []byte("{{")):
		fmt.Fprintf(b, "`%s`\n", body)
	default:
		if isPlain(body, "\n\t") && len(body) <= maxComment { // for whoever reads it
			for line := range bytes.Lines(body) {
				fmt.Fprintf(b, "# %s\n", bytes.TrimSuffix(line, []byte("\n")))
			}
		}
		fmt.Fprintf(b, "base64,%s;\n", base64.StdEncoding.EncodeToString(body))
	}
	if a := ex.Answer(); a != nil && ex.Outcome == recorder.Answered {
		fmt.Fprintf(b, "HTTP %d\n", a.Status)
	}
	b.WriteString("\n")
	return nil
}

// hurlEscape writes s as the grammar's key-string and value-string have it.
func hurlEscape(s string) string {
	var b strings.Builder
	braces := strings.Contains(s, "{{")
	for _, r := range s {
		switch {
		case r == '#' || r == '\\':
			b.WriteString(`\` + string(r))
		case braces && r == '{', !isPlain(string(r), ""):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
