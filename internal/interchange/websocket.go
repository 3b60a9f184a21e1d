package interchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"devhook/recorder"
)

// A harMessage is a message of a WebSocket as Chrome writes it into a HAR, which
// has no place for it: DevTools, HARBuilder, _webSocketMessages. Chrome has texts and
// binary messages only; the opcodes of others are those of RFC 6455 §11.8, -1 is none.
type harMessage struct {
	Type   string  `json:"type"` // send: to the app; receive; error: what went wrong stands in Data
	Time   float64 `json:"time"` // seconds since 1970
	Opcode int     `json:"opcode"`
	Data   string  `json:"data"` // base64 if it is binary
	// Devhook is a frame without what stands in the message.
	Devhook json.RawMessage `json:"_devhook,omitempty"`
}

var opcodes = map[recorder.Op]int{recorder.OpText: 1, recorder.OpBinary: 2, recorder.OpClose: 8, recorder.OpPing: 9, recorder.OpPong: 10, recorder.OpUnread: -1}

const webSocket = "websocket" // what Chrome calls the type of the resource

func messageOf(f *recorder.Frame) (harMessage, error) {
	m := harMessage{Type: "send", Time: float64(f.At.UnixMicro()) / 1e6, Opcode: opcodes[f.Op]}
	if f.Dir == recorder.Out {
		m.Type = "receive"
	}
	rest := *f
	switch {
	case f.Op == recorder.OpText && !utf8.Valid(f.Body): // of which a text loses something
		m.Data = strings.ToValidUTF8(string(f.Body), "\uFFFD")
	case f.Op == recorder.OpText:
		m.Data, rest.Body = string(f.Body), nil
	default:
		m.Data, rest.Body = base64.StdEncoding.EncodeToString(f.Body), nil
	}
	var err error
	m.Devhook, err = rest.MarshalJSON()
	return m, err
}

func (m *harMessage) frame() (recorder.Frame, error) {
	var f recorder.Frame
	if len(m.Devhook) > 0 {
		if err := json.Unmarshal(m.Devhook, &f); err != nil {
			return f, fmt.Errorf("_devhook: %w", err)
		}
	} else {
		if !(math.Abs(m.Time) < 1e11) { // what a time of so long is made into differs by processor
			return f, fmt.Errorf("time %g is out of reach", m.Time)
		}
		f.At = time.UnixMicro(int64(math.Round(m.Time * 1e6))).UTC()
		if f.Dir = recorder.In; m.Type == "receive" {
			f.Dir = recorder.Out
		}
		for op, code := range opcodes {
			if code == m.Opcode {
				f.Op = op
			}
		}
		if m.Type == "error" {
			f.Op, f.Detail = recorder.OpUnread, strings.ToValidUTF8(clipped(m.Data), "")
			return f, nil
		}
	}
	if len(f.Body) > 0 || m.Data == "" {
		return f, nil
	}
	if f.Body = []byte(m.Data); f.Op != recorder.OpText {
		var err error
		if f.Body, err = base64.StdEncoding.DecodeString(m.Data); err != nil {
			return f, fmt.Errorf("data of opcode %d is not base64", m.Opcode)
		}
	}
	if len(m.Devhook) == 0 {
		f.Size = int64(len(f.Body))
	}
	return f, nil
}

// webSocketURL gives the URL of a WebSocket as of the request that opens it.
func webSocketURL(address string) string {
	scheme, rest, _ := strings.Cut(address, ":")
	switch strings.ToLower(scheme) {
	case "ws":
		return "http:" + rest
	case "wss":
		return "https:" + rest
	}
	return address
}

// framesIn reads the member "frames" of an Exchange.
func framesIn(raw []byte) ([]recorder.Frame, error) {
	if !bytes.Contains(raw, []byte(`"frames"`)) { // as mostly
		return nil, nil
	}
	var w struct {
		Frames []recorder.Frame `json:"frames"`
	}
	err := json.Unmarshal(raw, &w)
	return w.Frames, err
}

// hand gives the frames of ex to who wants them, as they can be recorded.
func (r Reader) hand(ex *recorder.Exchange, frames []recorder.Frame) error {
	if len(frames) == 0 || r.Frames == nil {
		return nil
	}
	if ex.Response == nil || ex.Response.Status != 101 {
		r.skip("messages of a WebSocket are left out: no answer 101 has opened it")
		return nil
	}
	last := int64(0)
	for i := range frames {
		f := &frames[i]
		_, known := opcodes[f.Op]
		switch y := f.At.Year(); {
		case !known || f.Dir != recorder.In && f.Dir != recorder.Out:
			return fmt.Errorf("message %d of its WebSocket is %q, %q", i+1, clipped(string(f.Dir)), clipped(string(f.Op)))
		case !f.At.IsZero() && (y < 1970 || y > 9999):
			return fmt.Errorf("message %d of its WebSocket is of the year %d", i+1, y)
		case f.At.IsZero():
			f.At = ex.At
		}
		if len(f.Body) > recorder.MaxInline {
			f.Size, f.Truncated = max(f.Size, int64(len(f.Body))), true
			f.Body = f.Body[:recorder.MaxInline]
		}
		if f.N <= last {
			f.N = last + 1
		}
		last = f.N
	}
	r.Frames(ex, frames)
	return nil
}
