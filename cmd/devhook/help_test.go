package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// Help fits into a terminal of 80 columns, has every flag that is not hidden,
// and an example of each command that has flags.
func TestHelp(t *testing.T) {
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	app := p.app()
	texts := map[string]string{"": appHelp(app, helpWidth)}
	var walk func(name string, list []*cli.Command)
	walk = func(name string, list []*cli.Command) {
		for _, c := range list {
			if c.Hidden {
				continue
			}
			full := strings.TrimSpace(name + " " + c.Name)
			help := commandHelp(c, full, helpWidth)
			texts[full] = help
			if name == "" && !strings.Contains(texts[""], "\n  "+c.Name+" ") {
				t.Errorf("devhook help does not list %s", c.Name)
			}
			const anyway = 2 // in the title, and in the line of usage
			if len(c.Flags) > 0 && strings.Count(help, "devhook "+full) == anyway {
				t.Errorf("%s has no example", full)
			}
			for _, f := range c.Flags {
				if !strings.Contains(help, "-"+f.Names()[0]) {
					t.Errorf("the help of %s does not have %s", full, f.Names()[0])
				}
				for _, width := range []int{50, 60} {
					for line := range strings.SplitSeq(flagHelp(f, width), "\n") {
						if utf8.RuneCountInString(line) > width && len(strings.Fields(line)) > 1 {
							t.Errorf("the help of %s: more than %d columns: %s", full, width, line)
						}
					}
				}
			}
			walk(full, c.Subcommands)
		}
	}
	walk("", app.Commands)
	for _, topic := range topics {
		texts[topic.name] = topic.text
	}
	for name, text := range texts {
		for line := range strings.SplitSeq(text, "\n") {
			if utf8.RuneCountInString(line) > helpWidth {
				t.Errorf("help %s: more than %d columns: %s", name, helpWidth, line)
			}
		}
	}
}

// Flags stand under the headings of their command, with what holds where they
// are not given.
func TestHelpOfFlags(t *testing.T) {
	var b bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &b, stderr: io.Discard, getenv: func(string) string { return "" }}
	for _, of := range []struct{ command, has string }{
		{"up", "\n\nThe app:\n  -f, --forward APP "},
		{"up", "\n\nOther flags:\n      --config FILE "},
		{"up", "how LONG an app may take to answer (default: 30s)\n"},
		{"list", "the newest N; 0 is all (default: 50)\n"},
		{"list", "\n\nFlags:\n"},
		{"replay", "\n\nHow it is signed:\n      --sign WHEN "},
		{"register", "\n\ngithub:\n      --repo OWNER/NAME "},
		{"register", "(default: GITHUB_WEBHOOK_SECRET, else one is made\n"},
	} {
		b.Reset()
		if code := p.run([]string{"devhook", of.command, "--help"}); code != 0 || !strings.Contains(b.String(), of.has) {
			t.Errorf("%s --help: exit code %d, and not %q in\n%s", of.command, code, of.has, b.String())
		}
	}
}

// Help on filters has all keys that there are, and all words of those that have few.
func TestHelpOnFilters(t *testing.T) {
	var b bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &b, stderr: io.Discard, getenv: func(string) string { return "" }}
	if code := p.run([]string{"devhook", "help", "filters"}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	keys, values := recorder.FilterKeys()
	for _, key := range keys {
		if !strings.Contains(b.String(), " "+key+":") {
			t.Errorf("%s: is not in it", key)
		}
		for _, value := range values[key] {
			if key != "reason" && value != "false" && !strings.Contains(b.String(), value) {
				t.Errorf("%s:%s is not in it", key, value)
			}
		}
	}
}

// What other tools call it leads to what it is here, which is there.
func TestElsewhere(t *testing.T) {
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	app := p.app()
	for word, here := range commandElsewhere {
		if app.Command(here) == nil {
			t.Errorf("%s is told to be %s, and there is no such command", word, here)
		}
		if app.Command(word) != nil {
			t.Errorf("%s is a command, and told to be another", word)
		}
	}
	flags := map[string]bool{}
	for _, c := range app.Commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				flags[name] = true
			}
		}
	}
	for word, list := range flagElsewhere {
		for _, here := range list {
			if name, _, _ := strings.Cut(here, " "); !flags[name] {
				t.Errorf("--%s is told to be --%s, and no command has it", word, here)
			}
		}
	}
	for typed, want := range map[string]string{
		"ls": `unknown command "ls" (near: list)`, "lst": "(near: list)", "up --port 3000": "unknown flag --port (near: --forward)",
		"list --limit 5": "(near: -n)", "replay last -n 3": "(near: --repeat)", "list --nn": "(near: -n", "list -5": "unknown flag -5 (near: -n 5)", "up --forwrd :1": "(near: --forward)",
	} {
		var errs bytes.Buffer
		p.stderr = &errs
		if code := p.run(append([]string{"devhook"}, strings.Fields(typed)...)); code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit code %d, %q, want %q", typed, code, errs.String(), want)
		}
	}
}
