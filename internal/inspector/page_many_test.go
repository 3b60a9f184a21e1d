//go:build browser

package inspector_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"devhook/recorder"
	"devhook/verify"
)

// fill records n webhooks, as a long life of a store leaves them.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	store, err := recorder.Open(dir, recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	start := time.Now().Add(-23 * time.Hour)
	var work sync.WaitGroup
	ids := make(chan int)
	for range 64 {
		work.Go(func() {
			for i := range ids {
				body := fmt.Appendf(nil, `{"client_key":"bwo2m45353a6k85","event":"video.publish.completed","create_time":%d,"user_openid":"act.%d","content":"{\"share_id\":\"video.%d\"}"}`, start.Unix()+int64(i), i%977, i)
				part := float64(i) / float64(n)
				part += 0.035 * math.Sin(8*math.Pi*part) // as days go: more, and less
				ex := recorder.Exchange{
					At: start.Add(time.Duration(part * float64(23*time.Hour))), Origin: recorder.Live, Provider: "tiktok", Event: "video.publish.completed", Outcome: recorder.Pending,
					Verdict: verify.Verdict{Status: verify.Valid},
					Request: recorder.Request{Method: "POST", URL: "https://example.ngrok.app/hooks/tiktok", Proto: "HTTP/1.1", Body: recorder.Body{Bytes: body}, Size: int64(len(body)),
						Headers: map[string][]string{"Content-Type": {"application/json"}, "Tiktok-Signature": {"t=1633174587,s=18494715036ac4416a1d0a673871a2edbcfc94d94bd88ccd2c5ec9b3425afe66"}}},
				}
				status := 200
				if i == n/2 {
					status = 500
				}
				if _, err := store.Write(&ex); err != nil {
					t.Error(err)
					continue
				}
				if err := store.Finish(context.Background(), ex.ID, recorder.Result{Outcome: recorder.Answered, Response: &recorder.Response{Status: status, Took: time.Duration(i%90) * time.Millisecond}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		ids <- i
	}
	close(ids)
	work.Wait()
}

// However many recordings there are, the page has the rows that are seen, is there at
// once, and goes anywhere. ROWS says how many; what it takes is told with -v.
func TestPageWithManyRecordings(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("ROWS"))
	if n == 0 {
		n = 20_000
	}
	s := newSite(t, func(s *site) { fill(t, filepath.Join(s.dir, ".devhook"), n) })
	b := newTab(t, s, 1440, 900)
	// A page of two letters is beside it, because the machine may have other work.
	var painted [2][]float64
	for range 7 {
		for i, path := range []string{"/healthz", "/"} {
			b.do(chromedp.Navigate("about:blank"))
			b.eval(`new Promise((done) => setTimeout(done, 200))`, nil) // the page before has asked for more
			b.do(chromedp.Navigate(s.inspect + path))
			var at float64
			b.eval(`new Promise((done) => { const look = () => { const p = performance.getEntriesByName("first-contentful-paint")[0]; p ? done(p.startTime) : setTimeout(look, 5); }; look(); })`, &at)
			painted[i] = append(painted[i], at)
		}
	}
	for i := range painted {
		slices.Sort(painted[i])
	}
	t.Logf("first paint with %d recordings: %.0f ms, the shortest %.0f ms; of a page of two letters: %.0f ms, %.0f ms", n, painted[1][3], painted[1][0], painted[0][3], painted[0][0])
	b.open(s.inspect + "/")
	const rows = `document.querySelectorAll("#list .row").length`
	few := func() {
		t.Helper()
		var shown int
		if b.eval(rows, &shown); shown < 10 || shown > 80 {
			t.Errorf("%d rows are in the page", shown)
		}
	}
	few()
	b.wait(fmt.Sprintf(`Math.abs(document.getElementById("count").innerText.replace(/\D/g, "") - %d) <= %d`, n, n/50)) // numbers have gaps

	// Scrolling by the wheel: how long a frame takes, and none without rows for long.
	var frames struct{ N, Slow, Longest float64 }
	b.eval(`new Promise((done) => {
		const s = document.getElementById("scroller"), gaps = [];
		let last = performance.now();
		const step = (now) => {
			gaps.push(now - last);
			last = now;
			s.scrollTop += 120;
			if (gaps.length < 240) requestAnimationFrame(step); else done({ N: gaps.length, Slow: gaps.filter((g) => g > 50).length, Longest: Math.max(...gaps) });
		};
		requestAnimationFrame(step);
	})`, &frames)
	t.Logf("scrolled through %.0f frames: %.0f longer than 50 ms, the longest %.0f ms", frames.N, frames.Slow, frames.Longest)
	few()
	b.wait(`document.querySelector("#list .row:not(.ghost)")`)

	// By the bar, to the middle.
	at := time.Now()
	b.eval(`(() => { const s = document.getElementById("scroller"); s.scrollTop = s.scrollHeight / 2; })()`, nil)
	b.wait(fmt.Sprintf(`[...document.querySelectorAll("#list .row[data-seq]")].some((r) => Math.abs(r.dataset.seq - %d) < %d) && !document.querySelector("#list .ghost")`, n/2, max(200, n/50)))
	t.Logf("to the middle in %v", time.Since(at).Round(time.Millisecond))
	few()
	at = time.Now()
	b.press("G")
	b.wait(`document.querySelector("#r1")?.getAttribute("aria-selected") === "true" && document.querySelector("#pane article")?.dataset.seq === "1"`)
	t.Logf("to the oldest in %v", time.Since(at).Round(time.Millisecond))
	few()
	b.press("k", "k")
	b.wait(`document.querySelector("#r3")?.getAttribute("aria-selected") === "true"`)
	b.press("g")
	b.wait(`document.querySelector("#list .row[aria-posinset='1']")?.getAttribute("aria-selected") === "true"`)
	at = time.Now()
	b.press("n") // far below what was read
	b.wait(`document.querySelector("#list .row.fail[aria-selected=true]") && document.querySelector("#pane .card.fail")`)
	t.Logf("to the next failure in %v", time.Since(at).Round(time.Millisecond))
	few()
	b.press("n")
	b.wait(`document.querySelector("#said").innerText.includes("No older failure")`)
	at = time.Now()
	b.fill("#filter", "status:5xx")
	b.wait(`document.getElementById("count").innerText === "1" && document.querySelector("#list .row.fail .st")?.innerText === "500"`)
	t.Logf("filtered in %v", time.Since(at).Round(time.Millisecond))
	b.fill("#filter", "")
	b.wait(rows + ` > 10`)
	s.send("/hooks/new", "{}")
	b.wait(`document.querySelector("#list .row[aria-posinset='1'] .nm").innerText === "POST /hooks/new"`)
}
