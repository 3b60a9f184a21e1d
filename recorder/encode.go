package recorder

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// timeLayout is RFC 3339 in UTC with the microseconds always written, so that
// times sort as text.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// An encoder appends the JSON of the recording format to buf. It is made by
// hand because encoding/json turns bytes that are not UTF-8 into U+FFFD, and
// takes longer for one exchange than the disk does.
//
// With out set, buf goes there whenever a body in a file is met, and the
// file's bytes after it; without, such a body is {"sha256":…}.
type encoder struct {
	buf   []byte
	out   io.Writer
	store *Store
	err   error // first error of out or of a body's file

	damaged error // first body's file that was changed; its bytes are written nevertheless
}

// raw appends s as it is.
func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

// key starts a member that is not the first of its object.
func (e *encoder) key(name string) {
	e.buf = append(e.buf, ',', '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
}

// text appends s as a string, or {"base64":…} if it is not UTF-8.
func (e *encoder) text(s string) { e.buf = appendText(e.buf, s) }

// opt appends a member with the text s unless s is empty.
func (e *encoder) opt(name, s string) {
	if s != "" {
		e.key(name)
		e.text(s)
	}
}

func (e *encoder) int(name string, n int64) {
	e.key(name)
	e.buf = strconv.AppendInt(e.buf, n, 10)
}

// head appends an exchange up to where its sequence number stands; tail, what
// comes after that number.
func (e *encoder) head(ex *Exchange) {
	e.raw(`{"v":1,"id":`)
	e.text(string(ex.ID))
	e.raw(`,"seq":`)
}

func (e *encoder) tail(ex *Exchange) {
	e.raw(`,"at":"`)
	e.buf = ex.At.UTC().AppendFormat(e.buf, timeLayout)
	e.raw(`"`)
	e.rest(ex)
}

func (e *encoder) rest(ex *Exchange) {
	e.opt("origin", string(ex.Origin))
	e.opt("parent", string(ex.Parent))
	if len(ex.Changes) > 0 {
		e.key("changes")
		e.list(ex.Changes)
	}
	if ex.Imported != nil {
		e.key("imported")
		e.raw(`{"seq":`)
		e.buf = strconv.AppendUint(e.buf, ex.Imported.Seq, 10)
		e.opt("origin", string(ex.Imported.Origin))
		e.raw(`}`)
	}
	e.opt("provider", ex.Provider)
	e.opt("event", ex.Event)
	e.opt("delivery_id", ex.DeliveryID)
	e.opt("duplicate_of", string(ex.DuplicateOf))
	e.opt("route", ex.Route)
	e.opt("target", ex.Target)

	r := &ex.Request
	e.raw(`,"request":{"method":`)
	e.text(r.Method)
	e.key("url")
	e.text(r.URL)
	e.opt("proto", r.Proto)
	e.headers(r.Headers)
	e.body(r.Body)
	e.int("size", r.Size)
	e.opt("remote", r.Remote)
	e.truncated(r.Truncated)
	e.raw(`}`)

	if v := &ex.Verdict; v.Status != "" || ex.ID != "" {
		e.raw(`,"verdict":{"status":`)
		e.text(string(v.Status))
		e.opt("reason", string(v.Reason))
		e.opt("detail", v.Detail)
		e.opt("hint", v.Hint)
		e.raw(`}`)
	}

	e.result(ex.result())
	if ex.Ending != nil {
		e.key("ended")
		e.ending(ex.Ending)
	}
	if ex.Pinned {
		e.raw(`,"pinned":true`)
	}
	e.raw(`}`)
}

// exchange appends all of ex. One that was never recorded has no id, number,
// time, verdict and outcome to tell.
func (e *encoder) exchange(ex *Exchange) {
	if ex.ID == "" {
		e.raw(`{"v":1`)
		e.rest(ex)
		return
	}
	e.head(ex)
	e.buf = strconv.AppendUint(e.buf, ex.Seq, 10)
	e.tail(ex)
}

// result appends the members that tell how an exchange ended.
func (e *encoder) result(res Result) {
	e.opt("outcome", string(res.Outcome))
	e.opt("detail", res.Detail)
	e.response("response", res.Response)
	e.response("app", res.App)
}

func (e *encoder) response(key string, r *Response) {
	if r == nil {
		return
	}
	e.key(key)
	e.raw(`{"status":`)
	e.buf = strconv.AppendInt(e.buf, int64(r.Status), 10)
	e.headers(r.Headers)
	e.body(r.Body)
	e.int("size", r.Size)
	e.truncated(r.Truncated)
	if r.Took != 0 { // is of another, who did not tell it
		e.int("took_ns", int64(r.Took/time.Nanosecond))
	}
	e.raw(`}`)
}

func (e *encoder) truncated(yes bool) {
	if yes {
		e.raw(`,"truncated":true`)
	}
}

func (e *encoder) list(values []string) {
	e.raw("[")
	for i, s := range values {
		if i > 0 {
			e.raw(",")
		}
		e.text(s)
	}
	e.raw("]")
}

func (e *encoder) headers(h http.Header) {
	if len(h) == 0 {
		return
	}
	e.key("headers")
	e.raw("{")
	var room [32]string
	names := slices.AppendSeq(room[:0], maps.Keys(h))
	slices.Sort(names)
	for i, name := range names {
		if i > 0 {
			e.raw(",")
		}
		e.text(name)
		e.raw(":")
		e.list(h[name])
	}
	e.raw("}")
}

func (e *encoder) body(b Body) {
	switch {
	case b.Sum == "" && len(b.Bytes) == 0:
	case b.Sum == "":
		e.key("body")
		e.buf = appendText(e.buf, b.Bytes)
	case e.out == nil:
		e.key("body")
		e.raw(`{"sha256":"`)
		e.raw(b.Sum)
		e.raw(`"}`)
	default:
		e.key("body")
		e.file(b)
	}
}

// file writes what is in buf, and then the bytes of b from its file, to out.
func (e *encoder) file(b Body) {
	if e.err != nil {
		return
	}
	e.err = func() error {
		isText, err := e.store.isUTF8(b)
		if err != nil {
			return err
		}
		f, err := e.store.OpenBody(b)
		if err != nil {
			return err
		}
		defer f.Close()
		c := e.store.checking(f, b)
		defer func() {
			if err := c.check(); err != nil && e.damaged == nil {
				e.damaged = err
			}
		}()
		if _, err := e.out.Write(e.buf); err != nil {
			return err
		}
		e.buf = e.buf[:0]
		if !isText {
			e.raw(`{"base64":"`)
			if _, err := e.out.Write(e.buf); err != nil {
				return err
			}
			w := base64.NewEncoder(base64.StdEncoding, e.out)
			if _, err := io.Copy(w, c); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
			e.buf = append(e.buf[:0], `"}`...)
			return nil
		}
		e.raw(`"`)
		chunk := make([]byte, 64<<10)
		for held := 0; ; { // bytes of a rune that the last read cut
			n, err := io.ReadFull(c, chunk[held:])
			n += held
			whole := n - cutRune(chunk[:n])
			e.buf = appendEscaped(e.buf, chunk[:whole])
			if _, err := e.out.Write(e.buf); err != nil {
				return err
			}
			e.buf = e.buf[:0]
			held = copy(chunk, chunk[whole:n])
			switch err {
			case nil:
			case io.EOF, io.ErrUnexpectedEOF:
				e.raw(`"`)
				return nil
			default:
				return err
			}
		}
	}()
}

// cutRune returns how many bytes at the end of b, which is the start of a
// valid text, belong to a rune that goes on behind it.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if utf8.FullRune(b[len(b)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}

// MarshalJSON returns the documented form of ex. A body in a file stays a
// reference; [Store.WriteJSON] puts its bytes in.
func (ex *Exchange) MarshalJSON() ([]byte, error) {
	e := encoder{}
	e.exchange(ex)
	return e.buf, nil
}
