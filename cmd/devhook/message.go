package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"

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
	proto := cmp.Or(r.Proto, "HTTP/1.1")
	if proto == recorder.ProtoStream { // which it becomes when it is sent
		proto = "HTTP/1.1"
	}
	return message{
		start:  r.Method + " " + r.Target() + " " + proto,
		header: r.Headers, body: r.Body, size: r.Size, cut: r.Truncated,
	}
}

// write writes m as it goes over the wire.
func (m message) write(w io.Writer, store *recorder.Store) error {
	_, err := io.WriteString(w, m.start+"\r\n"+m.fields("\r\n")+"\r\n")
	return errors.Join(err, store.CopyBody(w, m.body))
}

// fields are the lines of the header, each with its end.
func (m message) fields(end string) string {
	return strings.Join(append(terminal.HeaderLines(m.header), ""), end)
}
