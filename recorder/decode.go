package recorder

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"devhook/verify"
)

// formatVersion is the newest version of the format that this package reads,
// and the one that it writes.
const formatVersion = 1

// ErrNewer means that something was written by a newer devhook, in a format
// that this one does not know. Nothing of it is changed.
var ErrNewer = errors.New("written by a newer devhook")

// UnmarshalJSON reads the documented form. Members that it does not know are
// passed over. The error wraps [ErrNewer] for a later version of the format.
func (ex *Exchange) UnmarshalJSON(data []byte) error {
	if utf8.Valid(data) {
		s, read := spelled{b: data}, Exchange{}
		if s.exchange(&read) {
			*ex = read
			return nil
		}
	}
	return ex.unmarshal(data)
}

// unmarshal is UnmarshalJSON by encoding/json.
func (ex *Exchange) unmarshal(data []byte) error {
	var w wireExchange
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	if w.V > formatVersion {
		return fmt.Errorf("exchange of format %d: %w", w.V, ErrNewer)
	}
	*ex = Exchange{
		ID: w.ID, Seq: w.Seq, At: w.At, Origin: w.Origin, Parent: w.Parent,
		Provider: string(w.Provider), Event: string(w.Event), DeliveryID: string(w.DeliveryID),
		DuplicateOf: w.DuplicateOf, Route: string(w.Route), Target: string(w.Target),
		Request: Request{
			Method: string(w.Request.Method), URL: string(w.Request.URL), Proto: w.Request.Proto,
			Headers: w.Request.Headers.header(), Body: w.Request.Body.Body,
			Size: w.Request.Size, Remote: w.Request.Remote, Truncated: w.Request.Truncated,
		},
		Verdict: w.Verdict,
	}
	if w.Imported != nil {
		ex.Imported = &Imported{w.Imported.Seq, w.Imported.Origin}
	}
	for _, c := range w.Changes {
		ex.Changes = append(ex.Changes, string(c))
	}
	ex.end(w.wireResult.result())
	ex.Ending = w.Ended.ending()
	ex.Pinned = w.Pinned
	return nil
}

type wireExchange struct {
	V           int            `json:"v"`
	ID          ID             `json:"id"`
	Seq         uint64         `json:"seq"`
	At          time.Time      `json:"at"`
	Origin      Origin         `json:"origin"`
	Parent      ID             `json:"parent"`
	Changes     []text         `json:"changes"`
	Imported    *wireImported  `json:"imported"`
	Provider    text           `json:"provider"`
	Event       text           `json:"event"`
	DeliveryID  text           `json:"delivery_id"`
	DuplicateOf ID             `json:"duplicate_of"`
	Route       text           `json:"route"`
	Target      text           `json:"target"`
	Request     wireRequest    `json:"request"`
	Verdict     verify.Verdict `json:"verdict"`
	wireResult
	Ended  *wireEnding `json:"ended"`
	Pinned bool        `json:"pinned"`
}

type wireImported struct {
	Seq    uint64 `json:"seq"`
	Origin Origin `json:"origin"`
}

type wireRequest struct {
	Method    text       `json:"method"`
	URL       text       `json:"url"`
	Proto     string     `json:"proto"`
	Headers   wireHeader `json:"headers"`
	Body      wireBody   `json:"body"`
	Size      int64      `json:"size"`
	Remote    string     `json:"remote"`
	Truncated bool       `json:"truncated"`
}

type wireResult struct {
	Outcome  Outcome       `json:"outcome"`
	Detail   text          `json:"detail"`
	Response *wireResponse `json:"response"`
	App      *wireResponse `json:"app"`
}

type wireResponse struct {
	Status    int        `json:"status"`
	Headers   wireHeader `json:"headers"`
	Body      wireBody   `json:"body"`
	Size      int64      `json:"size"`
	Truncated bool       `json:"truncated"`
	Took      int64      `json:"took_ns"`
}

func (w *wireResult) result() Result {
	return Result{w.Outcome, string(w.Detail), w.Response.response(), w.App.response()}
}

func (w *wireResponse) response() *Response {
	if w == nil {
		return nil
	}
	return &Response{
		Status: w.Status, Headers: w.Headers.header(), Body: w.Body.Body,
		Size: w.Size, Truncated: w.Truncated, Took: time.Duration(w.Took),
	}
}

// text is a string that stands as itself or, if it is not UTF-8, as
// {"base64":…}.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, (*string)(t))
	}
	b, err := unmarshalBase64(data)
	*t = text(b)
	return err
}

func unmarshalBase64(data []byte) ([]byte, error) {
	var w struct {
		Base64 *string `json:"base64"`
	}
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, err
	}
	if w.Base64 == nil {
		return nil, errors.New(`want a string or {"base64":…}`)
	}
	return base64.StdEncoding.Strict().DecodeString(*w.Base64)
}

type wireHeader map[string][]text

func (w wireHeader) header() http.Header {
	if w == nil {
		return nil
	}
	h := make(http.Header, len(w))
	for name, values := range w {
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = string(v)
		}
		h[name] = list
	}
	return h
}

type wireBody struct{ Body }

func (b *wireBody) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var w struct {
			Sum *string `json:"sha256"`
		}
		if err := json.Unmarshal(data, &w); err != nil {
			return err
		}
		if w.Sum != nil {
			if !isSum(*w.Sum) {
				return errors.New("sha256: want 64 lower-case hex digits")
			}
			b.Sum = *w.Sum
			return nil
		}
		raw, err := unmarshalBase64(data)
		b.Bytes = raw
		return err
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s != "" {
		b.Bytes = []byte(s)
	}
	return nil
}

// isSum reports whether s is a SHA-256 in hex. It is what keeps a body's
// reference from naming any other file.
func isSum(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
