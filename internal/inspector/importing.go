package inspector

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"devhook/internal/interchange"
	"devhook/recorder"
)

// mostSkipped is of how many entries an answer tells that they were left out.
const mostSkipped = 100

// An importRequest is what another program has written.
type importRequest struct {
	Text *octets `json:"text"` // HAR, NDJSON, an HTTP message, curl commands or flows of mitmproxy
}

// importAll records what the request holds, and sends nothing. What has a fault imports
// nothing. Files that curl commands name are not read: who asks may be no user of
// this machine.
func (in *Inspector) importAll(r *http.Request, req importRequest) (any, error) {
	if req.Text == nil {
		return nil, &Error{http.StatusBadRequest, "text is missing", "it is what a file of devhook import holds"}
	}
	type entry struct {
		ID  recorder.ID `json:"id"`
		Seq uint64      `json:"seq"`
	}
	answer := struct {
		Exchanges []entry  `json:"exchanges"`
		Skipped   []string `json:"skipped,omitempty"`
	}{}
	reader := interchange.Reader{Now: in.o.Now().UTC(), Skipped: func(text string) {
		if len(answer.Skipped) < mostSkipped {
			answer.Skipped = append(answer.Skipped, text)
		}
	}}
	count, err := reader.Count(bytes.NewReader(*req.Text))
	if err == nil && count == 0 {
		err = &Error{http.StatusUnprocessableEntity, "that holds no webhook", ""}
	}
	if err != nil {
		return nil, unreadable(err)
	}
	reader.Skipped = nil
	imp := interchange.Importer{Store: in.o.Store, Catalog: in.o.Catalog(), Reader: reader}
	err = imp.Import(context.WithoutCancel(r.Context()), bytes.NewReader(*req.Text), func(ex *recorder.Exchange) error {
		answer.Exchanges = append(answer.Exchanges, entry{ex.ID, ex.Seq})
		return nil
	})
	return answer, unreadable(err)
}

// unreadable tells where in a text a fault is.
func unreadable(err error) error {
	if e := new(interchange.Error); errors.As(err, &e) {
		return &Error{http.StatusUnprocessableEntity, e.Error(), e.Hint}
	}
	return err
}
