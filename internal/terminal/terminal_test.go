package terminal

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"devhook/recorder"
	"devhook/verify"
)

func env(vars ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(vars); i += 2 {
			if vars[i] == name {
				return vars[i+1]
			}
		}
		return ""
	}
}

// NO_COLOR before --color before CLICOLOR_FORCE before TERM=dumb before what
// it is.
func TestColor(t *testing.T) {
	for name, tt := range map[string]struct {
		when Color
		env  []string
		want bool
	}{
		"a pipe":                  {Auto, nil, false},
		"always":                  {Always, nil, true},
		"never":                   {Never, []string{"CLICOLOR_FORCE", "1"}, false},
		"NO_COLOR beats always":   {Always, []string{"NO_COLOR", "1"}, false},
		"an empty NO_COLOR":       {Always, []string{"NO_COLOR", ""}, true},
		"forced":                  {Auto, []string{"CLICOLOR_FORCE", "1"}, true},
		"forced with nothing":     {Auto, []string{"CLICOLOR_FORCE", "0"}, false},
		"forced beats a dumb one": {Auto, []string{"CLICOLOR_FORCE", "1", "TERM", "dumb"}, true},
		"a dumb one":              {Auto, []string{"TERM", "dumb"}, false},
	} {
		var b bytes.Buffer
		term := New(&b, tt.when, env(tt.env...))
		if got := strings.Contains(term.Bad("x"), "\x1b["); got != tt.want {
			t.Errorf("%s: colour %v, want %v", name, got, tt.want)
		}
	}
}

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 日本 €":       "plain é 日本 €",
		"\x1b[2J\x07":        `\x1b[2J\a`,
		"a\nb\rc\td":         `a\nb\rc\td`,
		"\u009b31m":          `\u009b31m`,
		"\u202eevil":         `\u202eevil`,
		"\u2066\u200b\ufeff": `\u2066\u200b\ufeff`,
		"\xff\xc3":           `\xff\xc3`,
		"\x7f":               `\x7f`,
		"\u00a0":             `\u00a0`,
	} {
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
	if got := SafeText("C:\\r\nx"); got != "C:\\r\nx" {
		t.Errorf("SafeText: %q", got)
	}
	if got := SafeText("a\r\n\tb\x1b\nc"); got != "a\n\tb\\x1b\nc" {
		t.Errorf("SafeText: %q", got)
	}
}

func FuzzSafe(f *testing.F) {
	f.Add("\x1b]0;x\x07\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < 0x20 || r >= 0x7F && r < 0xA0 }) {
			t.Errorf("Safe(%q) = %q", s, got)
		}
	})
}

func exchange() *recorder.Exchange {
	return &recorder.Exchange{
		ID: "01JD7Q8V9T4K2M6N8P0R2S4T6V", Seq: 128, At: time.Date(2026, 11, 21, 14, 2, 11, 482e6, time.Local), Origin: recorder.Live,
		Provider: "tiktok", Event: "video.publish.completed", Target: "http://127.0.0.1:3000/hooks/tiktok?a=1",
		Request: recorder.Request{Method: "POST", URL: "https://x.ngrok.app/hooks/tiktok", Size: 1234},
		Verdict: verify.Verdict{Status: verify.Valid}, Outcome: recorder.Answered,
		Response: &recorder.Response{Status: 200, Took: 37 * time.Millisecond},
	}
}

func lines(width int, ex *recorder.Exchange) string {
	var b bytes.Buffer
	term := New(&b, Never, env())
	term.width = width
	term.Exchange(ex)
	return b.String()
}

func TestExchange(t *testing.T) {
	stale := exchange()
	stale.Seq, stale.Event, stale.Request.Size = 130, "video.upload.failed", 88
	stale.Verdict = verify.Verdict{Status: verify.Invalid, Reason: verify.Stale, Detail: "timestamp 11m42s old (limit 5m)", Hint: "look at the clock"}
	stale.Outcome, stale.Response = recorder.Refused, &recorder.Response{Status: 403}
	down := exchange()
	down.Outcome, down.Detail, down.Response = recorder.Unreachable, "connection refused", &recorder.Response{Status: 502}
	failed := exchange()
	failed.Response = &recorder.Response{Status: 500, Body: recorder.Body{Bytes: []byte("\n  TypeError: \x1b[31muser\nmore")}, Took: 1300 * time.Millisecond}
	hostile := exchange()
	hostile.Event, hostile.Provider = "a\x1b[2J\nb", ""
	hostile.Request.URL = "https://h/\x1b"
	here := exchange()
	here.Outcome, here.Event = recorder.Handled, ""
	nowhere := exchange()
	nowhere.Outcome, nowhere.Response, nowhere.Origin = recorder.Handled, nil, recorder.Stream
	replayed := exchange()
	replayed.Origin = recorder.Replay
	downAgain := exchange()
	downAgain.Origin, downAgain.Outcome, downAgain.Detail, downAgain.Response = recorder.Replay, down.Outcome, down.Detail, down.Response
	unrouted := exchange()
	unrouted.Outcome, unrouted.Response.Status = recorder.Unrouted, 404

	lost := exchange()
	lost.Target, lost.Response.Status, lost.Response.Body.Bytes = "http://127.0.0.1:3000/hook/hook?a=1", 404, []byte("nothing here")
	mute := exchange()
	mute.Response.Status, mute.Response.Body.Bytes = 405, nil

	solved := exchange()
	solved.Outcome, solved.Response.Status, solved.Detail = recorder.Refused, 403, "matches if white space around the client secret is taken away: set TIKTOK_CLIENT_SECRET"
	solved.Verdict = verify.Verdict{Status: verify.Invalid, Reason: verify.BadSignature, Detail: "not signed with the known secret", Hint: "check"}

	led := exchange()
	led.Response.Status, led.Response.Headers = 308, http.Header{"Location": {"/hooks/"}}
	browser := exchange()
	browser.Request.Method, browser.Response.Status, browser.Response.Headers = http.MethodGet, 302, http.Header{"Location": {"/login"}}

	for name, tt := range map[string]struct {
		ex    *recorder.Exchange
		width int
		want  string
	}{
		"as documented": {exchange(), 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  200   37ms\n"},
		"of a stream":   {nowhere, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     recorded, and no app to send it to  (stream)\n"},
		"refused": {stale, 0, "14:02:11.482  #130  tiktok    video.upload.failed           88 B  sig FAIL   refused 403: timestamp 11m42s old (limit 5m)\n" +
			"              look at the clock   devhook show 130\n"},
		"app down": {down, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  502 unreachable\n" +
			"              connection refused: is the app running?   devhook show 128\n"},
		"app fails": {failed, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  500   1.3s\n" +
			"              TypeError: \\x1b[31muser   devhook show 128\n"},
		"hostile":  {hostile, 0, "14:02:11.482  #128  -         a\\x1b[2J\\nb                 1.2 kB  sig ok     -> :3000/hooks/tiktok  200   37ms\n"},
		"here":     {here, 0, "14:02:11.482  #128  tiktok    POST /hooks/tiktok          1.2 kB  sig ok     answered here 200\n"},
		"a replay": {replayed, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  200   37ms  (replay)\n"},
		"no route": {unrouted, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     no route 404\n"},
		"a redirect": {led, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  308   37ms\n" +
			"              a redirect to /hooks/, which most providers do not follow, and take for a failure   devhook show 128\n"},
		"a browser's redirect": {browser, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hooks/tiktok  302   37ms\n"},
		"no room for where it is from": {downAgain, 60, "14:02:11 #128 tiktok vi…ompleted sig ok   -> 502 unreachable\n" +
			"          connection refused: is the app…   devhook show 128\n"},
		"a path that the app has not": {lost, 80, "14:02:11 #128 tiktok video.publish.completed  1.2 kB sig ok   -> 404   37ms\n" +
			"             POST /hook/hook: nothing here   devhook show 128\n"},
		"the same, with room for it": {lost, 0, "14:02:11.482  #128  tiktok    video.publish.completed     1.2 kB  sig ok     -> :3000/hook/hook  404   37ms\n" +
			"              nothing here   devhook show 128\n"},
		"a method that the app has not": {mute, 80, "14:02:11 #128 tiktok video.publish.completed  1.2 kB sig ok   -> 405   37ms\n" +
			"             POST /hooks/tiktok   devhook show 128\n"},
		"why it was refused is known": {solved, 80, "14:02:11 #128 tiktok video.publish.completed  1.2 kB sig FAIL refused 403\n" +
			"             matches if white space around the client secret…   devhook show 128\n"},
		"80 columns": {exchange(), 80, "14:02:11 #128 tiktok video.publish.completed  1.2 kB sig ok   -> 200   37ms\n"},
	} {
		if got := lines(tt.width, tt.ex); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
		}
	}
	for _, ex := range []*recorder.Exchange{exchange(), stale, down, failed, hostile, here, replayed, unrouted} {
		for _, word := range []string{"long.", "長い", "é👍"} {
			ex.Provider, ex.Event, ex.Detail = "a-provider-with-a-long-name", strings.Repeat(word, 20), strings.Repeat(word, 60)
			for _, width := range []int{60, 79, 80, 109} {
				for l := range strings.Lines(lines(width, ex)) {
					if n := Columns(strings.TrimSuffix(l, "\n")); n > width {
						t.Errorf("%d columns in a terminal of %d: %s", n, width, l)
					}
				}
			}
		}
	}
}

// What was recorded on another day has its date before it, within the width.
func TestListed(t *testing.T) {
	ex := exchange()
	ex.Event = strings.Repeat("long.", 20)
	for width, want := range map[int]string{
		0:  "11-21 14:02:11.482  #128  tiktok    " + ex.Event + "    1.2 kB  sig ok     -> :3000/hooks/tiktok  200   37ms\n",
		80: "11-21 14:02:11 #128 tiktok long.…g.long.long.long. 1.2 kB sig ok   -> 200   37ms\n",
	} {
		var b bytes.Buffer
		term := New(&b, Never, env())
		term.width = width
		term.Listed(ex, ex.At.Add(100*time.Hour))
		if b.String() != want {
			t.Errorf("%d columns:\n got %q\nwant %q", width, b.String(), want)
		}
	}
	var b bytes.Buffer
	term := New(&b, Never, env())
	today := exchange()
	today.At = ex.At.Add(48 * time.Hour)
	for _, one := range []*recorder.Exchange{today, ex, today} {
		term.Listed(one, today.At)
	}
	list := strings.Split(b.String(), "\n")
	for i, day := range []string{"14:02:11", "11-21 14:02:11", "11-23 14:02:11"} {
		if !strings.HasPrefix(list[i], day) {
			t.Errorf("line %d does not begin with %s: %s", i, day, list[i])
		}
	}
}

// The column of the event does not move with the names that come, wherever they are
// from, and whatever became of them. Once only it gives room to where they are from.
func TestEventColumnStays(t *testing.T) {
	for _, width := range []int{60, 80, 100} {
		var b bytes.Buffer
		term := New(&b, Never, env())
		term.width = width
		for _, event := range []string{"push", "WebcastMemberMessage", "a.very.long.name.of.an.event", "x"} {
			for _, origin := range []recorder.Origin{recorder.Trigger, recorder.Replay, recorder.Live, recorder.Import} {
				ex := exchange()
				ex.Event, ex.Origin = event, origin
				term.Listed(ex, ex.At)
				ex.Outcome, ex.Response.Status = recorder.Refused, 403
				term.Listed(ex, ex.At)
			}
		}
		at := -1
		for line := range strings.Lines(b.String()) {
			column := Columns(line[:strings.Index(line, " sig ")])
			if at >= 0 && column != at {
				t.Errorf("%d columns: the signature stands at %d and at %d: %s", width, at, column, line)
			} else if at < 0 {
				at = column
			}
			if Columns(strings.TrimSpace(line)) > width {
				t.Errorf("more than %d columns: %s", width, line)
			}
		}
	}
}

// Columns are in line from the first line on if it is known what will come.
func TestMakeRoom(t *testing.T) {
	var b bytes.Buffer
	term := New(&b, Never, env())
	term.MakeRoom("tencent-live")
	for _, id := range []string{"tiktok", "tencent-live"} {
		ex := exchange()
		ex.Provider = id
		term.Exchange(ex)
	}
	first, second, _ := strings.Cut(b.String(), "\n")
	if at := strings.Index(first, "video."); at < 0 || at != strings.Index(second, "video.") {
		t.Errorf("not in line:\n%s", b.String())
	}
}

// A refusal stands in line with what was answered, also where there is little
// room.
func TestRefusalInLine(t *testing.T) {
	refused := exchange()
	refused.Outcome, refused.Response = recorder.Refused, &recorder.Response{Status: 403}
	for _, width := range []int{60, 80} {
		got := lines(width, exchange()) + lines(width, refused)
		first, second, _ := strings.Cut(got, "\n")
		if strings.Index(first, "sig ") != strings.Index(second, "sig ") {
			t.Errorf("%d columns: not in line:\n%s", width, got)
		}
	}
}

// What is wider than the terminal is broken between words.
func TestItem(t *testing.T) {
	var b bytes.Buffer
	term := New(&b, Never, env())
	term.width = 20
	term.Item("one two three four five")
	term.Row("name", "six seven")
	want := "  - one two three\n    four five\n  name       six\n             seven\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// What does not fit beside something stands under it; off a terminal lines have no end.
// What is said on a terminal is broken between words, not in them; elsewhere
// it is one line.
func TestToldIsBrokenBetweenWords(t *testing.T) {
	var b strings.Builder
	narrow := &Terminal{w: &b, width: 40, style: plainStyle}
	narrow.Error("the recording of a webhook cannot be read", "devhook doctor tells what is not as it should be")
	narrow.Warning("short")
	slog.New(narrow.LogHandler(slog.LevelWarn)).Warn("this line of a log is longer than forty columns are", "id", 7)
	want := `devhook: error: the recording of a
webhook cannot be read
devhook: hint: devhook doctor tells what
is not as it should be
devhook: warning: short
devhook: warning: this line of a log is
longer than forty columns are id=7
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	pipe := &Terminal{w: &b, style: plainStyle}
	pipe.Error(strings.Repeat("long ", 100)+"\x1b[31m", "")
	if got := strings.Count(b.String(), "\n"); got != 1 || strings.Contains(b.String(), "\x1b") {
		t.Errorf("in a pipe: %q", b.String())
	}
}

func TestBeside(t *testing.T) {
	var b bytes.Buffer
	term := New(&b, Never, env())
	term.Beside("head", "one two three four five")
	term.width = 20
	term.Beside("a head ", "four five")
	term.Beside("a head  ", "one two three four five")
	term.Beside("only a head", "")
	want := "head one two three four five\na head  four five\na head\n    one two three\n    four five\nonly a head\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// One letter is not one column.
func TestColumns(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "直播": 4, "ｱ": 1, "Ａ": 2, "한국": 4, "👍": 2, "…": 1, "\x1b[31mred\x1b[0m": 3, "к": 1,
	} {
		if got := Columns(s); got != want {
			t.Errorf("Columns(%q) = %d, want %d", s, got, want)
		}
	}
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{
		{"直播间", 6, "直播间"}, {"直播间", 5, "直播…"}, {"直播间", 4, "直…"}, {"abc", 2, "a…"}, {"abc", 3, "abc"}, {"abc", 0, "abc"},
	} {
		if got := Cut(tt.s, tt.n); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
	if got := Pad("直播", 6) + "|" + padLeft("直播", 6); got != "直播  |  直播" {
		t.Errorf("padded: %q", got)
	}
}

func TestWhole(t *testing.T) {
	ex := exchange()
	ex.Request.Headers = http.Header{"X-B": {"2", "3"}, "Host": {"h"}, "X-A": {"\x1b"}}
	ex.Verdict = verify.Verdict{Status: verify.Invalid, Reason: verify.BadSignature, Detail: "not signed", Hint: "look"}
	var b bytes.Buffer
	term := New(&b, Never, env())
	term.Whole(ex, []byte(`{"a":{"b":[1,"\u001b"]}}`), []byte{0, 1, 2, 'a'}, nil)
	for _, want := range []string{
		"recording  #128  01JD7Q8V9T4K2M6N8P0R2S4T6V\n", "signature  invalid (bad signature): not signed\n           look\n",
		"Host: h\nX-A: \\x1b\nX-B: 2\nX-B: 3\n", "\"b\": [\n", "200 OK  37ms\n", "00000000  00010261", "...a\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestSizesAndTimes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9960: "10 kB", 999_499: "999 kB", 999_600: "1.0 MB", 20_971_520: "21 MB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{400 * time.Microsecond: "0.4ms", 37 * time.Millisecond: "37ms", 1234 * time.Millisecond: "1.2s", 130 * time.Second: "2m10s"} {
		if got := Took(d); got != want {
			t.Errorf("Took(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestLogHandler(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(New(&b, Never, env()).LogHandler(slog.LevelWarn))
	log.Info("not this")
	log.With("file", "a\x1b").Warn("cut off", "bytes", 5)
	log.Error("cannot", "error", "oh\nno")
	want := "devhook: warning: cut off file=a\\x1b bytes=5\ndevhook: error: cannot: oh\\nno\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestIndentOpensWhatStringsHold(t *testing.T) {
	for in, want := range map[string]string{
		`{"content":"{\"a\":[1, \"[2]\"],\"b\":{}}","n":1}`: `{
  "content": (a string of JSON)
    {
      "a": [
        1,
        (a string of JSON)
          [
            2
          ]
      ],
      "b": {}
    },
  "n": 1
}`,
		`{"{}":"{","a":"[x]","b":"","c":" {} "}`: `{
  "{}": "{",
  "a": "[x]",
  "b": "",
  "c": (a string of JSON)
    {}
}`,
		`"[1]"`: "(a string of JSON)\n  [\n    1\n  ]",
	} {
		if got, ok := indent([]byte(in)); !ok || got != want {
			t.Errorf("%s:\n%s\nwant\n%s", in, got, want)
		}
	}
}

// What strings hold in strings, again and again, must not take all memory.
func TestIndentOfStringsIsBounded(t *testing.T) {
	body := []byte("[1]")
	for range 12 {
		body, _ = json.Marshal(string(body))
	}
	if text, ok := indent(body); ok && len(text) > maxGrowth*len(body)+8<<10 {
		t.Errorf("%d bytes become %d", len(body), len(text))
	}
}

func TestCutMiddle(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"Live.CallbackBeforeSendGift", 12, "Liv…SendGift"},
		{"video.publish.completed", 12, "vid…ompleted"},
		{"short", 12, "short"},
		{"漢字漢字漢字漢字", 8, "漢…漢字"},
		{"abcdefgh\u0301ijk", 5, "a…ijk"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, "abcdef"},
	} {
		if got := cutMiddle(tt.in, tt.n); got != tt.want || tt.n > 0 && Columns(got) > tt.n {
			t.Errorf("cutMiddle(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

// What takes long is said, and taken away again; what does not is never on the
// screen, nor is anything of it in a pipe.
func TestBusy(t *testing.T) {
	var b lockedText
	screen := &Terminal{w: &b, width: 40, style: plainStyle}
	done := screen.Busy("looking")
	for end := time.Now().Add(20 * time.Second); b.String() == "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	done()
	done()
	if got := b.String(); got != "\r\x1b[Klooking\r\x1b[K" {
		t.Errorf("got %q", got)
	}
	var none lockedText
	pipe := &Terminal{w: &none, style: plainStyle}
	pipe.Busy("looking")()
	(&Terminal{w: &none, width: 40, style: plainStyle}).Busy("looking")()
	time.Sleep(soon + 50*time.Millisecond)
	if none.String() != "" {
		t.Errorf("got %q", none.String())
	}
}

type lockedText struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestFrame(t *testing.T) {
	ex := exchange()
	at := opened(ex).Add(314 * time.Millisecond)
	for _, tt := range []struct {
		f    recorder.Frame
		want string
	}{
		{recorder.Frame{Dir: recorder.In, Op: recorder.OpText, Body: []byte("{\"a\":1}\n"), Size: 8}, "+0.314s  -> text      8 B  {\"a\":1}"},
		{recorder.Frame{Dir: recorder.Out, Op: recorder.OpBinary, Body: []byte{0, 0xff, 0x10}, Size: 3}, "+0.314s  <- binary    3 B  00ff10"},
		{recorder.Frame{Dir: recorder.Out, Op: recorder.OpBinary, Body: make([]byte, 40), Size: 40}, "<- binary   40 B  " + strings.Repeat("00", 32) + "…"},
		{recorder.Frame{Dir: recorder.In, Op: recorder.OpText, Body: []byte("3 \xe2\x82"), Size: 5, Truncated: true}, "-> text      5 B  3 …"},
		{recorder.Frame{Dir: recorder.Out, Op: recorder.OpClose, Code: 1001, Reason: "away"}, "<- close     0 B  1001 away"},
		{recorder.Frame{Dir: recorder.In, Op: recorder.OpClose, Code: 1005, Detail: "odd"}, "-> close     0 B  no code (odd)"},
	} {
		tt.f.At = at
		var b bytes.Buffer
		New(&b, Never, env()).Frame(ex, &tt.f)
		if got := strings.TrimSpace(b.String()); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// What is text stays that when it is cut inside a letter, and is not when something else is
// wrong with it.
func TestWhatIsText(t *testing.T) {
	for body, want := range map[string]bool{
		"": true, "a\tb\r\n\x1b[m": true, "€": true, "\xe2": true, "a\xe2\x82": true, "\xf0\x9f\x98": true,
		"a\x00": false, "\xe2\x82a": false, "\xff": false, "a\x82": false, "\u0085": false,
	} {
		if got := isText([]byte(body)); got != want {
			t.Errorf("isText(%q) = %v", body, got)
		}
	}
}
