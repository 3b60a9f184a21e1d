package tunnel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTidy(t *testing.T) {
	s := newScrubber("tok_en", "pa ss/w@rd", "")
	tests := []struct{ name, in, want string }{
		{"plain", "as it is", "as it is"},
		{"lines", " a\r\n\tb \v\f c\u2028d\n", "a b c d"},
		{"escapes", "\x1b[2J\x1b]0;x\x07\u009b31mred\x00\x7f", "[2J]0;x31mred"},
		{"marks that reorder", "a\u202eb\u2066c\ufeffd", "abcd"},
		{"not UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"a secret", "xtok_enx tok_en", "x[hidden]x [hidden]"},
		{"a secret, coded", "pa+ss%2Fw%40rd pa%20ss%2Fw@rd cGEgc3Mvd0ByZA==", "[hidden] [hidden] [hidden]"},
		{"a secret with something in it", "tok\x00_en to\u200dk_en", "[hidden] [hidden]"},
	}
	for _, test := range tests {
		if got := s.tidy(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := s.tidy(strings.Repeat("ä", 1000)); !utf8.ValidString(got) || len(got) > maxText+len("…") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestMessage(t *testing.T) {
	s := newScrubber("tok_en")
	tests := []struct{ name, in, want string }{
		{"one sentence", "Nothing works.", "nothing works"},
		{"the code", "Nothing works.\r\n\r\nERR_NGROK_12\r\n", "nothing works"},
		{"the address of its page", "Stopped.\n\nhttps://ngrok.com/docs/errors/err_ngrok_12", "stopped"},
		{"advice", "The account 'a b' has no right to this at all, not even on Sundays. Buy more. And more.", "the account 'a b' has no right to this at all, not even on Sundays"},
		{"advice in a paragraph of its own", "It needs an account.\r\n\r\nSign up: https://a\nInstall your authtoken: https://b\r\n\r\nERR_NGROK_1", "it needs an account"},
		{"a paragraph that announces another", "These are wrong:\n \na.\n\nb.", "these are wrong: a. b"},
		{"short sentences", "No. Never. Not here.", "no. Never. Not here"},
		{"an abbreviation", "API keys do not work here.", "API keys do not work here"},
		{"the authtoken", "It is invalid.\nYour authtoken: tok_en\nThis happens", "it is invalid"},
		{"the authtoken first", "tok_en is no authtoken", "[hidden] is no authtoken"},
		{"a version", "Your agent version \"1.2.3\" is too old. Update.", "your agent version \"1.2.3\" is too old. Update"},
		{"nothing", " \r\n", ""},
		{"only the code", "ERR_NGROK_1", ""},
	}
	for _, test := range tests {
		if got := s.message(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestServiceError(t *testing.T) {
	tests := []struct {
		name string
		err  error
		code string
		ok   bool
	}{
		{"none of the service", errors.New("EOF"), "", false},
		{"a code in the text", errors.New("a\n\nERR_NGROK_334\n"), "ERR_NGROK_334", true},
		{"a code of words", fmt.Errorf("x: %w", errors.New("ERR_NGROK_AGENT_NOT_FOUND.")), "ERR_NGROK_AGENT_NOT_FOUND", true},
		{"a code of its own", coded{"ERR_NGROK_1"}, "ERR_NGROK_1", true},
		{"a code that is none", coded{"ERR_NGROK_1\x1b[1m"}, "", true},
		{"no code", coded{""}, "", true},
	}
	for _, test := range tests {
		if _, code, ok := serviceError(test.err); code != test.code || ok != test.ok {
			t.Errorf("%s: %q, %v; want %q, %v", test.name, code, ok, test.code, test.ok)
		}
	}
}

type coded struct{ code string }

func (coded) Error() string  { return "text" }
func (c coded) Code() string { return c.code }

func TestHints(t *testing.T) {
	for code := range hints {
		if code != codePattern.FindString(code) {
			t.Errorf("%q is no code", code)
		}
		if h := hintFor(code); h == "" || h != printable(h) || strings.HasSuffix(h, ".") {
			t.Errorf("%s: hint %q", code, h)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("The authtoken.\nYour authtoken: tok_en\n\nERR_NGROK_1\n")
	f.Add("\x1b[1m a. b. tok\x00_en \xff")
	s := newScrubber("tok_en")
	f.Fuzz(func(t *testing.T, text string) {
		for _, got := range []string{s.tidy(text), s.message(text)} {
			switch {
			case strings.Contains(got, "tok_en"):
				t.Errorf("the secret is in %q", got)
			case got != printable(got):
				t.Errorf("not printable: %q", got)
			case len(got) > maxText+len("…"):
				t.Errorf("%d bytes", len(got))
			}
		}
	})
}

func TestCause(t *testing.T) {
	for in, want := range map[string]string{
		"read EOF from remote peer":                             "the other side closed it",
		"failed to send authentication request: session closed": "it was closed",
		"something else":                                        "something else",
	} {
		if got := cause(errors.New(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What the system says of a connection stands as it is, whatever is in it.
func TestPercentInACause(t *testing.T) {
	c := &config{address: "service:443", scrubber: newScrubber()}
	const says = "no route to fe80::1%eth0"
	if e, _ := c.translate(&dialError{errors.New(says)}); e.Text != "cannot connect to service:443: dial: "+says {
		t.Errorf("%q", e.Text)
	}
}
