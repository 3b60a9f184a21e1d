//go:build browser

package inspector_test

import (
	"fmt"
	"strings"
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

	// The field of a dialog that has just closed has the focus for a moment, and takes no key.
	b.press("R")
	b.wait(`document.getElementById("editor").open`)
	b.eval(`(() => { const f = document.querySelector("#editor textarea"); f.focus(); document.getElementById("editor").close(); f.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true })); })()`, nil)
	b.wait(`document.getElementById("help").open`)
	b.press("Escape")
	b.wait(`!document.querySelector("dialog[open]")`)

	// The pane is written anew behind the dialog: the button that is there now has it.
	b.eval(`document.querySelector("#pane [data-do=save]").focus()`, nil)
	b.press("Enter")
	b.wait(`document.getElementById("saver").open && document.getElementById("saver-fault").innerText.includes("provider is not known") && !document.querySelector("#saver [name=name]").value`)
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

// Who opens a webhook while what j has chosen is on its way has the focus in it: on the
// heading that was there before it would be lost.
func TestPageFocusOfWhatIsOnItsWay(t *testing.T) {
	s := newSite(t)
	s.send("/a", `{"n":1}`)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	b.wait(`document.querySelectorAll(".row").length === 1`)
	b.eval(`document.body.addEventListener("htmx:beforeSend", () => setTimeout(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }))), { once: true })`, nil)
	b.press("j")
	b.wait(`document.activeElement.matches("article[data-seq] h1")`)
}

// Who goes through the page by Tab comes by all that can be done, in the order in which it
// is seen, and by the list once, whatever is in it.
func TestPageTabOrder(t *testing.T) {
	s := newSite(t)
	for n := range 30 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/2")
	b.wait(`document.querySelector("#part-request .modes") && document.querySelector("#chart button") && document.querySelector(".family")?.innerText.includes("None")`)
	var got []string
	for range 23 {
		b.press("Tab")
		got = append(got, b.text(`((e) => e.dataset.do || e.id || e.getAttribute("aria-label") || e.innerText.slice(0, 40))(document.activeElement)`))
	}
	want := "Skip to the chosen webhook|devhook, the start|copy|Providers|help|filter|5 min|list|replay|edit|curl|diff|save|pin|mark|remove|tab-request|part-request|JSON|Text|Hex|"
	if all := strings.Join(got, "|"); !strings.HasPrefix(strings.Replace(all, "The last 5 min; choose another span", "5 min", 1), want) || strings.Count(all, "|list|") != 1 {
		t.Errorf("the order is %s", all)
	}
}

// A screen reader is told what comes, and not more often than somebody can listen.
func TestPageIsHeard(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	b.eval(`(() => { const real = window.setTimeout; window.setTimeout = (f, ms) => real(f, ms === 5000 ? 500 : ms); })()`, nil) // five seconds are long here
	b.eval(`(() => { window.said = []; new MutationObserver(() => window.said.push([performance.now(), document.getElementById("spoken").textContent])).observe(document.getElementById("spoken"), { childList: true }); })()`, nil)
	s.send("/status/500", "{}")
	b.wait(`window.said.length === 1`)
	if got := b.text(`window.said[0][1]`); got != "1 webhook, POST /status/500, failed" {
		t.Errorf("of one it is said %q", got)
	}
	for range 40 {
		s.send("/hooks", "{}")
	}
	b.wait(`document.querySelector("#r41:not(.wait)") && window.said.some(([, text]) => text.endsWith("webhooks"))`)
	if got := b.text(`window.said.every(([at], i) => !i || at - window.said[i - 1][0] > 450)`); got != "true" {
		t.Errorf("it is said too often: %s", b.text(`JSON.stringify(window.said)`))
	}
}
