package inspector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"devhook/recorder"
	"devhook/replay"
)

// A problem is what the API answers if something cannot be done.
type problem struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// writeAnswer answers v, an object of one member at least, as the API does: {"v":1, and its
// members, unless it says so itself.
func writeAnswer(w http.ResponseWriter, status int, v any) {
	const head = `{"v":1`
	text, err := encode(head, v)
	switch {
	case err != nil:
	case bytes.HasPrefix(text[len(head):], []byte(`{"v":`)):
		text = text[len(head):]
	default:
		text[len(head)] = ','
	}
	writeText(w, status, text, err)
}

// writeJSON answers v as it is.
func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := encode("", v)
	writeText(w, status, text, err)
}

// encode returns v as a line of JSON behind head, in which < and & stay as they are.
func encode(head string, v any) ([]byte, error) {
	b := bytes.NewBufferString(head)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func writeText(w http.ResponseWriter, status int, text []byte, err error) {
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

// answered makes a route of h, which returns the answer, or why there is none.
func (in *Inspector) answered(h func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := h(r)
		in.answer(w, v, err)
	}
}

// asked is answered for what is asked by an object of JSON.
func asked[In any](in *Inspector, h func(*http.Request, In) (any, error)) http.HandlerFunc {
	return in.answered(func(r *http.Request) (any, error) {
		var req In
		if err := decode(r, &req); err != nil {
			return nil, err
		}
		return h(r, req)
	})
}

// answer answers v, or err if there is one.
func (in *Inspector) answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		in.failed(w, err)
		return
	}
	if c, is := v.(created); is {
		writeAnswer(w, http.StatusCreated, c.what)
		return
	}
	writeAnswer(w, http.StatusOK, v)
}

// A created is an answer of something that is there from now on.
type created struct{ what any }

// fail answers that something cannot be done, and what to do about it.
func fail(w http.ResponseWriter, status int, text, hint string) {
	writeJSON(w, status, problem{text, hint})
}

// failed answers err, whose kind tells the status.
func (in *Inspector) failed(w http.ResponseWriter, err error) {
	var (
		filter    *recorder.FilterError
		ambiguous *recorder.AmbiguousError
		plan      *replay.Error
		told      *Error
	)
	switch {
	case errors.Is(err, context.Canceled): // the client has gone; nobody reads an answer
	case errors.As(err, &told):
		fail(w, told.Status, told.Text, told.Hint)
	case errors.As(err, &filter):
		fail(w, http.StatusBadRequest, filter.Error(), filter.Hint)
	case errors.As(err, &ambiguous):
		fail(w, http.StatusConflict, err.Error(), "give more of the ID")
	case errors.As(err, &plan):
		fail(w, http.StatusUnprocessableEntity, plan.Text, flagWords.Replace(plan.Hint))
	case errors.Is(err, recorder.ErrBusy):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, err.Error(), "try again when what reads them is done")
	case errors.Is(err, recorder.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		fail(w, http.StatusNotFound, err.Error(), "GET /devhook/v1/exchanges lists what there is")
	default:
		in.o.Log.Warn("inspector cannot answer", "error", err)
		fail(w, http.StatusInternalServerError, err.Error(), "")
	}
}

// flagWords has, for the flags that hints of a plan name, what a request says instead. What
// no request can give, devhook up has to be given.
var flagWords = strings.NewReplacer(
	"with --body @FILE", `as "body"`,
	"--create adds what is not there; as a change in words:", "what is not there is added by",
	"write --path", "write path",
	"--sign never", `"sign": "never"`,
	"--shift-time now", `"shift_time": "now"`,
	" with --secret ", " to devhook up with --secret ",
	" with --with ", " to devhook up with --with ",
)

// An Error is an error whose status is known. The funcs of [Options] may return
// one.
type Error struct {
	Status int // of HTTP
	Text   string
	Hint   string
}

func (e *Error) Error() string { return e.Text }
