package verify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// benched gives a provider of each kind of scheme.
func benched(b *testing.B) []Provider {
	var ps []Provider
	for _, id := range []string{"github", "stripe", "standard-webhooks", "slack", "tiktok", "euler", "gitlab", "linear", "discord", "kick", "livekit"} {
		p, ok := Lookup(id)
		if !ok {
			b.Fatal(id)
		}
		ps = append(ps, p)
	}
	return ps
}

// BenchmarkVerify measures them beside a bare HMAC of the same body,
// with the same hash where there is one: hmac.New, Write, Sum. The metric x-bare
// is the ratio: for GitHub, Stripe and Standard Webhooks at most 1.3 at 1 KiB
// and 1.05 at 64 KiB.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, p := range benched(b) {
			b.Run(fmt.Sprintf("%s/%dKiB", p.ID, size>>10), func(b *testing.B) {
				r := random()
				d := p.Scheme.(*declared)
				k := keysFor(d, r, 1)
				m := Message{
					Method: "POST", URL: &url.URL{Scheme: "https", Host: "hooks.example", Path: "/in"}, Header: http.Header{},
					Body: jsonOf(size),
				}
				if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if v := p.Scheme.Verify(m, k, someTime); v.Status != Valid {
						b.Fatal(v)
					}
				}
				b.ReportMetric(ratio(len(m.Body), func() { p.Scheme.Verify(m, k, someTime) }, bareHMAC(d, m.Body)), "x-bare")
			})
		}
	}
}

// jsonOf gives a JSON object of about n bytes.
func jsonOf(n int) []byte {
	member := []byte(`"event_id":"7327112393057371910","amount":2000,"data":{"list":[1,2,3],"text":"some text of a usual length"},`)
	body := append([]byte("{"), bytes.Repeat(member, (n-20)/len(member))...)
	return append(body, `"end":true}`...)
}

// bareHMAC gives what a program would do by hand.
func bareHMAC(d *declared, body []byte) func() {
	newHash := sha256.New
	if d.kind == schemeHMAC {
		newHash = d.algorithm.new
	}
	secret := []byte("devhook-test-client-secret-0123456789")
	return func() {
		h := hmac.New(newHash, secret)
		h.Write(body)
		h.Sum(nil)
	}
}

// ratio tells how many times as long as bare f takes, which work on size bytes.
// They take turns, and the best turn of each counts: what else the machine does
// would be most of the difference otherwise.
func ratio(size int, f, bare func()) float64 {
	n := 1 + 1_000_000/(size+1000)
	turn := func(f func()) time.Duration {
		began := time.Now()
		for range n {
			f()
		}
		return time.Since(began)
	}
	took, bareTook := turn(f), turn(bare)
	for range 20 {
		took, bareTook = min(took, turn(f)), min(bareTook, turn(bare))
	}
	return float64(took) / float64(bareTook)
}

func BenchmarkDetect(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 64 << 10, 1 << 20, 20 << 20} {
		for name, body := range map[string][]byte{"json": jsonOf(max(size, 20)), "nested": append(append([]byte(`{"a":`), bytes.Repeat([]byte("["), size)...), '1'), "binary": make([]byte, size)} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				m := Message{Method: "POST", URL: &url.URL{Path: "/", RawQuery: "a=1&b=2"}, Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer abc"}}, Body: body}
				b.ReportAllocs()
				for b.Loop() {
					if ps := Detect(m); len(ps) > 0 {
						b.Fatal(ps)
					}
				}
			})
		}
	}
}

// BenchmarkDetectWorst is of bodies that cost the most a byte.
func BenchmarkDetectWorst(b *testing.B) {
	for name, body := range map[string][]byte{
		"members":   append(append([]byte("{"), bytes.Repeat([]byte(`"a":1,`), maxMembers)...), `"z":1}`...),
		"escapes":   append(append([]byte("{"), bytes.Repeat([]byte(`"\u0065vent":1,`), maxMembers)...), `"z":1}`...),
		"form":      bytes.Repeat([]byte("a&"), 1<<19),
		"long form": append([]byte("a="), bytes.Repeat([]byte("x"), 20<<20)...),
	} {
		b.Run(name, func(b *testing.B) {
			m := Message{Method: "POST", URL: &url.URL{Path: "/"}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: body}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Detect(m)
			}
		})
	}
}

// BenchmarkEventMissing is of a large object in which the event's name would be.
func BenchmarkEventMissing(b *testing.B) {
	p, _ := Lookup("slack")
	body := fmt.Appendf(nil, `{"event":%s}`, jsonOf(64<<10))
	m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p.Event(m)
	}
}

func BenchmarkEvent(b *testing.B) {
	for _, p := range benched(b) {
		b.Run(p.ID, func(b *testing.B) {
			m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: jsonOf(1 << 10)}
			b.ReportAllocs()
			for b.Loop() {
				p.Event(m)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	for _, p := range benched(b) {
		b.Run(p.ID, func(b *testing.B) {
			d := p.Scheme.(*declared)
			k := keysFor(d, random(), 1)
			m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: jsonOf(1 << 10)}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParse measures reading one provider's file.
func BenchmarkParse(b *testing.B) {
	src, err := files.ReadFile("providers/tencent-live.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ParseProvider(src); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGuard is all that a Guard adds to a request: it reads the body,
// judges it, and makes it readable again.
func BenchmarkGuard(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, ids := range [][]string{{"github"}, {"github", "shopify", "slack", "stripe"}} {
			b.Run(fmt.Sprintf("%d/%dKiB", len(ids), size>>10), func(b *testing.B) {
				k := Keys{Secrets: []Secret{NewSecret("secret")}}
				g := Guard{Keys: map[string]Keys{}, Now: func() time.Time { return someTime }}
				for _, id := range ids {
					g.Keys[id] = k
				}
				p, _ := Lookup("github")
				m := Message{Method: "POST", URL: &url.URL{Path: "/in"}, Header: http.Header{"X-Github-Event": {"push"}}, Body: jsonOf(size)}
				if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
					b.Fatal(err)
				}
				let := 0
				h := g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if _, ok := FromContext(r.Context()); ok {
						let++
					}
				}))
				var body bytes.Reader
				r := &http.Request{Method: m.Method, URL: m.URL, RequestURI: "/in", Host: "h.example", Header: m.Header, Body: io.NopCloser(&body), ContentLength: int64(len(m.Body))}
				w := httptest.NewRecorder()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					body.Reset(m.Body)
					h.ServeHTTP(w, r)
				}
				if let != b.N {
					b.Errorf("%d of %d are let through", let, b.N)
				}
			})
		}
	}
}

// A webhook of a common scheme is judged without an allocation. The least of
// several runs counts: a pool may be emptied at any time.
func TestVerifyAllocatesNothing(t *testing.T) {
	for _, id := range []string{"github", "stripe", "standard-webhooks", "slack", "tiktok", "euler", "shopify", "gitlab"} {
		p := provider(t, id)
		d := p.Scheme.(*declared)
		m, k := messageFor(d, random()), keysFor(d, random(), 1)
		sign(t, p, &m, k, someTime)
		least := 1.0
		for range 50 {
			least = min(least, testing.AllocsPerRun(1, func() { want(t, p.Scheme.Verify(m, k, someTime), Valid, "") }))
		}
		if least > 0 {
			t.Errorf("%s: %v allocations", id, least)
		}
	}
}
