package verify

// write writes the payload to w's hash. It stops at a part that m lacks.
func (d *declared) write(w *workbench, k *key, m *Message, c *claim, with map[string]string) (lacking *part) {
	for i := range d.payload {
		p := &d.payload[i]
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
		}
		text, how := d.text(p, m, c, with)
		if how != present {
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
	case refHeader:
		return place{in: inHeader, key: p.key}.read(m, nil)
	case refParam:
		return place{in: inQuery, name: p.text}.read(m, nil)
	case refForm:
		return place{in: inForm, name: p.path[0]}.read(m, nil)
	case refField:
		return place{in: inBody, path: p.path}.read(m, c.fields)
	case refWith:
		return with[p.text], present // ready saw to it that it is there
	}
	return "", absent
}
