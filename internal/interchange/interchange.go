// Package interchange writes recordings in the formats of other programs, and
// reads them: HAR, curl commands, .http files, Hurl and lines of JSON. What is
// left out of them, and where what was read is kept, is left to others.
//
// # There and back
//
// Of HAR and NDJSON, what was exported, imported and exported again is the same,
// byte for byte. So an exchange that was imported is written with the number and
// the origin that it had where it was recorded. In HAR, what the format has no
// place for is in "_devhook" of each entry: an Exchange without what stands in
// the entry itself.
//
// # Security
//
// What is written came from strangers: nothing of it may end a quote, a line or
// a comment, name a file that is read, or be expanded as a variable by the
// program that the format is of. What is read comes from strangers, too, and is
// bounded: see [Reader]. It names no files that are opened, unless the caller
// gives what opens them.
package interchange

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"devhook/recorder"
)

// A Format is one that recordings are written in.
type Format string

// The formats that a [Writer] knows.
const (
	HAR    Format = "har"    // HTTP Archive 1.2, http://www.softwareishard.com/blog/har-12-spec/
	Curl   Format = "curl"   // commands for a POSIX shell
	HTTP   Format = "http"   // as the HTTP clients of editors read it
	Hurl   Format = "hurl"   // https://hurl.dev/docs/grammar.html
	NDJSON Format = "ndjson" // an Exchange on each line
)

// A form is what there is to a format.
type form struct {
	name   Format
	media  string // the content type; none is one that a browser shows
	frames bool   // has a place for the messages of a WebSocket
	write  func(w *Writer, b *bytes.Buffer, ex *recorder.Exchange, frames []recorder.Frame) error
}

var formats = []form{
	{HAR, "application/json", true, (*Writer).har},
	{Curl, "text/plain", false, (*Writer).curl},
	{HTTP, "text/plain", false, (*Writer).http},
	{Hurl, "text/plain", false, (*Writer).hurl},
	{NDJSON, "application/x-ndjson", true, (*Writer).line},
}

// Formats are all of them.
func Formats() []Format {
	var all []Format
	for _, f := range formats {
		all = append(all, f.name)
	}
	return all
}

// form is the zero form if there is no such format.
func (f Format) form() form {
	for _, known := range formats {
		if known.name == f {
			return known
		}
	}
	return form{}
}

// MediaType is the content type of f, "" if there is no such format.
func (f Format) MediaType() string { return f.form().media }

// HoldsFrames reports whether f has a place for the messages of a WebSocket.
func (f Format) HoldsFrames() bool { return f.form().frames }

// A Writer writes exchanges, one after the other, in one format. Make one with
// [NewWriter], and end it with Close. It is for one goroutine.
type Writer struct {
	w      io.Writer
	format Format
	n      int
	// File keeps a body that cannot stand in the text of a .http file, and
	// returns what the file is called there. Without it such a body is an error.
	File func(ex *recorder.Exchange, body []byte) (name string, err error)
	// Frames gives the messages of a WebSocket that ex has opened, for a format
	// that holds them. Nil: none are written.
	Frames func(ex *recorder.Exchange) ([]recorder.Frame, error)
	// Version is that of devhook, which HAR names.
	Version string
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer, f Format) *Writer { return &Writer{w: w, format: f} }

// Format is the one that w writes.
func (w *Writer) Format() Format { return w.format }

// Write writes ex, whose bodies are in memory. A large one takes several times
// its size while it is written.
func (w *Writer) Write(ex *recorder.Exchange) error {
	form := w.format.form()
	if form.write == nil {
		return fmt.Errorf("no format %q", w.format)
	}
	var frames []recorder.Frame
	if w.Frames != nil && form.frames {
		var err error
		if frames, err = w.Frames(ex); err != nil {
			return err
		}
	}
	original := *ex
	if was := ex.Imported; was != nil {
		original.Imported = nil
		original.Seq, original.Origin = was.Seq, was.Origin
	}
	var b bytes.Buffer
	if err := form.write(w, &b, &original, frames); err != nil {
		return err
	}
	w.n++
	_, err := w.w.Write(b.Bytes())
	return err
}

// line writes ex as devhook show --json does.
func (*Writer) line(b *bytes.Buffer, ex *recorder.Exchange, frames []recorder.Frame) error {
	line, err := ex.MarshalJSON()
	if err != nil {
		return err
	}
	b.Write(line)
	for i := range frames {
		if i == 0 {
			b.Truncate(b.Len() - 1) // the bracket
			b.WriteString(`,"frames":[`)
		} else {
			b.WriteByte(',')
		}
		frame, err := frames[i].MarshalJSON()
		if err != nil {
			return err
		}
		b.Write(frame)
	}
	if len(frames) > 0 {
		b.WriteString("]}")
	}
	b.WriteByte('\n')
	return nil
}

// Close writes what stands behind the last exchange. It does not close what the
// Writer writes to.
func (w *Writer) Close() error {
	if w.format != HAR {
		return nil
	}
	if w.n == 0 {
		if err := w.harHead(w.w); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w.w, "\n]}}\n")
	return err
}

// title names ex in a comment: nothing in it ends the line.
func title(ex *recorder.Exchange) string {
	words := []string{fmt.Sprintf("#%d", ex.Seq), string(ex.ID), ex.Provider, ex.Event}
	text := strings.Join(strings.Fields(strings.Join(words, " ")), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
}

// isPlain reports whether s is text without control characters, but for those in
// also.
func isPlain[T ~string | ~[]byte](s T, also string) bool {
	text := string(s)
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !strings.ContainsRune(also, r) })
}

// isToken reports whether s can be a method or the name of a header: RFC 9110
// §5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// A field is one line of a header.
type field struct{ name, value string }

// fields gives the headers of r that a client is told to send, sorted: without
// those that it makes itself.
func fields(r *recorder.Request) []field {
	root, _ := recorder.SplitURL(r.URL)
	_, host, _ := strings.Cut(root, "://")
	var list []field
	for _, name := range sortedNames(r.Headers) {
		for _, v := range r.Headers[name] {
			switch {
			case !isToken(name), strings.ContainsAny(v, "\r\n\x00"):
			case name == "Content-Length", name == "Transfer-Encoding":
			case name == "Host" && v == host:
			default:
				list = append(list, field{name, v})
			}
		}
	}
	return list
}
