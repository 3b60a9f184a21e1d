package verify

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// The rewritings of a form body.
var formRewritings = []rewriting{
	{"spaces in the form are %20 and not +", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("+"), []byte("%20")) }},
	{"spaces in the form are + and not %20", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("%20"), []byte("+")) }},
	{"the escapes in the form are in small letters", lowerEscapes},
	{"the escapes in the form are in capital letters", upperEscapes},
	{"the form is unescaped", unescapedForm},
	{"the form is escaped as browsers do (* and not ~ as it is)", func(b []byte) []byte { return reencoded(b, "*-._", "+") }},
	{"the form is escaped as PHP does (neither * nor ~ as it is)", func(b []byte) []byte { return reencoded(b, "-._", "+") }},
	{"the form is escaped as Go and Python do (~ and not * as it is)", func(b []byte) []byte { return reencoded(b, "-._~", "+") }},
	{"the form is escaped as in RFC 3986, with %20 for spaces", func(b []byte) []byte { return reencoded(b, "-._~", "%20") }},
	{"the form is escaped as JavaScript's encodeURIComponent does", func(b []byte) []byte { return reencoded(b, "-._~!'()*", "%20") }},
	{"* and ~ in the form are as they are", func(b []byte) []byte { return reencoded(b, "-._~*", "+") }},
	{"the form's fields are sorted", func(b []byte) []byte { return rearranged(b, slices.Sort) }},
	{"the form's fields are the other way round", func(b []byte) []byte { return rearranged(b, slices.Reverse) }},
	{"the body is what the form field payload holds", unwrapped},
	{"the JSON is in a form, as payload=", func(b []byte) []byte { return wrapped(b, "+") }},
	{"the JSON is in a form, as payload=, with %20 for spaces", func(b []byte) []byte { return wrapped(b, "%20") }},
	{"the body is a form and not the JSON that was made of it", func(b []byte) []byte { return formOf(b, "+") }},
	{"the body is a form, with %20 for spaces, and not the JSON that was made of it", func(b []byte) []byte { return formOf(b, "%20") }},
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

// looksLikeForm reports whether b may be a form.
func looksLikeForm(b []byte) bool {
	return bytes.IndexByte(b, '=') > 0 && !bytes.ContainsAny(b, " \n{}\"<>")
}

// rearranged gives the form with its fields in another order.
func rearranged(b []byte, order func([]string)) []byte {
	if !looksLikeForm(b) {
		return nil
	}
	fields := strings.Split(string(b), "&")
	order(fields)
	return []byte(strings.Join(fields, "&"))
}

// orders gives all orders of the fields of a form that has few.
func orders(b []byte) []rewriting {
	fields := strings.Split(string(b), "&")
	if !looksLikeForm(b) || len(fields) < 2 || len(fields) > 4 || len(b) > maxRewritten {
		return nil
	}
	var all []rewriting
	permutations(fields, func(order []string) {
		body := []byte(strings.Join(order, "&"))
		all = append(all, rewriting{"the form's fields are in another order", func([]byte) []byte { return body }})
	})
	return all
}

// reencoded escapes names and values of a form anew, but for letters, digits
// and what is in safe.
func reencoded(b []byte, safe, space string) []byte {
	if !looksLikeForm(b) {
		return nil
	}
	fields := strings.Split(string(b), "&")
	for i, field := range fields {
		name, value, assigned := strings.Cut(field, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil
		}
		if fields[i] = escape(name, safe, space); assigned {
			fields[i] += "=" + escape(value, safe, space)
		}
	}
	return []byte(strings.Join(fields, "&"))
}

// escape escapes all bytes but letters, digits and those in safe; a space becomes space.
func escape(text, safe, space string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(safe, c) >= 0:
			out.WriteByte(c)
		case c == ' ':
			out.WriteString(space)
		default:
			out.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return out.String()
}

// unwrapped gives what the field payload of a form holds, as GitHub and Slack
// send JSON.
func unwrapped(b []byte) []byte {
	value, ok := bytes.CutPrefix(b, []byte("payload="))
	if !ok {
		return nil
	}
	text, err := url.QueryUnescape(string(value))
	if err != nil {
		return nil
	}
	return []byte(text)
}

func wrapped(b []byte, space string) []byte {
	if !json.Valid(b) {
		return nil
	}
	return []byte("payload=" + escape(string(b), "-._~", space))
}

// formOf writes a flat JSON object of texts as the form that it was made of.
func formOf(b []byte, space string) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var out []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		value, err := d.Token()
		text, isText := value.(string)
		if err != nil || !isText {
			return nil
		}
		out = append(out, escape(name.(string), "-._", space)+"="+escape(text, "-._", space))
	}
	return []byte(strings.Join(out, "&"))
}
