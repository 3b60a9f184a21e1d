package verify

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"unicode/utf8"
)

const onTheWay = "something on the way changed the bytes: hand on the raw body, and not one that was parsed or trimmed"

// bodies tries what proxies, frameworks and people do to bodies.
func (e *examination) bodies() (Diagnosis, bool) {
	b := e.m.Body
	for _, try := range []struct {
		body []byte
		what string
	}{
		{bytes.TrimSuffix(b, []byte("\n")), "the body's trailing newline is removed"},
		{bytes.TrimSuffix(b, []byte("\r\n")), "the body's trailing line break (CRLF) is removed"},
		{append(bytes.Clone(b), '\n'), "a newline is put at the end of the body"},
		{append(bytes.Clone(b), "\r\n"...), "a line break (CRLF) is put at the end of the body"},
		{bytes.TrimSpace(b), "white space around the body is removed"},
		{bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), "the body's line breaks are LF and not CRLF"},
		{bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), "the body's line breaks are CRLF and not LF"},
		{bytes.TrimPrefix(b, []byte("\ufeff")), "the byte order mark before the body is removed"},
		{append([]byte("\ufeff"), b...), "a byte order mark is put before the body"},
		{compacted(b), "the white space between the JSON's tokens is removed"},
		{spaced(b), "the JSON is written with a space after each comma and colon"},
		{spaced(asciiOnly(compacted(b))), "the JSON is written with a space after each comma and colon, and its characters beyond ASCII escaped"},
		{indented(b, "  "), "the JSON is indented by two spaces"},
		{indented(b, "    "), "the JSON is indented by four spaces"},
		{indented(b, "\t"), "the JSON is indented by tabs"},
		{asciiOnly(b), "characters beyond ASCII are escaped (\\u00e9)"},
		{asciiOnly(compacted(b)), "the JSON is compact, and its characters beyond ASCII are escaped (\\u00e9)"},
		{unescapedUnicode(b), "escapes (\\u00e9) are written as the characters that they stand for"},
		{bytes.ReplaceAll(b, []byte("/"), []byte(`\/`)), "slashes are escaped (\\/)"},
		{bytes.ReplaceAll(b, []byte(`\/`), []byte("/")), "slashes are not escaped"},
		{htmlEscaped(b), "<, > and & are escaped (\\u003c)"},
		{sortedJSON(b), "the members of the JSON are sorted by name"},
		{bytes.ReplaceAll(b, []byte("+"), []byte("%20")), "spaces in the form are %20 and not +"},
		{bytes.ReplaceAll(b, []byte("%20"), []byte("+")), "spaces in the form are + and not %20"},
		{lowerEscapes(b), "the escapes in the form are in small letters"},
		{upperEscapes(b), "the escapes in the form are in capital letters"},
		{unescapedForm(b), "the form is unescaped"},
		{latin1(b), "the body is in Latin-1 and not in UTF-8"},
		{fromLatin1(b), "the body is in UTF-8 and not in Latin-1"},
		{decompressed(b), "the body is decompressed"},
		{unquotedBody(b), "the body is not a JSON string that holds the JSON"},
		{[]byte{}, "the body is empty"},
	} {
		if try.body == nil || bytes.Equal(try.body, b) {
			continue
		}
		m := e.m
		m.Body = try.body
		if e.fits(e.d, m, e.keys) {
			return Diagnosis{"matches if " + try.what, onTheWay}, true
		}
	}
	return Diagnosis{}, false
}

// What is done to bodies. Each gives nil if it cannot be done.

func compacted(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return nil
	}
	return out.Bytes()
}

func indented(b []byte, by string) []byte {
	var out bytes.Buffer
	if json.Indent(&out, b, "", by) != nil || out.Len() > 8*len(b)+4096 {
		return nil
	}
	return out.Bytes()
}

// spaced writes JSON as Python's json.dumps does.
func spaced(b []byte) []byte {
	b = compacted(b)
	if b == nil {
		return nil
	}
	out := make([]byte, 0, len(b)+len(b)/4)
	inString := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		out = append(out, c)
		switch {
		case inString && c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

func asciiOnly(b []byte) []byte {
	if !utf8.Valid(b) {
		return nil
	}
	var out []byte
	for _, r := range string(b) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		}
	}
	return out
}

func unescapedUnicode(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+5 >= len(b) || b[i+1] != 'u' {
			out = append(out, b[i])
			if b[i] == '\\' && i+1 < len(b) {
				i++
				out = append(out, b[i])
			}
			continue
		}
		end := i + 6
		if end+6 <= len(b) && b[end] == '\\' && b[end+1] == 'u' {
			end += 6
		}
		var text string
		if json.Unmarshal(slices.Concat([]byte{'"'}, b[i:end], []byte{'"'}), &text) != nil || text == "" {
			return nil
		}
		if r, size := utf8.DecodeRuneInString(text); r < 0x20 || r == '"' || r == '\\' || size < len(text) {
			end = i + 6
			if json.Unmarshal(slices.Concat([]byte{'"'}, b[i:end], []byte{'"'}), &text) != nil {
				return nil
			}
			if r, _ := utf8.DecodeRuneInString(text); r < 0x20 || r == '"' || r == '\\' || r == utf8.RuneError {
				text = string(b[i:end])
			}
		}
		out = append(out, text...)
		i = end - 1
	}
	return out
}

func htmlEscaped(b []byte) []byte {
	var out bytes.Buffer
	json.HTMLEscape(&out, b)
	return out.Bytes()
}

func sortedJSON(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func lowerEscapes(b []byte) []byte { return changeEscapes(b, bytes.ToLower) }
func upperEscapes(b []byte) []byte { return changeEscapes(b, bytes.ToUpper) }

func changeEscapes(b []byte, change func([]byte) []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], change(out[i+1:i+3]))
			i += 2
		}
	}
	return out
}

func unescapedForm(b []byte) []byte {
	text, err := url.QueryUnescape(string(b))
	if err != nil {
		return nil
	}
	return []byte(text)
}

func latin1(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		if r > 0xFF {
			return nil
		}
		out = append(out, byte(r))
	}
	return out
}

func fromLatin1(b []byte) []byte {
	if utf8.Valid(b) {
		return nil
	}
	var out []byte
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

func unquotedBody(b []byte) []byte {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	return []byte(text)
}

// decompressed undoes gzip, up to the size that is diagnosed.
func decompressed(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxDiagnosed+1))
	if err != nil || len(out) > maxDiagnosed {
		return nil
	}
	return out
}
