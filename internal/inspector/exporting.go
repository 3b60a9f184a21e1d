package inspector

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/interchange"
	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/verify"
)

// exportTypes are the content types of formats. None is one that a browser shows.
var exportTypes = map[interchange.Format]string{
	interchange.HAR: "application/json", interchange.NDJSON: "application/x-ndjson",
	interchange.Curl: "text/plain", interchange.HTTP: "text/plain", interchange.Hurl: "text/plain",
}

// export answers the recordings that a filter lets through, oldest first, without
// credentials, as they are read. What cannot be written ends the connection without its
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
	inertly(w, exportTypes[format], "devhook."+string(format))
	w.Header().Set("Trailer", "X-Devhook-Damaged")
	to := &begun{w: w}
	out := bufio.NewWriterSize(to, 64<<10)
	writer := interchange.NewWriter(out, format)
	writer.Version = in.o.Version
	damaged, err := in.exportTo(r, writer, q)
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
}

// exportTo writes what q asks for, and returns how many of it could not be read.
func (in *Inspector) exportTo(r *http.Request, w *interchange.Writer, q recorder.Query) (damaged int, err error) {
	redactor := in.redactor()
	for ex, err := range in.o.Store.QueryContext(r.Context(), q) {
		if errors.As(err, new(*recorder.DamagedError)) {
			damaged++
			continue
		}
		if err == nil {
			err = in.loadAll(ex)
		}
		if err != nil {
			return damaged, err
		}
		clean, _ := redactor.Exchange(*ex)
		if err := w.Write(&clean); err != nil {
			return damaged, &Error{http.StatusUnprocessableEntity, fmt.Sprintf("#%d: %v", ex.Seq, err), "another format, or devhook export -o FILE"}
		}
	}
	return damaged, nil
}

// loadAll reads all bodies of ex into memory.
func (in *Inspector) loadAll(ex *recorder.Exchange) error {
	bodies := []*recorder.Body{&ex.Request.Body}
	for _, res := range []*recorder.Response{ex.Response, ex.App} {
		if res != nil {
			bodies = append(bodies, &res.Body)
		}
	}
	for _, b := range bodies {
		if b.Sum == "" {
			continue
		}
		text, err := in.o.Store.ReadBody(*b)
		if err != nil {
			return err
		}
		*b = recorder.Body{Bytes: text}
	}
	return nil
}

// redactor takes out credentials, and the secrets that are known.
func (in *Inspector) redactor() *redact.Redactor {
	var secrets []verify.Secret
	for keys := range maps.Values(in.o.Keys()) {
		secrets = append(secrets, keys.Secrets...)
	}
	return redact.Credentials(secrets...)
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
