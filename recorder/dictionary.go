package recorder

import (
	"bytes"
	"encoding/binary"
)

// A dictionary numbers the values of a column.
type dictionary struct {
	codes  map[string]uint32
	values []string
	of     []uint32
}

func (d *dictionary) add(v []byte, isURL bool) { d.of = append(d.of, d.code(v, isURL)) }

// code returns the code of a value as it stands in a line.
func (d *dictionary) code(v []byte, isURL bool) uint32 {
	key := v
	if isURL { // no escape has one of these characters in it
		if _, rest, ok := bytes.Cut(v, []byte("://")); ok {
			if j := bytes.IndexAny(rest, "/?"); j >= 0 && rest[j] == '/' {
				key, _, _ = bytes.Cut(rest[j:], []byte("?"))
			}
		}
	}
	if c, ok := d.codes[string(key)]; ok {
		return c
	}
	c := uint32(len(d.values))
	value := wordOf(v)
	if isURL {
		value = PathOf(value)
	}
	d.codes[string(key)] = c
	d.values = append(d.values, value)
	return c
}

func (d *dictionary) encode() []byte {
	width := 4
	switch {
	case len(d.values) <= 1<<8:
		width = 1
	case len(d.values) <= 1<<16:
		width = 2
	}
	b := binary.LittleEndian.AppendUint32([]byte{byte(width)}, uint32(len(d.values)))
	for _, v := range d.values {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	for _, c := range d.of {
		for i := range width {
			b = append(b, byte(c>>(8*i)))
		}
	}
	return b
}

// dictionary returns the values of a column, and the rows' codes of them.
func (c *columnReader) dictionary(i int) (values []string, code func(row uint32) int, err error) {
	b, err := c.column(i)
	if err != nil || len(b) < 5 {
		return nil, nil, errBadIndex
	}
	width, n := int(b[0]), int(binary.LittleEndian.Uint32(b[1:]))
	if width != 1 && width != 2 && width != 4 {
		return nil, nil, errBadIndex
	}
	b = b[5:]
	for range n {
		if len(b) < 4 {
			return nil, nil, errBadIndex
		}
		size := int(binary.LittleEndian.Uint32(b))
		if len(b) < 4+size {
			return nil, nil, errBadIndex
		}
		values = append(values, string(b[4:4+size]))
		b = b[4+size:]
	}
	if len(b) != width*c.u.rows {
		return nil, nil, errBadIndex
	}
	switch width {
	case 1:
		return values, func(row uint32) int { return int(b[row]) }, nil
	case 2:
		return values, func(row uint32) int { return int(binary.LittleEndian.Uint16(b[row*2:])) }, nil
	}
	return values, func(row uint32) int { return int(binary.LittleEndian.Uint32(b[row*4:])) }, nil
}
