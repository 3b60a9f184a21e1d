package inspector

import (
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// In a browser the page is tested by `make browser`; here, what it is made of.

// page asks for a page as a browser does.
func (b *bench) page(path string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest("GET", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, resp.Body); err != nil {
		b.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, []byte(text.String())}
}

// Beside the status of a failure it says how the app's answer begins, as text; of what is no
// failure, or a page, nothing.
func TestPageSaysWhatTheAppSays(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		status           int
		kind, body, want string
	}{
		{422, "application/json", "{\n  \"error\": \"<b>no\u202e</b>\"\n}", `<p class="says">{ &#34;error&#34;: &#34;&lt;b&gt;no‹U&#43;202E›&lt;/b&gt;&#34; }</p>`},
		{500, "text/plain", strings.Repeat("é ", 400), strings.Repeat("é ", mostSaid/2) + "…</p>"},
		{500, "text/html", "<p>no</p>", ""}, {500, "", "\xff\xfe", ""}, {200, "text/plain", "yes", ""},
	} {
		ex := b.record(recorder.Exchange{}, recorder.Response{Status: c.status, Headers: http.Header{"Content-Type": {c.kind}}, Body: recorder.Body{Bytes: []byte(c.body)}})
		page := string(b.page("/x/" + string(ex.ID)).body)
		if !strings.Contains(page, c.want) || strings.Contains(page, `class="says"`) != (c.want != "") {
			_, from, _ := strings.Cut(page, `aria-label="Delivery"`)
			t.Errorf("%d %q: %.600s", c.status, c.body, from)
		}
	}
}

// Each page comes whole, and as a part of one to htmx; what is not there is a page,
// too.
func TestPageWholeAndPart(t *testing.T) {
	b := newBench(t)
	b.signed()
	b.record(recorder.Exchange{Event: "x"}, recorder.Response{Status: 500})
	for path, want := range map[string]string{
		"/": "Choose a webhook", "/x/1": "Signature verified", "/x/last": "Not verified", "/x/77": "There is no recording 77",
		"/diff/1/2": "status", "/x/2/before": "Nothing to compare", "/providers": "All others", "/providers/tiktok": "The URL to paste", "/providers/none": "There is no provider none",
	} {
		status := http.StatusOK
		if strings.HasPrefix(want, "There is no") {
			status = http.StatusNotFound
		}
		whole, part := b.page(path), b.page(path, "HX-Request: true")
		for _, r := range []reply{whole, part} {
			if r.status != status || !strings.Contains(string(r.body), want) || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d %s without %q", path, r.status, r.header.Get("Content-Type"), want)
			}
		}
		if !strings.HasPrefix(string(whole.body), "<!doctype html>") || strings.Contains(string(part.body), "<!doctype") {
			t.Errorf("%s: a part is no part, or a whole not whole", path)
		}
	}
}

// No script and no style stands in a page, and no event of an element: the policy
// would not let them run, and what needs the policy to be harmless is not written.
func TestPagesHaveNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle\s*=|\son[a-z]+\s*=|hx-on|javascript:|<script(>|[^>]*>[^<])`)
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templateFiles.ReadFile(name)
		if found := inline.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	text := `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "\u202e\x00"
	b.record(recorder.Exchange{
		Provider: text, Event: text, DeliveryID: text, Detail: text, Route: text, Changes: []string{text},
		Request: recorder.Request{URL: "http://x/" + text + "?" + text, Headers: http.Header{text: {text}}, Body: recorder.Body{Bytes: []byte(text)}, Remote: text},
	}, recorder.Response{Headers: http.Header{"Content-Type": {text}}, Body: recorder.Body{Bytes: []byte(text)}})
	for _, path := range []string{"/", "/x/1", "/x/1/family", "/x/1/before", "/diff/1/1", "/page/rows", "/?filter=" + "%22%3E%3Cscript%3E"} {
		body := string(b.page(path).body)
		if strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.ContainsAny(body, "\x00\u202e") {
			t.Errorf("%s takes a webhook for more than text", path)
		}
	}
}

// What a browser may keep for good is named by the sum of it, and is what it says.
func TestStatic(t *testing.T) {
	b := newBench(t)
	home := string(b.page("/").body)
	var links []string
	for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(home, -1) {
		links = append(links, m[1])
	}
	if len(links) != 3 { // more would be waited for, or be in the way of what is seen
		t.Errorf("the page has the files %v", links)
	}
	start := string(b.page("/static/" + staticSum() + "/start.js").body)
	names := regexp.MustCompile(`vendor/[\w.-]+\.js`).FindAllString(start, -1)
	for _, name := range append(names, strings.Fields(regexp.MustCompile(`data-modules="([^"]+)"`).FindStringSubmatch(home)[1])...) {
		links = append(links, "/static/"+staticSum()+"/"+name)
	}
	if len(links) < 15 {
		t.Errorf("there are only the files %v", links)
	}
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for _, l := range links {
		r := b.page(l)
		if r.status != 200 || r.header.Get("Content-Type") != kinds[filepath.Ext(l)] || !strings.Contains(r.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", l, r.status, r.header)
		}
	}
	for _, path := range []string{"/static/" + staticSum() + "/../page.go", "/static/" + staticSum() + "/none.js", "/static/" + staticSum() + "/vendor"} {
		if r := b.page(path); r.status != 404 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := b.page("/static/other/app.js"); r.status != 200 || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("of another devhook: %d %s", r.status, r.header.Get("Cache-Control"))
	}
}

// Rows come in parts that follow on each other, and the place of a fault in a filter is
// told.
func TestRows(t *testing.T) {
	b := newBench(t)
	for range 25 {
		b.record(recorder.Exchange{}, recorder.Response{})
	}
	seqs := func(path string) (string, reply) {
		t.Helper()
		r := b.page(path)
		var list []string
		for _, m := range regexp.MustCompile(`data-seq="(\d+)"`).FindAllStringSubmatch(string(r.body), -1) {
			list = append(list, m[1])
		}
		return strings.Join(list, " "), r
	}
	got, r := seqs("/page/rows?limit=3")
	if got != "25 24 23" || r.header.Get("X-Devhook-Next") != "23" || r.header.Get("X-Devhook-Cursor") == "" {
		t.Errorf("the newest: %s, %v", got, r.header)
	}
	if got, _ := seqs("/page/rows?limit=3&before=23"); got != "22 21 20" {
		t.Errorf("before 23: %s", got)
	}
	if got, r := seqs("/page/rows?limit=10&before=23&from=21&oldest=1"); got != "22 21" || r.header.Get("X-Devhook-Next") != "21" || r.header.Get("X-Devhook-Oldest") != "1" {
		t.Errorf("from 21: %s, %v", got, r.header)
	}
	if got, r := seqs("/page/rows?limit=10&before=3"); got != "2 1" || r.header.Get("X-Devhook-Next") != "0" {
		t.Errorf("the oldest: %s, %v", got, r.header)
	}
	fault := b.page("/page/rows?filter=method:POST+stauts:500")
	v := fault.json(t)
	if fault.status != 400 || v["column"] != 12.0 || v["length"] != 10.0 || v["error"] == "" {
		t.Errorf("a wrong filter: %d %v", fault.status, v)
	}
}

// The command that is copied goes to the app, with the signature and without secrets.
func TestCurl(t *testing.T) {
	b := newBench(t)
	ex := b.signed()
	text := string(b.page("/x/last/curl").body)
	if !strings.Contains(text, b.app.URL) || !strings.Contains(text, "Tiktok-Signature") {
		t.Errorf("the command is %s", text)
	}
	secret := b.record(recorder.Exchange{Request: recorder.Request{Headers: http.Header{"Authorization": {"Bearer abcdefghijkl"}, "X-A": {"it's"}}, Body: recorder.Body{Bytes: []byte("x=" + tiktokSecret)}}}, recorder.Response{})
	got := string(b.page("/x/" + string(secret.ID) + "/curl").body)
	if strings.Contains(got, "abcdefghijkl") || strings.Contains(got, tiktokSecret) || !strings.Contains(got, "X-A") {
		t.Errorf("the command has a secret: %s", got)
	}
	if r := b.page("/x/" + string(ex.ID)[:3] + "zz/curl"); r.status != 404 {
		t.Errorf("of none: %d", r.status)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "é 日本 🎁": "é 日本 🎁", "a\x00\x1b[31m\n\x7f": "a␀␛[31m␊␡", "\xff\u202eevil\u2028": `\xff‹U+202E›evil‹U+2028›`, "\u200bx": "‹U+200B›x",
		"👩\u200d👧 ❤\ufe0f\u200d🔥": "👩\u200d👧 ❤\ufe0f\u200d🔥", "a\u200db👩\u200d": "a‹U+200D›b👩‹U+200D›",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 0, 1, 0, time.Local)
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{now, "00:00:01"}, {now.Add(23 * time.Hour), "23:00:01"}, {now.Add(-2 * time.Second), "27 Nov 23:59"}, {now.AddDate(0, 0, 1), "29 Nov 00:00"},
		{now.AddDate(-1, 0, 0), "28 Nov 2025"}, {now.AddDate(1, 0, 0), "28 Nov 2027"},
	} {
		if got := clock(test.at.UTC(), now.UTC()); got != test.want {
			t.Errorf("%v is shown as %q, want %q", test.at, got, test.want)
		}
	}
}

// Where a URL is shown to be pasted stands what is missing of it: nobody pastes a local door
// at a provider, or leaves the path out.
func TestPageTellsWhatToPaste(t *testing.T) {
	const local, path = "This is the local door.", "Behind it goes the path"
	b := newBench(t)
	for _, page := range []string{"/", "/providers/tiktok"} {
		if !strings.Contains(string(b.page(page).body), local) {
			t.Errorf("%s does not say what is missing of the URL", page)
		}
	}
	app, based := []string{"http://127.0.0.1:3000"}, []string{"http://127.0.0.1:3000/webhook"}
	public := Tunnel{Kind: "ngrok"}
	for name, c := range map[string]struct {
		status Status
		want   string
	}{
		"all is there":   {Status{Tunnel: public, Forward: based}, ""},
		"no path":        {Status{Tunnel: public, Forward: app}, path},
		"routes have it": {Status{Tunnel: public, Forward: app, Routes: []Route{{Path: "/a"}}}, ""},
		"no app":         {Status{Tunnel: public}, ""},
		"a local door":   {Status{Tunnel: Tunnel{Kind: "local"}, Forward: based}, local},
	} {
		got := strings.Join(c.status.pasting(), "\n")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
