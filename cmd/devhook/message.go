package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"

	"devhook/internal/terminal"
	"devhook/recorder"
)

// A message is a request or a response.
type message struct {
	start  string
	header http.Header
	body   recorder.Body
	size   int64
	cut    bool
}

// requestMessage returns the request as an HTTP message.
func requestMessage(r *recorder.Request) message {
	_, target := recorder.SplitURL(r.URL)
	proto := cmp.Or(r.Proto, "HTTP/1.1")
	if proto == recorder.ProtoStream { // which it becomes when it is sent
		proto = "HTTP/1.1"
	}
	return message{
		start:  r.Method + " " + target + " " + proto,
		header: r.Headers, body: r.Body, size: r.Size, cut: r.Truncated,
	}
}

// write writes m as it goes over the wire.
func (m message) write(w io.Writer, store *recorder.Store) error {
	_, err := io.WriteString(w, m.start+"\r\n")
	err = errors.Join(err, m.writeHeader(w, "\r\n"))
	_, err2 := io.WriteString(w, "\r\n")
	return errors.Join(err, err2, m.writeBody(w, store))
}

func (m message) writeHeader(w io.Writer, newline string) error {
	for _, line := range terminal.HeaderLines(m.header) {
		if _, err := io.WriteString(w, line+newline); err != nil {
			return err
		}
	}
	return nil
}

func (m message) writeBody(w io.Writer, store *recorder.Store) error {
	return store.CopyBody(w, m.body)
}
