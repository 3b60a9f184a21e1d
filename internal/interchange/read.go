package interchange

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"devhook/internal/jsonx"
	"devhook/recorder"
)

// Bounds of what is read. JSON that is nested deeper than 10,000 is refused by
// encoding/json.
const (
	maxFile  = 16 << 30  // bytes
	maxValue = 1 << 30   // bytes of one exchange; a body of 256 MB is up to 6 times that in JSON, but mostly not
	maxText  = 256 << 20 // bytes of an HTTP message, or of curl commands
	maxCount = 5_000_000 // exchanges
	maxYear  = 2261      // of an exchange; later times have no number of nanoseconds, by which filters ask
)

// A Reader reads exchanges from a file of another program, or of devhook. What
// format it has is seen from how it begins.
type Reader struct {
	// Now is the time of what has none.
	Now time.Time
	// Open reads a file that a curl command names, as in --data @FILE. Nil
	// refuses them.
	Open func(name string) ([]byte, error)
	// Skipped is told, a sentence each, what is left out because it was no
	// request over HTTP, as data: URLs in a browser's HAR. Nil: nobody is.
	Skipped func(text string)
	// Frames is given the messages of a WebSocket, before the exchange that has
	// opened it is yielded. Nil: they are passed over.
	Frames func(ex *recorder.Exchange, frames []recorder.Frame)
}

func (r Reader) skip(format string, a ...any) {
	if r.Skipped != nil {
		r.Skipped(fmt.Sprintf(format, a...))
	}
}

// An Error tells what is wrong with a file, and where.
type Error struct {
	Line, Column int // from 1; 0: it is known neither
	Text         string
	Hint         string // what to do about it, "" if there is no telling
	Err          error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Read yields what is in a file: HAR 1.2, an Exchange on each line (also as
// devhook up --json prints them), one HTTP message, curl commands, or flows of mitmproxy. All that is
// yielded has the origin [recorder.Import], and a request that can be sent; ids
// and verdicts are those that the file has, "" if it has none. An error, an
// [*Error] mostly, is the last that is yielded.
func (r Reader) Read(in io.Reader) iter.Seq2[*recorder.Exchange, error] {
	return func(yield func(*recorder.Exchange, error) bool) {
		pos := &position{in: io.LimitReader(in, maxFile+1), most: maxValue, keep: 1 << 20}
		br := bufio.NewReaderSize(pos, 64<<10)
		head, err := br.Peek(4096)
		if err != nil && err != io.EOF {
			yield(nil, err)
			return
		}
		head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
		curl := isCurl.Match(head) // now: what is peeked at stays only until more is read
		n := 0
		each := func(ex *recorder.Exchange, err error) bool {
			if n++; n > maxCount && err == nil {
				err = &Error{Text: fmt.Sprintf("more than %d exchanges", maxCount), Hint: "split the file"}
			}
			if err != nil {
				yield(nil, err)
				return false
			}
			return yield(ex, nil)
		}
		switch {
		case len(head) == 0:
			each(nil, &Error{Text: "the file is empty"})
		case isFlows.Match(head):
			r.flows(br, pos, each)
		case head[0] == '{':
			r.json(br, pos, isHAR.Match(head), each)
		default:
			text, err := io.ReadAll(io.LimitReader(br, maxText+1))
			if err == nil && len(text) > maxText {
				err = &Error{Text: fmt.Sprintf("it is over %d MiB, and no JSON", maxText>>20)}
			}
			if err != nil {
				each(nil, err)
				return
			}
			if curl {
				r.curl(string(text), each)
			} else {
				r.message(text, each)
			}
		}
	}
}

var (
	isHAR   = regexp.MustCompile(`^\{\s*"log"\s*:`)
	isCurl  = regexp.MustCompile(`^(?:##?[^#]|(?:\$ +)?curl(?:\.exe)?\s|base64 -d <<'END' \| curl )`)
	isFlows = regexp.MustCompile(`^[0-9]+:[0-9]+:[a-z_]+;[0-9]+:`) // tnetstrings: https://tnetstrings.info
)

// othersHint is for files of programs that can say the same in a format that is read.
const othersHint = "browsers, Charles, Insomnia and Proxyman save HAR; Postman, Insomnia and browsers copy a request as cURL"

// message reads one HTTP message.
func (r Reader) message(text []byte, each func(*recorder.Exchange, error) bool) {
	list, err := recorder.Parse(text)
	if err != nil {
		e := &Error{Text: err.Error(), Err: err}
		if errors.Is(err, recorder.ErrFormat) {
			e.Text = "neither HAR, nor exchanges in JSON, nor an HTTP message (POST /path HTTP/1.1 …), nor curl commands, nor flows of mitmproxy"
			e.Hint = othersHint
		}
		each(nil, e)
		return
	}
	for _, ex := range list {
		if !each(r.finished(ex, nil)) {
			return
		}
	}
}

// json reads exchanges one after the other, or the entries of a HAR.
func (r Reader) json(in io.Reader, pos *position, har bool, each func(*recorder.Exchange, error) bool) {
	br := bufio.NewReader(in)
	if bom, err := br.Peek(3); err == nil && string(bom) == "\ufeff" {
		br.Discard(3)
		pos.skipped = 3
	}
	d := json.NewDecoder(br)
	fail := func(at int64, what string, err error) {
		var syntax *json.SyntaxError
		var typed *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			at = syntax.Offset - 1 // which was read already
		case errors.As(err, &typed):
			err = fmt.Errorf("%s is a %s", typed.Field, typed.Value)
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			at, err = d.InputOffset(), errors.New("the file ends in the middle of it")
		}
		if errors.Is(err, errTooLarge) {
			at, err = d.InputOffset(), errTooLarge
		} else if pos.read > maxFile {
			err = fmt.Errorf("the file is over %d GiB", maxFile>>30)
		}
		e := &Error{Text: what + err.Error(), Err: err}
		if errors.Is(err, errNoRequest) {
			e.Hint = othersHint
		}
		e.Line, e.Column = pos.of(at)
		each(nil, e)
	}
	if har {
		r.har(d, pos, fail, each)
		return
	}
	for n := 1; ; n++ {
		pos.next()
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == io.EOF {
			return
		}
		what := fmt.Sprintf("exchange %d: ", n)
		at := d.InputOffset() - int64(len(raw))
		if err != nil {
			fail(at, what, err)
			return
		}
		ex, frames, err := exchangeOf(raw)
		if err != nil {
			fail(at, what, err)
			return
		}
		if ex == nil {
			continue
		}
		if ex, err = r.finished(ex, nil); err == nil {
			err = r.hand(ex, frames)
		}
		if err != nil {
			fail(at, what, err)
			return
		}
		if !each(ex, nil) {
			return
		}
	}
}

// exchangeOf reads an Exchange, or a line of devhook up --json; nil for one
// without an exchange.
func exchangeOf(raw []byte) (*recorder.Exchange, []recorder.Frame, error) {
	var exchange []byte
	var isLine, isExchange bool
	members := jsonx.NewScanner(raw)
	for members.Next() {
		switch m := members.Member; {
		case m.Is("log"):
			return nil, nil, errors.New(`a HAR has "log" before everything else`)
		case m.Is("request"):
			isExchange = true
		case m.Is("type"):
			isLine = true
		case m.Is("exchange"):
			exchange = m.Value
		}
	}
	switch {
	case members.Err() != nil:
		return nil, nil, members.Err()
	case isExchange:
	case !isLine:
		return nil, nil, errNoRequest
	case exchange == nil:
		return nil, nil, nil
	default:
		raw = exchange
	}
	ex := new(recorder.Exchange)
	if err := ex.UnmarshalJSON(raw); err != nil { // raw was checked: json.Unmarshal would do it again
		return nil, nil, err
	}
	if ex.Imported == nil && (ex.Seq != 0 || ex.Origin != "") {
		ex.Imported = &recorder.Imported{Seq: ex.Seq, Origin: ex.Origin}
	}
	frames, err := framesIn(raw)
	return ex, frames, err
}

// finished returns ex as one that was imported, with what files leave out, or
// why it cannot be.
func (r Reader) finished(ex *recorder.Exchange, err error) (*recorder.Exchange, error) {
	if err == nil {
		ex.Request.Method = cmp.Or(ex.Request.Method, http.MethodPost)
		err = check(ex)
	}
	if err != nil {
		return nil, err
	}
	ex.Request.Headers = canonical(ex.Request.Headers)
	for _, a := range []*recorder.Response{ex.Response, ex.App} {
		if a != nil {
			a.Headers, a.Took = canonical(a.Headers), max(0, a.Took)
		}
	}
	if !ex.Request.Truncated {
		ex.Request.Size = int64(len(ex.Request.Body.Bytes))
	}
	ex.Seq, ex.Origin = 0, recorder.Import
	if ex.At.IsZero() {
		ex.At = r.Now
	}
	if ex.Outcome != "" && ex.Outcome != recorder.Pending {
		return ex, nil
	}
	switch {
	case ex.Response != nil:
		ex.Outcome = recorder.Answered
	case ex.Imported != nil:
		ex.Outcome = recorder.Pending
	default:
		ex.Outcome, ex.Detail = recorder.Handled, "imported: it was sent to no app"
	}
	return ex, nil
}

// canonical returns h with the names that headers of recordings have: a JSON file has them as
// it was written. What differs in their case alone is one header.
func canonical(h http.Header) http.Header {
	if h == nil {
		return nil
	}
	out := make(http.Header, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := http.CanonicalHeaderKey(name)
		out[key] = append(out[key], h[name]...)
	}
	return out
}

// check says why ex cannot be recorded and sent.
func check(ex *recorder.Exchange) error {
	req := &ex.Request
	u, err := recorder.ParseURL(req.URL)
	switch y := ex.At.Year(); {
	case !isToken(req.Method):
		return fmt.Errorf("its method %q is none", clipped(req.Method))
	case strings.ContainsAny(req.Proto, "\r\n\x00"):
		return fmt.Errorf("its protocol %q is none", clipped(req.Proto))
	case err != nil || u.Host == "" || !isPlain(u.Host, "") || strings.Contains(u.Host, " ") || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("its URL %q is no absolute http or https URL", clipped(req.URL))
	case !ex.At.IsZero() && (y < 1970 || y > maxYear):
		return fmt.Errorf("its time, in the year %d, is not between 1970 and %d", y, maxYear)
	case !slices.Contains(outcomes, ex.Outcome):
		return fmt.Errorf("its outcome %q is none", clipped(string(ex.Outcome)))
	}
	if err := checkMessage(req.Headers, &req.Body); err != nil {
		return err
	}
	for _, a := range []*recorder.Response{ex.Response, ex.App} {
		if a == nil {
			continue
		}
		if a.Status < 0 || a.Status > 999 {
			return fmt.Errorf("its status %d is none of an answer", a.Status)
		}
		if err := checkMessage(a.Headers, &a.Body); err != nil {
			return err
		}
	}
	return nil
}

// outcomes are those that an exchange can have; files leave it out.
var outcomes = []recorder.Outcome{
	"", recorder.Pending, recorder.Answered, recorder.Unreachable, recorder.Refused, recorder.Handled, recorder.Queued, recorder.Unrouted,
}

// checkMessage says why a request or an answer cannot have the headers and the body.
func checkMessage(h http.Header, b *recorder.Body) error {
	for name, values := range h {
		if !isToken(name) {
			return fmt.Errorf("%q is no name of a header", clipped(name))
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n\x00") }) {
			return fmt.Errorf("the header %s has a line break in it", name)
		}
	}
	if b.Sum != "" {
		return fmt.Errorf("a body is in a file of a store (sha256 %s): devhook export and show --json put it in", b.Sum)
	}
	return nil
}

func clipped(s string) string { return s[:min(len(s), 80)] }

var errNoRequest = errors.New("it has no request")

var errTooLarge = fmt.Errorf("it is over %d MiB", maxValue>>20)
