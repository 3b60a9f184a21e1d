package verify

import (
	"net/url"
	"strings"
)

// plivo gives what Plivo signs before the nonce, in version 3: the URL with its
// query decoded and sorted, and of a POST the form, names and values one behind
// the other. A value that is there twice counts twice.
//
// plivo-node lib/utils/v3Security.js; https://www.plivo.com/docs/voice/concepts/signature-validation.
func plivo(m *Message) (text string, how presence) {
	if m.URL == nil {
		return "", absent
	}
	query, ok := sortedPairs(m.URL.RawQuery)
	if !ok {
		return "", unreadable
	}
	var form []pair
	switch {
	case m.Method != "GET" && m.Method != "POST", m.Method == "GET" && len(m.Body) > 0:
		return "", absent
	case len(m.Body) > 0 && !isForm(m):
		return "", absent
	case len(m.Body) > 0:
		if form, ok = sortedPairs(string(m.Body)); !ok {
			return "", unreadable
		}
	}
	var b strings.Builder
	b.WriteString((&url.URL{Scheme: m.URL.Scheme, Host: m.URL.Host, Path: m.URL.Path, RawPath: m.URL.RawPath}).String())
	if len(query)+len(form) > 0 {
		b.WriteByte('?')
	}
	for i, p := range query {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	if len(query) > 0 && len(form) > 0 {
		b.WriteByte('.')
	}
	for _, p := range form {
		b.WriteString(p.name + p.value)
	}
	return b.String(), present
}
