package verify

import (
	"slices"
	"strings"
)

// A list is a signature place that holds several elements, as in "t=1,s=ab".
type list struct {
	separator string // between elements, as written
	split     string // the same without white space around it: what separates when reading
	assign    string // between the name of an element and its value; "" if elements have no names
	element   string // the name of signatures
	multiple  bool   // there may be several, any of which may be right
	drop      []string
	keyed     string // elements are named by keys: the name in Keys.With of the one that counts
	bare      bool   // the signature is the element without a name
	start     string // the list that Sign begins with if there is none
}

// next cuts the first element off a list. more is false with the last one.
func (l *list) next(text string) (name, value, rest string, more bool) {
	item, rest, more := strings.Cut(text, l.split)
	item = strings.Trim(item, " \t")
	if l.assign == "" || l.bare && !strings.Contains(item, l.assign) {
		return "", item, rest, more
	}
	if name, value, _ = strings.Cut(item, l.assign); name == "" && l.bare {
		name = l.assign // or "=ab" would be as good as "ab"
	}
	return name, value, rest, more
}

// find gives the value of the element called name.
func (l *list) find(text, name string) (value string, how presence) {
	for rest, more := text, true; more; {
		var n, v string
		n, v, rest, more = l.next(rest)
		if n != name {
			continue
		}
		if how == present {
			return "", several
		}
		value, how = v, present
	}
	return value, how
}

// set gives the list with another value for the element called name.
func (l *list) set(text, name, value string) string {
	if text == "" {
		return name + l.assign + value
	}
	items := strings.Split(text, l.split)
	for i, item := range items {
		if n, _, _, _ := l.next(item); n == name {
			indent := item[:len(item)-len(strings.TrimLeft(item, " \t"))]
			items[i] = indent + name + l.assign + value
			return strings.Join(items, l.split)
		}
	}
	return text + l.separator + name + l.assign + value
}

// first gives the name of the first element that has one, and one that can be
// written again.
func (l *list) first(text string) string {
	for rest, more := text, true; more; {
		var name, value string
		if name, value, rest, more = l.next(rest); value != "" && elementForm.MatchString(name) {
			return name
		}
	}
	return ""
}

// draft gives what to write before and after the signature in its list. The
// elements that c.list has stay where they are, but for other signatures, and
// for the time, which is that of c.
func (d *declared) draft(c claim) (before, after string) {
	l := d.list
	pad := strings.TrimPrefix(l.separator, l.split) // what follows a separator
	var items []string
	placed := -1 // the item that ends where the signature begins
	time := d.stamp.element()
	stamped := time == ""
	mine := c.element + l.assign + d.prefix
	if l.bare {
		mine = d.prefix
	}
	for rest, more := c.list, c.list != ""; more; {
		var item string
		item, rest, more = strings.Cut(rest, l.split)
		name, _, _, _ := l.next(item)
		indent := item[:len(item)-len(strings.TrimLeft(item, " \t"))]
		switch {
		case len(indent) == len(item) || slices.Contains(l.drop, name):
		case name == c.element:
			if placed < 0 {
				placed = len(items)
				items = append(items, indent+mine)
			}
		case l.keyed != "": // that of another key
		case time != "" && name == time:
			if !stamped {
				stamped = true
				items = append(items, indent+name+l.assign+c.stamp)
			}
		default:
			items = append(items, item)
		}
	}
	if !stamped {
		items = slices.Insert(items, 0, time+l.assign+c.stamp)
		if placed >= 0 {
			placed++
		}
	}
	if placed < 0 {
		placed = len(items)
		items = append(items, mine)
		if placed > 0 {
			items[placed] = pad + items[placed]
		}
	}
	before = strings.Join(items[:placed+1], l.split)
	if placed+1 < len(items) {
		after = l.split + strings.Join(items[placed+1:], l.split)
	}
	return before, after
}

// name is the name of signatures, for people.
func (l *list) name() string {
	switch {
	case l.keyed != "":
		return "<" + l.keyed + ">"
	case l.bare:
		return ""
	}
	return l.element
}
