package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"unicode/utf8"
)

// A journal is lines of JSON, each with a kind and a checksum of its own:
//
//	{"v":1,"k":"x","x":{Exchange},"c":"8 hex"}              an exchange arrived
//	{"v":1,"k":"r","id":"…","outcome":…,"response":…,"c":…}  it is done
//	{"v":1,"k":"f","id":"…","n":1,…,"c":…}                   a frame of the WebSocket that it opened
//	{"v":1,"k":"e","id":"…","ended":{…},"c":…}               that has ended
//	{"v":1,"k":"p","id":"…","pinned":true,"c":…}             it was pinned, or is no longer
//	{"v":1,"k":"d","n":3,"c":…}                              so many were removed
//	{"v":1,"k":"z","c":…}                                    nobody writes here any more
//
// c is the CRC32C of the bytes before `,"c"`. Lines are written by this
// package alone and in this very spelling, so that kind, id and sequence
// number are found without parsing. A reader passes over kinds that it does
// not know.
const (
	linePrefix  = `{"v":1,"k":"`
	exchangePre = linePrefix + `x","x":`
	resultPre   = linePrefix + `r","id":"`
	framePre    = linePrefix + `f","id":"`
	endingPre   = linePrefix + `e","id":"`
	pinPre      = linePrefix + `p","id":"`
	removedPre  = linePrefix + `d","n":`
	leftPre     = linePrefix + `z"`
	idLen       = 26
	sumLen      = len(`,"c":"00000000"}`)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errBadLine = errors.New("damaged line")

// sealLine appends the checksum of the line that starts at from, and ends it.
func sealLine(buf []byte, from int) []byte {
	sum := crc32.Checksum(buf[from:], castagnoli)
	const hex = "0123456789abcdef"
	buf = append(buf, `,"c":"`...)
	for shift := 28; shift >= 0; shift -= 4 {
		buf = append(buf, hex[sum>>shift&15])
	}
	return append(buf, '"', '}', '\n')
}

// A line is one line of a journal, taken apart but not parsed.
type line struct {
	raw  []byte // without the newline; belongs to the reader that gave it
	kind byte   // 'x', 'r', 'f', 'e', 'p', or another kind's first letter
	id   ID
	seq  uint64 // of an 'x'
}

// parseLine takes a line apart and checks its sum. The error wraps errBadLine
// or [ErrNewer].
func parseLine(raw []byte) (line, error) {
	l := line{raw: raw}
	rest, ok := bytes.CutPrefix(raw, []byte(linePrefix))
	if !ok || len(rest) < 2+sumLen {
		return l, newerOrBad(raw)
	}
	cut := len(raw) - sumLen
	tail := raw[cut:]
	want, err := strconv.ParseUint(string(tail[6:14]), 16, 32)
	if err != nil || string(tail[:6]) != `,"c":"` || string(tail[14:]) != `"}` ||
		crc32.Checksum(raw[:cut], castagnoli) != uint32(want) {
		return l, fmt.Errorf("%w: its checksum does not fit", errBadLine)
	}
	l.kind = rest[0]
	switch {
	case bytes.HasPrefix(raw, []byte(exchangePre)):
		head := raw[len(exchangePre):]
		const pre, mid = `{"v":1,"id":"`, `","seq":`
		if len(head) < len(pre)+idLen+len(mid) ||
			string(head[:len(pre)]) != pre || string(head[len(pre)+idLen:len(pre)+idLen+len(mid)]) != mid {
			return l, newerOrBad(raw)
		}
		l.id = ID(head[len(pre) : len(pre)+idLen])
		for _, c := range head[len(pre)+idLen+len(mid):] {
			if c < '0' || c > '9' {
				break
			}
			l.seq = l.seq*10 + uint64(c-'0')
		}
	case bytes.HasPrefix(raw, []byte(resultPre)), bytes.HasPrefix(raw, []byte(framePre)), bytes.HasPrefix(raw, []byte(endingPre)), bytes.HasPrefix(raw, []byte(pinPre)):
		head := raw[len(resultPre):]
		if len(head) < idLen+1 || head[idLen] != '"' {
			return l, newerOrBad(raw)
		}
		l.id = ID(head[:idLen])
	}
	return l, nil
}

// newerOrBad tells a line of a later format from one that is damaged.
func newerOrBad(raw []byte) error {
	var head struct {
		V int `json:"v"`
	}
	if json.Unmarshal(raw, &head) == nil && head.V > formatVersion {
		return fmt.Errorf("line of format %d: %w", head.V, ErrNewer)
	}
	return errBadLine
}

// exchange parses an 'x' line.
func (l line) exchange() (*Exchange, error) {
	ex := new(Exchange)
	// Not by json.Unmarshal, which would go through all of it twice more.
	if err := ex.UnmarshalJSON(l.raw[len(exchangePre) : len(l.raw)-sumLen]); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadLine, err)
	}
	return ex, nil
}

// complete puts into ex what an 'r' line says.
func (l line) complete(ex *Exchange) error {
	if utf8.Valid(l.raw) {
		var res Result
		if s := (spelled{b: l.raw}); s.result(&res) {
			ex.end(res)
			return nil
		}
	}
	var w wireResult
	if err := json.Unmarshal(l.raw, &w); err != nil {
		return fmt.Errorf("%w: %w", errBadLine, err)
	}
	ex.end(w.result())
	return nil
}

// end puts into ex what an 'e' line says.
func (l line) end(ex *Exchange) error {
	var w struct {
		Ended *wireEnding `json:"ended"`
	}
	if err := json.Unmarshal(l.raw, &w); err != nil {
		return fmt.Errorf("%w: %w", errBadLine, err)
	}
	ex.Ending = w.Ended.ending()
	return nil
}

// pins reports whether a 'p' line says that its exchange is pinned.
func (l line) pins() bool { return bytes.Contains(l.raw, []byte(`"pinned":true`)) }
