package register

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/loopback"
)

const (
	maxAnswer    = 4 << 20          // bytes of an answer that are read
	maxQuoted    = 300              // bytes of a provider's own words in an error
	maxWait      = 60 * time.Second // the longest pause that a provider may ask for: limits are by the minute
	callTimeout  = 20 * time.Second // of one attempt
	callAttempts = 4
)

// A Call is one request to a provider's API. {NAME} in its path, headers and
// body stands for what the client hides by that name, so that a Call can be
// shown.
type Call struct {
	Method string
	Path   string // with the query, escaped
	Header map[string]string
	// Body is sent as JSON, url.Values as a form; nil for none.
	Body any
	// Idempotent says that sending it twice does no harm. GET and DELETE do none.
	Idempotent bool
}

// A Client calls one provider's API with the user's credentials. Redirects are
// not followed, as credentials would follow them.
type Client struct {
	Base string // without a slash at its end
	// Hidden are what must not be seen, by name: what {NAME} in a Call stands
	// for.
	Hidden map[string]string
	// Header is sent with each call.
	Header map[string]string
	// Answer reads the status that an answer means, and the provider's words, for
	// APIs that say so in the body. Nil: the status is HTTP's, and the words are
	// looked for where most have them.
	Answer func(status int, body []byte) (int, string)

	http  *http.Client
	pause func(context.Context, time.Duration) error
}

// NewClient returns a client for the API at base, which must be https, or on
// this machine.
func NewClient(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the API's address is to be like https://api.example.com")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.Is(u.Host)) {
		return nil, fmt.Errorf("the API at %s is not https: credentials would be seen on the way", u.Host)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = callTimeout
	return &Client{
		Base: strings.TrimRight(base, "/"), pause: sleep,
		http: &http.Client{Transport: t, Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Local reports whether the API is on this machine: an emulator.
func (c *Client) Local() bool {
	u, err := url.Parse(c.Base)
	return err == nil && loopback.Is(u.Host)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An Error is a call that did not do what it was for.
type Error struct {
	Call    string // "PUT https://…", with nothing that is hidden
	Status  int    // 0: there was no answer
	Message string // the provider's own words, as they came
	Err     error  // why there was no answer, or none that could be read; may be nil
}

func (e *Error) Error() string {
	s := e.Call + ": "
	switch {
	case e.Status == 0:
		return s + e.Err.Error()
	case http.StatusText(e.Status) != "":
		s += fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	default:
		s += strconv.Itoa(e.Status)
	}
	if e.Message != "" {
		s += ": " + quote(e.Message)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Unsure reports whether the call may have done its work all the same.
func (e *Error) Unsure() bool { return e.Status == 0 || e.Status >= 500 || e.Err != nil }

// StatusOf returns the status that a provider answered, 0 if err is none of its.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// quote returns what a stranger said, so that it can do nothing where it is
// shown.
func quote(s string) string {
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return strconv.QuoteToGraphic(s)
}

// Show returns what the call is, for people and with nothing that is hidden:
// its method, its URL and its body.
func (c *Client) Show(call Call) (method, url, body string) {
	text, _, err := call.encode()
	if err != nil {
		text = err.Error()
	}
	return call.Method, c.Base + call.Path, text
}

func (call Call) encode() (text, contentType string, err error) {
	switch b := call.Body.(type) {
	case nil:
		return "", "", nil
	case url.Values:
		text := b.Encode()
		return strings.NewReplacer("%7B", "{", "%7D", "}").Replace(text), "application/x-www-form-urlencoded", nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // a URL stays as it is
	if err := enc.Encode(call.Body); err != nil {
		return "", "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), "application/json", nil
}

// fill puts what is hidden into its places. What stands in a secret is none of them.
func (c *Client) fill(text string, escape func(string) string) string {
	var pairs []string
	for name, value := range c.Hidden {
		pairs = append(pairs, "{"+name+"}", escape(value))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// hide takes what is hidden out of a text that is to be seen. One secret can be a part of
// another: the longest goes first, or the rest of it would stay.
func (c *Client) hide(text string) string {
	names := slices.SortedFunc(maps.Keys(c.Hidden), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.Hidden[b]), len(c.Hidden[a])), cmp.Compare(a, b))
	})
	var pairs []string
	for _, name := range names {
		value := c.Hidden[name]
		if value == "" {
			continue
		}
		for _, form := range []string{value, url.PathEscape(value), url.QueryEscape(value)} {
			pairs = append(pairs, form, "{"+name+"}")
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Do makes the call and decodes the answer into into, unless that is nil. It
// is repeated after 429, and after 5xx or no answer if that does no harm, a
// few times and with the pauses that the provider asks for. The error is an
// [*Error], or ctx's.
func (c *Client) Do(ctx context.Context, call Call, into any) error {
	repeatable := call.Idempotent || call.Method == http.MethodGet || call.Method == http.MethodDelete
	for attempt := 1; ; attempt++ {
		err, after := c.try(ctx, call, into)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		again := err.Status == http.StatusTooManyRequests || repeatable && (err.Status >= 500 || err.Status == 0)
		if !again || attempt == callAttempts {
			return err
		}
		if after > maxWait {
			err.Err = fmt.Errorf("it asks to wait %s", after)
			return err
		}
		if after == 0 {
			after = time.Duration(1<<attempt)*150*time.Millisecond + rand.N(200*time.Millisecond)
		}
		if err := c.pause(ctx, after); err != nil {
			return err
		}
	}
}

func (c *Client) try(ctx context.Context, call Call, into any) (_ *Error, retryAfter time.Duration) {
	fail := &Error{Call: call.Method + " " + c.Base + call.Path}
	failed := func(err error) (*Error, time.Duration) {
		fail.Err = errors.New(c.hide(err.Error()))
		return fail, 0
	}
	text, contentType, err := call.encode()
	if err != nil {
		fail.Err = err
		return fail, 0
	}
	escape := jsonEscape
	if contentType != "application/json" {
		escape = url.QueryEscape
	}
	text = c.fill(text, escape)
	ctx, cancel := c.patience(ctx, call)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, call.Method, c.Base+c.fill(call.Path, url.PathEscape), strings.NewReader(text))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("User-Agent", "devhook")
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for _, header := range []map[string]string{c.Header, call.Header} {
		for k, v := range header {
			req.Header.Set(k, c.fill(v, func(s string) string { return s }))
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // its URL has what is hidden
		}
		return failed(err)
	}
	defer resp.Body.Close()
	fail.Status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	if err != nil {
		return failed(err)
	}
	if fail.Status, fail.Message = usualAnswer(resp.StatusCode, body); c.Answer != nil {
		fail.Status, fail.Message = c.Answer(resp.StatusCode, body)
	}
	fail.Message = c.hide(fail.Message)
	if fail.Status < 200 || fail.Status > 299 {
		return fail, waitAsked(resp.Header.Get("Retry-After"), time.Now())
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			fail.Message, fail.Err = "", errors.New("the answer is not the JSON it is to be")
			return fail, 0
		}
	}
	return nil, 0
}

// patience returns the context of one attempt. Ctrl-C does not cut a call short
// that changes something: what became of it would not be known, and the call
// that takes it back could overtake it. A deadline does.
func (c *Client) patience(ctx context.Context, call Call) (context.Context, context.CancelFunc) {
	if call.Method == http.MethodGet {
		return context.WithTimeout(ctx, callTimeout)
	}
	end := time.Now().Add(callTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

func jsonEscape(s string) string {
	text, _ := json.Marshal(s) // a string always can be
	return string(text[1 : len(text)-1])
}

// waitAsked reads Retry-After: seconds, or a time (RFC 9110 §10.2.3).
func waitAsked(value string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return time.Duration(min(n, 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// usualAnswer looks for words where most APIs have them.
func usualAnswer(status int, body []byte) (int, string) {
	var a struct {
		Message     string          `json:"message"`
		Description string          `json:"description"`
		ErrorWords  string          `json:"error_description"`
		Error       json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &a) != nil {
		return status, strings.TrimSpace(string(body))
	}
	var inner struct{ Message string }
	var word string
	json.Unmarshal(a.Error, &inner) // one of the two, or neither
	json.Unmarshal(a.Error, &word)
	for _, s := range []string{a.Message, a.ErrorWords, a.Description, inner.Message, word} {
		if s != "" {
			return status, s
		}
	}
	return status, ""
}
