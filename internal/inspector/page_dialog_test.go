//go:build browser

package inspector_test

import (
	"fmt"
	"testing"
)

// From each dialog the focus goes back to what opened it, however it was opened and
// however it was closed.
func TestPageFocusComesBack(t *testing.T) {
	s := newSite(t)
	for n := range 3 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/2")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "2" && document.querySelector(".family")?.innerText.includes("None")`)
	const at = `(document.activeElement.dataset.do || document.activeElement.id || document.activeElement.tagName)`
	shut := map[string]func(){
		"Esc":    func() { b.press("Escape") },
		"button": func() { b.click("dialog[open] [data-do=shut]") },
	}
	for _, c := range []struct{ do, dialog, key string }{
		{"edit", "editor", "R"}, {"save", "saver", "s"}, {"remove", "remover", "x"}, {"help", "help", "?"},
	} {
		for name, close := range shut {
			for _, from := range []string{"button", "list"} {
				if from == "list" && name != "Esc" {
					continue
				}
				want := c.do
				if from == "list" {
					want = "list"
					b.eval(`document.getElementById("list").focus()`, nil)
					b.press(c.key)
				} else {
					b.eval(fmt.Sprintf(`document.querySelector("button[data-do=%s]").focus()`, c.do), nil)
					b.press("Enter")
				}
				b.wait(`document.getElementById("` + c.dialog + `").open && document.querySelector("dialog[open]").contains(document.activeElement)`)
				close()
				b.wait(`!document.querySelector("dialog[open]")`)
				b.eval(`new Promise((done) => setTimeout(done, 50))`, nil) // it has closed, and told so
				if got := b.text(at); got != want {
					t.Errorf("%s, opened from the %s and closed by %s: the focus is at %s", c.dialog, from, name, got)
				}
			}
		}
	}

	// The pane is written anew behind the dialog: the button that is there now has it.
	b.eval(`document.querySelector("#pane [data-do=save]").focus()`, nil)
	b.press("Enter")
	b.wait(`document.getElementById("saver").open`)
	b.eval(`(window.old = document.querySelector("#pane [data-do=save]"), htmx.ajax("GET", location.pathname, { target: "#pane", source: "#pane" }))`, nil)
	b.wait(`!window.old.isConnected`)
	b.press("Escape")
	b.wait(at + ` === "save" && document.activeElement.isConnected`)

	// What takes a moment and shows no dialog keeps it, too.
	b.eval(`document.querySelector("#pane [data-do=replay]").focus()`, nil)
	b.press("Enter")
	b.wait(`document.querySelector(".toast.good")`)
	b.wait(at + ` === "replay"`)
}
