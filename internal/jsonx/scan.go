package jsonx

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A fault is what the scanner stumbled over; 0 is none.
type fault uint8

const (
	faultEnd     fault = iota + 1 // the text ends too soon
	faultAfter                    // there is more after the value
	faultValue                    // no value begins so
	faultName                     // an object needs a name in quotes here
	faultColon                    // a colon is missing
	faultComma                    // neither a comma nor the end of the object or array
	faultControl                  // a control character in a string
	faultEscape                   // no such escape
	faultNumber                   // not a number
	faultDepth                    // nested too deep
)

var faultText = [...]string{
	faultEnd:     "the text ends too soon",
	faultAfter:   "there is more after the value",
	faultValue:   "a value cannot begin like this",
	faultName:    "a name in double quotes is missing",
	faultColon:   "the colon after a name is missing",
	faultComma:   "neither a comma nor a closing bracket",
	faultControl: "a control character in a string",
	faultEscape:  "not an escape that JSON knows",
	faultNumber:  "not a number as JSON writes them",
	faultDepth:   "nested too deep",
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// text scans doc as one JSON text: a byte order mark or none, white space, one
// value, white space. It gives the bounds of the value; with a fault, end is
// where that is.
func text(doc []byte) (start, end int, bad fault) {
	if bytes.HasPrefix(doc, byteOrderMark) {
		start = len(byteOrderMark)
	}
	start = space(doc, start)
	end, bad = scanValue(doc, start, 0)
	if bad != 0 {
		return start, end, bad
	}
	if rest := space(doc, end); rest < len(doc) {
		return start, rest, faultAfter
	}
	return start, end, 0
}

// space gives the first place from i on that is not white space.
func space(b []byte, i int) int {
	if i < len(b) && b[i] > ' ' { // mostly; and short enough to be inlined
		return i
	}
	return spaces(b, i)
}

func spaces(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// scanValue gives the end of the value that begins at i, inside depth others.
// With a fault, end is where that is. It does not recurse and allocates
// nothing.
func scanValue(b []byte, i, depth int) (end int, bad fault) {
	if i >= len(b) {
		return len(b), faultEnd
	}
	switch c := b[i]; {
	case c == '"':
		return scanString(b, i)
	case c == '{' || c == '[':
		return scanNested(b, i, depth)
	case c == '-' || '0' <= c && c <= '9':
		return scanNumber(b, i)
	case c == 't':
		return scanWord(b, i, "true")
	case c == 'f':
		return scanWord(b, i, "false")
	case c == 'n':
		return scanWord(b, i, "null")
	}
	return i, faultValue
}

// scanNested is scanValue for an object or array.
func scanNested(b []byte, i, depth int) (end int, bad fault) {
	var in brackets
	for {
		// A value begins at i.
		if i >= len(b) {
			return len(b), faultEnd
		}
		if c := b[i]; c == '{' || c == '[' {
			if depth+in.open == MaxDepth {
				return i, faultDepth
			}
			in.push(c == '{')
			i = space(b, i+1)
			if i < len(b) && b[i] != c+2 { // '{'+2 is '}', '['+2 is ']'
				if i, bad = in.begin(b, i); bad != 0 {
					return i, bad
				}
				continue
			}
		} else if i, bad = scanValue(b, i, depth+in.open); bad != 0 {
			return i, bad
		}
		if i, bad = in.next(b, i); bad != 0 || in.open == 0 {
			return i, bad
		}
	}
}

// brackets are the objects and arrays that are open.
type brackets struct {
	objects [MaxDepth/64 + 1]uint64 // bit n: what is open at depth n is an object
	open    int
}

func (in *brackets) push(isObject bool) {
	bit := uint64(1) << (in.open % 64)
	if isObject {
		in.objects[in.open/64] |= bit
	} else {
		in.objects[in.open/64] &^= bit
	}
	in.open++
}

// inObject reports whether the innermost is an object. One must be open.
func (in *brackets) inObject() bool {
	return in.objects[(in.open-1)/64]>>((in.open-1)%64)&1 == 1
}

// begin passes to where the next value must begin: in an object over its name.
func (in *brackets) begin(b []byte, i int) (end int, bad fault) {
	if in.inObject() {
		return scanName(b, i)
	}
	return i, 0
}

// next passes from the end of a value over the brackets that close there, and over a comma
// to where the next value must begin. Nothing is open any more if there is none.
func (in *brackets) next(b []byte, i int) (end int, bad fault) {
	for in.open > 0 {
		i = space(b, i)
		if i >= len(b) {
			return len(b), faultEnd
		}
		if b[i] == ',' {
			return in.begin(b, space(b, i+1))
		}
		if isObject := in.inObject(); isObject && b[i] != '}' || !isObject && b[i] != ']' {
			return i, faultComma
		}
		i++
		in.open--
	}
	return i, 0
}

// scanName passes over a name, its colon and white space, to where the value
// must begin.
func scanName(b []byte, i int) (end int, bad fault) {
	if i >= len(b) {
		return len(b), faultEnd
	}
	if b[i] != '"' {
		return i, faultName
	}
	if i, bad = scanString(b, i); bad != 0 {
		return i, bad
	}
	return scanColon(b, i)
}

// scanColon passes over a colon, with white space on both sides.
func scanColon(b []byte, i int) (end int, bad fault) {
	i = space(b, i)
	if i >= len(b) {
		return len(b), faultEnd
	}
	if b[i] != ':' {
		return i, faultColon
	}
	return space(b, i+1), 0
}

// scanString gives the end of the string whose opening quote is at i.
func scanString(b []byte, i int) (end int, bad fault) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i++
	for {
		// Eight bytes at once, up to a quote, a backslash or a control
		// character: x has a byte less than n where (x-n)&^x has its high bit
		// set. Of several such bits the lowest is right, higher ones may not be.
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^ones*'"', x^ones*'\\'
			found := ((x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i >= len(b) {
			return len(b), faultEnd
		}
		switch b[i] {
		case '"':
			return i + 1, 0
		case '\\':
			if i, bad = scanEscape(b, i); bad != 0 {
				return i, bad
			}
		default:
			return i, faultControl
		}
	}
}

// scanEscape gives the end of the escape whose backslash is at i.
func scanEscape(b []byte, i int) (end int, bad fault) {
	if i+1 >= len(b) {
		return len(b), faultEnd
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, 0
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(b) {
				return len(b), faultEnd
			}
			if _, ok := hexDigit(b[j]); !ok {
				return i, faultEscape
			}
		}
		return i + 6, 0
	}
	return i, faultEscape
}

// scanNumber gives the end of the number that begins at i.
func scanNumber(b []byte, i int) (end int, bad fault) {
	start := i
	if b[i] == '-' {
		i++
	}
	first := i
	if i = digits(b, i); i == first || i-first > 1 && b[first] == '0' {
		return start, faultNumber
	}
	if i < len(b) && b[i] == '.' {
		first = i + 1
		if i = digits(b, first); i == first {
			return start, faultNumber
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		first = i + 1
		if first < len(b) && (b[first] == '+' || b[first] == '-') {
			first++
		}
		if i = digits(b, first); i == first {
			return start, faultNumber
		}
	}
	return i, 0
}

// digits gives the end of the decimal digits at i.
func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// scanWord gives the end of the word that must stand at i.
func scanWord(b []byte, i int, word string) (end int, bad fault) {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return i, faultValue
	}
	return i + len(word), 0
}

func hexDigit(c byte) (v rune, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c - 'a' + 10), true
	case 'A' <= c && c <= 'F':
		return rune(c - 'A' + 10), true
	}
	return 0, false
}
