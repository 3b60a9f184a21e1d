package terminal

import "fmt"

// Progress shows text on the line of the cursor, in place of what it showed
// there before; "" takes it away. It does nothing off a terminal. What is
// printed meanwhile has to take it away first.
func (t *Terminal) Progress(text string) {
	if t.width == 0 {
		return
	}
	fmt.Fprint(t.w, "\r\x1b[K"+Cut(text, t.width-1))
}

// Lasts reports whether what is printed stays on a screen, where many lines
// would be in the way.
func (t *Terminal) Lasts() bool { return t.width > 0 }
