//go:build browser

package inspector_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// The main states of the page as images, where SCREENSHOTS says: `make screenshots`.
// They are shown in README.md and docs/inspector.md.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	s := newSite(t)
	b := newTab(t, s, 1440, 900)
	b.dark(false)
	shoot := func(name string) {
		t.Helper()
		b.wait(`document.querySelector("#chart figcaption").innerText.includes("webhooks")`)
		b.wait(`!document.querySelector("#pane[aria-busy=true]")`)
		b.eval(`new Promise((done) => setTimeout(done, 500))`, nil)
		b.eval(`document.querySelectorAll(".toast").forEach((e) => e.remove())`, nil)
		image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if len(image) < 5000 {
			t.Errorf("%s is an image of %d bytes", name, len(image))
		}
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.open(s.inspect + "/")
	b.wait(`document.querySelector(".live").dataset.state === "live"`)
	shoot("inspector-empty")

	s = newSite(t, func(s *site) { fill(t, filepath.Join(s.dir, ".devhook"), 600) })
	s.busy()
	b = newTab(t, s, 1440, 900)
	b.dark(false)
	b.open(s.inspect + "/")
	shoot("inspector-list")
	b.press("j")
	b.wait(`document.querySelector("#pane article[data-provider=tiktok] .tree")`)
	shoot("inspector-detail")
	b.press("n")
	b.wait(`document.querySelector("#pane .card.fail")`)
	b.dark(true)
	b.wait(`document.querySelector("#pane .modes")`)
	shoot("inspector-dark")
	b.dark(false)
	b.press("g")
	b.wait(`document.querySelector("#pane article[data-provider=tiktok] .tree")`)
	b.press("R")
	b.wait(`document.querySelector("#editor").open`)
	b.eval(`(() => { const f = document.querySelector("#editor textarea[name=body]"); f.value = f.value.replace("VIDEO", "CHANGED").replace(/video\.\d+/, "video.123"); f.dispatchEvent(new Event("input", { bubbles: true })); })()`, nil)
	b.wait(`document.querySelectorAll("#preview .change").length > 1`)
	shoot("inspector-replay")
	b.press("Escape")
	b.open(s.inspect + "/providers/tiktok")
	shoot("inspector-provider")
	b.size(360, 740)
	b.open(s.inspect + "/")
	shoot("inspector-360-list")
	b.press("j", "Enter")
	b.wait(`document.querySelector("#pane article[data-seq] .modes")`)
	shoot("inspector-360")
}

// busy fills the store with what a day of work leaves.
func (s *site) busy() {
	for _, name := range []string{
		"github/push", "tiktok/authorization.removed", "stripe/payment_intent.succeeded", "github/issues.opened", "tiktok/video.publish.completed",
		"slack/app_mention", "github/pull_request.opened", "tiktok/video.upload.failed", "standard-webhooks/invoice.paid", "stripe/invoice.payment_failed",
	} {
		s.trigger(name)
	}
	s.send("/status/500?shop=7", `{"event":"gift.sent","amount":5}`)
	s.send("/hooks/tiktok", `{"client_key":"x","event":"video.publish.completed","create_time":1615338610,"user_openid":"u","content":"{}"}`, "Tiktok-Signature: t=1633174587,s=18494715036ac4416a1d0a673871a2edbcfc94d94bd88ccd2c5ec9b3425afe66")
	s.send("/status/422", `{"amount": 12.50,, "currency": "EUR"}`)
	s.trigger("github/star.created")
	s.trigger("tiktok/video.publish.completed")
}
