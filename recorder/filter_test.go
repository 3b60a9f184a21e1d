package recorder

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"devhook/verify"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestFilter(t *testing.T) {
	s := open(t, t.TempDir())
	big := spool(t, s, []byte(strings.Repeat("-", 3*chunk-3)+"needle"+strings.Repeat("-", chunk)))
	ex := &Exchange{
		ID: "01JABC", Seq: 7, DeliveryID: "d-1",
		At: noon.Add(-30 * time.Minute), Origin: Live, Provider: "tiktok-shop", Event: "video.publish.completed", Route: "/hooks",
		Request: Request{
			Method: "POST", URL: "https://x.ngrok.app/hooks/tiktok?a=/b",
			Headers: http.Header{"X-Foo": {"Bar", "baz"}},
			Body:    Body{Bytes: []byte(`{"user":{"id":42,"name":"Ann Lee"},"content":"{\"reason\":1}","big":12345678901234567890,"a.b":[true,null]}`)}, Size: 12_000,
		},
		Verdict: verify.Verdict{Status: verify.Invalid, Reason: verify.Stale}, Outcome: Answered,
		Response: &Response{Status: 502, Body: Body{Bytes: []byte("oh no")}, Took: 700 * time.Millisecond},
	}
	for words, want := range map[string]bool{
		"":                                     true,
		"provider:tiktok-shop":                 true,
		"provider:TikTok_Shop":                 true,
		"provider:tiktok":                      false,
		"provider:tiktok*":                     true,
		"provider:euler,tiktok*":               true,
		"event:video.*":                        true,
		"event:*.publish.*":                    true,
		"event:Video.*":                        false,
		"event:video":                          false,
		"-event:video.*":                       false,
		"status:5xx":                           true,
		"status:502":                           true,
		"status:200,502":                       true,
		"status:400..499":                      false,
		"status:>=500":                         true,
		"-status:5xx":                          false,
		"verdict:invalid":                      true,
		"reason:stale":                         true,
		"outcome:unreachable":                  false,
		"method:post":                          true,
		"path:/hooks/*":                        true,
		"path:/hooks/tiktok":                   true,
		"path:/b":                              false,
		"route:/hooks":                         true,
		"origin:live":                          true,
		"origin:replay,live":                   true,
		"origin:l*":                            true,
		"verdict:un*":                          false,
		"reason:missing*":                      false,
		"outcome:x*,answered":                  true,
		"provider:nobody":                      false, // a catalog may have had any
		"since:1h":                             true,
		"since:10m":                            false,
		"until:10m":                            true,
		"since:2026-11-01":                     true,
		"until:2026-11-01":                     false,
		"since:1796000000":                     false,
		"size:>10kb":                           true,
		"size:<=10kb":                          false,
		"size:12kb":                            true,
		"size:1kb..20kb":                       true,
		"took:>500ms":                          true,
		"took:<0.5s":                           false,
		"header.x-foo:bar":                     false,
		"header.x-foo:Bar":                     true,
		"header.X-FOO:ba*":                     true,
		"header.x-none:*":                      false,
		"body.user.id=42":                      true,
		"body.user.id=42.0":                    true,
		"body.user.id=43":                      false,
		"body.user.name=Ann":                   false,
		"body.content.reason=1":                true,
		`body.big=12345678901234567891`:        false,
		`body.big=12345678901234567890`:        true,
		`body.a\.b.0=true`:                     true,
		`body.a\.b=[true,null]`:                true,
		`body.user={"name":"Ann Lee","id":42}`: true,
		"Ann Lee":                              true,
		"ann lee":                              false,
		`"Ann Lee"`:                            true,
		`-"Ann Lee"`:                           false,
		"oh no":                                true,
		`"status:5xx"`:                         false,
		"http://nowhere":                       false,
		"status:5xx event:video.*":             true,
		"status:5xx event:x":                   false,
		`method:POST "Ann Lee" -status:2xx`:    true,
		`body.user.name="Ann Lee"`:             true,
		"body.user.id=41,42":                   true,
		"body.user.id=41,43":                   false,
		"body.user.id=4.2e1":                   true,
		"body.user.id=42.00000000000000000001": false,
		"body.big=12345678901234567890.0":      true,
		"body.big=1234567890123456789e1":       true,
		"body.content.reason=01":               false,
		`body.a\.b=[true,null],1`:              true,
		`body.user.name=Ann*`:                  true,
		`body.user.name=A*`:                    true,
		`body.user.name="A*"`:                  false, // JSON is compared as it is
		`"{\"user\":{\"id\":42"`:               true,
		`{"user":{"id":42`:                     true,
		`provider:tiktok* {"user":{"id":42`:    true,
		`"a\\b"`:                               false,
		`header.x-foo:"Bar"`:                   true,
		`header.x-foo:"a,b",Bar`:               true,
		`header.x-foo:a\,b`:                    false,
		`header.x-foo:B\*`:                     false,
		"status:200,500..599":                  true,
		"status:>500":                          true,
		"status:>5xx":                          false,
		"status:<5xx":                          false,
		"status:>4xx":                          true,
		"seq:7":                                true,
		"seq:>=8":                              false,
		"seq:1..7":                             true,
		"id:01J*":                              true,
		"id:01j*abc":                           true,
		"delivery:d-*":                         true,
		"foo:bar":                              false,
		"12:30":                                false,

		// Times of day: the exchange came at half past eleven, UTC.
		"since:" + noon.Add(-31*time.Minute).Local().Format("15:04"):       true,
		"since:" + noon.Add(-29*time.Minute).Local().Format(time.TimeOnly): false,
		"until:" + noon.Add(-29*time.Minute).Local().Format("15:04"):       true,
		"since:" + noon.Add(time.Minute).Local().Format("15:04"):           true, // of yesterday
	} {
		f, err := ParseFilter(noon, words)
		if err != nil {
			t.Errorf("%s: %v", words, err)
			continue
		}
		if got, err := f.Match(s, ex); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", words, got, err, want)
		}
	}

	ex.Request.Body = big
	for word, want := range map[string]bool{"needle": true, "noodle": false} {
		f, err := ParseFilter(noon, word)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Match(s, ex); got != want || err != nil {
			t.Errorf("%s in a large body: %v, %v", word, got, err)
		}
	}
	ex.Response = nil
	f, _ := ParseFilter(noon, "-status:2xx", "-took:>1s")
	if ok, _ := f.Match(s, ex); !ok {
		t.Error("an exchange without a response has no status, so it is not 2xx")
	}
}

func TestFilterErrors(t *testing.T) {
	for words, want := range map[string]string{
		"provder:tiktok":  "did you mean provider:?",
		"stauts:5xx":      "did you mean status:?",
		"status:5x":       "not a status",
		"size:big":        "not a size",
		"took:soon":       "invalid duration",
		"since:yesterday": "not a time",
		"event:":          "no value",
		`event:"x`:        "the quote is not closed",
		`"x`:              "the quote is not closed",
		"status:500..400": "ends before it begins",
		"seq:-1":          "not a sequence number",
		`body.a\q=1`:      "path",

		"verdict:bogus":            `unknown verdict "bogus" (near: `,
		"verdict:unsigend":         "(near: unsigned, ",
		"verdict:Valid":            "(near: valid, ",
		"-outcome:nonsense":        "one of pending, answered, unreachable, refused, handled, queued, unrouted",
		"outcome:answered,refsued": `unknown outcome "refsued" (near: refused, `,
		"outcome:answered,":        `unknown outcome ""`,
		"reason:x":                 "unknown reason",
		"reason:no-secret":         "(near: no_secret, ",
		"origin:liv":               "(near: live, ",
	} {
		_, err := ParseFilter(noon, words)
		var fe *FilterError
		if !errors.As(err, &fe) || !strings.Contains(fe.Error()+fe.Hint, want) {
			t.Errorf("%s: %v, want an error with %q", words, err, want)
		}
	}
}

// The closed lists are those of the package that has the words.
func TestFilterKnowsAllWords(t *testing.T) {
	for key, source := range map[string]string{"verdict": "Status", "reason": "Reason", "outcome": "Outcome", "origin": "Origin"} {
		file := "exchange.go"
		if key == "verdict" || key == "reason" {
			file = "../verify/verify.go"
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, m := range regexp.MustCompile(`(?m)^\t\w+ +`+source+` += "(\w+)"`).FindAllStringSubmatch(string(src), -1) {
			want = append(want, m[1])
		}
		if got := closedWords[key]; len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
		for _, word := range want {
			if _, err := ParseFilter(noon, key+":"+word); err != nil {
				t.Error(err)
			}
		}
	}
}

// An error says where it is, in the words as they were typed.
func TestFilterColumns(t *testing.T) {
	for column, words := range map[int][]string{
		1:  {"provder:tiktok"},
		8:  {"status:5x"},
		12: {"status:200,5x"},
		13: {"-status:200,5x"},
		16: {"event:ä", "status:x"},
		28: {"event:x method:POST", "size:1,x"},
		29: {"event:x method:POST", "-origin:bogus"},
	} {
		_, err := ParseFilter(noon, words...)
		var fe *FilterError
		if !errors.As(err, &fe) || fe.Column != column || fe.Line != strings.Join(words, " ") {
			t.Errorf("%q: %+v, want column %d", words, err, column)
		}
	}
}

func TestFilterNotes(t *testing.T) {
	for words, want := range map[string]string{
		"foo:bar": "foo: is no key", `"foo:bar"`: "", "http://x": "", "12:30": "", "status:5xx": "", "pinned:true": "", "starred:yes": "starred: is no key",
		"status=500": `"status=500" is looked for as a text in bodies: if the key is meant, write status:500`, "Status:5xx": `"Status:5xx" is`,
		"body.event:push": `"body.event:push" is looked for as a text in bodies: if the key is meant, write body.event=push`,
		"header.X-Foo=1":  `"header.X-Foo=1" is`, `"status=500"`: "", "id=": "", "status>=500": `"status>=500" is looked for as a text in bodies: if the key is meant, write status:>=500`,
		"provider!=tiktok": `"provider!=tiktok" is looked for as a text in bodies: if the key is meant, write -provider:tiktok`, "<b>": "", "a>b": "",
		"Status:5xx Event:push": `"Status:5xx Event:push" is looked for as a text in bodies: if the key is meant, write status:5xx`,
		"gift -stauts:5xx":      `"gift -stauts:5xx" is looked for as a text in bodies: if the key is meant, write -status:5xx`,
		`"Status:5xx gift"`:     "", "error: user is http://x": "", "text in a body": "", "foo:bar gift": "",
		"a=b": "", "body.event=push": "",
	} {
		f, err := ParseFilter(noon, words)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Notes(), ""); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}

// What a filter asks for can be known without matching anything.
func TestFilterTerms(t *testing.T) {
	f, err := ParseFilter(noon, `provider:TikTok_shop,x*`, `-status:5xx,404`, "since:1700000000", "until:2026-11-21T12:00:00.0000005Z", "header.X-A:b", "body.a.b=1,c", `"te xt"`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, term := range f.Terms() {
		got = append(got, fmt.Sprintf("%s %s %v %q %v", term.Key, term.Name, term.Not, term.Patterns, term.Ranges))
	}
	want := []string{
		`provider  false [["tiktok-shop"] ["x" ""]] []`,
		`status  true [] [{500 599} {404 404}]`,
		`since  false [] [{1700000000000000 9223372036854775807}]`,
		`until  false [] [{-9223372036854775808 1795262400000000}]`,
		`header X-A false [["b"]] []`,
		`body a.b false [["1"] ["c"]] []`,
		`text  false [["te xt"]] []`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, exact := f.Terms()[0].Patterns[1].Exact(); exact {
		t.Error("x* is not exact")
	}
}

func TestIsFilterWord(t *testing.T) {
	for arg, want := range map[string]bool{
		"-status:5xx": true, "provider:x": true, "-header.x:y": true, "-body.a=1": true,
		"-n": false, "--json": false, "-nosuch:x": false, "text": false, `"a b"`: true, `-"a=b"`: true, "": false, "-": false,
	} {
		if got := IsFilterWord(arg); got != want {
			t.Errorf("IsFilterWord(%q) = %v", arg, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]time.Time{
		"1700000000":                time.Unix(1_700_000_000, 0),
		"1700000000123":             time.UnixMilli(1_700_000_000_123),
		"2026-11-21T13:00:00+01:00": noon,
		"-5m":                       noon.Add(-5 * time.Minute),
		"+30s":                      noon.Add(30 * time.Second),
		"+2d":                       noon.Add(48 * time.Hour),
		"+2d30m":                    noon.Add(48*time.Hour + 30*time.Minute),
		"-1d1h30m":                  noon.Add(-25*time.Hour - 30*time.Minute),
		"-0d5s":                     noon.Add(-5 * time.Second),
	} {
		if got, err := ParseTime(noon, in); err != nil || !got.Equal(want) {
			t.Errorf("ParseTime(%s) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "170000000", "tomorrow", "5", "d", "nand", "+1d-5m", "1d5", "5md", "30m2d", "1d2d", "99999d", "1d1000000h"} {
		if got, err := ParseTime(noon, in); err == nil {
			t.Errorf("ParseTime(%q) = %v", in, got)
		}
	}
}

func FuzzFilter(f *testing.F) {
	s, err := Open(f.TempDir(), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Add(`provider:tiktok -status:5xx,400..499 body.a.b="x y" "text`)
	f.Add(`took:>1s since:-1d header.a:*b* size:1kb..`)
	f.Add(`"a \"b\" c" header.x:"a,b",\*\, body.a=[1,2],"x" seq:1..9 foo:bar`)
	f.Fuzz(func(t *testing.T, words string) {
		filter, err := ParseFilter(noon, words)
		if fe := new(FilterError); errors.As(err, &fe) {
			if n := utf8.RuneCountInString(fe.Line); fe.Line != words || fe.Column < 1 || fe.Column > n+1 || !strings.Contains(words, fe.Word) {
				t.Errorf("%q: %+v", words, fe)
			}
		}
		if err != nil {
			return
		}
		for _, term := range filter.Terms() {
			if len(term.Patterns) == 0 && len(term.Ranges) == 0 || slices.ContainsFunc(term.Patterns, func(p Pattern) bool { return len(p) == 0 }) {
				t.Errorf("%q: %+v", words, term)
			}
		}
		if _, err := filter.Match(s, sample()); err != nil {
			t.Error(err)
		}
	})
}
