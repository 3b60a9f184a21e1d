package interchange

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"devhook/recorder"
)

// har reads the entries of a HAR, one at a time.
func (r Reader) har(d *json.Decoder, pos *position, fail func(at int64, what string, err error), each func(*recorder.Exchange, error) bool) {
	n, found := 0, false
	stopped := errors.New("stopped")
	err := onlyMember(d, "log", func() error {
		return onlyMember(d, "entries", func() error {
			found = true
			return elements(d, func() error {
				n++
				pos.next()
				ex, err := r.harEntry(d, n)
				if err == nil && ex != nil && !each(ex, nil) {
					err = stopped
				}
				return err
			})
		})
	})
	switch {
	case err == stopped:
	case err != nil && n > 0:
		fail(d.InputOffset(), fmt.Sprintf("entry %d: ", n), err)
	case err != nil:
		fail(d.InputOffset(), "", err)
	case !found:
		fail(d.InputOffset(), "", errors.New("this HAR has no entries"))
	}
}

// harEntry reads the entry that comes next, which is the n-th; nil for one that is left out.
func (r Reader) harEntry(d *json.Decoder, n int) (*recorder.Exchange, error) {
	var e harEntry
	if err := d.Decode(&e); err != nil {
		return nil, err
	}
	if len(e.Devhook) == 0 && len(e.Messages) > 0 {
		e.Request.URL = webSocketURL(e.Request.URL)
	}
	if scheme, _, ok := strings.Cut(e.Request.URL, ":"); ok && len(e.Devhook) == 0 && !strings.HasPrefix(scheme, "http") {
		r.skip("entry %d is left out: %s: is not HTTP", n, clipped(scheme))
		return nil, nil
	}
	ex, err := e.exchange()
	if ex, err = r.finished(ex, err); err != nil {
		return nil, err
	}
	frames := make([]recorder.Frame, len(e.Messages))
	for i := range frames {
		if frames[i], err = e.Messages[i].frame(); err != nil {
			return nil, fmt.Errorf("message %d of its WebSocket: %w", i+1, err)
		}
	}
	return ex, r.hand(ex, frames)
}

// elements calls each for the elements of the array that comes next, with the decoder
// before the element.
func elements(d *json.Decoder, each func() error) error {
	if err := opens(d, '['); err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	for d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func opens(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = fmt.Errorf("want %v", want)
	}
	return err
}

// onlyMember calls do with the decoder before the value of the member with the name, of the
// object that comes next. All others are passed over.
func onlyMember(d *json.Decoder, name string, do func() error) error {
	if err := opens(d, '{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err == nil && t == name {
			err = do()
		} else if err == nil {
			err = d.Decode(new(json.RawMessage))
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// exchange returns what e tells of. What stands in the entry itself counts
// before what _devhook says.
func (e *harEntry) exchange() (*recorder.Exchange, error) {
	ex := new(recorder.Exchange)
	own := len(e.Devhook) > 0
	if own {
		if err := json.Unmarshal(e.Devhook, ex); err != nil {
			return nil, fmt.Errorf("_devhook: %w", err)
		}
		if ex.Imported == nil {
			ex.Imported = &recorder.Imported{Seq: ex.Seq, Origin: ex.Origin}
		}
	} else {
		at, err := time.Parse(time.RFC3339Nano, e.StartedDateTime)
		if err != nil && e.StartedDateTime != "" {
			return nil, fmt.Errorf("startedDateTime %q is no time as in RFC 3339", clipped(e.StartedDateTime))
		}
		ex.At = at.UTC()
	}
	if err := e.Request.into(&ex.Request, own); err != nil {
		return nil, err
	}
	return ex, e.response(ex, own)
}

// into completes r. own tells that it is devhook's own, and lacks no more than what stands
// in the entry.
func (h *harRequest) into(r *recorder.Request, own bool) error {
	r.Method = h.Method
	r.URL = cmp.Or(r.URL, h.URL)
	if r.Headers == nil {
		r.Headers = harHeader(h.Headers, own)
	}
	if !own {
		r.URL, _, _ = strings.Cut(r.URL, "#")
		r.Proto = "HTTP/1.1"
		if u, err := recorder.ParseURL(r.URL); err == nil && r.Headers["Host"] == nil {
			r.Headers.Set("Host", u.Host)
		}
	}
	p := h.PostData
	if p == nil || len(r.Body.Bytes) > 0 {
		return nil
	}
	body, err := unpacked(p.Text, p.Encoding)
	if err != nil {
		return fmt.Errorf("postData: %w", err)
	}
	if r.Headers == nil {
		r.Headers = http.Header{}
	}
	if len(body) == 0 && len(p.Params) > 0 {
		body = p.form(r.Headers)
	}
	r.Body.Bytes = body
	if !own && p.MimeType != "" && r.Headers["Content-Type"] == nil {
		r.Headers.Set("Content-Type", p.MimeType)
	}
	return nil
}

// response completes the answer of ex, or tells that there is none.
func (e *harEntry) response(ex *recorder.Exchange, own bool) error {
	a := &e.Response
	switch {
	case own && ex.Response == nil:
		return nil
	case !own && a.Status == 0:
		ex.Outcome, ex.Detail = recorder.Unreachable, "imported: there is no response in the HAR"
		return nil
	case !own:
		ex.Response, ex.Outcome = &recorder.Response{Took: tookOf(e.Time)}, recorder.Answered
	}
	body, err := unpacked(a.Content.Text, a.Content.Encoding)
	if err != nil {
		return fmt.Errorf("response content: %w", err)
	}
	r := ex.Response
	r.Status = a.Status
	if r.Headers == nil {
		r.Headers = harHeader(a.Headers, own)
	}
	if len(body) > 0 {
		r.Body.Bytes = body
	}
	if !own {
		r.Size = int64(len(body))
		r.Headers.Del("Content-Encoding") // HAR has what was inside
		r.Headers.Del("Content-Length")
	}
	return nil
}

// form gives the body of a form of which the HAR has the fields alone. The boundary of
// one in parts is not known, and becomes another.
func (p *harPost) form(h http.Header) []byte {
	if kind, _, _ := mime.ParseMediaType(cmp.Or(p.MimeType, h.Get("Content-Type"))); kind == "multipart/form-data" {
		var parts []formPart
		for _, param := range p.Params {
			parts = append(parts, newFormPart(param.Name, param.FileName, param.ContentType, []byte(param.Value)))
		}
		body, contentType := multipart(parts)
		h.Set("Content-Type", contentType)
		return body
	}
	var pairs []string
	for _, param := range p.Params {
		pairs = append(pairs, url.QueryEscape(param.Name)+"="+url.QueryEscape(param.Value))
	}
	return []byte(strings.Join(pairs, "&"))
}

// tookOf gives the duration of so many milliseconds, 0 if it is none: less than
// nothing, or over 30 years.
func tookOf(ms float64) time.Duration {
	if ms < 0 || ms > 1e12 {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// harHeader gives headers, with canonical names unless they are devhook's own. Others
// have several of a name in one, a line each, as Chrome's protocol has them. Fields of
// HTTP/2 that are no headers are left out, but for the host.
func harHeader(list []harPair, own bool) http.Header {
	if own && len(list) == 0 {
		return nil
	}
	h := http.Header{}
	for _, p := range list {
		switch {
		case own:
			h[p.Name] = append(h[p.Name], p.Value)
		case p.Name == ":authority":
			h.Set("Host", p.Value)
		case !strings.HasPrefix(p.Name, ":"):
			for v := range strings.SplitSeq(p.Value, "\n") {
				h.Add(p.Name, strings.TrimSuffix(v, "\r"))
			}
		}
	}
	return h
}

func unpacked(text, encoding string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.EqualFold(encoding, "base64") {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is not base64, as its encoding says")
	}
	return b, nil
}
