package interchange

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"devhook/recorder"
)

// The parts of an entry in HAR 1.2, in the order of the specification.
type (
	harEntry struct {
		StartedDateTime string       `json:"startedDateTime"`
		Time            float64      `json:"time"` // milliseconds
		Request         harRequest   `json:"request"`
		Response        harResponse  `json:"response"`
		Cache           struct{}     `json:"cache"`
		Timings         harTimings   `json:"timings"`
		ResourceType    string       `json:"_resourceType,omitempty"`
		Messages        []harMessage `json:"_webSocketMessages,omitempty"`
		// Devhook is an Exchange without what stands in the entry.
		Devhook json.RawMessage `json:"_devhook,omitempty"`
	}
	harRequest struct {
		Method      string      `json:"method"`
		URL         string      `json:"url"`
		HTTPVersion string      `json:"httpVersion"`
		Cookies     []harCookie `json:"cookies"`
		Headers     []harPair   `json:"headers"`
		QueryString []harPair   `json:"queryString"`
		PostData    *harPost    `json:"postData,omitempty"`
		HeadersSize int         `json:"headersSize"`
		BodySize    int64       `json:"bodySize"`
	}
	harResponse struct {
		Status      int         `json:"status"`
		StatusText  string      `json:"statusText"`
		HTTPVersion string      `json:"httpVersion"`
		Cookies     []harCookie `json:"cookies"`
		Headers     []harPair   `json:"headers"`
		Content     harContent  `json:"content"`
		RedirectURL string      `json:"redirectURL"`
		HeadersSize int         `json:"headersSize"`
		BodySize    int64       `json:"bodySize"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harCookie struct {
		Name     string `json:"name"`
		Value    string `json:"value"`
		Path     string `json:"path,omitempty"`
		Domain   string `json:"domain,omitempty"`
		Expires  string `json:"expires,omitempty"`
		HTTPOnly bool   `json:"httpOnly,omitempty"`
		Secure   bool   `json:"secure,omitempty"`
	}
	harPost struct {
		MimeType string     `json:"mimeType"`
		Params   []harParam `json:"params,omitempty"` // only read
		Text     string     `json:"text"`
		Encoding string     `json:"_encoding,omitempty"` // base64; HAR has none for requests
	}
	harParam struct {
		harPair
		FileName    string `json:"fileName"`
		ContentType string `json:"contentType"`
	}
	harContent struct {
		Size     int64  `json:"size"`
		MimeType string `json:"mimeType"`
		Text     string `json:"text,omitempty"`
		Encoding string `json:"encoding,omitempty"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

func (w *Writer) harHead(to io.Writer) error {
	_, err := fmt.Fprintf(to, `{"log":{"version":"1.2","creator":{"name":"devhook","version":%q},"entries":[`, w.Version)
	return err
}

func (w *Writer) har(b *bytes.Buffer, ex *recorder.Exchange, frames []recorder.Frame) error {
	if w.n == 0 {
		if err := w.harHead(b); err != nil {
			return err
		}
	} else {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	entry, err := harOf(ex)
	if err != nil {
		return err
	}
	for i := range frames {
		m, err := messageOf(&frames[i])
		if err != nil {
			return err
		}
		entry.ResourceType = webSocket
		entry.Messages = append(entry.Messages, m)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(entry); err != nil {
		return err
	}
	b.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return nil
}

func harOf(ex *recorder.Exchange) (harEntry, error) {
	r, rest := &ex.Request, *ex
	e := harEntry{StartedDateTime: ex.At.UTC().Format("2006-01-02T15:04:05.000000Z")}
	e.Request = harRequest{
		Method: r.Method, URL: r.URL, HTTPVersion: protoOf(r.Proto), Cookies: cookies((&http.Request{Header: r.Headers}).Cookies()),
		QueryString: queryOf(r.URL), HeadersSize: -1, BodySize: r.Size,
	}
	if utf8.ValidString(r.URL) {
		rest.Request.URL = ""
	}
	rest.Request.Method = ""
	e.Request.Headers, rest.Request.Headers = harHeaders(r.Headers)
	if body := r.Body.Bytes; len(body) > 0 {
		e.Request.PostData = &harPost{MimeType: r.Headers.Get("Content-Type"), Text: string(body)}
		if utf8.Valid(body) {
			rest.Request.Body = recorder.Body{}
		} else {
			e.Request.PostData.Text, e.Request.PostData.Encoding = base64.StdEncoding.EncodeToString(body), "base64"
			rest.Request.Body = recorder.Body{}
		}
	}
	e.Response = harResponse{
		HTTPVersion: protoOf(r.Proto), Cookies: []harCookie{}, Headers: []harPair{},
		Content: harContent{MimeType: "x-unknown"}, HeadersSize: -1, BodySize: -1,
	}
	if a := ex.Response; a != nil {
		left := *a
		e.Time = float64(a.Took) / float64(time.Millisecond)
		e.Timings.Wait = e.Time
		e.Response.Status, e.Response.StatusText = a.Status, http.StatusText(a.Status)
		e.Response.Cookies = cookies((&http.Response{Header: a.Headers}).Cookies())
		e.Response.Headers, left.Headers = harHeaders(a.Headers)
		e.Response.RedirectURL, e.Response.BodySize = a.Headers.Get("Location"), a.Size
		e.Response.Content = harContent{Size: a.Size, MimeType: cmp.Or(a.Headers.Get("Content-Type"), "x-unknown"), Text: string(a.Body.Bytes)}
		if !utf8.Valid(a.Body.Bytes) {
			e.Response.Content.Text, e.Response.Content.Encoding = base64.StdEncoding.EncodeToString(a.Body.Bytes), "base64"
		}
		left.Body = recorder.Body{}
		rest.Response = &left
	}
	var err error
	e.Devhook, err = rest.MarshalJSON()
	return e, err
}

func protoOf(proto string) string {
	if proto == "" || proto == recorder.ProtoStream {
		return "HTTP/1.1"
	}
	return proto
}

// harHeaders gives h as HAR has it; left is h where that loses something.
func harHeaders(h http.Header) (list []harPair, left http.Header) {
	list = []harPair{}
	for _, name := range sortedNames(h) {
		if len(h[name]) == 0 || !utf8.ValidString(name) {
			left = h
		}
		for _, v := range h[name] {
			if !utf8.ValidString(v) {
				left = h
			}
			list = append(list, harPair{name, v})
		}
	}
	return list, left
}

func queryOf(address string) []harPair {
	list := []harPair{}
	_, target := recorder.SplitURL(address)
	_, query, ok := strings.Cut(target, "?")
	if !ok {
		return list
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair != "" {
			list = append(list, harPair{unescaped(name), unescaped(value)})
		}
	}
	return list
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func cookies(list []*http.Cookie) []harCookie {
	out := []harCookie{}
	for _, c := range list {
		h := harCookie{Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, HTTPOnly: c.HttpOnly, Secure: c.Secure}
		if !c.Expires.IsZero() {
			h.Expires = c.Expires.UTC().Format(time.RFC3339)
		}
		out = append(out, h)
	}
	return out
}
