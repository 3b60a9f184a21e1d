package terminal

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// excerptLength is how many bytes of an app's answer are shown on a line.
const excerptLength = 200

// Excerpt returns the first line of text in a body, "" if it is not text. Of a page, as
// frameworks answer with when a handler fails, it is what a reader sees first: the title,
// and what stands on it. It is at most 200 columns, and not yet [Safe].
func Excerpt(body []byte) string {
	if strings.HasPrefix(http.DetectContentType(body), "text/html") {
		return words(body)
	}
	body = bytes.TrimSpace(body[:min(len(body), 2*excerptLength)])
	if i := bytes.IndexByte(body, '\n'); i >= 0 {
		body = body[:i]
	}
	for len(body) > 0 && !utf8.Valid(body) {
		if r, _ := utf8.DecodeLastRune(body); r != utf8.RuneError {
			return ""
		}
		body = body[:len(body)-1]
	}
	return Cut(string(body), excerptLength)
}

// words returns the title of a page and the beginning of its text, but the title only once.
// The page may be hostile, and cut off anywhere: no more than 64 KiB of it are read.
func words(page []byte) string {
	var title, text strings.Builder
	in := "" // what no reader sees, or the title
	for z := html.NewTokenizer(bytes.NewReader(page[:min(len(page), 64<<10)])); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return titled(spaced(title.String()), spaced(text.String()))
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch tag := string(name); {
			case tag == in:
				in = ""
			case kind == html.StartTagToken && slices.Contains([]string{"script", "style", "title", "noscript", "template"}, tag):
				in = tag
			case !slices.Contains([]string{"a", "b", "i", "code", "em", "strong", "span"}, tag): // a border of words
				text.WriteByte(' ')
			}
		case html.TextToken:
			switch in {
			case "":
				text.Write(z.Text())
			case "title":
				title.Write(z.Text())
			}
		}
	}
}

func spaced(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
}

func titled(title, text string) string {
	switch {
	case title == "" || strings.HasPrefix(text, title):
		title = text
	case text != "":
		title += ": " + text
	}
	return Cut(title, excerptLength)
}
