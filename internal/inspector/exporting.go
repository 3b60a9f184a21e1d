package inspector

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"devhook/internal/interchange"
	"devhook/internal/redact"
	"devhook/internal/sharing"
	"devhook/recorder"
)

// export answers the recordings that a filter lets through, oldest first, without
// credentials or with redact without personal data, too, as they are read. What cannot be written ends the connection without its
// end, once it has begun: nobody takes it for the whole then.
func (in *Inspector) export(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	format := interchange.Format(cmp.Or(query.Get("format"), string(interchange.NDJSON)))
	if !slices.Contains(interchange.Formats(), format) {
		fail(w, http.StatusBadRequest, fmt.Sprintf("format is none of %s", strings.Trim(fmt.Sprint(interchange.Formats()), "[]")), "")
		return
	}
	var q recorder.Query
	var err, err2 error
	q.Filter, err = in.filter(query.Get("filter"))
	if query.Has("limit") {
		q.Newest, err2 = number(query, "limit", 0, mostExchanges)
	}
	if err := cmp.Or(err, err2); err != nil {
		in.failed(w, err)
		return
	}
	redactor, anew, err := in.sharing(query)
	if err != nil {
		in.failed(w, err)
		return
	}
	inertly(w, format.MediaType(), "devhook."+string(format))
	w.Header().Set("Trailer", "X-Devhook-Damaged, X-Devhook-Export")
	to := &begun{w: w}
	out := bufio.NewWriterSize(to, 64<<10)
	writer := interchange.NewWriter(out, format)
	writer.Version = in.o.Version
	e := sharing.New(in.o.Store, in.o.Catalog(), writer)
	e.Redactor, e.Anew = redactor, anew
	damaged := 0
	e.Lost = func(err error) {
		damaged++
		in.o.Log.Debug("an export leaves messages out", "error", err)
	}
	err = in.exportTo(r, e, q, &damaged)
	if err = cmp.Or(err, writer.Close()); err != nil {
		if to.begun {
			in.o.Log.Warn("an export ends early", "error", err)
			panic(http.ErrAbortHandler)
		}
		for _, name := range []string{"Trailer", "Content-Disposition"} {
			w.Header().Del(name)
		}
		in.failed(w, err)
		return
	}
	out.Flush()
	w.Header().Set("X-Devhook-Damaged", strconv.Itoa(damaged))
	w.Header().Set("X-Devhook-Export", exported(e))
}

// exportTo writes what q asks for, and counts in damaged how much of it could not be read.
func (in *Inspector) exportTo(r *http.Request, e *sharing.Export, q recorder.Query, damaged *int) error {
	for ex, err := range readable(in.o.Store.QueryContext(r.Context(), q), func(error) { *damaged++ }) {
		if err != nil {
			return err
		}
		if err := e.Add(ex); errors.As(err, new(*sharing.LoadError)) {
			return err
		} else if err != nil {
			return &Error{http.StatusUnprocessableEntity, fmt.Sprintf("#%d: %v", ex.Seq, err), "another format, or devhook export -o FILE"}
		}
	}
	return nil
}

// sharing reads what is to be taken out, and returns the key of what is signed anew, nil if
// nothing is. Credentials always are taken out: who wants them is at the command line.
func (in *Inspector) sharing(query url.Values) (redactor *redact.Redactor, key []byte, err error) {
	if query.Has("with_credentials") {
		return nil, nil, &Error{http.StatusForbidden, "credentials leave devhook by no API", "devhook export --with-credentials"}
	}
	personal, err := flag(query, "redact")
	anew, err2 := flag(query, "sign_anew")
	if err := cmp.Or(err, err2); err != nil {
		return nil, nil, err
	}
	if personal || anew {
		if key, err = in.o.RedactKey(); err != nil {
			return nil, nil, err
		}
	}
	secrets := in.o.Secrets()
	redactor = redact.Credentials(secrets...)
	if personal {
		redactor = redact.New(key, secrets...)
	}
	if !anew {
		key = nil
	}
	return redactor, key, nil
}

// flag reads a query parameter that is on or off.
func flag(query url.Values, name string) (bool, error) {
	switch query.Get(name) {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	}
	return false, &Error{http.StatusBadRequest, name + " is neither true nor false", ""}
}

// mostReplaced is how many places a trailer names.
const mostReplaced = 50

// exported tells what was done to what was exported, as JSON in ASCII: a trailer.
func exported(e *sharing.Export) string {
	line := struct {
		Replaced []string                     `json:"replaced,omitempty"`
		Signed   map[string]sharing.Signature `json:"signed,omitempty"`
		Unsigned map[string]string            `json:"unsigned,omitempty"`
		Unseen   int                          `json:"unseen,omitempty"`
		Frames   int                          `json:"frames_left_out,omitempty"`
	}{Replaced: slices.Sorted(maps.Keys(e.Replaced)), Signed: e.Signed, Unsigned: map[string]string{}, Unseen: e.Unseen, Frames: e.Frames}
	if len(line.Replaced) > mostReplaced {
		line.Replaced = append(line.Replaced[:mostReplaced:mostReplaced], "more")
	}
	for id, err := range e.Unsigned {
		line.Unsigned[id] = err.Error()
	}
	text, err := json.Marshal(line)
	if err != nil {
		return "{}"
	}
	var ascii strings.Builder
	for _, c := range utf16.Encode([]rune(string(text))) {
		if c < 0x7f {
			ascii.WriteByte(byte(c))
		} else {
			fmt.Fprintf(&ascii, `\u%04x`, c)
		}
	}
	return ascii.String()
}

// begun knows whether anything was written.
type begun struct {
	w     http.ResponseWriter
	begun bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.begun = true
	return b.w.Write(p)
}
