package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// frame appends the members of f.
func (e *encoder) frame(f *Frame) {
	e.raw(`"n":`)
	e.buf = strconv.AppendInt(e.buf, f.N, 10)
	e.raw(`,"at":"`)
	e.buf = f.At.UTC().AppendFormat(e.buf, timeLayout)
	e.raw(`"`)
	e.opt("dir", string(f.Dir))
	e.opt("op", string(f.Op))
	if len(f.Body) > 0 {
		e.key("body")
		e.buf = appendText(e.buf, f.Body)
	}
	if f.Op != OpUnread {
		e.int("size", f.Size)
	}
	e.truncated(f.Truncated)
	if f.Fragments > 1 {
		e.int("fragments", int64(f.Fragments))
	}
	if f.Wire > 0 {
		e.int("wire", f.Wire)
	}
	if f.Code != 0 {
		e.int("code", int64(f.Code))
	}
	e.opt("reason", f.Reason)
	e.opt("detail", f.Detail)
}

// ending appends the object that tells how a WebSocket ended.
func (e *encoder) ending(end *Ending) {
	e.raw(`{"at":"`)
	e.buf = end.At.UTC().AppendFormat(e.buf, timeLayout)
	e.raw(`"`)
	e.int("in", end.In)
	e.int("out", end.Out)
	e.opt("detail", end.Detail)
	e.raw(`}`)
}

// MarshalJSON returns the documented form of f.
func (f *Frame) MarshalJSON() ([]byte, error) {
	var e encoder
	e.raw(`{`)
	e.frame(f)
	e.raw(`}`)
	return e.buf, nil
}

// UnmarshalJSON reads the documented form. Members that it does not know are
// passed over.
func (f *Frame) UnmarshalJSON(data []byte) error {
	var w struct {
		N         int64     `json:"n"`
		At        time.Time `json:"at"`
		Dir       Direction `json:"dir"`
		Op        Op        `json:"op"`
		Body      wireBody  `json:"body"`
		Size      int64     `json:"size"`
		Truncated bool      `json:"truncated"`
		Fragments int       `json:"fragments"`
		Wire      int64     `json:"wire"`
		Code      int       `json:"code"`
		Reason    text      `json:"reason"`
		Detail    text      `json:"detail"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*f = Frame{
		N: w.N, At: w.At, Dir: w.Dir, Op: w.Op, Body: w.Body.Bytes, Size: w.Size, Truncated: w.Truncated,
		Fragments: w.Fragments, Wire: w.Wire, Code: w.Code, Reason: string(w.Reason), Detail: string(w.Detail),
	}
	return nil
}

// MarshalJSON returns the documented form of end.
func (end *Ending) MarshalJSON() ([]byte, error) {
	var e encoder
	e.ending(end)
	return e.buf, nil
}

type wireEnding struct {
	At     time.Time `json:"at"`
	In     int64     `json:"in"`
	Out    int64     `json:"out"`
	Detail text      `json:"detail"`
}

func (w *wireEnding) ending() *Ending {
	if w == nil {
		return nil
	}
	return &Ending{w.At, w.In, w.Out, string(w.Detail)}
}

// WriteFramesJSON is [Store.WriteJSON] with the frames of ex in a member
// "frames"; newest is that of [Store.Frames]. It has one frame at a time in
// memory. Of frames that cannot be read the first error is returned, behind
// all others.
func (s *Store) WriteFramesJSON(w io.Writer, ex *Exchange, newest int) error {
	if !hasFrames(ex) {
		return s.WriteJSON(w, ex)
	}
	failed := s.WriteJSON(&withoutLast{w: w}, ex)
	if failed != nil && !errors.As(failed, new(*DamagedError)) { // else all is written
		return failed
	}
	e := encoder{buf: []byte(`,"frames":[`)}
	first := true
	for f, err := range s.Frames(ex, newest) {
		if err != nil {
			if failed == nil {
				failed = fmt.Errorf("write the frames of %s: %w", ex.ID, err)
			}
			continue
		}
		if !first {
			e.raw(",")
		}
		first = false
		e.raw("{")
		e.frame(f)
		e.raw("}")
		if len(e.buf) >= 64<<10 {
			if _, err := w.Write(e.buf); err != nil {
				return err
			}
			e.buf = e.buf[:0]
		}
	}
	e.raw("]}")
	if _, err := w.Write(e.buf); err != nil {
		return err
	}
	return failed
}

// withoutLast keeps back the last byte of what is written: a bracket.
type withoutLast struct {
	w    io.Writer
	held []byte
}

func (o *withoutLast) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := o.w.Write(o.held); err != nil {
		return 0, err
	}
	if _, err := o.w.Write(p[:len(p)-1]); err != nil {
		return 0, err
	}
	o.held = append(o.held[:0], p[len(p)-1])
	return len(p), nil
}
