//go:build browser

package inspector_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A webhook is on the page soon after it is on disk: when it has arrived, and again
// when it is done. How soon is measured from when its sender has the answer, which is
// after the disk.
func TestPageIsLive(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	if got := b.text(`document.querySelector("#pane h1").innerText`); got != "Waiting for the first webhook" {
		t.Errorf("an empty page says %q", got)
	}
	b.eval(`(() => {
		window.came = {};
		new MutationObserver(() => { for (const r of document.querySelectorAll("#list .row:not(.wait)")) window.came[r.dataset.seq] ??= Date.now(); }).observe(document.getElementById("list"), { childList: true, subtree: true });
	})()`, nil)
	var late []time.Duration
	for n := range 15 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
		at := time.Now()
		b.wait(fmt.Sprintf(`window.came[%d]`, n+1))
		var ms float64
		b.eval(fmt.Sprintf(`window.came[%d]`, n+1), &ms)
		late = append(late, time.UnixMilli(int64(ms)).Sub(at))
	}
	slices.Sort(late)
	t.Logf("from the answer to the page: median %v, slowest %v", late[len(late)/2], late[len(late)-1])
	if median := late[len(late)/2]; median > 2*time.Second {
		t.Errorf("a webhook takes %v to be on the page", median)
	}
	b.wait(`document.querySelector("#chart figcaption").innerText.startsWith("15 webhooks")`)

	// What comes while somebody reads further down moves nothing.
	for n := range 30 {
		s.send("/hooks", fmt.Sprintf(`{"more":%d}`, n))
	}
	b.wait(`document.querySelector("#r45")`)
	b.eval(`document.getElementById("scroller").scrollTop = 900`, nil)
	b.wait(`document.querySelector("#r28")`)
	const where = `Math.round(document.querySelector("#r28").getBoundingClientRect().top)`
	before := b.text(where)
	s.send("/hooks", `{"new":true}`)
	b.wait(`!document.getElementById("fresh").hidden`)
	if after := b.text(where); after != before {
		t.Errorf("the rows have moved from %s to %s", before, after)
	}
	if got := b.text(`document.getElementById("fresh").innerText`); got != "↑ 1 new" {
		t.Errorf("what is new: %q", got)
	}
	b.click("#fresh")
	b.wait(`document.querySelector("#r46") && document.getElementById("scroller").scrollTop === 0 && document.getElementById("fresh").hidden`)

	// Who is in another zone is told which one times are of.
	if got := b.text(`document.getElementById("zone").hidden`); got != "true" {
		t.Error("the zone is told to who is in it")
	}
	command(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"})
	b.open(s.inspect + "/")
	b.wait(`document.getElementById("zone").innerText.startsWith("times in ")`)
}

// The start waits for the first webhook until it is there, and names what fails while it is
// open. Who was in it by keyboard stays in it.
func TestPageStartIsLive(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	b.wait(`document.querySelector("#pane h1").innerText === "Waiting for the first webhook"`)
	b.eval(`document.querySelector("#pane [data-do=trigger]").focus()`, nil)
	s.send("/hooks", `{"n":1}`)
	b.wait(`document.activeElement.matches("#pane h1") && document.activeElement.innerText === "Choose a webhook"`)
	s.send("/status/500", `{"n":2}`)
	b.wait(`document.querySelector("#pane .kin")?.innerText.includes("/status/500")`)
	b.eval(`document.querySelector("#pane .kin a").focus()`, nil)
	s.send("/status/500", `{"n":3}`)
	b.wait(`document.querySelectorAll("#pane .kin a").length === 2`)
	if at := b.text(`document.activeElement.id`); at != "kin2" {
		t.Errorf("who was at a failure by keyboard is at %q when another comes", at)
	}
}

// The page of a provider has its newest while it is open, and none of another.
func TestPageOfAProviderIsLive(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/providers/tiktok")
	b.wait(`document.getElementById("live").dataset.state === "live"`)
	s.send("/hooks", `{"n":1}`)
	s.trigger("tiktok/video.upload.failed")
	b.wait(`document.querySelector("#pane .kin")?.innerText.includes("video.upload.failed")`)
	b.eval(`document.querySelector("#pane .kin a").focus()`, nil)
	s.trigger("tiktok/video.publish.completed")
	b.wait(`document.querySelectorAll("#pane .kin a").length === 2`)
	if at := b.text(`document.activeElement.innerText`); !strings.Contains(at, "video.upload.failed") {
		t.Errorf("who was at a webhook by keyboard is at %q when another comes", at)
	}
}

// A browser has six connections of one host: seven windows that are seen side by side work
// all the same, and each is told what comes.
func TestPageInSevenWindows(t *testing.T) {
	s := newSite(t)
	var windows []*tab
	for n := range 7 {
		b := newTab(t, s, 1000, 700)
		b.open(s.inspect + "/")
		b.wait(`!document.hidden && document.getElementById("live").dataset.state === "live"`)
		windows = append(windows, b)
		s.send("/hooks", fmt.Sprint(n))
	}
	for n, b := range windows {
		b.wait(`document.querySelector("#r7") && document.querySelector("#r1")`)
		b.click("#r" + fmt.Sprint(n+1))
		b.wait(fmt.Sprintf(`document.querySelector("#pane article")?.dataset.seq === "%d"`, n+1))
	}
}

// What failed of many, and the button for another span, are seen on a narrow screen, too.
func TestPageChartIsNarrow(t *testing.T) {
	s := newSite(t)
	for n := range 120 {
		s.send("/status/500", fmt.Sprint(n))
	}
	b := newTab(t, s, 320, 700)
	b.open(s.inspect + "/")
	b.wait(`document.querySelector("#chart figcaption b")?.innerText.includes("120 failed")`)
	if got := b.text(`[...document.querySelectorAll("#chart figcaption :is(b, button)")].map((e) => e.getBoundingClientRect().right <= innerWidth - 12).join()`); got != "true,true" {
		t.Errorf("what failed, and the button, are in sight: %s", got)
	}
}

// On a narrow screen the list is alone, and has a heading of its own.
func TestPageHasOneHeading(t *testing.T) {
	s := newSite(t)
	s.send("/hooks", `{"n":1}`)
	b := newTab(t, s, 1440, 900)
	for width, headings := range map[int64][2]string{360: {"Webhooks", "POST /hooks"}, 899: {"Webhooks", "POST /hooks"}, 900: {"Choose a webhook", "POST /hooks"}} {
		b.size(width, 900)
		for i, path := range []string{"/", "/x/1"} {
			b.open(s.inspect + path)
			if got := b.text(`[...document.querySelectorAll("h1")].filter((h) => h.checkVisibility()).map((h) => h.innerText.trim()).join("; ")`); got != headings[i] {
				t.Errorf("%s at %d px has the headings %q, want %q", path, width, got, headings[i])
			}
		}
	}
}

// A webhook that a link opens stands still: what is behind its body comes with the body's
// view, which is of another height than the text before it.
func TestPageStandsStill(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	for i, n := range []int{3, 300, 3000} {
		s.send("/hooks", `{"items":[`+strings.Repeat(`{"name":"n","tags":["a","b"]},`, n)+`null]}`)
		b.open(fmt.Sprintf("%s/x/%d", s.inspect, i+1))
		b.wait(`getComputedStyle(document.querySelector("#part-request .body[data-shown] ~ .table")).visibility === "visible"`)
		var jumped float64
		b.eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
			const seen = new PerformanceObserver(() => {});
			seen.observe({ type: "layout-shift", buffered: true });
			done(seen.takeRecords().reduce((sum, e) => sum + e.value, 0));
		})))`, &jumped)
		if jumped > 0.01 {
			t.Errorf("with %d items the page has jumped by %.3f", n, jumped)
		}
	}
}

// A devhook that ends and comes again finds the page where it was: nothing is missing,
// nothing is there twice.
func TestPageComesBack(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.allow("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "htmx", "sseError", "sendError")
	s.send("/hooks", `{"n":1}`)
	b.open(s.inspect + "/")
	b.wait(`document.querySelector("#r1")`)
	listen, inspect := strings.TrimPrefix(s.url, "http://"), strings.TrimPrefix(s.inspect, "http://")
	s.stop()
	b.wait(`document.getElementById("live").dataset.state === "lost"`)
	if got := b.text(`document.getElementById("live").innerText`); got != "Disconnected, trying again…" {
		t.Errorf("the foot says %q", got)
	}
	s.start("127.0.0.1:0", inspect)
	b.wait(`document.querySelector("#pane .paste code").innerText === "` + s.url + `"`) // and nobody copies one that was
	s.stop()
	b.wait(`document.getElementById("live").dataset.state === "lost"`)
	b.press("j")
	b.wait(`document.querySelector(".toast.fail")?.innerText.includes("does not answer")`)
	s.start(listen, inspect)
	s.send("/hooks", `{"n":2}`)
	s.send("/hooks", `{"n":3}`)
	b.wait(`document.getElementById("live").dataset.state === "live" && document.querySelector("#r3")`)
	if got := b.text(`[...document.querySelectorAll("#list .row")].map((r) => r.dataset.seq)`); got != "3,2,1" {
		t.Errorf("the list has %s", got)
	}
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "1"`) // which was not to be had before

	// In the place of the store there is another one, with recordings of the same numbers.
	s.stop()
	s.dir = t.TempDir()
	s.start(listen, inspect)
	s.send("/other", `{}`)
	b.wait(`document.querySelector("#r1 .nm")?.innerText === "POST /other" && document.querySelector("#pane .lost") && document.querySelector("#pane [data-do=replay]").disabled`)
	if got := b.text(`document.querySelector("#r1").getAttribute("aria-selected")`); got != "false" {
		t.Error("what is shown is taken for another recording of its number")
	}
}

// Pages that were opened behind the one that is seen take none of the few connections
// that a browser has.
func TestPageBehind(t *testing.T) {
	s := newSite(t)
	s.send("/hooks", `{}`)
	b := newTab(t, s, 1440, 900)
	command(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		Object.defineProperty(document, "hidden", { get: () => !window.seen });
		window.EventSource = class extends EventSource { constructor(...how) { super(...how); window.streams = (window.streams || 0) + 1; } };
	`})
	b.do(chromedp.Navigate(s.inspect + "/"))
	b.wait(`document.documentElement.dataset.ready === "yes"`)
	s.send("/hooks", `{}`)
	if got := b.text(`window.streams`); got != "undefined" {
		t.Errorf("it has %s streams", got)
	}
	b.eval(`(() => { window.seen = true; document.dispatchEvent(new Event("visibilitychange")); })()`, nil)
	b.wait(`document.querySelector("#r2") && document.getElementById("live").dataset.state === "live" && window.streams === 1`)
}

func TestPageFilter(t *testing.T) {
	s := newSite(t)
	s.send("/status/500", `{"n":1,"user":{"id":42}}`)
	s.send("/hooks", `{"n":2}`)
	s.trigger("github/push")
	b := newTab(t, s, 1440, 900)
	b.allow("400 (Bad Request)") // the filter that is wrong
	b.open(s.inspect + "/")
	const rows = `[...document.querySelectorAll("#list .row")].map((r) => r.dataset.seq).join()`
	shows := func(want string) {
		t.Helper()
		b.wait(rows + ` === "` + want + `"`)
	}
	shows("3,2,1")
	b.press("/")
	b.wait(`document.activeElement.id === "filter"`)
	b.fill("#filter", "status:5xx")
	shows("1")
	if got := b.text(`location.search`); got != "?filter=status%3A5xx" {
		t.Errorf("the address has %q", got)
	}
	s.send("/status/503", `{}`) // the stream has the filter, too
	shows("4,1")
	s.send("/hooks", `{}`)
	s.send("/status/502", `{}`)
	shows("6,4,1")

	b.fill("#filter", "body.user.id=42")
	shows("1")
	b.fill("#filter", "method:POST stauts:500")
	b.wait(`document.querySelector("#marks mark")`)
	if got := b.text(`document.querySelector("#marks mark").textContent`); got != "stauts:500" {
		t.Errorf("marked is %q", got)
	}
	if got := b.text(`document.getElementById("fault").innerText`); !strings.Contains(got, "did you mean status:?") {
		t.Errorf("the fault is %q", got)
	}
	shows("1") // what was there stays, until the filter is right

	b.fill("#filter", "prov")
	b.wait(`!document.getElementById("words").hidden`)
	b.press("Tab")
	b.wait(`document.getElementById("filter").value === "provider:"`)
	b.fill("#filter", "provider:gith")
	b.wait(`document.querySelector("#words li")?.dataset.text === "provider:github"`)
	b.press("ArrowDown", "Enter")
	shows("3")
	b.press("Escape")
	b.wait(`document.activeElement.id === "list"`)
	b.fill("#filter", "event:nothing")
	b.wait(`document.getElementById("none").innerText.includes("Nothing matches")`)
	b.click("#none [data-do=clear]")
	shows("6,5,4,3,2,1")
	b.wait(`document.getElementById("said").innerText === ""`) // all went well

	b.open(s.inspect + "/?filter=" + url.QueryEscape("status:5xx")) // as the server writes it
	shows("6,4,1")

	b.open(s.inspect + "/?filter=" + url.QueryEscape("status:nope")) // that is wrong leaves all there, and says where
	shows("6,5,4,3,2,1")
	b.wait(`document.querySelector("#marks mark")?.textContent === "nope" && document.getElementById("live").dataset.state === "live" && location.search === "?filter=status%3Anope"`)

	b.open(s.inspect + "/?filter=" + url.QueryEscape("status:5xx"))
	shows("6,4,1")
	b.click("#r4") // and who goes back has the filter of then
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "4"`)
	b.fill("#filter", "")
	shows("6,5,4,3,2,1")
	b.eval(`history.back()`, nil)
	shows("6,4,1")
	b.wait(`document.getElementById("filter").value === "status:5xx" && location.search === "?filter=status%3A5xx"`)
	b.eval(`history.forward()`, nil)
	shows("6,5,4,3,2,1")
}

// Who comes back to the list is where he was in it, also where it was not seen meanwhile.
func TestPageKeepsItsPlace(t *testing.T) {
	s := newSite(t)
	for n := range 60 {
		s.send("/hooks", fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 360, 740)
	b.open(s.inspect + "/")
	b.wait(`document.querySelector("#r60")`)
	b.eval(`document.getElementById("scroller").scrollTop = 1200`, nil)
	b.click("#r36")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "36" && document.getElementById("scroller").clientHeight === 0`)
	s.send("/hooks", `{}`)
	b.wait(`!document.getElementById("fresh").hidden`) // it is in the list
	b.click(".back")
	b.wait(`document.getElementById("scroller").scrollTop === 1258 && document.querySelector("#r36")?.checkVisibility()`) // a row more is above

	b.size(1440, 900)
	b.wait(`document.getElementById("pane").checkVisibility()`)
	b.press("j")
	b.wait(`document.querySelector("#r36")?.getAttribute("aria-selected") === "true" && document.querySelector("#pane article")?.dataset.seq === "36"`)
	b.press("j")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "35"`)
}

// Where the browser gives a page no clipboard, as one that is asked for by http on another
// machine, what is copied is still what was recorded, to the byte.
func TestPageCopiesWithoutAClipboard(t *testing.T) {
	s := newSite(t)
	const body = "a: [\r\n  1,   2\r\n\t]"
	s.send("/hooks", body, "Content-Type: text/plain")
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/1")
	b.wait(`document.querySelector("#pane .copy")`)
	b.eval(`(() => {
		navigator.clipboard.writeText = navigator.clipboard.write = async () => { throw new DOMException("no", "NotAllowedError"); };
		addEventListener("copy", (e) => window.copied = e.clipboardData.getData("text/plain"));
	})()`, nil)
	b.press("c")
	b.wait(`document.querySelector(".toast")?.innerText.includes("is copied")`)
	if got := b.text(`window.copied`); got != body {
		t.Errorf("copied is %q, want %q", got, body)
	}
}

func TestPageKeys(t *testing.T) {
	s := newSite(t)
	for n := range 12 {
		path := "/hooks"
		if n == 4 || n == 7 {
			path = "/status/500"
		}
		s.send(path, fmt.Sprintf(`{"n":%d}`, n))
	}
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	at := func(seq int) {
		t.Helper()
		b.wait(fmt.Sprintf(`document.querySelector("#r%d")?.getAttribute("aria-selected") === "true" && document.querySelectorAll("#list [aria-selected=true]").length === 1 && document.querySelector("#pane article")?.dataset.seq === "%d"`, seq, seq))
	}
	b.press("j")
	at(12)
	b.press("j", "j")
	at(10)
	b.press("k")
	at(11)
	b.press("n")
	at(8)
	b.press("n")
	at(5)
	b.press("N")
	at(8)
	b.press("G")
	at(1)
	b.press("g")
	at(12)
	if got := b.text(`document.getElementById("list").getAttribute("aria-activedescendant")`); got != "r12" {
		t.Errorf("active is %s", got)
	}
	b.press("Enter")
	b.wait(`document.activeElement.tagName === "H1"`)
	b.press("2")
	b.wait(`!document.getElementById("part-response").hidden && document.activeElement.id === "tab-response"`)
	b.press("j") // the tab stays
	at(11)
	b.wait(`!document.getElementById("part-response").hidden && document.querySelector("#part-response .tree")`)
	b.press("d")
	b.wait(`document.querySelector("#pane .diffpane h1")?.innerText === "#10 and #11" && document.querySelector("#tab-response .dim").innerText === "same"`)
	b.wait(`!document.getElementById("part-request").hidden && document.getElementById("part-response").hidden`) // where they differ
	if got := b.text(`document.querySelector("#pane .changes").innerText`); !strings.Contains(got, "body n") {
		t.Errorf("the differences are %q", got)
	}
	b.press("Escape")
	b.wait(`!document.querySelector("#pane .diffpane")`)
	at(11)
	b.press("r")
	b.wait(`document.querySelector("#r13 .tag")?.innerText === "replay"`)
	b.wait(`document.querySelector(".toast.good")?.innerText.includes("#13: 200")`)
	b.press("d")
	b.wait(`document.querySelector("#pane .diffpane h1")?.innerText === "#11 and #13"`)
	b.press("Escape", "Escape") // not shown yet, or not
	b.wait(`location.pathname === "/" && document.querySelector("#pane .home")`)
	b.press("?")
	b.wait(`document.getElementById("help").open && document.getElementById("help").contains(document.activeElement)`)
	b.press("j") // does nothing behind a dialog
	b.press("Escape")
	b.wait(`!document.getElementById("help").open && location.pathname === "/"`)
	b.eval(`history.back()`, nil)
	at(11)
	b.eval(`history.back()`, nil)
	b.wait(`document.querySelector("#pane .diffpane")`)
	b.press("g")
	at(13)
	b.eval(`(navigator.clipboard.writeText = async (text) => { window.copied = text; }, navigator.clipboard.write = async ([item]) => { window.copied = await (await item.getType("text/plain")).text(); })`, nil)
	b.press("y")
	b.wait(`window.copied?.includes("curl --path-as-is") && window.copied.includes("/hooks")`)

	// Where the browser refuses, nothing is said to be copied, and the next click does it.
	b.eval(`(() => { const { write } = navigator.clipboard; delete window.copied; document.getElementById("said").replaceChildren(); navigator.clipboard.write = async () => { navigator.clipboard.write = write; throw new DOMException("no", "NotAllowedError"); }; document.execCommand = () => false; })()`, nil)
	b.press("y")
	b.wait(`document.querySelector(".toast.fail")?.innerText.includes("not copied") && !window.copied`)
	b.click(".toast.fail .link")
	b.wait(`window.copied?.includes("curl --path-as-is") && document.querySelector(".toast:last-child").innerText.includes("is copied")`)
	b.press("1")
	b.wait(`!document.getElementById("part-request").hidden && document.querySelector("#part-request .copy")`)
	b.press("c")
	b.wait(`window.copied === '{"n":10}'`)
	b.press("2")
	b.wait(`document.querySelector("#part-response .copy")`)
	b.press("c")
	b.wait(`window.copied === '{"received":true}'`)
	b.press("3", "c")
	b.wait(`document.getElementById("said").innerText.includes("No body is shown")`)

	// Who writes Cyrillic has other letters on these keys. A browser that lets a page tell its
	// address only so often is told later.
	b.eval(`document.getElementById("list").focus()`, nil)
	b.eval(`history.replaceState = () => { delete history.replaceState; throw new DOMException("more than 100 times", "SecurityError"); }`, nil)
	b.eval(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "о", code: "KeyJ", bubbles: true }))`, nil)
	at(12)
	b.wait(`location.pathname === "/x/" + document.querySelector("#pane article").dataset.id`)
	b.eval(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "П", code: "KeyG", shiftKey: true, bubbles: true }))`, nil)
	at(1)

	// A screen reader follows what is chosen by key, as the list has the focus then. Who speaks
	// to the computer can switch letters off, for good.
	b.open(s.inspect + "/")
	b.press("j")
	b.wait(`document.activeElement.id === "list" && document.activeElement.getAttribute("aria-activedescendant") === "r13"`)
	b.press("?")
	b.wait(`document.getElementById("help").open`)
	b.click("#letters")
	b.open(s.inspect + "/")
	b.press("j", "?", "ArrowDown")
	at(13)
	if got := b.text(`document.getElementById("help").open`); got != "false" {
		t.Error("a letter that was switched off is a key")
	}
}
