//go:build vendors

package vendors

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/interchange"
	"devhook/recorder"
)

// odd are requests that are hard to write down, and some made by chance.
func odd(root string) []*recorder.Exchange {
	random := rand.New(rand.NewPCG(1, 2))
	bytesOf := func(n int, from string) string {
		b := make([]byte, n)
		for i := range b {
			if b[i] = byte(random.IntN(256)); from != "" {
				b[i] = from[random.IntN(len(from))]
			}
		}
		return string(b)
	}
	const hostile = "a'\"\\`$(){}!%*?[]~#&;|<>\t -@=é"
	list := []*recorder.Exchange{}
	add := func(method, target string, headers http.Header, body string) {
		headers = headers.Clone()
		if headers == nil {
			headers = http.Header{}
		}
		headers.Set("Host", strings.TrimPrefix(root, "http://"))
		if body != "" || method == "POST" {
			headers.Set("Content-Length", fmt.Sprint(len(body)))
		}
		list = append(list, &recorder.Exchange{
			Seq: uint64(len(list) + 1), At: time.Unix(1_800_000_000, 0), Provider: "p", Event: bytesOf(10, hostile+"\n\x1b"), Outcome: recorder.Answered,
			Request:  recorder.Request{Method: method, URL: root + target, Proto: "HTTP/1.1", Headers: headers, Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body))},
			Response: &recorder.Response{Status: 200, Headers: http.Header{"Set-Cookie": {"a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly"}}, Body: recorder.Body{Bytes: []byte(bytesOf(20, ""))}, Size: 20, Took: 1234567},
		})
	}
	add("POST", "/a/../b//c?x=[1]&y={2}&z=%zz&#frag", http.Header{"Content-Type": {"application/json"}, "X-Empty": {""}}, `{"a":"it's"}`)
	add("POST", "//evil/?q=a+b", http.Header{"User-Agent": {"x y"}, "Accept": {"a"}, "X-Two": {"1", "2"}}, "@/etc/passwd")
	add("PUT", "/", nil, "\n\nends in newlines\n\n")
	add("POST", "/empty", nil, "")
	add("GET", "/", http.Header{"Cookie": {"a=b"}}, "")
	add("PATCH", "/x", http.Header{"X-A": {"@/etc/passwd"}, "X-B": {"-x"}, "X-Esc": {"\x1b[31m'$(id)"}}, "\x00\xff"+bytesOf(3000, ""))
	add("POST", "/large", http.Header{"X-Latin": {"caf\xe9"}}, bytesOf(300_000, "abc "))
	for i := range 20 {
		add("POST", "/"+strings.ReplaceAll(bytesOf(8, hostile), "\t", "")[:4]+"x", http.Header{"X-H": {"v" + bytesOf(12, hostile) + "v"}}, bytesOf(1+i*i, hostile+"\n"))
	}
	for _, ex := range list { // no space in a target
		ex.Request.URL = strings.ReplaceAll(ex.Request.URL, " ", "_")
	}
	return list
}

// The commands that are exported have the real curl send the very requests, from
// any POSIX shell, and nothing else happens.
func TestCurl(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan *http.Request, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			req, target := readRaw(conn)
			req.RequestURI = target
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			conn.Close()
			got <- req
		}
	}()
	for _, shell := range []string{"sh", "bash"} {
		for _, ex := range odd("http://" + l.Addr().String()) {
			var script bytes.Buffer
			if err := interchange.NewWriter(&script, interchange.Curl).Write(ex); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell)
			cmd.Stdin, cmd.Dir = &script, t.TempDir()
			text := script.String()
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "ok") {
				t.Fatalf("%s: %v: %s\n%.2000s", shell, err, out, text)
			}
			req := <-got
			want := ex.Request
			_, target := recorder.SplitURL(want.URL)
			body, _ := io.ReadAll(req.Body)
			if req.Method != want.Method || req.RequestURI != target || !bytes.Equal(body, want.Body.Bytes) {
				t.Errorf("%s: #%d: sent %s %q with %d bytes, want %s %q with %d\n%.2000s", shell, ex.Seq, req.Method, req.RequestURI, len(body), want.Method, target, len(want.Body.Bytes), text)
			}
			if fmt.Sprint(req.Header) != fmt.Sprint(want.Headers) {
				t.Errorf("%s: #%d: sent %q, want %q", shell, ex.Seq, req.Header, want.Headers)
			}
		}
	}
}

// readRaw reads a request as it is on the wire.
func readRaw(conn net.Conn) (*http.Request, string) {
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(conn)
	req := &http.Request{Header: http.Header{}}
	line, _ := in.ReadString('\n')
	words := strings.SplitN(strings.TrimRight(line, "\r\n"), " ", 2)
	req.Method = words[0]
	target := strings.TrimSuffix(words[len(words)-1], " HTTP/1.1")
	for {
		line, err := in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil || line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		req.Header.Add(name, strings.Trim(value, " \t"))
	}
	var n int64
	fmt.Sscan(req.Header.Get("Content-Length"), &n)
	body, _ := io.ReadAll(io.LimitReader(in, n))
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req, target
}

// The published JSON schema of HAR 1.2 has nothing against what is exported.
func TestHAR(t *testing.T) {
	for name, list := range map[string][]*recorder.Exchange{"some": odd("http://x.example"), "none": nil} {
		var har bytes.Buffer
		w := interchange.NewWriter(&har, interchange.HAR)
		w.Version = "1"
		for _, ex := range list {
			if err := w.Write(ex); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "har.mjs")
		cmd.Stdin = &har
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s (node is needed, and `npm ci` in this directory)", name, err, out)
		}
	}
	if !slices.Contains(interchange.Formats(), interchange.HAR) {
		t.Error("HAR is no format")
	}
}
