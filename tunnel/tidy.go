package tunnel

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	hidden  = "[hidden]"
	maxText = 300 // bytes of a text from outside
	enough  = 60  // bytes of a message after which the next sentence is left out
)

// A scrubber takes secrets out of texts.
type scrubber struct{ *strings.Replacer }

// newScrubber returns one for the given secrets, in every form that a text is
// likely to hold them in.
func newScrubber(secrets ...string) scrubber {
	var pairs []string
	seen := make(map[string]bool)
	for _, s := range secrets {
		quoted := strconv.Quote(s)
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), quoted[1 : len(quoted)-1],
			base64.StdEncoding.EncodeToString([]byte(s)),
		} {
			if form != "" && !seen[form] {
				seen[form] = true
				pairs = append(pairs, form, hidden)
			}
		}
	}
	return scrubber{strings.NewReplacer(pairs...)}
}

// tidy makes a text from outside fit for the screen: without secrets, on one
// line, without characters that a terminal obeys, of bounded length.
func (s scrubber) tidy(text string) string {
	text = s.Replace(printable(s.Replace(text))) // again: what came together only then
	if len(text) > maxText {
		cut := maxText
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = strings.TrimSpace(text[:cut]) + "…"
	}
	return text
}

// printable folds text into one line, and drops what a terminal might obey:
// controls, and marks that change the order of what is read.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Join(strings.Fields(text), " ")
}

var (
	// docsURL is the address of an error's page, which the hint gives.
	docsURL = regexp.MustCompile(`https://ngrok\.com/docs/errors/err_ngrok_\w+`)
	// sentence finds the end of one that is followed by another.
	sentence = regexp.MustCompile(`[.!?]\s`)
)

// choices is the list of what to do that ends some messages: Either 1. …, 2. ….
var choices = regexp.MustCompile(`(?is)(\s+either)?:?\s*\n\s*1\..*`)

// paragraph finds the empty line behind one.
var paragraph = regexp.MustCompile(`\r?\n[ \t]*\r?\n`)

// message makes an Error's Text of what the service says: its first sentence,
// or a few short ones of the first paragraph, without the code. What follows is
// advice about ngrok's own agent.
func (s scrubber) message(text string) string {
	text = codePattern.ReplaceAllString(docsURL.ReplaceAllString(text, " "), " ")
	text = strings.TrimSpace(text)
	if end := paragraph.FindStringIndex(text); end != nil && text[end[0]-1] != ':' {
		text = text[:end[0]]
	}
	if at := strings.Index(strings.ToLower(text), "your authtoken:"); at > 0 {
		text = text[:at] // the authtoken follows
	}
	text = s.tidy(choices.ReplaceAllString(text, ""))
	for at := 0; ; {
		end := sentence.FindStringIndex(text[at:])
		if end == nil {
			break
		}
		if at += end[1]; at > enough {
			text = strings.TrimSpace(text[:at])
			break
		}
	}
	return s.Replace(lowerFirst(strings.TrimRight(text, " .:")))
}

// lowerFirst makes the first letter a small one unless the word is all capitals.
func lowerFirst(text string) string {
	first, n := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[n:])
	if unicode.IsUpper(first) && !unicode.IsUpper(second) {
		return string(unicode.ToLower(first)) + text[n:]
	}
	return text
}

// safe returns err if its text is tidy, else an error with the text made so.
func (s scrubber) safe(err error) error {
	if text := s.tidy(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
