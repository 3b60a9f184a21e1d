//go:build browser

package inspector_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/coder/websocket"

	"devhook/verify"
)

// All that the filter shows is sent again, once that was asked and said.
func TestPageReplaysAll(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/a", "/b", "/a"} {
		s.send(path, `{}`)
	}
	b := newTab(t, s, 1440, 900)
	b.allow("404 (Not Found)")
	b.open(s.inspect + "/")
	const hidden = `document.getElementById("again").hidden`
	b.wait(rowNumbers + ` === "3,2,1" && ` + hidden)
	b.press("A")
	b.wait(`document.querySelector(".toast").innerText.includes("Mark some")`)
	b.fill("#filter", "path:/none")
	b.press("Escape", "A") // before the list has followed
	b.wait(`document.getElementById("repeater-filter")?.innerText === "path:/none" && document.getElementById("repeater-fault").innerText === "the filter lets nothing through"`)
	b.press("Escape")
	b.fill("#filter", "path:/a")
	b.wait(rowNumbers + ` === "3,1" && !` + hidden)
	b.eval(`document.getElementById("again").focus()`, nil)
	b.press("Enter")
	b.wait(`document.getElementById("repeater").open && document.getElementById("repeater-filter").innerText === "path:/a"`)
	b.click("#repeater footer [data-do=shut]")
	b.wait(`!document.getElementById("repeater").open && document.activeElement.id === "again"`)
	b.eval(`document.getElementById("list").focus()`, nil)
	b.press("A")
	b.wait(`document.getElementById("repeater").open`)
	b.click("#repeater .main")
	b.wait(`!document.getElementById("repeater").open && document.querySelector(".toast.good")?.innerText.startsWith("2 replayed")`)
	b.wait(rowNumbers + ` === "5,4,3,1"`)
	if got := s.last().target; got != "/a" {
		t.Errorf("the app was last sent %s", got)
	}
}

// Who holds a key down sends once.
func TestPageKeyHeldDown(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.send("/a", "{}")
	}
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/3")
	b.wait(`document.querySelector("#r3")?.getAttribute("aria-selected") === "true"`)
	for _, key := range []string{"r", "j"} {
		for n := range 3 {
			command(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key, AutoRepeat: new(n > 0)})
		}
	}
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "1" && document.querySelector("#r4:not(.wait)")`)
	s.send("/b", "{}")
	b.wait(rowNumbers + `.startsWith("5,4,3")`)
}

// What is marked is sent again, whatever the filter shows by then, and as the dialog says.
func TestPageReplaysMarked(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/a", "/b", "/status/500", "/d", "/e"} {
		s.send(path, `{"event_id":"evt_0000`+path[1:]+`"}`)
	}
	b := newTab(t, s, 1440, 900)
	b.allow("403 (Forbidden)")
	b.open(s.inspect + "/x/5")
	const marked = `[...document.querySelectorAll("#list [aria-checked=true]")].map((r) => r.dataset.seq).join(",")`
	b.wait(rowNumbers + ` === "5,4,3,2,1" && document.querySelector("#r5")?.getAttribute("aria-selected") === "true"`)
	b.press("m")
	b.wait(marked + ` === "5" && document.querySelector("#pane article[data-marked]") && document.getElementById("again").innerText === "Replay 1 marked"`)
	b.press("m")
	b.wait(`!document.querySelector("#list [aria-checked]") && !document.querySelector("#pane article[data-marked]") && document.getElementById("again").hidden`)
	b.press("j", "j")
	b.eval(`document.querySelector("#r1").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }))`, nil)
	b.wait(marked + ` === "3,2,1"`)
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "3"`) // which is still shown
	b.fill("#filter", "path:/e")
	b.wait(rowNumbers + ` === "5"`)
	b.eval(`document.getElementById("list").focus()`, nil)
	b.press("A")
	b.wait(`document.getElementById("repeater").open && document.querySelector("#repeater .main").innerText === "Replay 3" && document.getElementById("repeater-what").innerText.includes("3 that are marked")`)
	b.fill("#repeater [name=to]", "192.0.2.1:80")
	b.wait(`document.getElementById("repeater-fault").innerText.includes("no app of this devhook")`)
	b.fill("#repeater [name=to]", "")
	b.wait(`document.getElementById("repeater-fault").innerText === ""`)
	b.eval(`(() => { const f = document.querySelector("#repeater [name=pace]"); f.value = "10/s"; f.dispatchEvent(new Event("input", { bubbles: true })); })()`, nil)
	b.wait(`document.getElementById("repeater-fault").innerText === "It takes 1 second"`)
	b.eval(`(() => { const f = document.querySelector("#repeater form").elements; f.pace.value = "at once"; f.expect.value = "same"; f.shift.checked = f.fresh.checked = true; })()`, nil)
	b.click("#repeater .main")
	b.wait(`!document.getElementById("repeater").open && document.querySelector(".toast.good")?.innerText.startsWith("3 replayed")`)
	for _, one := range s.seen[5:] {
		if strings.Contains(string(one.body), "evt_0000") {
			t.Errorf("the app was sent %s", one.body)
		}
	}
	b.press("A")
	b.wait(`document.querySelector("#repeater .main").innerText === "Replay 3"`)
	b.eval(`document.querySelector("#repeater [name=expect]").value = "2xx"`, nil)
	b.click("#repeater .main")
	b.wait(`document.querySelector(".toast.fail")?.innerText.startsWith("3 replayed, 1 not answered 2xx")`)
	b.click(".toast.fail .link")
	b.wait(`document.querySelectorAll("#list .row:not(.ghost)").length === 1 && document.querySelector("#list .row.fail .nm").innerText === "POST /status/500"`)

	// Of many it shows how far it is, and they can be stopped: what was sent stays.
	b.press("A")
	b.wait(`document.getElementById("repeater").open`)
	b.eval(`(() => { const f = document.querySelector("#repeater form").elements; f.pace.value = "10/s"; f.repeat.value = 100; f.shuffle.checked = true; f.shuffle.dispatchEvent(new Event("input", { bubbles: true })); })()`, nil)
	b.wait(`document.querySelector("#repeater .main").innerText === "Replay 300"`)
	b.click("#repeater .main")
	b.wait(`/^[1-9]\d* of 300, [1-9]\d* failed$/.test(document.querySelector("#repeater-progress:not([hidden]) span")?.innerText) && document.querySelector("#repeater progress").value > 0 && document.activeElement.innerText === "Stop"`)
	b.press("Enter")
	b.wait(`!document.getElementById("repeater").open && /^Stopped, but for what is under way: \d+ of 300 replayed, \d+ not answered 2xx/.test(document.querySelector(".toast.fail:last-child").innerText)`)
	b.press("A")
	b.wait(`document.getElementById("repeater").open && document.querySelector("#repeater-progress").hidden && !document.querySelector("#repeater .main").disabled`)
	b.eval(`(() => { document.getElementById("repeater").close(); document.getElementById("again").click(); })()`, nil) // before it hears that it has closed
	b.wait(`document.getElementById("repeater").open && document.querySelector("#repeater .main").innerText === "Replay 300"`)
	b.press("Escape")
	b.wait(`!document.getElementById("repeater").open`)
	b.press("M")
	b.wait(`document.getElementById("again").innerText === "Replay these" && document.getElementById("unmark").hidden`)
}

// What is changed in the editor reaches the app, signed anew, and was shown before.
func TestPageEditsAndReplays(t *testing.T) {
	s := newSite(t)
	s.trigger("tiktok/video.publish.completed")
	first := s.last()
	b := newTab(t, s, 1440, 900)
	b.allow("422 (Unprocessable Entity)", "403 (Forbidden)", "400 (Bad Request)")
	b.open(s.inspect + "/x/last")
	b.press("R")
	b.wait(`document.getElementById("editor").open && document.querySelector("#preview p b")`)
	b.fill("#editor [name=headers]", "no colon here")
	b.wait(`document.getElementById("editor-fault").innerText.includes("no colon")`)
	b.fill("#editor [name=headers]", "Content-Type: application/json\nX-Shop: 7\nX-Shop: 8\nTiktok-Signature: "+first.header.Get("Tiktok-Signature"))
	b.fill("#editor [name=to]", "10.1.2.3:80")
	b.wait(`document.getElementById("editor-fault").innerText.includes("no app of this devhook")`)
	b.fill("#editor [name=to]", "")
	b.fill("#editor [name=path]", "/hooks/other?a=1&a=%2f")
	b.eval(`(() => { const f = document.querySelector("#editor [name=body]"); f.value = f.value.replace("video.publish.completed", "video.publish.zöe"); f.dispatchEvent(new Event("input", { bubbles: true })); })()`, nil)
	b.wait(`document.getElementById("preview").innerText.includes("video.publish.zöe")`)
	shown := b.text(`document.getElementById("preview").innerText`)
	for _, want := range []string{"header X-Shop", "path", "body event", "header Tiktok-Signature"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the preview has no %q: %s", want, shown)
		}
	}
	if got := s.last(); got.target != first.target {
		t.Fatal("it was sent before it was to be")
	}
	b.click("#editor [data-do=send]")
	b.wait(`!document.getElementById("editor").open && document.querySelector(".toast.good")`)

	got := s.last()
	if got.method != "POST" || got.target != "/hooks/other?a=1&a=%2f" || strings.Join(got.header["X-Shop"], ",") != "7,8" {
		t.Errorf("the app got %s %s %v", got.method, got.target, got.header)
	}
	if want := bytes.ReplaceAll(first.body, []byte("video.publish.completed"), []byte("video.publish.zöe")); !bytes.Equal(got.body, want) {
		t.Errorf("the app got %s, want %s", got.body, want)
	}
	p, _ := verify.Lookup("tiktok")
	to, _ := url.Parse(s.url + got.target)
	v := p.Scheme.Verify(verify.Message{Method: "POST", URL: to, Header: got.header, Body: got.body}, verify.Keys{Secrets: []verify.Secret{verify.NewSecret(tiktokSecret)}}, time.Now())
	if v.Status != verify.Valid || got.header.Get("Tiktok-Signature") == first.header.Get("Tiktok-Signature") {
		t.Errorf("the signature is %v, %s", v, got.header.Get("Tiktok-Signature"))
	}
	b.click(".toast.good a")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "2"`)
	b.press("3")
	b.wait(`document.querySelector(".family .kinrow")?.innerText.includes("#1")`)
	if got := b.text(`document.getElementById("part-about").innerText`); !strings.Contains(got, "header X-Shop: 7") {
		t.Errorf("what was changed is not told: %s", got)
	}

	// A body of one line is edited in lines, and is one line when it is sent; white space in
	// it stays as it was, and so does what is no JSON any more.
	for _, test := range []struct{ body, shown, from, to, want string }{
		{`{"a": [1, 2.50], "b": {}, "c": "x,  y"}`, "{\n  \"a\": [\n    1,\n    2.50\n  ],\n  \"b\": {},\n  \"c\": \"x,  y\"\n}", "2.50", "3.0", `{"a": [1, 3.0], "b": {}, "c": "x,  y"}`},
		{`{"a":1,"b":[]}`, "{\n  \"a\": 1,\n  \"b\": []\n}", "[]", "[{}]", `{"a":1,"b":[{}]}`},
		{`{"a":1}`, "{\n  \"a\": 1\n}", "}", "", "{\n  \"a\": 1\n"},
		{"{\r\n\"a\" :1}", "{\n\"a\" :1}", "1", "2", "{\r\n\"a\" :2}"},
	} {
		s.send("/hooks", test.body)
		b.open(s.inspect + "/x/last")
		b.press("R")
		b.wait(`document.getElementById("editor").open && document.querySelector("#preview .same")`)
		if got := b.text(`document.querySelector("#editor [name=body]").value`); got != test.shown {
			t.Errorf("%q is edited as %q, want %q", test.body, got, test.shown)
		}
		b.eval(fmt.Sprintf(`(() => { const f = document.querySelector("#editor [name=body]"); f.value = f.value.replace(%q, %q); f.dispatchEvent(new Event("input", { bubbles: true })); })()`, test.from, test.to), nil)
		b.wait(`document.querySelector("#preview .change")`)
		b.click("#editor [data-do=send]")
		b.wait(`!document.getElementById("editor").open`)
		if got := string(s.last().body); got != test.want {
			t.Errorf("of %q the app got %q, want %q", test.body, got, test.want)
		}
	}
	b.open(s.inspect + "/x/3") // or as that line
	b.press("R")
	b.click("#editor-body .link")
	b.wait(`document.querySelector("#editor [name=body]").value.startsWith('{"a": [1, 2.50]') && document.querySelector("#preview .same") && !document.querySelector("#editor-body .link")`)

	// However low the window is, what sends is seen.
	for _, size := range [][2]int64{{740, 360}, {320, 256}} {
		b.size(size[0], size[1])
		for _, to := range []string{"0", "f.scrollHeight"} {
			if got := b.text(`((f) => { f.scrollTop = ` + to + `; const at = f.querySelector("[data-do=send]").getBoundingClientRect(), box = f.getBoundingClientRect(); return at.top > box.top && at.bottom < box.bottom; })(document.querySelector("#editor form"))`); got != "true" {
				t.Errorf("at %d × %d, scrolled to %s, the button is not seen", size[0], size[1], to)
			}
		}
	}
}

// Samples are sent from the page of a provider, and recordings become samples.
func TestPageProvidersAndFixtures(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.allow("409 (Conflict)")
	b.open(s.inspect + "/providers")
	b.fill("#narrow", "strip")
	b.wait(`[...document.querySelectorAll("#tiles li")].filter((li) => !li.hidden).length === 1`)
	b.click(`.tiles a[href="/providers/tiktok"]`)
	b.wait(`document.querySelector("#pane h1")?.innerText === "TikTok for Developers"`)
	text := b.text(`document.getElementById("pane").innerText`)
	for _, want := range []string{s.url, "Callback URL", "It is known", "Good to know"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of tiktok has no %q", want)
		}
	}
	b.click(`[data-fixture="tiktok/video.upload.failed"]`)
	b.wait(`document.querySelector("#r1 .nm")?.innerText === "video.upload.failed"`)
	if got := s.last(); got.header.Get("Tiktok-Signature") == "" {
		t.Errorf("the app got %v", got)
	}
	b.press("j")
	b.wait(`document.querySelector("#pane article[data-seq]")`)
	b.press("s")
	b.wait(`document.getElementById("saver").open`)
	b.fill("#saver [name=name]", "tiktok/mine")
	b.click("#saver .main")
	b.wait(`!document.getElementById("saver").open && [...document.querySelectorAll(".toast.good")].some((e) => e.innerText.includes("Saved as"))`)
	if _, err := os.Stat(filepath.Join(s.dir, "fixtures", "tiktok", "mine.json")); err != nil {
		t.Error(err)
	}
	b.press("s")
	b.fill("#saver [name=name]", "tiktok/mine")
	b.click("#saver .main")
	b.wait(`document.getElementById("saver-fault").innerText.includes("mine")`)
	b.press("Escape")
	b.open(s.inspect + "/providers/tiktok")
	b.wait(`document.querySelector('[data-fixture="tiktok/mine"]')`)
}

// Bodies are shown as what they are: images by their bytes, JSON to the digit, and
// where it is wrong.
func TestPageBodies(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
	show := func(body, kind, mode string) string {
		t.Helper()
		s.send("/hooks", body, "Content-Type: "+kind)
		b.open(s.inspect + "/x/last")
		b.wait(`document.querySelector("#part-request .modes [aria-pressed=true]")?.textContent === "` + mode + `"`)
		return b.text(`document.querySelector("#part-request .body").innerText`)
	}
	has := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %s", want, text)
			}
		}
	}
	has(show(`{"n":1.50,"big":12345678901234567890,"a":1,"a":2,"content":"{\"reason\":\"spam\"}","e":{},"joy":"👩‍👧","name":"\u4e2d\u6587 \ud83d\ude00\u202e\u0022"}`, "text/plain", "JSON"), "👩‍👧", `"中文 😀\u202e\u0022"`, "1.50", "12345678901234567890", "name comes twice", "JSON in a string", `reason`, `"spam"`)
	has(show("{\n \"a\": [1, 2,]\n}", "application/json", "JSON"), "line 2, column 13")
	has(show(`{"a":1`, "application/json", "JSON"), "ends too early at line 1, column 7")
	has(show(strings.Repeat("[", 600)+strings.Repeat("]", 600), "application/json", "JSON"), "shown as text: it is nested deeper than 500 at line 1, column 502")
	has(show("a=1&b=%C3%A9+x&c", "application/x-www-form-urlencoded", "Form"), "é x")
	has(show(strings.Repeat("a=%zz&__proto__=1&", 600), "application/x-www-form-urlencoded", "Form"), "700 more")
	b.click("#part-request .view .link")
	b.wait(`document.querySelectorAll("#part-request .view tr").length === 1000`)
	has(show(`a=1&payload={"k":[1,2]}`, "application/x-www-form-urlencoded", "Form"), "payload", "k: [2]")
	part := func(header, body string) string { return "--X y\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	multipart := "a preamble\r\n" + part(`Content-Disposition: form-data; name="from \"me\""`, "é --X y\r\n-- <b>") + part("Content-Disposition: form-data; name=json\r\nContent-Type: application/json", `{"k":1}`) +
		part("Content-Disposition: form-data; name=\"pic\";\r\n filename=\"a.png\"\r\nContent-Type: text/html", png) + part("Content-Disposition: form-data; name=bytes", "\x00\xff") + "--X y\r\n\r\nno header\r\n--X y--\r\nan epilogue"
	has(show(multipart, `multipart/form-data; boundary="X y"`, "Parts"), `from "me"`, "é --X y\n-- <b>", "k: 1", "a.png · text/html", "Bytes, 2 B", "no header")
	b.wait(`document.querySelectorAll("#part-request .view tr").length === 5 && document.querySelector("#part-request img.picture")?.naturalWidth === 1`)
	show("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\ncut", "multipart/form-data; boundary=XX", "Text")
	show("--XX--\r\n", "multipart/form-data; boundary=XX", "Parts")
	has(show("\x00\x01\xff plain", "application/json", "Hex"), "00000000  00 01 ff 20 70")
	show(png, "text/html", "Image")
	b.wait(`document.querySelector("#part-request img.picture")?.naturalWidth === 1`)
	has(show(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "image/svg+xml", "Text"), "<script>alert(1)</script>")
	large := `{"list":[` + strings.Repeat(`{"id":1,"text":"x"},`, 20000) + `{"last":true}]}`
	has(show(large, "application/json", "JSON"), "[20001]")
	b.wait(`document.querySelector("#part-request .tree").innerText.includes("19801 more")`)
	has(b.text(`document.querySelector("#part-request .tree details details details summary").innerText`), `{2}`, `id: 1, text: "x"`) // what is closed tells how it begins
	has(show(`{"list":[`+strings.Repeat(`{"id":1,"text":"x"},`, 140_000)+`{"last":true}]}`, "", "JSON"), "[140001]")                  // more than is fetched of other bodies
	has(show(strings.Repeat("x", 3<<20), "text/plain", "Text"), "of 3.1 MB")
}

// A long value is a few lines, wherever it stands, and all of it is there when it is asked
// for; who sees all of it is offered no more.
func TestPageFoldsLongValues(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("0123456789abcdef", 256)
	s.send("/"+strings.Repeat("a-long-path/", 60)+"?q="+long, "a="+long+"&b=short", "Content-Type: application/x-www-form-urlencoded", "X-Long: "+long, "X-Some: "+long[:100])
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/last")
	b.wait(`document.querySelector("#part-request .modes")`)
	const lines = `(e) => Math.round(e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight))`
	folds := func() string {
		return b.text(`[...document.querySelectorAll("#pane .fold")].filter((e) => !e.nextElementSibling.hidden).map(` + lines + `)`)
	}
	const folded = "2,2,4,4,4" // the URL and where it went, a field, a parameter, a header
	if got := folds(); got != folded {
		t.Errorf("long values have %s lines, want %s", got, folded)
	}
	if got := b.text(`document.querySelectorAll("#pane .fold + button[hidden]").length`); got != "1" {
		t.Errorf("%s values that are seen whole have no button, want 1", got)
	}
	b.eval(`[...document.querySelectorAll("#part-request .fold + button:not([hidden])")].at(-1).click()`, nil)
	if got := b.text(`[...document.querySelectorAll("#part-request .fold[data-open]")].map((e) => [e.scrollHeight === e.clientHeight, e.clientHeight > 500, e.innerText.length, e.nextElementSibling.innerText])`); got != "true,true,4096,Less" {
		t.Errorf("what is open is %s", got)
	}
	b.eval(`document.querySelector("#part-request [aria-expanded=true]").click()`, nil)
	if got := folds(); got != folded {
		t.Errorf("closed again, long values have %s lines, want %s", got, folded)
	}
	b.size(3000, 900) // a hundred characters are a line now, four thousand are not
	b.wait(`document.querySelectorAll("#part-request .fold + button:not([hidden])").length === 3`)
}

// What the page takes for JSON is JSON, with the values that it has for everybody else,
// and each text that is none has a fault with a place.
func TestPageJSON(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 800, 600)
	b.open(s.inspect + "/")
	b.eval(`window.json = performance.getEntriesByType("resource").find((r) => r.name.endsWith("/json.js")).name`, nil)
	var wrong string
	b.eval(`import(window.json).then(({ parse, JSONFault }) => {
		const value = (n) => n.kind === "array" ? [...n.items()].map((i) => value(i.node)) : n.kind === "object" ? Object.fromEntries([...n.items()].map((i) => [i.key, value(i.node)])) : n.kind === "string" ? n.value : JSON.parse(n.raw);
		const wrong = [];
		let seen = [0, 0];
		const check = (text) => {
			let want, got, fault;
			try { want = JSON.stringify(JSON.parse(text)); } catch { }
			try { got = JSON.stringify(value(parse(text))); } catch (err) { fault = err; }
			seen[+(want === undefined)]++;
			if (got !== want || fault && !(fault instanceof JSONFault && fault.at >= 0 && fault.at <= text.length)) wrong.push(text.slice(0, 80) + " | " + (fault?.message ?? got));
		};
		["", " ", "{}", "[ ]", "01", "-", "1.5e", "tru", '"a', '"\\u12"', '"\\', '"\u0001"', "\ufeff{}", "[1,2,]", '{"a":1', '{"a" 1}', "{a:1}", "{,}", "[,]", "[true false]", '{"a":1}}', '{"a":{},"b":[[],{}],"a":0}', "[".repeat(500) + "]".repeat(500), "[".repeat(100000)].forEach(check);
		const words = ["{", "}", "[", "]", ",", ":", '"a"', '"', "\\", "1", "-0.5e+2", "true", "null", " ", "\n", '"\\u00e9"', '"{\\"x\\":1}"', "é", '{"k":', "[1,"];
		let seed = 7;
		const pick = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
		const made = (depth) => [() => "1" + pick(9), () => words[11 + pick(2)], () => words[15 + pick(2)], () => "[" + Array.from({ length: pick(4) }, () => made(depth + 1)).join(" ,") + "]", () => "{" + Array.from({ length: pick(4) }, () => '"k' + pick(3) + '" :' + made(depth + 1)).join(",\n") + "}"][pick(depth > 4 ? 3 : 5)]();
		for (let n = 0; n < 4000; n++) {
			check(Array.from({ length: pick(9) }, () => words[pick(words.length)]).join(""));
			const text = made(0), at = pick(text.length + 1);
			check(text);
			check(text.slice(0, at) + words[pick(words.length)] + text.slice(at + pick(2)));
		}
		return seen.some((n) => n < 3000) ? "too few: " + seen : wrong.join("\n");
	})`, &wrong)
	if wrong != "" {
		t.Error(wrong)
	}
}

// The frames of a WebSocket are shown, and those that come are.
func TestPageFrames(t *testing.T) {
	s := newSite(t)
	s.app.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, append([]byte("got "), data...)) != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/last")
	b.click("#tab-frames")
	for n := range 3 {
		text := "<img src=x onerror=alert(" + strconv.Itoa(n) + ")>"
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		b.wait(`document.getElementById("part-frames").innerText.includes("got ` + text + `")`)
	}
	if got := b.text(`document.querySelectorAll("#pane img").length`); got != "0" {
		t.Error("a frame is markup")
	}
}
