package interchange

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// Flows are tnetstrings, one after the other: the length of a value, a colon, the value
// and a mark of its kind. https://tnetstrings.info, to which mitmproxy adds ";" for text.

var errTnet = errors.New("it is no tnetstring")

// nextFlow reads one flow; io.EOF if there is none.
func nextFlow(br *bufio.Reader) (dict, error) {
	size := 0
	for digits := 0; ; digits++ {
		c, err := br.ReadByte()
		if err == io.EOF && digits > 0 {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err != nil:
			return nil, cutOff(err)
		case c == ':' && digits > 0:
		case c < '0' || c > '9' || digits == 10:
			return nil, errTnet
		default:
			size = 10*size + int(c-'0')
			continue
		}
		break
	}
	if size > maxValue {
		return nil, errTooLarge
	}
	b, err := io.ReadAll(io.LimitReader(br, int64(size)+1))
	if err == nil && len(b) <= size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, cutOff(err)
	}
	v, err := tnet(b[:size], b[size], 0)
	flow, ok := v.(dict)
	if err == nil && !ok {
		err = errTnet
	}
	return flow, err
}

func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends in the middle of it")
	}
	return err
}

// maxNested is how deep lists and dictionaries may stand in each other.
const maxNested = 50

// tnet reads what stands in front of its mark: a text or a number is a string.
func tnet(b []byte, mark byte, depth int) (any, error) {
	switch mark {
	case ',':
		return b, nil
	case ';', '#', '^':
		return string(b), nil
	case '!':
		return string(b) == "true", nil
	case '~':
		return nil, nil
	case ']', '}':
	default:
		return nil, errTnet
	}
	if depth == maxNested {
		return nil, errTnet
	}
	var list []any
	for len(b) > 0 {
		colon := bytes.IndexByte(b[:min(len(b), 12)], ':')
		size, err := strconv.Atoi(string(b[:max(0, colon)]))
		if b = b[colon+1:]; err != nil || size < 0 || size >= len(b) {
			return nil, errTnet
		}
		v, err := tnet(b[:size], b[size], depth+1)
		if err != nil {
			return nil, err
		}
		list, b = append(list, v), b[size+1:]
	}
	if mark == ']' {
		return list, nil
	}
	d := dict{}
	for i := 0; i+1 < len(list); i += 2 {
		d[textOf(list[i])] = list[i+1]
	}
	return d, nil
}
