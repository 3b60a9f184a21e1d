//go:build browser

package inspector_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// watchSearches counts what the page searches for: all, and how many searches were under
// way at once that somebody waited for.
const watchSearches = `(() => {
	window.searches = { at: 0, most: 0, urls: [] };
	const real = window.fetch;
	window.fetch = (url, options) => {
		if (!/^\/page\/(rows|points|failure)/.test(url)) return real(url, options);
		const s = window.searches;
		s.urls.push(url);
		s.most = Math.max(s.most, ++s.at);
		let over = () => { s.at--; over = () => {}; };
		options?.signal?.addEventListener("abort", () => over());
		return real(url, options).finally(() => over());
	};
})()`

// The store is searched once for a filter, for rows and chart, and no longer for one that
// was typed over.
func TestPageSearchesOnce(t *testing.T) {
	s := newSite(t, func(s *site) { fill(t, filepath.Join(s.dir, ".devhook"), 3000) })
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/")
	b.eval(watchSearches, nil)
	const urls, told = `window.searches.urls.join("\n")`, `document.querySelector("#chart figcaption").innerText`
	ask := func(text, count string) []string {
		t.Helper()
		b.eval(`window.searches.urls = []`, nil)
		b.fill("#filter", text)
		b.wait(`document.getElementById("count").innerText.startsWith("` + count + `") && window.searches.at === 0 && !document.querySelector(".scroller.stale")`)
		return strings.Split(b.text(urls), "\n")
	}
	if got := ask(`"act.976"`, "3"); len(got) != 1 {
		t.Errorf("for three recordings it asks for %q", got)
	}
	b.wait(told + `.startsWith("3 webhooks")`)
	got := ask("event:video.*", "200+")
	if len(got) != 2 || !strings.HasPrefix(got[1], "/page/points?") || !strings.Contains(got[1], "before=") || !strings.Contains(got[1], "limit=1800") {
		t.Errorf("for many it asks for %q", got)
	}
	b.wait(`document.querySelector("#chart button").innerText === "6 h" && /^[1-9][0-9,]* webhooks/.test(` + told + `)`) // which the newest 2,000 fill, and 24 h they do not

	// Who types on does not wait, and nor does devhook.
	b.eval(`window.searches.most = 0`, nil)
	const text = "there-is-no-such-text"
	for n := range len(text) {
		b.fill("#filter", text[:n+1])
		if n%4 == 0 { // as one who stops to think
			b.eval(`new Promise((done) => setTimeout(done, 260))`, nil)
		}
	}
	b.wait(`document.getElementById("none").innerText.includes("Nothing matches") && window.searches.at === 0`)
	if most := b.text(`window.searches.most`); most != "1" {
		t.Errorf("%s searches were under way at once", most)
	}
	b.wait(told + `.startsWith("0 webhooks")`)
}

// The next failure is found under a filter, too, up and down, however far it is, and the
// list is whole around it.
func TestPageGoesToFailures(t *testing.T) {
	s := newSite(t, func(s *site) { fill(t, filepath.Join(s.dir, ".devhook"), 1200) })
	for range 3 {
		s.send("/status/500", `{"share_id":1}`)
	}
	b := newTab(t, s, 1440, 900)
	for _, filter := range []string{"", `"share_id"`, "-status:599 event:video.*"} {
		b.open(s.inspect + "/")
		if filter != "" {
			b.fill("#filter", filter)
			b.wait(`!document.querySelector(".scroller.stale") && new URLSearchParams(location.search).get("filter") === document.getElementById("filter").value`)
		}
		b.eval(`document.getElementById("list").focus()`, nil)
		failing := func() { // of fill
			t.Helper()
			b.wait(`(() => { const r = document.querySelector("#list .row[aria-selected=true]"); return r?.dataset.class === "fail" && Math.abs(r.dataset.seq - 600) < 70; })()`)
			b.wait(`!document.querySelector("#list .ghost")`)
			seqs := b.text(`(() => { const all = [...document.querySelectorAll("#list .row")].map((r) => +r.dataset.seq); return all.length > 10 && all.every((n, i) => !i || n === all[i - 1] - 1); })()`)
			if seqs != "true" {
				t.Errorf("under %q rows are missing: %s", filter, b.text(`[...document.querySelectorAll("#list .row")].map((r) => r.dataset.seq)`))
			}
		}
		if !strings.Contains(filter, "event") { // those that came last
			for _, seq := range []string{"1203", "1202", "1201"} {
				b.press("n")
				b.wait(`document.querySelector("#r` + seq + `")?.getAttribute("aria-selected") === "true"`)
			}
		}
		b.press("n")
		failing()
		b.press("n")
		b.wait(`document.querySelector("#said").innerText.includes("No older failure")`)
		b.press("G")
		b.wait(`document.querySelector("#r1")?.getAttribute("aria-selected") === "true"`)
		b.press("N")
		failing()
		if strings.Contains(filter, "event") {
			b.press("N")
			b.wait(`document.querySelector("#said").innerText.includes("No newer failure")`)
			continue
		}
		b.press("N")
		b.wait(`document.querySelector("#r1201")?.getAttribute("aria-selected") === "true"`)
	}
}

// What is opened by its address, or by a link, is where the list is, however far it is; and
// a search that takes its time says so.
func TestPageListFollowsWhatIsOpen(t *testing.T) {
	s := newSite(t, func(s *site) { fill(t, filepath.Join(s.dir, ".devhook"), 1500) })
	b := newTab(t, s, 1440, 900)
	b.open(s.inspect + "/x/700")
	const isChosen = `document.querySelector("#list .row[aria-selected=true]")?.dataset.seq === `
	b.wait(isChosen + `"700"`)
	b.press("j")
	b.wait(isChosen + `"699" && document.querySelector("#pane article")?.dataset.seq === "699"`)
	b.press("g")
	b.wait(`document.querySelector("#pane article")?.dataset.seq === "1500"`)
	b.open(s.inspect + "/")
	b.click("#pane .kinrow") // the one that failed
	b.wait(`document.querySelector("#pane .card.fail") && document.querySelector("#list .row[aria-selected=true].fail")`)
	if got := b.text(`location.pathname === document.querySelector("#list .row[aria-selected=true]").getAttribute("href")`); got != "true" {
		t.Error("another row is chosen than is open")
	}

	b.eval(`(() => { const real = window.fetch; window.fetch = async (url, options) => { if (url.startsWith("/page/rows") && url.includes("slow")) await new Promise((done, failed) => { window.goOn = done; options.signal.addEventListener("abort", () => failed(options.signal.reason)); }); return real(url, options); }; })()`, nil)
	const told = `document.getElementById("note").textContent`
	b.fill("#filter", `"slow one"`)
	b.wait(told + ` === "Searching…"`)
	b.fill("#filter", "status:500")
	b.wait(`document.getElementById("count").innerText === "1"`)
	b.fill("#filter", `"slow two"`)
	b.wait(told + ` === "Searching…"`)
	b.eval(`window.goOn()`, nil)
	b.wait(`document.getElementById("none").innerText.includes("Nothing matches")`)
	if got := b.text(told); got != "" {
		t.Errorf("after a search it says %q", got)
	}
}
