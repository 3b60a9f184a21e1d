// Package terminal turns what happens into what a person reads: one line an
// exchange, and blocks of words around them. It is the only place with
// colours. Where the lines go and when is left to others.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// A Terminal is a place where a person reads. Make one with [New]. Exchanges
// are for one goroutine to write; all else is safe for concurrent use.
type Terminal struct {
	w     io.Writer
	width int // columns; 0 if lines have no end
	style styles

	// The widest that was shown in a column, so that columns stay in line.
	provider, event int
	elsewhere       bool // an exchange was written that did not arrive
	dated           bool // a line of a list has had its date

	mu  sync.Mutex // guards err
	err error      // the first that w had
}

type styles struct{ ok, bad, warn, dim, bold func(s string) string }

// Color is when to use colour.
type Color string

// The choices of a [Color].
const (
	Auto   Color = "auto"
	Always Color = "always"
	Never  Color = "never"
)

// New returns the Terminal that w is. Colour is decided by, first of all,
// NO_COLOR, then c, CLICOLOR_FORCE, TERM=dumb, and whether w is a terminal.
func New(w io.Writer, c Color, getenv func(string) string) *Terminal {
	t := &Terminal{w: w}
	f, _ := w.(*os.File)
	isTerminal := IsTerminal(w) && readsSequences(f)
	if isTerminal {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			t.width = columns
		}
	}
	on := false
	switch {
	case getenv("NO_COLOR") != "":
	case c == Always || c == Never:
		on = c == Always
	case force(getenv("CLICOLOR_FORCE")):
		on = true
	case getenv("TERM") == "dumb":
	default:
		on = isTerminal
	}
	t.style = styles{
		ok: paint(on, color.FgGreen), bad: paint(on, color.FgRed, color.Bold), warn: paint(on, color.FgYellow),
		dim: paint(on, color.Faint), bold: paint(on, color.Bold),
	}
	return t
}

var plainStyle = styles{paint(false), paint(false), paint(false), paint(false), paint(false)}

func force(v string) bool { return v != "" && v != "0" }

func paint(on bool, attributes ...color.Attribute) func(s string) string {
	if !on {
		return func(s string) string { return s }
	}
	c := color.New(attributes...)
	c.EnableColor()
	return func(s string) string { return c.Sprint(s) }
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ErrInterrupted means that the user pressed Ctrl-C in place of an answer.
var ErrInterrupted = errors.New("interrupted")

// ReadSecret asks for a secret at the terminal in, which does not show what is
// typed. After Ctrl-C the error is [ErrInterrupted], and the terminal shows
// again what is typed.
func (t *Terminal) ReadSecret(in *os.File, label string) (string, error) {
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	defer signal.Stop(interrupt)
	type answer struct {
		text []byte
		err  error
	}
	typed := make(chan answer, 1)
	t.write(Safe(label) + ": ")
	go func() { // after Ctrl-C it waits until the program ends
		text, err := term.ReadPassword(fd)
		typed <- answer{text, err}
	}()
	select {
	case a := <-typed:
		t.write("\n")
		return strings.TrimSpace(string(a.text)), a.err
	case <-interrupt:
		t.write("\n")
		return "", errors.Join(ErrInterrupted, term.Restore(fd, before))
	}
}

// Printf writes a line of devhook's own words; outside text in it must have
// gone through [Safe].
func (t *Terminal) Printf(format string, a ...any) { t.write(fmt.Sprintf(format+"\n", a...)) }

func (t *Terminal) write(s string) {
	if _, err := io.WriteString(t.w, s); err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.err == nil {
			t.err = err
		}
	}
}

// Err returns the first error of writing to the terminal, or nil. Nothing else
// tells of it: what was to be read there is lost.
func (t *Terminal) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Row writes a name and a text beside it, which goes on under its own start
// where the terminal ends.
func (t *Terminal) Row(name, text string) {
	const column = 13
	t.Hanging(fmt.Sprintf("  %-*s", column-2, name), column, text)
}

// Hanging writes text behind head, which takes so many columns, and goes on
// under its own start where the terminal ends.
func (t *Terminal) Hanging(head string, columns int, text string) {
	t.Printf("%s", head+strings.Join(t.wrap(text, columns), "\n"+strings.Repeat(" ", columns)))
}

// Paragraph writes text, indented by so many columns, in as many lines as it
// takes.
func (t *Terminal) Paragraph(indent int, text string) {
	margin := strings.Repeat(" ", indent)
	t.Printf("%s", margin+strings.Join(t.wrap(text, indent), "\n"+margin))
}

// Item writes text as one of a list, in as many lines as it takes.
func (t *Terminal) Item(text string) {
	t.Printf("%s", "  - "+strings.Join(t.wrap(text, 4), "\n    "))
}

// Beside writes text behind head, or, where the terminal ends before that, under it
// in as many lines as it takes.
func (t *Terminal) Beside(head, text string) {
	if t.width == 0 || Columns(head)+1+Columns(text) <= t.width {
		t.Printf("%s", strings.TrimRight(head+" "+text, " "))
		return
	}
	t.Printf("%s", strings.TrimRight(head, " "))
	t.Paragraph(4, text)
}

// Room returns how many columns are left beside so many, which is all of most
// where lines have no end, and least at least.
func (t *Terminal) Room(beside, least, most int) int {
	if t.width == 0 {
		return most
	}
	return min(most, max(least, t.width-beside))
}

// wrap breaks text to fit behind a margin.
func (t *Terminal) wrap(text string, margin int) []string {
	if t.width == 0 {
		return []string{text}
	}
	return Wrap(text, t.width-margin)
}

// Bold, Dim, Good, Warn and Bad return s in a style that does not carry its
// meaning alone.
func (t *Terminal) Bold(s string) string { return t.style.bold(s) }

// Dim returns s in a style for what matters less.
func (t *Terminal) Dim(s string) string { return t.style.dim(s) }

// Good returns s in the style of what went right.
func (t *Terminal) Good(s string) string { return t.style.ok(s) }

// Warn returns s in the style of what should be looked at.
func (t *Terminal) Warn(s string) string { return t.style.warn(s) }

// Bad returns s in the style of what went wrong.
func (t *Terminal) Bad(s string) string { return t.style.bad(s) }

// Error writes err as errors are written: what, and then what to do.
func (t *Terminal) Error(text, hint string) {
	t.told(t.style.bad, "devhook: error:", Safe(text))
	if hint != "" {
		t.Hint(hint)
	}
}

// Hint writes what may be done, where nothing went wrong or that was said.
func (t *Terminal) Hint(text string) { t.told(t.style.warn, "devhook: hint:", Safe(text)) }

// Warning writes what should be looked at, where the work goes on.
func (t *Terminal) Warning(text string) { t.told(t.style.warn, "devhook: warning:", Safe(text)) }

// told writes text behind its mark, in as many lines as it takes. They are not
// indented, so that what is copied of them has no spaces in it.
func (t *Terminal) told(style func(s string) string, mark, text string) {
	lines := t.wrap(mark+" "+text, 0)
	if rest, whole := strings.CutPrefix(lines[0], mark); whole {
		lines[0] = style(mark) + rest
	}
	t.Printf("%s", strings.Join(lines, "\n"))
}
