//go:build browser

package inspector_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

const rowNumbers = `[...document.querySelectorAll("#list .row")].map((r) => r.dataset.seq).join()`

// has asks devhook's own API for the status of a recording.
func (s *site) has(seq int) int {
	s.t.Helper()
	resp, err := http.Get(fmt.Sprintf("%s/devhook/v1/exchanges/%d", s.inspect, seq))
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// What is pinned shows it in its row and its pane, at once and after it was read anew;
// nothing else of the pane moves.
func TestPagePins(t *testing.T) {
	s := newSite(t)
	for n := range 3 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	const mark, button = `!!document.querySelector("#r2 .tag.pinned")`, `document.querySelector("#pane [data-do=pin]").innerText`
	b.press("j", "j")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "2"`)
	if got := b.text(button); !strings.HasPrefix(got, "Pin") {
		t.Errorf("the button says %q", got)
	}
	b.press("2")
	b.press("p")
	b.wait(mark + ` && ` + button + `.startsWith("Unpin") && document.querySelector("#pane .under").innerText.includes("pinned")`)
	b.wait(`document.querySelector(".toast").innerText.includes("#2 is pinned")`)
	if hidden := b.text(`document.getElementById("part-response").hidden`); hidden != "false" {
		t.Error("the tab that was open is no longer")
	}
	b.press("x") // is not asked about
	b.wait(`document.querySelector(".toast.fail")?.innerText.includes("Unpin it first")`)
	if open := b.text(`document.getElementById("remover").open`); open != "false" {
		t.Error("it asks whether to delete what is pinned")
	}

	b.fill("#filter", "pinned:true")
	b.wait(rowNumbers + ` === "2"`)
	b.open(s.inspect + "/x/2?filter=pinned%3Atrue") // as the server writes it
	b.wait(mark + ` && ` + button + `.startsWith("Unpin")`)
	b.click("#pane [data-do=pin]")
	b.wait(rowNumbers + ` === "" && ` + button + `.startsWith("Pin")`)
	b.fill("#filter", "")
	b.wait(rowNumbers + ` === "3,2,1" && !` + mark)

	b.press("Escape", "g")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "3"`)
	b.press("j", "p") // before the pane has come: the row is meant
	b.wait(mark + ` && !document.querySelector("#r3 .tag.pinned")`)
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "2"`)
}

// One is deleted after a question on the page itself, which Enter does not answer by
// accident; the next one is shown then.
func TestPageDeletes(t *testing.T) {
	s := newSite(t)
	for n := range 4 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 900)
	b.allow("409 (Conflict)") // what was pinned elsewhere
	b.open(s.inspect + "/")
	at := func(seq int) {
		t.Helper()
		b.wait(fmt.Sprintf(`document.querySelector("#r%d")?.getAttribute("aria-selected") === "true" && document.querySelector("#pane article")?.dataset.seq === "%d" && !document.getElementById("remover").open && !document.querySelector(".family").innerText.includes("Looking")`, seq, seq))
	}
	asks := func(seq int) {
		t.Helper()
		b.wait(fmt.Sprintf(`document.getElementById("remover").open && document.getElementById("remover-what").innerText.startsWith("#%d POST /hooks ") && document.activeElement.innerText === "Cancel"`, seq))
	}
	b.press("j", "j")
	at(3)
	b.press("x")
	asks(3)
	b.press("Escape")
	at(3)
	b.press("Delete")
	asks(3)
	b.press("Enter") // is on Cancel
	at(3)
	if got := s.has(3); got != 200 {
		t.Fatalf("it is gone before it was to be: %d", got)
	}
	b.press("x")
	asks(3)
	b.press("Tab", "Enter")
	at(2)
	b.wait(rowNumbers + ` === "4,2,1" && document.getElementById("count").innerText === "3" && document.querySelector(".toast.good").innerText.includes("#3 is deleted")`)
	if got := s.has(3); got != 404 {
		t.Errorf("the store says %d of it", got)
	}

	b.press("x")
	asks(2)
	req, err := http.NewRequest("PUT", s.inspect+"/devhook/v1/exchanges/2/pin", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	b.click("#remover .danger")
	b.wait(`document.getElementById("remover-fault").innerText.includes("#2 is pinned; unpin it first")`)
	b.press("Escape")
	at(2)

	b.press("j")
	at(1)
	b.click("#pane [data-do=remove]")
	asks(1)
	b.eval(`(() => { const real = window.fetch; window.fetch = (...a) => new Promise((go) => a[1]?.method === "DELETE" ? window.goOn = go : go()).then(() => real(...a)); })()`, nil) // as of a large store
	b.click("#remover .danger")
	b.wait(`document.getElementById("remover-fault").innerText.startsWith("Deleting")`)
	b.eval(`window.goOn()`, nil)
	at(2) // there is none that is older
	b.wait(rowNumbers + ` === "4,2"`)
	s.send("/hooks", `{"new":true}`) // and what comes is still on the page
	b.wait(rowNumbers + `.endsWith(",4,2")`)
}

// run runs a command of devhook on the same store, as a process of its own.
func (s *site) run(args ...string) {
	s.t.Helper()
	cmd := exec.Command(devhook, args...)
	cmd.Dir, cmd.Env = s.dir, s.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("devhook %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// What another process pins and removes is so on a page that is open, without a reload,
// and the page stays where it is.
func TestPageSeesOthersPinAndDelete(t *testing.T) {
	s := newSite(t)
	for n := range 30 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 500)
	b.open(s.inspect + "/x/12")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "12"`)
	b.press("2")
	b.eval(`document.getElementById("scroller").scrollTop = 16 * 58`, nil)
	b.wait(`document.getElementById("r12")`)
	s.run("pin", "12")
	b.wait(`document.querySelector("#r12 .tag.pinned") && document.querySelector("#pane article").dataset.pinned !== undefined`)
	if hidden := b.text(`document.getElementById("part-response").hidden`); hidden != "false" {
		t.Error("the tab that was open is no longer")
	}
	s.run("unpin", "12")
	b.wait(`!document.querySelector("#r12 .tag.pinned") && document.querySelector("#pane article").dataset.pinned === undefined`)

	s.run("prune", "seq:5,11,29")
	b.wait(`!document.getElementById("r11") && document.getElementById("count").innerText === "27"`)
	if top := b.text(`document.getElementById("scroller").scrollTop > 10 * 58`); top != "true" {
		t.Error("the list has jumped to its top")
	}
	if lost := b.text(`document.querySelectorAll(".lost").length`); lost != "0" {
		t.Error("what is there is said to be deleted")
	}
	s.run("prune", "seq:12")
	b.wait(`document.querySelector("#pane .lost") && document.querySelector("#pane [data-do=replay]").disabled && !document.getElementById("r12")`)
	s.send("/hooks/after", "{}")
	b.press("g")
	b.wait(`document.querySelector("#list .row[aria-posinset='1'] .nm").innerText === "POST /hooks/after" && document.getElementById("count").innerText === "27"`)
	b.wait(`!document.getElementById("r29") && document.getElementById("r28")`)

	b.fill("#filter", "pinned:true")
	b.wait(rowNumbers + ` === ""`)
	s.run("pin", "7")
	b.wait(rowNumbers + ` === "7"`)
	s.run("unpin", "7")
	b.wait(rowNumbers + ` === ""`)
}

// A word that looks like a key and is none is looked for, and the page says so.
func TestPageNotesOfAFilter(t *testing.T) {
	s := newSite(t)
	s.send("/hooks", `{"urn":"order:7"}`)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/?filter=order%3A7")
	const note = `document.getElementById("note").innerText`
	b.wait(note + `.startsWith("order: is no key") && ` + rowNumbers + ` === "1"`)
	b.fill("#filter", "status:200")
	b.wait(note + ` === "" && ` + rowNumbers + ` === "1"`)
	b.fill("#filter", "order:<b>ü")
	b.wait(note + `.includes("\"order:<b>ü\"") && document.querySelectorAll("#note *").length === 0 && ` + rowNumbers + ` === ""`)
}
