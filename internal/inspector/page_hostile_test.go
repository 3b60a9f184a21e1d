//go:build browser

package inspector_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// hostile are texts that are markup, script, style, a URL or a break out of where they
// stand, if anything takes them for more than text.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`'><svg/onload=alert(1)>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`</title></textarea></style></script></template><script>alert(1)</script>`,
	`<style>*{display:none}</style><link rel=stylesheet href=//example.invalid/x.css>`,
	`<meta http-equiv=refresh content="0;url=//example.invalid">`,
	`<base href=//example.invalid/><form action=//example.invalid><input name=a autofocus onfocus=alert(1)>`,
	`javascript:alert(1)`,
	`<a href="javascript:alert(1)" hx-get="/devhook/v1/status" hx-trigger="load" hx-on:load="alert(1)" data-do="replay" data-pane>x</a>`,
	`<div hx-ext="sse" sse-connect="//example.invalid" sse-swap="row">x</div>`,
	"{{.}} {{template \"shell\"}} ${alert(1)} `+alert(1)+`",
	"\u202egnp.exe\u202c \u0000 \u001b[31m \u2028 \ufeff \u200b",
	"data: x\n\nevent: row\ndata: <img src=x onerror=alert(1)>\n\n",
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
}

// Nothing of a webhook is anything but text, wherever the page shows it: no markup, no
// script, no style, no request. The tab fails for dialogs, errors, violations of the
// policy, and requests to elsewhere.
func TestPageTakesNothingForMarkup(t *testing.T) {
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	headerSafe := strings.NewReplacer("\n", " ", "\x00", " ", "\x1b", " ")
	for i, text := range hostile {
		quoted, _ := json.Marshal(text)
		body := fmt.Sprintf(`{"type":%s,"event":%s,%s:{"content":%s}}`, quoted, quoted, quoted, quoted)
		kind := []string{"application/json", "text/html", "image/svg+xml", "application/xhtml+xml"}[i%4]
		path := "/" + strings.NewReplacer(" ", "%20", "\n", "%0a", "\x00", "%00", "\x1b", "%1b", "#", "%23").Replace(text)
		s.send(path+"?a="+path[1:], body, "Content-Type: "+kind, "X-Evil: "+headerSafe.Replace(text), "X-Github-Event: "+headerSafe.Replace(text), "X-Github-Delivery: "+headerSafe.Replace(text))
		if i%4 == 1 { // a part whose name, file and type are hostile, too
			name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(text)
			text = "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + name + "\"\r\nContent-Type: " + headerSafe.Replace(text) + "\r\n\r\n" + text + "\r\n--x--"
			kind = "multipart/form-data; boundary=x"
		}
		s.send("/hooks", text, "Content-Type: "+kind)
	}
	b.allow("400 (Bad Request)")
	count := len(hostile) * 2
	b.open(s.inspect + "/")
	clean := func(where string) {
		t.Helper()
		if got := b.text(`[...document.querySelectorAll("script, iframe, object, embed, base, meta[http-equiv], style, form[action^='//'], math, svg [onload], [onerror], [onload], [onfocus], #pane img, #list img, a[href^='javascript'], link:not([href^='/static/'])")].filter((e) => !(e.tagName === "SCRIPT" && e.src.startsWith(location.origin + "/static/"))).map((e) => e.outerHTML)`); got != "" {
			t.Errorf("%s: markup of a webhook: %s", where, got)
		}
		if got := b.text(`getComputedStyle(document.body).display`); got != "grid" {
			t.Errorf("%s: the style is another: %s", where, got)
		}
	}
	clean("list")
	tables := 0
	for seq := 1; seq <= count; seq++ {
		if row := fmt.Sprintf("#r%d", seq); b.text(`!!document.querySelector("`+row+`")`) == "true" {
			b.click(row)
		} else {
			b.open(fmt.Sprintf("%s/x/%d", s.inspect, seq))
		}
		b.wait(fmt.Sprintf(`document.querySelector("#pane article")?.dataset.seq === "%d"`, seq))
		for _, part := range []string{"tab-request", "tab-response", "tab-about"} {
			b.eval(`document.getElementById("`+part+`").click()`, nil)
		}
		b.eval(`document.getElementById("tab-request").click()`, nil)
		b.wait(`document.querySelector("#part-request .modes") && document.querySelector("#part-about .kin")`)
		clean(fmt.Sprint("recording ", seq))
		if b.text(`document.querySelector("#part-request .modes button").innerText`) == "Parts" {
			tables++
		}
		var modes int
		b.eval(`document.querySelectorAll("#part-request .modes button").length`, &modes)
		for n := range modes {
			b.eval(fmt.Sprintf(`document.querySelectorAll("#part-request .modes button")[%d].click()`, n), nil)
		}
		clean(fmt.Sprint("body ", seq))
	}
	for _, path := range []string{fmt.Sprintf("/diff/1/%d", count), "/diff/1/3", "/x/5/before"} {
		b.open(s.inspect + path)
		clean(path)
	}
	b.open(s.inspect + "/x/3")
	b.press("R")
	b.wait(`document.querySelector("#preview p b")`)
	b.fill("#editor [name=body]", hostile[1])
	b.wait(`document.querySelectorAll("#preview .change").length`)
	clean("editor")
	b.press("Escape")
	b.allow("404 (Not Found)")
	for _, text := range hostile[:4] {
		b.fill("#filter", "status:"+text)
		b.wait(`document.getElementById("fault").innerText !== ""`)
		clean("filter")
		b.fill("#filter", `"`+strings.ReplaceAll(text, `"`, "")+`"`)
		b.wait(`document.getElementById("fault").innerText === ""`)
	}
	if tables == 0 {
		t.Error("no multipart body was shown as its parts")
	}
	// The bytes themselves are no page, even if somebody goes to them.
	for _, seq := range []string{"2", "4"} {
		for _, part := range []string{"body", "response"} {
			b.eval(fmt.Sprintf(`fetch("/devhook/v1/exchanges/%s/%s").then((r) => { if (!r.headers.get("Content-Disposition").startsWith("attachment") || r.headers.get("Content-Type") !== "application/octet-stream") throw new Error("it is served as " + r.headers.get("Content-Type")); })`, seq, part), nil)
		}
	}
}

// Everybody can use it: axe finds nothing that is serious, in light and in dark.
func TestPageIsAccessible(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v; make browser fetches it", err)
	}
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	check := func(state string) {
		t.Helper()
		b.wait(`!document.querySelector(".scroller.stale")`) // which is pale
		for _, dark := range []bool{false, true} {
			b.dark(dark)
			b.eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
			if err := chromedp.Do(b.ctx, evaluated(string(axe))); err != nil {
				t.Fatal(err)
			}
			var found []struct {
				ID, Impact, Help string
				Nodes            []struct{ HTML, FailureSummary string }
			}
			b.eval(`axe.run({ resultTypes: ["violations"] }).then((r) => r.violations)`, &found)
			for _, v := range found {
				var where bytes.Buffer
				for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
					fmt.Fprintf(&where, "\n  %s\n  %s", n.HTML, n.FailureSummary)
				}
				if v.Impact == "serious" || v.Impact == "critical" {
					t.Errorf("%s, dark %v: %s (%s): %s%s", state, dark, v.ID, v.Impact, v.Help, where.String())
				} else {
					t.Logf("%s, dark %v: %s (%s): %s%s", state, dark, v.ID, v.Impact, v.Help, where.String())
				}
			}
		}
	}
	b.open(s.inspect + "/")
	check("empty")
	s.busy()
	b.open(s.inspect + "/")
	check("list")
	b.allow("400 (Bad Request)")
	for _, f := range [][3]string{
		{"completions", "prov", `!document.getElementById("words").hidden`},
		{"filter that is wrong", "stauts:500", `document.querySelector("#marks mark")`},
		{"filter with a note", "order:7", `document.getElementById("note").innerText !== ""`},
		{"nothing matches", "event:none", `document.getElementById("none").innerText.includes("Nothing matches")`},
		{"filter", "", `document.querySelectorAll("#list .row").length > 3`},
	} {
		b.fill("#filter", f[1])
		b.wait(f[2])
		check(f[0])
	}
	for _, ref := range []string{"last", "13", "12", "11"} {
		b.open(s.inspect + "/x/" + ref)
		b.wait(`document.querySelector("#part-request .modes")`)
		check("recording " + ref)
	}
	b.click("#tab-response")
	check("response")
	b.click("#tab-about")
	b.wait(`document.querySelector("#part-about .kin")`)
	check("about")
	b.press("R")
	b.wait(`document.querySelector("#preview p b")`)
	check("editor")
	shut := func() {
		t.Helper()
		b.press("Escape")
		b.wait(`!document.querySelector("dialog[open]")`)
	}
	shut()
	for _, d := range [][2]string{{"?", "help"}, {"x", "remover"}, {"s", "saver"}} {
		b.press(d[0])
		b.wait(`document.getElementById("` + d[1] + `").open`)
		check(d[1])
		shut()
	}
	b.press("p")
	b.wait(`document.querySelector("#pane article").dataset.pinned !== undefined && document.querySelector(".toast")`)
	check("pinned")
	b.press("p")
	b.wait(`document.querySelector("#pane article").dataset.pinned === undefined`)
	s.run("prune", "seq:11")
	b.wait(`document.querySelector("#pane .lost")`)
	check("deleted elsewhere")
	b.open(s.inspect + "/?filter=seq%3A%3E%3D1")
	b.wait(`!document.getElementById("again").hidden`)
	b.press("A")
	b.wait(`document.getElementById("repeater").open`)
	check("repeater")
	shut()
	long := strings.Repeat("0123456789abcdef", 64)
	s.send("/long/"+long, "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n"+long+"\r\n--x\r\nContent-Disposition: form-data; name=b; filename=b.bin\r\n\r\n\x00\xff\r\n--x--", "Content-Type: multipart/form-data; boundary=x", "X-Long: "+long)
	b.open(s.inspect + "/x/last")
	b.click("#part-request .pairs .fold + button")
	b.click("#part-request summary")
	check("long values and parts")
	b.open(s.inspect + "/")
	b.wait(`document.querySelector("#pane .kinrow")`)
	check("what failed")
	for _, path := range []string{"/x/last/before", "/providers", "/providers/tiktok", "/providers/stripe"} {
		b.open(s.inspect + path)
		check(path)
	}
	b.allow("404 (Not Found)")
	b.open(s.inspect + "/x/999")
	check("not there")
	for body, kind := range map[string]string{"a=1&b=2": "application/x-www-form-urlencoded", "\x00\x01\xff": "", "": "text/plain", "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;": "image/gif"} {
		s.send("/hooks", body, "Content-Type: "+kind)
		b.open(s.inspect + "/x/last")
		b.wait(`document.querySelector("#part-request .modes, #part-request .blank")`)
		check("body " + strconv.Quote(body))
	}
	s.send("/hooks", `{"a":1}`, "Content-Type: application/json")
	b.size(360, 740)
	b.open(s.inspect + "/x/last")
	b.wait(`document.querySelector("#part-request .modes")`)
	check("narrow")
	if got := b.text(`document.documentElement.scrollWidth`); got != "360" {
		t.Errorf("a page of 360 px is %s wide", got)
	}
}

// evaluated runs a script whose value is not wanted.
func evaluated(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](script + ";0")
}
