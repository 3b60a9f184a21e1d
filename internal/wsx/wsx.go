// Package wsx reads the messages of a WebSocket (RFC 6455) out of the bytes of
// one direction, as they pass. It is a listener: it changes no byte, answers
// nothing, and is told of whatever comes. What to do with the messages, and
// with the bytes, is left to others.
//
// # Bounds
//
// A [Tap] keeps the first bytes of a message, as many as it is told, and about
// 120 KiB more for a direction that is compressed. Lengths that are only
// announced take no room.
package wsx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Op is the opcode of a message: RFC 6455 §5.2.
type Op byte

// The opcodes that there are.
const (
	Text   Op = 1
	Binary Op = 2
	Close  Op = 8
	Ping   Op = 9
	Pong   Op = 10

	continuation Op = 0
)

func (o Op) String() string {
	switch o {
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return fmt.Sprintf("opcode %d", byte(o))
}

// NoStatus is the code of a Close that has none: RFC 6455 §7.1.5.
const NoStatus = 1005

// A Message is one message: all fragments of it together, unmasked and
// decompressed.
type Message struct {
	Op   Op
	Data []byte // its start; belongs to who is given the message
	// Size is how many bytes Data would be, were all of it kept. Of a message
	// with a Problem it is how many could be read.
	Size      int64
	Fragments int // frames that it came in
	// Wire is how many bytes it was while compressed, 0 if it was not.
	Wire int64
	// Code and Reason are those of a Close, which has no Data.
	Code   int
	Reason string
	// Problem says why the message could not be read to its end, "" if it
	// could.
	Problem string
}

// A Tap reads the messages of one direction. Make one with [NewTap]. It is for
// one goroutine.
type Tap struct {
	coding Coding
	keep   int
	emit   func(Message)
	err    error

	head       [14]byte // of the frame that begins
	have, need int      // bytes of head
	inside     bool     // the head is whole, and left bytes of payload are to come
	left       uint64
	masked     bool
	mask       [4]byte
	at         int // bytes of the payload that were unmasked, modulo 4
	final      bool
	op         Op

	data       Message // the message under way, if Fragments > 0
	compressed bool    // data is
	control    Message // the control frame under way
	inflater   *inflater
	scratch    []byte
}

// NewTap returns a Tap that calls emit for each message, with at most keep
// bytes of its payload. coding is what [Agreed] says of the direction.
func NewTap(coding Coding, keep int, emit func(Message)) *Tap {
	return &Tap{coding: coding, keep: keep, emit: emit, need: 2}
}

// Write reads p, which it neither changes nor keeps. What follows bytes that
// are no WebSocket is passed over; [Tap.Err] tells.
func (t *Tap) Write(p []byte) {
	for len(p) > 0 && t.err == nil {
		if !t.inside {
			n := copy(t.head[t.have:t.need], p)
			t.have += n
			p = p[n:]
			if t.have == t.need {
				t.err = t.begin()
			}
			continue
		}
		n := int(min(uint64(len(p)), t.left))
		t.payload(p[:n])
		p = p[n:]
		if t.left -= uint64(n); t.left == 0 {
			t.err = t.end()
		}
	}
}

// Err returns why the Tap reads no more, nil if it does.
func (t *Tap) Err() error { return t.err }

// Close ends the Tap, and emits what there is of a message whose end did not
// come.
func (t *Tap) Close() {
	if t.data.Fragments > 0 {
		if t.data.Problem == "" {
			t.data.Problem = "it broke off before its end"
		}
		t.emit(t.data)
		t.data = Message{}
	}
	if t.inflater != nil {
		t.inflater.close()
		t.inflater = nil
	}
}

var errLength = errors.New("a length of more than 63 bits")

// begin takes in the head of a frame, RFC 6455 §5.2, once it is whole.
func (t *Tap) begin() error {
	b0, b1 := t.head[0], t.head[1]
	length := uint64(b1 & 0x7F)
	need := 2
	switch length {
	case 126:
		need += 2
	case 127:
		need += 8
	}
	t.masked = b1&0x80 != 0
	if t.masked {
		need += 4
	}
	if t.have < need {
		t.need = need
		return nil
	}
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(t.head[2:]))
	case 127:
		if length = binary.BigEndian.Uint64(t.head[2:]); length > math.MaxInt64 {
			return errLength
		}
	}
	if t.masked {
		t.mask = [4]byte(t.head[need-4 : need])
	}
	t.have, t.need, t.at = 0, 2, 0
	t.final, t.op = b0&0x80 != 0, Op(b0&0x0F)
	if err := t.admit(b0&0x70, length); err != nil {
		return err
	}
	t.left, t.inside = length, true
	if length == 0 {
		return t.end()
	}
	return nil
}

// rsvDeflate is the bit by which a message says that it is compressed: RFC
// 7692 §6.
const rsvDeflate = 0x40

// admit starts a message, or goes on with one, if a frame may come now.
func (t *Tap) admit(rsv byte, length uint64) error {
	switch {
	case rsv&^rsvDeflate != 0, rsv != 0 && !t.coding.Deflate:
		return fmt.Errorf("a frame with bits of an extension that is not read (%#02x)", rsv)
	case rsv != 0 && t.op != Text && t.op != Binary:
		return errors.New("a compressed frame in the middle of a message")
	}
	switch t.op {
	case Close, Ping, Pong:
		if !t.final || length > 125 {
			return fmt.Errorf("a %s of %d bytes, or in fragments", t.op, length)
		}
		t.control = Message{Op: t.op, Fragments: 1}
		return nil
	case Text, Binary:
		if t.data.Fragments > 0 {
			return errors.New("a new message before the end of the last one")
		}
		t.data = Message{Op: t.op}
		t.compressed = rsv != 0
	case continuation:
		if t.data.Fragments == 0 {
			return errors.New("the continuation of no message")
		}
	default:
		return fmt.Errorf("a frame with opcode %d, which there is not", byte(t.op))
	}
	t.data.Fragments++
	return nil
}

// payload takes in bytes of the frame under way.
func (t *Tap) payload(p []byte) {
	if t.op >= Close {
		t.control.Size += int64(len(p))
		t.control.Data = t.unmask(t.control.Data, p)
		return
	}
	if t.compressed {
		t.data.Wire += int64(len(p))
		for len(p) > 0 && t.data.Problem == "" {
			n := min(len(p), 4<<10)
			t.scratch = t.unmask(t.scratch[:0], p[:n])
			t.inflate(t.scratch, false)
			p = p[n:]
		}
		return
	}
	t.data.Size += int64(len(p))
	if room := t.keep - len(t.data.Data); room < len(p) {
		p = p[:max(0, room)]
	}
	t.data.Data = t.unmask(t.data.Data, p) // behind keep the mask is of no use any more
}

// unmask appends p, as it is without its mask: RFC 6455 §5.3.
func (t *Tap) unmask(dst, p []byte) []byte {
	from := len(dst)
	dst = append(dst, p...)
	if !t.masked {
		return dst
	}
	b := dst[from:]
	turned := [8]byte{}
	for i := range turned {
		turned[i] = t.mask[(t.at+i)&3]
	}
	t.at = (t.at + len(b)) & 3
	whole := binary.LittleEndian.Uint64(turned[:])
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^whole)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= turned[i]
	}
	return dst
}

// end ends a frame, and the message if it was its last.
func (t *Tap) end() error {
	t.inside = false
	if t.op >= Close {
		m := t.control
		t.control = Message{}
		if m.Op == Close {
			m.Code = NoStatus
			switch {
			case len(m.Data) >= 2:
				m.Code, m.Reason = int(binary.BigEndian.Uint16(m.Data)), string(m.Data[2:])
			case len(m.Data) == 1:
				return errors.New("a close with half a code")
			}
			m.Data = nil
		}
		t.emit(m)
		return nil
	}
	if !t.final {
		return nil
	}
	if t.compressed && t.data.Wire > 0 && t.data.Problem == "" {
		t.inflate(nil, true)
	}
	m := t.data
	t.data = Message{}
	m.Data = slices.Clip(m.Data)
	t.emit(m)
	return nil
}

// inflate decompresses p into the message under way; last says that it ends
// there.
func (t *Tap) inflate(p []byte, last bool) {
	if t.inflater == nil {
		t.inflater = newInflater(t.coding.Takeover)
	}
	err := t.inflater.feed(p, last, func(b []byte) {
		t.data.Size += int64(len(b))
		room := max(0, t.keep-len(t.data.Data))
		t.data.Data = append(t.data.Data, b[:min(room, len(b))]...)
	})
	if err != nil {
		t.data.Problem = "it cannot be decompressed: " + err.Error()
	}
}
