package interchange

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"devhook/recorder"
)

// maxArgument is the largest body in bytes that is an argument of curl: Linux
// takes none over 128 KiB.
const maxArgument = 64 << 10

// curl writes a command that sends the request of ex, its target, headers
// and body as they were. A body that is no text, or large, is in base64 on its
// standard input.
func (*Writer) curl(b *bytes.Buffer, ex *recorder.Exchange, _ []recorder.Frame) error {
	r := &ex.Request
	body := r.Body.Bytes
	head := r.Method == http.MethodHead && len(body) == 0 // curl takes no data beside --head, not even none
	hasData := len(body) > 0 || !head && r.Headers.Get("Content-Length") == "0"
	fmt.Fprintf(b, "# %s\n", title(ex))
	inline := len(body) <= maxArgument && isPlain(body, "\n\t")
	if !inline {
		b.WriteString("base64 -d <<'END' | ")
	}
	b.WriteString("curl --path-as-is --globoff")
	arg := func(name, value string) {
		b.WriteString(" \\\n  " + name + " " + quote(value))
	}
	if head {
		b.WriteString(" --head")
	} else {
		arg("--request", r.Method)
	}
	target := r.URL
	if own := r.Target(); !isSimple(own) {
		arg("--request-target", own)
		root, _ := recorder.SplitURL(r.URL)
		target = root + "/"
	}
	sent := http.Header{}
	for _, f := range fields(r) {
		sent.Add(f.name, f.value)
		if f.value == "" {
			arg("--header", f.name+";")
		} else {
			arg("--header", f.name+": "+f.value)
		}
	}
	none := []string{"User-Agent", "Accept"}
	if hasData {
		none = append(none, "Content-Type")
	}
	if len(body) >= 1024 { // from there on some versions ask first
		none = append(none, "Expect")
	}
	for _, name := range none {
		if sent[name] == nil {
			arg("--header", name+":")
		}
	}
	switch {
	case !inline:
		b.WriteString(" \\\n  --data-binary @-")
	case hasData:
		arg("--data-raw", string(body))
	}
	arg("--url", target)
	b.WriteString("\n")
	if !inline {
		text := base64.StdEncoding.EncodeToString(body)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\n")
			text = text[76:]
		}
		b.WriteString(text + "\nEND\n") // which no line of base64 can be
	}
	b.WriteString("\n")
	return nil
}

// isSimple reports whether curl sends a target as it stands in a URL.
func isSimple(target string) bool {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7F || strings.IndexByte(`#"<>\^`+"`{|}", c) >= 0 {
			return false
		}
	}
	return strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//")
}

// quote writes s as one word of a POSIX shell. What a terminal might obey is
// spelled out, and made by printf. s has no NUL and, if it has such, ends in no
// newline.
func quote(s string) string {
	if isPlain(s, "\n\t") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString(`"$(printf '`)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%':
			b.WriteString("%%")
		case c < ' ' || c >= 0x7F || c == '\'' || c == '\\' || c == '-' && i == 0:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString(`')"`)
	return b.String()
}
