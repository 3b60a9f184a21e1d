package verify

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
)

// write writes the payload t to w's hash. It stops at a part that m lacks.
func (d *declared) write(w *workbench, t template, k *key, m *Message, c *claim, with map[string]string) (lacking *part) {
	for i := range t {
		p := &t[i]
		switch {
		case p.ref == refLiteral:
			w.hash.Write(p.raw)
			continue
		case p.ref == refSecret:
			w.hash.Write(k.bytes)
			continue
		case p.ref == refBody && p.call == "":
			w.hash.Write(m.Body)
			continue
		case p.ref == refBody:
			w.room = append(w.room[:0], functions[p.call](m.Body)...)
			w.hash.Write(w.room)
			continue
		case p.ref == refDecoded && p.call == "":
			if !decodeBody(w.hash, m) {
				return p
			}
			continue
		case p.ref == refSorted:
			if lacking := d.writeSorted(w, p.parts, k, m, c, with); lacking != nil {
				return lacking
			}
			continue
		}
		text, how := d.text(p, m, c, with)
		if p.call == callLine {
			if how != absent && how != present {
				return p
			}
			if how == present {
				w.room = append(append(append(append(w.room[:0], p.text...), '\n'), text...), '\n')
				w.hash.Write(w.room)
			}
			continue
		}
		if how != present && !(how == absent && p.optional) {
			return p
		}
		w.room = append(w.room[:0], text...)
		if p.call != "" {
			w.room = append(w.room[:0], functions[p.call](w.room)...)
		}
		w.hash.Write(w.room)
	}
	return nil
}

// writeSorted writes what parts refer to, in the order of the bytes.
func (d *declared) writeSorted(w *workbench, parts template, k *key, m *Message, c *claim, with map[string]string) (lacking *part) {
	var texts []string
	for i := range parts {
		p := &parts[i]
		text, how := string(k.bytes), present
		if p.ref != refSecret {
			text, how = d.text(p, m, c, with)
		}
		if how != present && !(how == absent && p.optional) {
			return p
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		w.room = append(w.room[:0], text...)
		w.hash.Write(w.room)
	}
	return nil
}

// decodeBody writes m's body to w without its Content-Encoding. It reports
// false if that is another than gzip, or more than MaxBody comes out.
func decodeBody(w io.Writer, m *Message) bool {
	switch values := m.Header["Content-Encoding"]; {
	case len(values) == 0 || len(values) == 1 && strings.EqualFold(values[0], "identity"):
		w.Write(m.Body)
		return true
	case len(values) > 1 || !strings.EqualFold(values[0], "gzip"):
		return false
	}
	r, err := gzip.NewReader(bytes.NewReader(m.Body))
	if err != nil {
		return false
	}
	n, err := io.Copy(w, io.LimitReader(r, MaxBody+1))
	return err == nil && n <= MaxBody
}

// text gives what a part of the payload refers to.
func (d *declared) text(p *part, m *Message, c *claim, with map[string]string) (text string, how presence) {
	switch p.ref {
	case refTime:
		return c.stamp, present
	case refMethod:
		return m.Method, present
	case refURL:
		if m.URL == nil {
			return "", absent
		}
		return m.URL.String(), present
	case refHost:
		return host(m), present
	case refPath:
		return path(m), present
	case refQuery:
		if m.URL == nil {
			return "", present
		}
		return m.URL.RawQuery, present
	case refSig:
		return d.list.find(c.list, p.text)
	case refHeader, refParam, refForm, refField:
		return p.at.read(m, c.fields)
	case refWith:
		return with[p.text], present // ready saw to it that it is there
	case refForms:
		if c.digested {
			return "", present
		}
		return sortedForm(m)
	case refHeaders:
		return d.headers.text(d, m, c)
	case refCode:
		copied := *m // or every message would have to be on the heap
		return codes[p.text].text(&copied)
	}
	return "", absent
}
