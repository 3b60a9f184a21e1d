package verify

import (
	"fmt"
	"strings"
)

// describe writes a description. ok is false if what is signed and the place do
// not go together.
func describe(r reading, isHash bool, sp *spot, a algorithm, form secretForm, multiple bool) (text string, ok bool) {
	var b strings.Builder
	kind := "hmac"
	if isHash {
		kind = "hash"
	}
	fmt.Fprintf(&b, "id: my-provider\nscheme: %s\nalgorithm: %s\n", kind, a.name)
	var secret []string
	if form.strip != "" {
		secret = append(secret, "strip: "+yamlText(form.strip))
	}
	if form.decode != "" {
		secret = append(secret, "decode: "+form.decode)
	}
	if len(secret) > 0 {
		fmt.Fprintf(&b, "secret: {%s}\n", strings.Join(secret, ", "))
	}
	var needs []string
	var payload strings.Builder
	var stamp *atom
	payload.WriteString(r.lead)
	for i, at := range r.atoms {
		if i > 0 || r.lead != "" {
			payload.WriteString(r.sep)
		}
		payload.WriteString(at.ref)
		switch {
		case at.with != "":
			needs = append(needs, yamlText(at.with)+": {required: true}")
		case at.header != "" && at.header != sp.name:
			return "", false // an element of another list
		}
		if at.unit != "" {
			stamp = at
		}
	}
	if r.trail {
		payload.WriteString(r.sep)
	}
	if len(needs) > 0 {
		fmt.Fprintf(&b, "with: {%s}\n", strings.Join(needs, ", "))
	}
	fmt.Fprintf(&b, "signature:\n  in: %s\n  name: %s\n  encoding: %s\n", sp.in, yamlText(sp.name), sp.encoding)
	if sp.prefix != "" {
		fmt.Fprintf(&b, "  prefix: %s\n", yamlText(sp.prefix))
	}
	if sp.sep != "" {
		items := []string{"sep: " + yamlText(sp.sep)}
		if sp.kv != "" {
			items = append(items, "kv: "+yamlText(sp.kv), "element: "+yamlText(sp.element))
		}
		if multiple {
			items = append(items, "multiple: true")
		}
		fmt.Fprintf(&b, "  list: {%s}\n", strings.Join(items, ", "))
	}
	if stamp != nil {
		fmt.Fprintf(&b, "timestamp: {in: %s, name: %s, unit: %s, tolerance: 5m}\n", stamp.in, yamlText(stamp.name), stamp.unit)
	}
	fmt.Fprintf(&b, "payload: %s\n", yamlText(payload.String()))
	return b.String(), true
}
