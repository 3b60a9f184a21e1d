package interchange

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What curl would send is read from its command line.
func TestCurl(t *testing.T) {
	for command, want := range map[string]string{
		`curl https://a.example`:                                                        `GET https://a.example/ map[Accept:[*/*] Host:[a.example]] ""`,
		`curl a.example/x#y`:                                                            `GET http://a.example/x map[Accept:[*/*] Host:[a.example]] ""`,
		"$ curl \\\n  'https://a.example/it'\\''s' # note":                              `GET https://a.example/it's map[Accept:[*/*] Host:[a.example]] ""`,
		`curl -d a=1 --data-raw @b -d'c' https://a.example/`:                            `POST https://a.example/ map[Accept:[*/*] Content-Length:[8] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "a=1&@b&c"`,
		`curl -XPUT -H'X-A:  b ' -H 'x-a: c' -H 'Accept:' -H 'X-E;' https://a.example/`: `PUT https://a.example/ map[Host:[a.example] X-A:[b c] X-E:[]] ""`,
		`curl --json '{"a":' --json 1} https://a.example/`:                              `POST https://a.example/ map[Accept:[application/json] Content-Length:[7] Content-Type:[application/json] Host:[a.example]] "{\"a\":1}"`,
		`curl -G -d a=1 --data-urlencode 'b=c d' 'https://a.example/?x'`:                `GET https://a.example/?x&a=1&b=c+d map[Accept:[*/*] Host:[a.example]] ""`,
		`curl -X PUT -d a=1 https://a.example/`:                                         `PUT https://a.example/ map[Accept:[*/*] Content-Length:[3] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "a=1"`,
		`curl --data-urlencode '=a b' --data-urlencode 'c d' --url-query 'e=f g' --url-query +h=%20 https://a.example/`: `POST https://a.example/?e=f+g&h=%20 map[Accept:[*/*] Content-Length:[7] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "a+b&c+d"`,
		`curl -b a=1 -b b=2 -u x:y -H 'Authorization: Bearer z' -H 'User-Agent: b' -A a https://a.example/`:             `GET https://a.example/ map[Accept:[*/*] Authorization:[Bearer z] Cookie:[a=1;b=2] Host:[a.example] User-Agent:[b]] ""`,
		`curl -d $'\é' https://a.example/`:                                                             `POST https://a.example/ map[Accept:[*/*] Content-Length:[3] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "\\é"`,
		`curl -u ann:pw --compressed -b s=1 -A ua -e ref https://a.example/`:                           `GET https://a.example/ map[Accept:[*/*] Accept-Encoding:[deflate, gzip] Authorization:[Basic YW5uOnB3] Cookie:[s=1] Host:[a.example] Referer:[ref] User-Agent:[ua]] ""`,
		`curl https://u:p%40@a.example/`:                                                               `GET https://a.example/ map[Accept:[*/*] Authorization:[Basic dTpwQA==] Host:[a.example]] ""`,
		`curl -I -sSL -o /dev/null -m 5 --max-time 3 https://a.example/`:                               `HEAD https://a.example/ map[Accept:[*/*] Host:[a.example]] ""`,
		`curl --data-raw $'\x00\u00e9\n\'\101\cA\q' https://a.example/`:                                `POST https://a.example/ map[Accept:[*/*] Content-Length:[9] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "\x00é\n'A\x01\\q"`,
		`curl "https://a.example/\"\\x" --data-raw "a \$b"`:                                            `POST https://a.example/"\x map[Accept:[*/*] Content-Length:[4] Content-Type:[application/x-www-form-urlencoded] Host:[a.example]] "a $b"`,
		`curl --url https://a.example/ --request-target '//x?y' -H 'Host: b' -H 'Content-Type:' -d ''`: `POST https://a.example//x?y map[Accept:[*/*] Content-Length:[0] Host:[b]] ""`,
	} {
		list, err := read([]byte(command))
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %v, %v", command, list, err)
			continue
		}
		r := list[0].Request
		if got := fmt.Sprintf("%s %s %v %q", r.Method, r.URL, r.Headers, r.Body.Bytes); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", command, got, want)
		}
	}
	list, err := read([]byte("curl a.example b.example -d x --next c.example; curl d.example && curl e.example\n"))
	var urls []string
	for _, ex := range list {
		urls = append(urls, ex.Request.Method+" "+ex.Request.Headers.Get("Host"))
	}
	if got := strings.Join(urls, ", "); err != nil || got != "POST a.example, POST b.example, GET c.example, GET d.example, GET e.example" {
		t.Errorf("%s, %v", got, err)
	}
	list, err = read([]byte("curl a.example -d " + strings.Repeat("a", 100_000))) // more than is held at once
	if err != nil || len(list) != 1 || list[0].Request.Size != 100_000 {
		t.Errorf("a large command: %d, %v", len(list), err)
	}
	list, err = read([]byte(`curl -F 'a=b;type=text/x' -F 'c=d;filename="e f"' --form-string 'g=@h;x=y' https://a.example/`))
	if err != nil {
		t.Fatal(err)
	}
	body := string(list[0].Request.Body.Bytes)
	for _, part := range []string{"name=\"a\"\r\nContent-Type: text/x\r\n\r\nb\r\n", "name=\"c\"; filename=\"e f\"\r\n\r\nd\r\n", "name=\"g\"\r\n\r\n@h;x=y\r\n"} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in %s", part, body)
		}
	}
	if !strings.Contains(list[0].Request.Headers.Get("Content-Type"), "boundary="+strings.TrimPrefix(strings.SplitN(body, "\r\n", 2)[0], "--")) {
		t.Error("another boundary")
	}
}

// What a command sends of a file: of --data all but line ends and zeros, of -T all.
func TestCurlFiles(t *testing.T) {
	r := Reader{Open: func(string) ([]byte, error) { return []byte("a\xff\r\n\x00b"), nil }}
	for command, want := range map[string]string{
		`curl -d @f https://a.example/`:            `POST [application/x-www-form-urlencoded] "a\xffb"`,
		`curl --data-binary @f https://a.example/`: `POST [application/x-www-form-urlencoded] "a\xff\r\n\x00b"`,
		`curl -T f https://a.example/`:             `PUT [] "a\xff\r\n\x00b"`,
		`curl -X POST -T f https://a.example/`:     `POST [] "a\xff\r\n\x00b"`,
	} {
		for ex, err := range r.Read(strings.NewReader(command)) {
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%s %v %q", ex.Request.Method, ex.Request.Headers["Content-Type"], ex.Request.Body.Bytes); got != want {
				t.Errorf("%s\ngot  %s\nwant %s", command, got, want)
			}
		}
	}
}

// As browsers write it for Windows' cmd, several in a row, too.
func TestCurlOfCmd(t *testing.T) {
	text := "curl ^\"https://a.example/x?a=1^&b=^%^20^\" ^\r\n  -H ^\"content-type: application/json^\" ^\r\n  -b ^\"sid=1^\" ^\r\n" +
		"  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"50^% ^^ c:^\\^\\^|^\n\nb caf\u00e9^\\^\"^}^\" & curl.exe -d \"p=^&q\\\\\\\"\\\\\" \"https://b.example/\"\r\n"
	list, err := read([]byte(text))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	r := list[0].Request
	if r.URL != "https://a.example/x?a=1&b=%20" || r.Headers.Get("Content-Type") != "application/json" || r.Headers.Get("Cookie") != "sid=1" ||
		string(r.Body.Bytes) != "{\"a\":\"50% ^ c:\\\\|\nb caf\u00e9\"}" {
		t.Errorf("%s %s", r.URL, r.Body.Bytes)
	}
	if r := list[1].Request; r.URL != "https://b.example/" || string(r.Body.Bytes) != `p=^&q\"\` {
		t.Errorf("%s %s", r.URL, r.Body.Bytes)
	}
}

// manyOfBoth is a command of few bytes that makes very many.
func manyOfBoth(headers, urls int) string {
	var b strings.Builder
	b.WriteString("curl a\ncurl")
	for i := range headers {
		fmt.Fprintf(&b, " -H A%d:1", i)
	}
	return b.String() + strings.Repeat(" a", urls)
}

// Nothing is run, looked up or read that the user does not ask for.
func TestCurlErrors(t *testing.T) {
	for command, want := range map[string]string{
		"curl $HOME":                       "line 1, column 6: a variable",
		"curl x\ncurl \"a$(id)\"":          "line 2, column 8: a variable",
		"curl `id`":                        "line 1, column 6: a variable",
		"curl a | sh":                      "line 1, column 8: '|'",
		"curl a > /etc/passwd":             "line 1, column 8: '>'",
		"curl a; rm -rf /":                 `line 1, column 9: "rm" is not curl`,
		"curl -d @/etc/passwd a":           "which import does not read by itself",
		"curl -F a=@/etc/passwd a":         "which import does not read by itself",
		"curl --data-urlencode a@/etc/x a": "which import does not read by itself",
		"curl -T /etc/passwd a":            "which import does not read by itself",
		"curl -K x a":                      "options from a file",
		"curl -H @x a":                     "headers from a file",
		"curl -b jar a":                    "cookies from a file",
		"curl 'a":                          "line 1, column 6: this quote is not closed",
		"curl --hedaer x a":                "did you mean --header?",
		"curl -J a":                        "-J is an option of curl that import does not know",
		"curl -d":                          "-d has no value",
		"curl -X POST":                     "has no URL",
		"curl ^\"http://a^\" | sh":         "line 1, column 19: cmd would do something with |",
		"curl file:///etc/passwd":          "its URL",
		"# nothing":                        "no curl command",
		manyOfBoth(3000, 3000):             "line 2, column",
		"curl -d " + strings.Repeat("x", 1<<20) + strings.Repeat(" a", 300): "is over 256 MiB write fewer URLs",
	} {
		_, err := read([]byte(command))
		said := fmt.Sprint(err)
		if e := new(Error); errors.As(err, &e) {
			said += " " + e.Hint
		}
		if err == nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s, want %s", command, said, want)
		}
	}
	r := Reader{Open: func(name string) ([]byte, error) { return []byte("1\r\n2 " + name), nil }}
	for command, want := range map[string]string{"curl -d @f a": "12 f", "curl --data-binary @f a": "1\r\n2 f", "curl -T f a": "1\r\n2 f"} {
		for ex, err := range r.Read(strings.NewReader(command)) {
			if err != nil || string(ex.Request.Body.Bytes) != want {
				t.Errorf("%s: %v", command, err)
			}
		}
	}
}
