package replay

import (
	"bytes"
	"errors"
	"mime"
	"net/textproto"
	"strings"
)

// A multipartForm is a multipart body, RFC 2046 §5.1.1, whose parts are named by
// Content-Disposition, RFC 7578 §4.2. Parts that have no name keep their place
// and cannot be asked for.
type multipartForm struct {
	body  []byte
	line  string // two dashes and the boundary
	eol   string // "\r\n", or "\n" of a sender that knows no better
	parts []formPart
	end   int // where the last delimiter begins
}

// A formPart is a part of a multipart body: body[start:end], of which
// body[value:end] is its content. The line break before the next delimiter
// belongs to that.
type formPart struct {
	name              string
	encoded           string // the Content-Transfer-Encoding, if it is not the content itself
	start, value, end int    // start is where the delimiter begins
}

// maxParts bounds the parts that are looked at.
const maxParts = 10_000

var errNoMultipart = errors.New("not a multipart body")

// parseMultipart finds the parts of body.
func parseMultipart(body []byte, boundary string) (*multipartForm, error) {
	m := &multipartForm{body: body, line: "--" + boundary, eol: "\n"}
	at := m.delimiter(0)
	if at < 0 {
		return nil, errNoMultipart
	}
	m.eol = "\r\n"
	if i := bytes.IndexByte(body[at:], '\n'); i > 0 && body[at+i-1] != '\r' {
		m.eol = "\n"
	}
	for len(m.parts) < maxParts {
		rest := body[at+len(m.line):]
		if bytes.HasPrefix(rest, []byte("--")) {
			m.end = at
			return m, nil
		}
		lineEnd := bytes.IndexByte(rest, '\n')
		if lineEnd < 0 {
			return nil, errNoMultipart
		}
		head := at + len(m.line) + lineEnd + 1
		next := m.delimiter(head)
		if next < 0 {
			return nil, errNoMultipart
		}
		p := formPart{start: at, end: next - len(m.eol)}
		// An empty line ends the head, which may itself be empty.
		switch i := bytes.Index(body[head:next], []byte(m.eol+m.eol)); {
		case bytes.HasPrefix(body[head:], []byte(m.eol)):
			p.value = head + len(m.eol)
		case i >= 0:
			p.value = head + i + 2*len(m.eol)
			p.readHead(string(body[head:head+i]), m.eol)
		default:
			return nil, errNoMultipart
		}
		if p.value > p.end { // the part has no content and no line break of its own
			return nil, errNoMultipart
		}
		m.parts = append(m.parts, p)
		at = next
	}
	return nil, errNoMultipart
}

// delimiter returns where the first delimiter at or behind from begins, -1 if
// there is none: it stands at the beginning of a line, alone.
func (m *multipartForm) delimiter(from int) int {
	for at := from; ; at++ {
		i := bytes.Index(m.body[at:], []byte(m.line))
		if i < 0 {
			return -1
		}
		at += i
		if at > 0 && !bytes.HasSuffix(m.body[:at], []byte(m.eol)) {
			continue
		}
		rest := m.body[at+len(m.line):]
		rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte("--")), " \t")
		if len(rest) == 0 || rest[0] == '\r' || rest[0] == '\n' {
			return at
		}
	}
}

// readHead takes from the head of a part what is needed of it.
func (p *formPart) readHead(head, eol string) {
	for line := range strings.SplitSeq(head, eol) {
		name, value, _ := strings.Cut(line, ":")
		switch textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)) {
		case "Content-Disposition":
			if _, params, err := mime.ParseMediaType(value); err == nil {
				p.name = params["name"]
			}
		case "Content-Transfer-Encoding":
			switch coding := strings.ToLower(strings.TrimSpace(value)); coding {
			case "7bit", "8bit", "binary":
			default:
				p.encoded = coding
			}
		}
	}
}

func (m *multipartForm) names() []string {
	all := make([]string, len(m.parts))
	for i, p := range m.parts {
		all[i] = p.name
	}
	return all
}

// value returns the content of a part, decoded where that can be.
func (m *multipartForm) value(i int) string {
	if text, err := decodePart(m.parts[i].encoded, m.raw(i)); err == nil {
		return text
	}
	return m.raw(i)
}

func (m *multipartForm) raw(i int) string {
	return string(m.body[m.parts[i].value:m.parts[i].end])
}

// splice returns the body with text in the place of the bytes start to end.
func (m *multipartForm) splice(start, end int, text string) []byte {
	out := make([]byte, 0, len(m.body)-(end-start)+len(text))
	out = append(out, m.body[:start]...)
	out = append(out, text...)
	return append(out, m.body[end:]...)
}

func (m *multipartForm) put(i int, value string) ([]byte, error) {
	p := m.parts[i]
	coded, err := encodePart(p.encoded, m.raw(i), value, m.eol)
	if err == nil {
		err = m.check(coded)
	}
	if err != nil {
		return nil, err
	}
	return m.splice(p.value, p.end, coded), nil
}

// add puts a part before the last delimiter.
func (m *multipartForm) add(name, value string) ([]byte, error) {
	if strings.ContainsAny(name, "\"\\\r\n\x00") || name == "" {
		return nil, errors.New("a field of that name cannot be added to a multipart body")
	}
	if err := m.check(value); err != nil {
		return nil, err
	}
	return m.splice(m.end, m.end, m.line+m.eol+`Content-Disposition: form-data; name="`+name+`"`+m.eol+m.eol+value+m.eol), nil
}

// check refuses a value that would be read as the end of its part.
func (m *multipartForm) check(value string) error {
	if strings.Contains("\n"+value, "\n"+m.line) {
		return errors.New("the value holds the boundary of the body")
	}
	return nil
}

func (m *multipartForm) cut(i int) []byte {
	next := m.end
	if i+1 < len(m.parts) {
		next = m.parts[i+1].start
	}
	return m.splice(m.parts[i].start, next, "")
}
