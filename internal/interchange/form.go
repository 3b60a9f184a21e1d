package interchange

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/textproto"
	"strings"
)

// A formPart is a field of a form in parts: RFC 7578.
type formPart struct {
	header textproto.MIMEHeader
	body   []byte
}

// newFormPart returns a field; what it has no filename or type for is "".
func newFormPart(name, filename, contentType string, body []byte) formPart {
	escape := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace // as WHATWG has it
	p := formPart{textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + escape(name) + `"`}}, body}
	if filename != "" {
		p.header["Content-Disposition"][0] += `; filename="` + escape(filename) + `"`
	}
	if contentType != "" {
		p.header.Set("Content-Type", escape(contentType))
	}
	return p
}

// multipart gives the body of a form, whose boundary is made of what is in it.
func multipart(parts []formPart) (body []byte, contentType string) {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write(p.body)
	}
	boundary := fmt.Sprintf("------------------------%x", sum.Sum(nil)[:12])
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: " + p.header.Get("Content-Disposition") + "\r\n")
		if t := p.header.Get("Content-Type"); t != "" {
			b.WriteString("Content-Type: " + t + "\r\n")
		}
		b.WriteString("\r\n")
		b.Write(p.body)
		b.WriteString("\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes(), "multipart/form-data; boundary=" + boundary
}
