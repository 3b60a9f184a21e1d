package interchange

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A shellWord is one word of a command, and where it begins.
type shellWord struct {
	text string
	at   int // offset in the text
}

// shellCommands takes text apart as a shell does: quotes, '…', "…" and $'…',
// backslashes, comments, lines that go on. Commands are parted by newlines, ;
// and &&. What a shell would look up or run, as $HOME or $(id), is an error, as
// is what it would do with files.
func shellCommands(text string) ([][]shellWord, error) {
	s := &shell{text: text}
	for s.at < len(text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.endCommand()
	return s.commands, nil
}

type shell struct {
	text     string
	at       int
	word     strings.Builder
	start    int // of the word
	open     bool
	current  []shellWord
	commands [][]shellWord
}

func (s *shell) fail(at int, text, hint string) error { return failAt(s.text, at, text, hint) }

// failAt is the error at an offset of source, whose column is in characters.
func failAt(source string, at int, text, hint string) error {
	before := source[:min(at, len(source))]
	start := strings.LastIndexByte(before, '\n') + 1
	return &Error{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[start:]) + 1, Text: text, Hint: hint}
}

func (s *shell) add(text string) {
	if !s.open {
		s.open, s.start = true, s.at
	}
	s.word.WriteString(text)
}

func (s *shell) endWord() {
	if s.open {
		s.current = append(s.current, shellWord{s.word.String(), s.start})
		s.word.Reset()
		s.open = false
	}
}

func (s *shell) endCommand() {
	s.endWord()
	if len(s.current) > 0 {
		s.commands = append(s.commands, s.current)
		s.current = nil
	}
}

// next takes in what begins here.
func (s *shell) next() error {
	rest := s.text[s.at:]
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\r':
		s.endWord()
		s.at++
	case c == '\n' || c == ';':
		s.endCommand()
		s.at++
	case strings.HasPrefix(rest, "&&"):
		s.endCommand()
		s.at += 2
	case c == '#' && !s.open:
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.at += n
	case strings.HasPrefix(rest, "\\\n"):
		s.at += 2
	case strings.HasPrefix(rest, "\\\r\n"):
		s.at += 3
	case c == '\\' && len(rest) > 1:
		_, n := utf8.DecodeRuneInString(rest[1:])
		s.add(rest[1 : 1+n])
		s.at += 1 + n
	case c == '\'':
		n := strings.IndexByte(rest[1:], '\'')
		if n < 0 {
			return s.fail(s.at, "this quote is not closed", "")
		}
		s.add(rest[1 : 1+n])
		s.at += n + 2
	case c == '"':
		return s.double(s.at + 1)
	case strings.HasPrefix(rest, `$"`):
		return s.double(s.at + 2)
	case strings.HasPrefix(rest, "$'"):
		return s.ansi()
	case c == '$' && len(rest) > 1 && isExpansion(rest[1]), c == '`':
		return s.fail(s.at, "a variable, or the output of a command, which import looks up nowhere", "write the value in its place")
	case strings.IndexByte("|<>&()", c) >= 0:
		return s.fail(s.at, fmt.Sprintf("%q: only curl commands are read, and no pipes or files", c), "for a binary body: devhook export --format ndjson or har")
	case c == '^' && (s.word.Len() == 0 || strings.HasPrefix(rest, "^\n") || strings.HasPrefix(rest, "^\r")):
		return errCmd{s.fail(s.at, "this is written for Windows' cmd", `copy it "as cURL (bash)"`)}
	default:
		_, n := utf8.DecodeRuneInString(rest)
		s.add(rest[:n])
		s.at += n
	}
	return nil
}

func isExpansion(c byte) bool {
	return c == '{' || c == '(' || c == '_' || c == '?' || c == '!' || c == '@' || c == '*' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// double takes in what stands between double quotes, from i on.
func (s *shell) double(i int) error {
	s.add("")
	for ; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return nil
		case c == '\\' && i+1 < len(s.text) && s.text[i+1] == '\n':
			i++
		case c == '\\' && i+1 < len(s.text) && strings.IndexByte("\\\"$`", s.text[i+1]) >= 0:
			i++
			s.word.WriteByte(s.text[i])
		case c == '`' || c == '$' && i+1 < len(s.text) && isExpansion(s.text[i+1]):
			return s.fail(i, "a variable, or the output of a command, which import looks up nowhere", "write the value in its place, or use single quotes")
		default:
			s.word.WriteByte(c)
		}
	}
	return s.fail(s.at, "this quote is not closed", "")
}

var ansiEscapes = map[byte]string{
	'a': "\a", 'b': "\b", 'e': "\x1b", 'E': "\x1b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\\': "\\", '\'': "'", '"': `"`, '?': "?",
}

// ansi takes in $'…': POSIX.1-2024 §2.2.4.
func (s *shell) ansi() error {
	s.add("")
	number := func(i, most, base int) (uint64, int) {
		end := i
		for end < len(s.text) && end-i < most {
			if _, err := strconv.ParseUint(s.text[end:end+1], base, 8); err != nil {
				break
			}
			end++
		}
		n, _ := strconv.ParseUint(s.text[i:end], base, 32)
		return n, end
	}
	for i := s.at + 2; i < len(s.text); i++ {
		c := s.text[i]
		if c == '\'' {
			s.at = i + 1
			return nil
		}
		if c != '\\' || i+1 == len(s.text) {
			s.word.WriteByte(c)
			continue
		}
		i++
		c = s.text[i]
		switch most := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; {
		case ansiEscapes[c] != "":
			s.word.WriteString(ansiEscapes[c])
		case most > 0:
			n, end := number(i+1, most, 16)
			switch {
			case end == i+1:
				s.word.WriteString(`\` + s.text[i:i+1])
			case c == 'x':
				s.word.WriteByte(byte(n))
			default:
				s.word.WriteRune(rune(min(n, utf8.MaxRune+1)))
			}
			i = end - 1
		case '0' <= c && c <= '7':
			n, end := number(i, 3, 8)
			s.word.WriteByte(byte(n))
			i = end - 1
		case c == 'c' && i+1 < len(s.text):
			i++
			s.word.WriteByte(s.text[i] & 0x1f)
		default:
			s.word.WriteString(`\` + s.text[i:i+1])
		}
	}
	return s.fail(s.at, "this quote is not closed", "")
}
