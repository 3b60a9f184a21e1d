package recorder

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// A row is what the index has of an exchange: where its lines stand, and what
// filters ask for most.
type row struct {
	seq      uint64
	id       ID
	at       int64               // Unix ns
	size     int64               // of the request's body
	words    [dictColumns][]byte // as they stand in the line, decoded by wordOf; equal ones are spelled alike
	body     []byte              // of the request, as it stands in the line; nil: none
	response answer
	app      answer
}

// An answer is what a row has of a response; a zero one of none.
type answer struct {
	has    bool
	status int
	took   int64  // ns
	body   []byte // as it stands in the line; nil: none
}

// The columns whose values are few and repeat.
const (
	colProvider = iota
	colEvent
	colVerdict
	colReason
	colOutcome
	colOrigin
	colMethod
	colPath // the URL, of which the index keeps the path
	colRoute
	colStatus // of the response, and behind a / the app's
	dictColumns
)

// readExchange takes out of an 'x' line what a row has, without decoding the
// rest: the line was written by this package, member by member. It reports
// whether the line is spelled so.
func (r *row) readExchange(l line) bool {
	r.seq, r.id = l.seq, l.id
	return eachMember(l.raw[len(exchangePre):len(l.raw)-sumLen], func(key, v []byte) bool {
		ok := true
		switch string(key) {
		case "at":
			t, err := time.Parse(time.RFC3339Nano, string(bytes.Trim(v, `"`)))
			r.at, ok = t.UnixNano(), err == nil
		case "origin":
			r.words[colOrigin] = v
		case "provider":
			r.words[colProvider] = v
		case "event":
			r.words[colEvent] = v
		case "route":
			r.words[colRoute] = v
		case "request":
			ok = eachMember(v, func(key, v []byte) bool {
				switch string(key) {
				case "method":
					r.words[colMethod] = v
				case "url":
					r.words[colPath] = v
				case "body":
					r.body = v
				case "size":
					return number(v, &r.size)
				}
				return true
			})
		case "verdict":
			ok = eachMember(v, func(key, v []byte) bool {
				switch string(key) {
				case "status":
					r.words[colVerdict] = v
				case "reason":
					r.words[colReason] = v
				}
				return true
			})
		default:
			ok = r.readEnd(key, v)
		}
		return ok
	})
}

// readResult does the same with an 'r' line.
func (r *row) readResult(l line) bool {
	return eachMember(l.raw, r.readEnd)
}

func (r *row) readEnd(key, v []byte) bool {
	switch string(key) {
	case "outcome":
		r.words[colOutcome] = v
	case "response":
		return r.response.read(v)
	case "app":
		return r.app.read(v)
	}
	return true
}

func (a *answer) read(v []byte) bool {
	a.has = true
	return eachMember(v, func(key, v []byte) bool {
		switch string(key) {
		case "status":
			var n int64
			ok := number(v, &n)
			a.status = int(n)
			return ok
		case "body":
			a.body = v
		case "took_ns":
			return number(v, &a.took)
		}
		return true
	})
}

// status returns both statuses as they stand in their column.
func (r *row) status(buf []byte) []byte {
	if !r.response.has && !r.app.has {
		return nil
	}
	buf = append(buf, '"')
	if r.response.has {
		buf = strconv.AppendInt(buf, int64(r.response.status), 10)
	}
	if r.app.has {
		buf = strconv.AppendInt(append(buf, '/'), int64(r.app.status), 10)
	}
	return append(buf, '"')
}

// wordOf decodes a value.
func wordOf(v []byte) string {
	if len(v) >= 2 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	var t text
	if len(v) == 0 || json.Unmarshal(v, &t) != nil {
		return ""
	}
	return string(t)
}

func number(v []byte, n *int64) bool {
	var err error
	*n, err = strconv.ParseInt(string(v), 10, 64)
	return err == nil
}

// bodyEnd is what stands behind a body that is text. As every quote in a body
// is escaped, it cannot stand in one.
var bodyEnd = []byte(`","size":`)

// endOfBody returns where the body ends that b begins with, a text. It looks at
// the end of the line first: what follows the body of a request is short, and
// what is in a body can be long.
func endOfBody(b []byte) int {
	const near = 400
	if len(b) > 2*near {
		tail := b[len(b)-near:]
		if i := bytes.Index(tail, behindRequest); i >= 0 {
			if j := bytes.LastIndex(tail[:i], bodyEnd); j >= 0 {
				return len(b) - near + j
			}
		}
	}
	return bytes.Index(b, bodyEnd)
}

// behindRequest begins what follows the request in a line.
var behindRequest = []byte(`,"verdict":{`)

// eachMember calls f for the members of the object that b begins with, as they
// stand there, until it returns false. It reports whether all went well. It
// relies on b being JSON that this package has written.
func eachMember(b []byte, f func(key, value []byte) bool) bool {
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	for i := 1; i < len(b); i++ {
		if b[i] != '"' {
			return b[i] == '}' && i == 1
		}
		end := skipString(b, i)
		if end+1 >= len(b) || b[end] != ':' {
			return false
		}
		key, from := b[i+1:end-1], end+1
		if end = skipValue(b, from, string(key) == "body"); end >= len(b) {
			// The line's last member is followed by its sum, which is not in b.
			return end == len(b) && f(key, b[from:end])
		}
		if !f(key, b[from:end]) {
			return false
		}
		switch i = end; b[i] {
		case '}':
			return true
		case ',':
		default:
			return false
		}
	}
	return true
}

// skipValue returns where the value at i ends, behind the end of b if it does
// not.
func skipValue(b []byte, i int, body bool) int {
	switch b[i] {
	case '"':
		if body {
			if n := endOfBody(b[i:]); n >= 0 {
				return i + n + 1
			}
		}
		return skipString(b, i)
	case '{', '[':
		for depth := 0; i < len(b); {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(b) + 1
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// skipString returns where the string at i ends.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b) + 1
		}
		i += n
		back := i
		for b[back-1] == '\\' {
			back--
		}
		if (i-back)%2 == 0 {
			return i + 1
		}
	}
}
