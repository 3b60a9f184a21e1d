package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// fill records n webhooks of about 2.5 KiB a line pair in the store at dir, as a gateway
// does: 64 at once, each with its result behind it. One in 50 has a body that
// is not text.
func fill(dir string, n int) error {
	s, err := recorder.Open(dir, recorder.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	began := time.Now().Add(-time.Duration(n) * time.Second).UTC()
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range 64 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || failed.Load() != nil {
					return
				}
				ex := madeExchange(i, began.Add(time.Duration(i)*time.Second))
				if err := s.Append(context.Background(), ex); err != nil {
					failed.Store(&err)
					return
				}
				if err := s.Finish(context.Background(), ex.ID, madeResult(i)); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if p := failed.Load(); p != nil {
		return *p
	}
	return nil
}

var madeEvents = []string{"video.publish.completed", "video.upload.failed", "gift.sent", "live.started", "live.ended", "comment.created"}

func madeExchange(i int, at time.Time) *recorder.Exchange {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	body := fmt.Appendf(nil, `{"client_key":"aw5k","event":%q,"create_time":%d,"user":{"id":%d,"name":"user %d"},"content":"{\"reason\":%d}","text":"`,
		madeEvents[i%len(madeEvents)], at.Unix(), i%100_000, i, i%7)
	for len(body) < 1000 {
		body = fmt.Appendf(body, "%s ", []string{"lorem", "ipsum", "dolor", "sit", "amet", "\\\"quoted\\\""}[r.IntN(6)])
	}
	if i == 123_456 {
		body = append(body, "needle-in-a-haystack"...)
	}
	body = append(body, `"}`...)
	if i%50 == 49 {
		body = append(body[:600], 0xff, 0xfe, byte(i))
	}
	ex := &recorder.Exchange{
		At: at, Origin: recorder.Live, Provider: []string{"tiktok", "stripe", "github"}[i%3], Event: madeEvents[i%len(madeEvents)],
		DeliveryID: fmt.Sprint("d-", i), Route: "/hooks", Target: "http://127.0.0.1:3000/hooks",
		Request: recorder.Request{
			Method: "POST", URL: fmt.Sprintf("https://example.ngrok.app/hooks/%d?n=%d", i%500, i), Proto: "HTTP/1.1", Remote: "127.0.0.1:1234",
			Headers: http.Header{
				"Host": {"example.ngrok.app"}, "Content-Type": {"application/json"}, "User-Agent": {"Go-http-client/1.1"},
				"Tiktok-Signature": {"t=1633174587,s=" + strings.Repeat("18494715036ac4416a1d0a673871a2ed", 2)},
				"X-Shard":          {fmt.Sprint(i % 1000)}, "X-Filler": {base64.StdEncoding.EncodeToString([]byte(strings.Repeat("filler ", 60)))},
			},
			Body: recorder.Body{Bytes: body}, Size: int64(len(body)),
		},
		Verdict: verify.Verdict{Status: verify.Valid}, Outcome: recorder.Pending,
	}
	if i%20 == 0 {
		ex.Verdict = verify.Verdict{Status: verify.Invalid, Reason: verify.BadSignature}
	}
	return ex
}

func madeResult(i int) recorder.Result {
	status := 200
	if i%1000 == 7 {
		status = 503
	}
	return recorder.Result{Outcome: recorder.Answered, Response: &recorder.Response{
		Status: status, Headers: http.Header{"Content-Type": {"text/plain"}, "Date": {"Fri, 27 Nov 2026 12:00:00 GMT"}},
		Body: recorder.Body{Bytes: []byte(strings.Repeat("ok ", 60))}, Size: 180, Took: time.Duration(i%900) * time.Millisecond,
	}}
}

// A look is something that is asked of a store; in a process of its own, so
// that it pays for the opening and its memory is its own.
type look struct {
	Name   string
	Filter []string
	Newest int
	Before uint64
	Ref    string // in place of the above
	Cold   bool   // the store's files are not in memory
}

func looks(n int) []look {
	return []look{
		{Name: "open, newest 50 (cold)", Newest: 50, Cold: true},
		{Name: "newest 50", Newest: 50},
		{Name: "a page in the middle", Newest: 50, Before: uint64(n / 2)},
		{Name: "status:5xx, all", Filter: []string{"status:5xx"}},
		{Name: "status:404, none", Filter: []string{"status:404"}, Newest: 50},
		{Name: "provider and event, none", Filter: []string{"provider:github", "event:nothing"}, Newest: 50},
		{Name: "path:/hooks/499, 50", Filter: []string{"path:/hooks/499"}, Newest: 50},
		{Name: "size:>10kb, none", Filter: []string{"size:>10kb"}, Newest: 50},
		{Name: "took:>2s, none", Filter: []string{"took:>2s"}, Newest: 50},
		{Name: "until: oldest 100 days, 50", Filter: []string{"until:1970-01-01"}, Newest: 50},
		{Name: "text, one", Filter: []string{"needle-in-a-haystack"}},
		{Name: "text, none", Filter: []string{"nowhere to be found"}},
		{Name: "header.x-shard:777, all", Filter: []string{"header.x-shard:777"}},
		{Name: "header.user-agent:curl*, none", Filter: []string{"header.user-agent:curl*"}},
		{Name: "body.user.id=4242, all", Filter: []string{"body.user.id=4242"}},
		{Name: "body.content.reason=9, none", Filter: []string{"body.content.reason=9"}},
		{Name: "one by ID", Ref: "id"},
		{Name: "one by number", Ref: fmt.Sprint(n / 3)},
	}
}

// A looked is what a look found.
type looked struct {
	Open, First, Again float64 // ms; Open is part of neither
	CPU                float64 // ms of processor time that Again took
	Hits               int
}

// lookAt is the process of a look.
func lookAt(dir string, l look) (looked, error) {
	var out looked
	began := time.Now()
	s, err := recorder.Open(dir, recorder.Options{ReadOnly: true})
	if err != nil {
		return out, err
	}
	defer s.Close()
	out.Open = ms(began)
	if l.Ref == "id" {
		s, err := recorder.Open(dir, recorder.Options{ReadOnly: true})
		if err != nil {
			return out, err
		}
		for ex := range s.Query(recorder.Query{Newest: 1, Before: 200_000}) {
			l.Ref = string(ex.ID)
		}
		s.Close()
	}
	once := func() (float64, error) {
		began := time.Now()
		if l.Ref != "" {
			_, err := s.Get(l.Ref)
			out.Hits = 1
			return ms(began), err
		}
		f, err := recorder.ParseFilter(time.Now(), l.Filter...)
		if err != nil {
			return 0, err
		}
		out.Hits = 0
		for _, err := range s.Query(recorder.Query{Filter: f, Newest: l.Newest, Before: l.Before}) {
			if err != nil {
				return 0, err
			}
			out.Hits++
		}
		return ms(began), nil
	}
	if out.First, err = once(); err != nil || l.Cold {
		return out, err
	}
	out.Again, out.CPU = 1e9, 1e9
	for range 3 {
		before := cpuMS()
		again, err := once()
		if err != nil {
			return out, err
		}
		out.Again, out.CPU = min(out.Again, again), min(out.CPU, cpuMS()-before)
	}
	return out, nil
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// million fills a store, unless dir has one, and looks at it.
func million(dir string, n int) error {
	if _, err := os.Stat(filepath.Join(dir, "journal")); err != nil {
		began := time.Now()
		if err := fill(dir, n); err != nil {
			return err
		}
		fmt.Fprintf(tables, "%d recordings made in %.1f s through the public API, 64 at once, each durable\n\n", n, time.Since(began).Seconds())
	}
	fmt.Fprintf(tables, "| %-32s | %8s | %9s | %9s | %9s | %7s |\n", fmt.Sprintf("%d recordings, %.1f GB", n, gigabytes(dir, "journal")), "hits", "first ms", "again ms", "CPU ms", "peak MB")
	fmt.Fprintf(tables, "|%s|%s|%s|%s|%s|%s|\n", strings.Repeat("-", 34), strings.Repeat("-", 9)+":", strings.Repeat("-", 10)+":", strings.Repeat("-", 10)+":", strings.Repeat("-", 10)+":", strings.Repeat("-", 8)+":")
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil && os.Getenv("KEEP") == "" {
		return err
	}
	for _, l := range append([]look{{Name: "index made again, open included", Filter: []string{"status:404"}}}, looks(n)...) {
		if l.Cold {
			if err := evict(dir); err != nil {
				return err
			}
		}
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		cmd := exec.Command(os.Args[0], "-role", "look", dir, string(text))
		cmd.Stderr = os.Stderr
		answer, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		var out looked
		if err := json.Unmarshal(answer, &out); err != nil {
			return err
		}
		again, cpu := fmt.Sprintf("%.2f", out.Again), fmt.Sprintf("%.2f", out.CPU)
		if l.Cold {
			again, cpu = "", ""
		}
		fmt.Fprintf(tables, "| %-32s | %8d | %9.2f | %9s | %9s | %7.0f |\n", l.Name, out.Hits, out.Open+out.First, again, cpu, peakMB(cmd.ProcessState))
	}
	fmt.Fprintf(tables, "\nindex: %.0f MB; %s, %d processors, %s\n", 1000*gigabytes(dir, "index"), runtime.GOOS, runtime.NumCPU(), runtime.Version())
	return nil
}

func gigabytes(dir, part string) float64 {
	n := int64(0)
	filepath.WalkDir(filepath.Join(dir, part), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return float64(n) / 1e9
}
