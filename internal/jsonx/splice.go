package jsonx

import "errors"

// ErrWhole tells that the whole document cannot be unset.
var ErrWhole = errors.New("the whole document cannot be unset")

// Set returns doc with the value that p names replaced by value, a JSON text
// that is put in as it is spelled, without white space around it. The error is
// a [*SyntaxError] if doc or value is not JSON and a [*NotFoundError] if there
// is nothing at p. doc is not written to.
func Set(doc []byte, p Path, value []byte) ([]byte, error) {
	value, err := trimmed(value)
	if err != nil {
		return nil, err
	}
	c, err := locate(doc, p)
	if err != nil {
		return nil, err
	}
	return c.replace(doc, c.start, c.end, value), nil
}

// Create is [Set], but makes what is missing: a member is added after the last
// one of its object, in the style of that, and an element after the last one
// of its array, if p names the index that comes next. A container that is
// missing altogether becomes an array if p goes on with 0, and else an object.
// What is there is not replaced by a container: if p leads through a number, the
// error is a [*NotFoundError].
func Create(doc []byte, p Path, value []byte) ([]byte, error) {
	value, err := trimmed(value)
	if err != nil {
		return nil, err
	}
	c, err := locate(doc, p)
	if err == nil {
		return c.replace(doc, c.start, c.end, value), nil
	}
	var missing *NotFoundError
	if !errors.As(err, &missing) {
		return nil, err
	}
	name, rest := p[missing.Found], p[missing.Found+1:]
	switch index, isIndex := parseIndex(name); {
	case missing.Kind == Object:
		at, text := c.addition(name, wrap(rest, value))
		return c.replace(doc, at, at, text), nil
	case missing.Kind == Array && isIndex && index == missing.Len:
		at, text := c.addition("", wrap(rest, value))
		return c.replace(doc, at, at, text), nil
	}
	return nil, err
}

// Unset returns doc without the value that p names: without the member, its
// name, one comma and the white space that goes with it, or without the
// element. Of duplicate names only the last goes. The errors are those of
// [Set], and [ErrWhole] for the empty path. doc is not written to.
func Unset(doc []byte, p Path) ([]byte, error) {
	if len(p) == 0 {
		return nil, ErrWhole
	}
	if _, err := locate(doc, p); err != nil {
		return nil, err
	}
	c, err := locate(doc, p[:len(p)-1])
	if err != nil {
		return nil, err
	}
	if c, err = c.enter(); err != nil {
		return nil, err
	}
	start, end := c.removal(p[len(p)-1])
	return c.replace(doc, start, end, nil), nil
}

// replace returns doc with the bytes start to end of c.doc replaced by text,
// which is escaped for every string that lies between.
func (c *cursor) replace(doc []byte, start, end int, text []byte) []byte {
	start, end, strings := c.outermost(start, end)
	for range strings {
		text = appendEscaped(nil, string(text))
	}
	out := make([]byte, 0, len(doc)-(end-start)+len(text))
	out = append(out, doc[:start]...)
	out = append(out, text...)
	return append(out, doc[end:]...)
}

// addition gives what to insert into c.doc, and where, to add a value to the
// object or array that c stands on: in the style of what is there.
func (c *cursor) addition(name string, value []byte) (at int, text []byte) {
	raw := c.doc[c.start:c.end]
	isObject := raw[0] == '{'
	first := space(raw, 1)
	gap := raw[1:first] // the white space before a name or element
	if raw[first] == raw[0]+2 {
		gap = nil
	}
	last := 1                    // the end of the last value
	var beforeColon, gap2 []byte // white space around the last colon
	for i := first; raw[i] != raw[0]+2; {
		start := i
		if isObject {
			keyEnd, _ := scanString(raw, i)
			colon := space(raw, keyEnd)
			start = space(raw, colon+1)
			beforeColon, gap2 = raw[keyEnd:colon], raw[colon+1:start]
		}
		last, _ = scanValue(raw, start, 0)
		comma := space(raw, last)
		i = next(raw, last)
		if raw[comma] == ',' {
			gap = raw[comma+1 : i]
		}
	}
	if last > 1 {
		text = append(text, ',')
	}
	text = append(text, gap...)
	if isObject {
		text = AppendQuote(text, name)
		text = append(text, beforeColon...)
		text = append(text, ':')
		text = append(text, gap2...)
	}
	return c.start + last, append(text, value...)
}

// removal gives the bytes of c.doc to cut so that the object or array that c
// stands on loses what name names.
func (c *cursor) removal(name string) (start, end int) {
	raw := c.doc[c.start:c.end]
	isObject := raw[0] == '{'
	index, _ := parseIndex(name)
	before := 1 // the end of the value before
	for i, n := space(raw, 1), 0; raw[i] != raw[0]+2; n++ {
		at := i
		hit := !isObject && n == index
		if isObject {
			keyEnd, _ := scanString(raw, i)
			at = space(raw, space(raw, keyEnd)+1)
			hit = isName(raw[i:keyEnd], name)
		}
		after, _ := scanValue(raw, at, 0)
		follows := next(raw, after)
		if hit {
			switch isLast := raw[follows] == raw[0]+2; {
			case !isLast:
				start, end = i, follows
			case before > 1:
				start, end = before, after
			default:
				start, end = 1, follows // nothing is left: neither is the white space
			}
		}
		before = after
		i = follows
	}
	return c.start + start, c.start + end
}

// wrap puts value into the containers that the names call for.
func wrap(names Path, value []byte) []byte {
	var text, closing []byte
	for _, name := range names {
		if name == "0" {
			text = append(text, '[')
			closing = append(closing, ']')
			continue
		}
		text = append(text, '{')
		text = AppendQuote(text, name)
		text = append(text, ':')
		closing = append(closing, '}')
	}
	text = append(text, value...)
	for i := range closing {
		text = append(text, closing[len(closing)-1-i])
	}
	return text
}

// trimmed gives value without white space around it, if it is JSON.
func trimmed(value []byte) ([]byte, error) {
	start, end, bad := text(value)
	if bad != 0 {
		return nil, syntaxError(value, end, bad)
	}
	return value[start:end], nil
}
