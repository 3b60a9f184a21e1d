package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// replayed is how many recordings are replayed, and replaying how many at once.
const replayed = 10_000

var replaying = []int{16, 32, 64}

// replay compares devhook replay of recordings in a store with a bare Go client
// that sends the same bodies to the same app, as many at once, and prints the ratios.
// The start of the program and the reading of the journal are in devhook's time; the
// index is there, as somebody has looked at the recordings before.
func replay(devhook, app string, rounds int) error {
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	recordings := filepath.Join(dir, "recordings.json")
	if err := os.WriteFile(recordings, exchanges(), 0o600); err != nil {
		return err
	}
	store := filepath.Join(dir, "store")
	run := func(store string, atOnce int, args ...string) (time.Duration, error) {
		cmd := exec.Command(devhook, append([]string{"replay", "--to", "http://" + app, "--store", store, "--concurrency", fmt.Sprint(atOnce)}, args...)...)
		cmd.Env = append(os.Environ(), "TIKTOK_CLIENT_SECRET="+secret, "NO_COLOR=1")
		var out bytes.Buffer
		cmd.Stderr = &out
		started := time.Now()
		err := cmd.Run()
		took := time.Since(started)
		if want := fmt.Sprintf("%d sent: %d answered\n", replayed, replayed); err == nil && !strings.Contains(out.String(), want) {
			err = errors.New("not all were sent")
		}
		if err != nil {
			return 0, fmt.Errorf("devhook replay: %w\n%s", err, out.String())
		}
		return took, nil
	}
	if _, err := run(store, replaying[0], recordings); err != nil { // which are in the store then
		return err
	}
	if out, err := exec.Command(devhook, "stats", "--store", store).CombinedOutput(); err != nil { // or each replay would begin by making the index
		return fmt.Errorf("devhook stats: %w\n%s", err, out)
	}
	type pace struct{ bare, own, ratio []float64 }
	paces := make([]pace, len(replaying))
	for round := range rounds { // in turns, as the machine may change its speed
		for i, atOnce := range replaying {
			bare, err := bareClient("http://"+app, atOnce)
			if err != nil {
				return err
			}
			fresh := filepath.Join(dir, fmt.Sprint("store", round, "-", atOnce)) // as each run records what it sends
			if err := os.CopyFS(fresh, os.DirFS(store)); err != nil {
				return err
			}
			own, err := run(fresh, atOnce, "--filter", "method:POST")
			if err != nil {
				return err
			}
			p := &paces[i]
			p.bare = append(p.bare, replayed/bare.Seconds())
			p.own = append(p.own, replayed/own.Seconds())
			p.ratio = append(p.ratio, bare.Seconds()/own.Seconds())
		}
	}
	fmt.Fprintf(tables, "\n| replay of %d recordings | at once | devhook/s | a bare client/s | ratio |\n|%s|%s|%s|%s|%s|\n", replayed,
		strings.Repeat("-", 28), strings.Repeat("-", 8)+":", strings.Repeat("-", 10)+":", strings.Repeat("-", 16)+":", strings.Repeat("-", 6)+":")
	for i, p := range paces {
		fmt.Fprintf(tables, "| %-26s | %7d | %9.0f | %15.0f | %5.2f |\n", "medians", replaying[i], median(p.own), median(p.bare), median(p.ratio))
	}
	return nil
}

// exchanges are the recordings as a file.
func exchanges() []byte {
	var b bytes.Buffer
	for i := range replayed {
		line, _ := json.Marshal(map[string]any{
			"v": 1, "provider": "tiktok", "request": map[string]any{
				"method": "POST", "url": "https://me.example/hooks/tiktok", "body": replayBody(i),
				"headers": map[string][]string{"Content-Type": {"application/json"}, "Tiktok-Signature": {"t=1,s=00"}},
			},
		})
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

func replayBody(i int) string {
	return fmt.Sprintf(`{"client_key":"k","event":"video.publish.completed","create_time":%d,"user_openid":"u","content":"%s"}`, i, strings.Repeat("x", bodySize-110))
}

// bareClient sends the same with net/http and nothing else, as a careful user of it
// would: connections are kept.
func bareClient(url string, atOnce int) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	var next atomic.Int64
	errs := make([]error, atOnce)
	started := time.Now()
	var wg sync.WaitGroup
	for w := range atOnce {
		wg.Go(func() {
			for i := next.Add(1); i <= replayed && errs[w] == nil; i = next.Add(1) {
				resp, err := client.Post(url+"/hooks/tiktok", "application/json", strings.NewReader(replayBody(int(i))))
				if err == nil {
					_, err = new(bytes.Buffer).ReadFrom(resp.Body)
					resp.Body.Close()
				}
				errs[w] = err
			}
		})
	}
	wg.Wait()
	took := time.Since(started)
	client.CloseIdleConnections()
	return took, errors.Join(errs...)
}
