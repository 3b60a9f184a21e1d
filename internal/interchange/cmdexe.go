package interchange

import "strings"

// errCmd says that a command is written for Windows' cmd.
type errCmd struct{ error }

// cmdCommands takes text apart as cmd.exe does, and what that leaves as a program of
// Microsoft's C library takes its command line apart: browsers copy commands so, too.
// A caret takes the meaning of what is behind it; before the end of a line it joins that
// with the next, and an empty line behind it is a line break. What cmd would do with files
// and pipes is an error; variables (%NAME%) are not looked up. Of quotes and backslashes:
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
func cmdCommands(text string) ([][]shellWord, error) {
	s := &shell{text: strings.ReplaceAll(text, "\r\n", "\n")}
	var line []byte
	var from []int // where each byte of line stands
	put := func(i int) { line, from = append(line, s.text[i]), append(from, i) }
	quoted := false
	for i := 0; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '^' && !quoted && i+1 < len(s.text):
			if i++; s.text[i] != '\n' {
				put(i)
			} else if i+1 < len(s.text) && s.text[i+1] == '\n' {
				i++
				put(i)
			}
		case c == '\n', c == '&' && !quoted:
			s.arguments(line, from)
			line, from, quoted = line[:0], from[:0], false
		case !quoted && strings.IndexByte("|<>", c) >= 0:
			return nil, s.fail(i, "cmd would do something with "+string(c)+" here", "only the curl command itself is read")
		default:
			quoted = quoted != (c == '"')
			put(i)
		}
	}
	s.arguments(line, from)
	return s.commands, nil
}

// arguments adds the words of one command line.
func (s *shell) arguments(line []byte, from []int) {
	quoted := false
	for i := 0; i < len(line); {
		s.at = from[i]
		slashes := 0
		for i+slashes < len(line) && line[i+slashes] == '\\' {
			slashes++
		}
		if i += slashes; i < len(line) && line[i] == '"' {
			s.add(strings.Repeat(`\`, slashes/2))
			switch {
			case slashes%2 == 1:
				s.add(`"`)
			case quoted && i+1 < len(line) && line[i+1] == '"':
				s.add(`"`)
				i++
			default:
				quoted = !quoted
			}
			i++
			continue
		}
		if slashes > 0 {
			s.add(strings.Repeat(`\`, slashes))
			continue
		}
		if c := line[i]; !quoted && (c == ' ' || c == '\t' || c == '\n') {
			s.endWord()
		} else {
			s.add(string([]byte{c}))
		}
		i++
	}
	s.endCommand()
}
