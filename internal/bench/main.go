// Bench compares devhook up with what it is made of and with its peers, in one
// run on one machine, and prints a table of ratios. It is a module of its own,
// so that nobody who uses devhook inherits what is compared here.
//
//	go run . [-o FILE] [-n REQUESTS] [-rounds N] [-replay] DEVHOOK
//
// DEVHOOK is the program. Every server is a process of its own, so that its
// processor time and memory can be told apart; the load is this process. The
// rounds are interleaved, so that a machine that changes its speed changes it
// for all; what is shown is the median of the ratios to the plain proxy of the
// same round.
package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var concurrencies = []int{1, 16, 64}

const (
	secret   = "bench secret"
	bodySize = 1 << 10
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "-role" {
		serve(os.Args[2], os.Args[3:])
		return
	}
	store := flag.String("store", "", "look at a store in `DIR` instead, which is made if it is not there")
	keep := flag.Bool("appends", false, "compare the journal with SQLite instead")
	recordings := flag.Int("recordings", 1_000_000, "recordings of that store")
	only := flag.String("only", "", "measure one contestant, by its `NAME`, beside the plain proxy")
	at := flag.Int("c", 0, "measure at one `CONCURRENCY`")
	n := flag.Int("n", 20_000, "requests of one round")
	rounds := flag.Int("rounds", 3, "rounds")
	again := flag.Bool("replay", false, "measure devhook replay and nothing else")
	file := flag.String("o", "", "put the tables into `FILE`, too, between their marks")
	flag.Parse()
	if *keep {
		if err := report(*file, "appends", func() error { return appends(*rounds) }); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *store != "" {
		if err := report(*file, "million", func() error { return million(*store, *recordings) }); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *only != "" {
		contestants = slices.DeleteFunc(contestants, func(c contestant) bool { return c.name != *only && c.name != plain })
		contestants = append([]contestant{{name: "no proxy"}}, contestants...)
	}
	if *at > 0 {
		concurrencies = []int{*at}
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bench [-o FILE] [-n REQUESTS] [-rounds N] DEVHOOK")
		os.Exit(2)
	}
	measure := run
	if *again {
		measure = func(string, int, int) error { return nil }
	}
	err := report(*file, "up", func() error {
		if err := measure(flag.Arg(0), *n, *rounds); err != nil {
			return err
		}
		if !*again {
			if err := large(flag.Arg(0)); err != nil {
				return err
			}
		}
		return replays(flag.Arg(0), *rounds)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const plain = "plain ReverseProxy" // which the others are compared with

// replays starts an app for replay.
func replays(devhook string, rounds int) error {
	app, stop, err := start([]string{os.Args[0], "-role", "app"}, "")
	if err != nil {
		return err
	}
	defer stop()
	return replay(devhook, app, rounds)
}

// A contestant is one server between the load and the app.
type contestant struct {
	name string
	args func(app, dir, devhook string) []string // of its process; nil: no proxy at all
}

var contestants = []contestant{
	{"no proxy", nil},
	{plain, func(app, _, _ string) []string { return []string{os.Args[0], "-role", "plain", app} }},
	{"tuned ReverseProxy", func(app, _, _ string) []string { return []string{os.Args[0], "-role", "tuned", app} }},
	{"devhook up", upArgs},
	{mitm, func(app, dir, _ string) []string {
		return []string{mitm, "-q", "--mode", "reverse:" + app, "--listen-host", "127.0.0.1", "--listen-port", freePort(), "-w", filepath.Join(dir, "flows")}
	}},
}

func upArgs(app, dir, devhook string) []string {
	return []string{devhook, "up", "--tunnel", "local", "--listen", "127.0.0.1:0", "--inspect", "off", "--forward", app,
		"--store", filepath.Join(dir, "store"), "--ready-file", filepath.Join(dir, "ready"), "--output", "lines"}
}

// mitm records what passes, too: the peer to compare with, where it is installed.
const mitm = "mitmdump"

// slower is by how much fewer requests it is measured, so that a run has an end.
const slower = 10

// freePort returns a port that is free for now, for who does not choose one itself.
func freePort() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0"
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// A result is one measurement.
type result struct {
	perSecond float64
	cpu       float64 // seconds for 10,000 requests
	rss       float64 // MB
}

func run(devhook string, n, rounds int) error {
	app, stopApp, err := start([]string{os.Args[0], "-role", "app"}, "")
	if err != nil {
		return err
	}
	defer stopApp()
	fmt.Fprintf(tables, "%d requests of %d bytes a round, %d rounds; ratios to the plain ReverseProxy of the same round, medians\n\n", n, bodySize, rounds)
	fmt.Fprintf(tables, "| %-20s | %9s | %8s | %9s | %8s |\n", "", "requests/s", "ratio", "CPU s/10k", "peak MB")
	fmt.Fprintf(tables, "|%s|%s|%s|%s|%s|\n", strings.Repeat("-", 22), strings.Repeat("-", 12), strings.Repeat("-", 10), strings.Repeat("-", 11), strings.Repeat("-", 10))
	for _, c := range concurrencies {
		all := make([][]result, len(contestants))
		for range rounds {
			for i, ct := range contestants {
				many := n
				if ct.name == mitm {
					if _, err := exec.LookPath(mitm); err != nil {
						continue
					}
					many = n / slower
				}
				r, err := measure(ct, app, devhook, many, c)
				if err != nil {
					return fmt.Errorf("%s: %w", ct.name, err)
				}
				all[i] = append(all[i], r)
			}
		}
		for i, ct := range contestants {
			if len(all[i]) == 0 {
				fmt.Fprintf(tables, "| %-20s | %10s | %8s | %9s | %8s |\n", fmt.Sprintf("%s, c=%d", rowName(ct), c), "not installed", "", "", "")
				continue
			}
			var speed, ratio, cpu, rss []float64
			for round, r := range all[i] {
				speed, cpu, rss = append(speed, r.perSecond), append(cpu, r.cpu), append(rss, r.rss)
				ratio = append(ratio, r.perSecond/all[1][round].perSecond)
			}
			fmt.Fprintf(tables, "| %-20s | %10.0f | %8.2f | %9.2f | %8.0f |\n", fmt.Sprintf("%s, c=%d", rowName(ct), c), median(speed), median(ratio), median(cpu), median(rss))
		}
	}
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// measure starts a contestant, loads it, and stops it.
func measure(ct contestant, app, devhook string, n, c int) (result, error) {
	if ct.args == nil {
		took, err := load(app, n, c)
		return result{perSecond: float64(n) / took.Seconds()}, err
	}
	dir, err := os.MkdirTemp(".", "bench-*") // a real disk, not one in memory
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return result{}, err
	}
	addr, stop, err := start(ct.args("http://"+app, abs, devhook), filepath.Join(abs, "ready"))
	if err != nil {
		return result{}, err
	}
	if _, err := load(addr, n/10+c, c); err != nil { // warm
		stop()
		return result{}, err
	}
	took, err := load(addr, n, c)
	state := stop()
	if err != nil {
		return result{}, err
	}
	r := result{perSecond: float64(n) / took.Seconds()}
	if state != nil {
		used := state.UserTime() + state.SystemTime()
		r.cpu = used.Seconds() / float64(n+n/10+c) * 10_000
		r.rss = peakMB(state)
	}
	return r, nil
}

// start starts a server and returns its address: the first line that it
// prints, or what it writes to readyFile.
func start(args []string, readyFile string) (addr string, stop func() *os.ProcessState, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "TIKTOK_CLIENT_SECRET="+secret, "NO_COLOR=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = sync.OnceValue(func() *os.ProcessState {
		cmd.Process.Signal(os.Interrupt)
		io.Copy(io.Discard, out)
		cmd.Wait()
		return cmd.ProcessState
	})
	if filepath.Base(args[0]) == filepath.Base(os.Args[0]) {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			stop()
			return "", nil, fmt.Errorf("%v did not start: %w", args, err)
		}
		return strings.TrimSpace(line), stop, nil
	}
	go io.Copy(io.Discard, out)
	if i := slices.Index(args, "--listen-port"); i > 0 { // it tells nobody when it is ready
		addr = "127.0.0.1:" + args[i+1]
		for range 2000 {
			if conn, err := net.Dial("tcp", addr); err == nil {
				conn.Close()
				return addr, stop, nil
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	for range 500 {
		if text, err := os.ReadFile(readyFile); err == nil {
			return strings.TrimPrefix(strings.TrimSpace(string(text)), "http://"), stop, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	return "", nil, fmt.Errorf("%v did not get ready", args)
}

// load sends n signed webhooks over c connections and returns how long it
// took. Any answer but 200 is an error.
func load(addr string, n, c int) (time.Duration, error) {
	body := []byte(`{"client_key":"k","event":"video.publish.completed","create_time":1,"user_openid":"u","content":"`)
	body = append(body, bytes.Repeat([]byte("x"), bodySize-len(body)-2)...)
	body = append(body, '"', '}')
	t := time.Now().Unix()
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", t, body)
	request := fmt.Appendf(nil, "POST /hooks/tiktok HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nTikTok-Signature: t=%d,s=%s\r\n"+
		"User-Agent: %s\r\nContent-Length: %d\r\n\r\n%s", addr, t, hex.EncodeToString(mac.Sum(nil)), strings.Repeat("go-bench ", 20), len(body), body)

	var left atomic.Int64
	left.Store(int64(n))
	errs := make(chan error, c)
	started := time.Now()
	for range c {
		go func() {
			errs <- func() error {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					return err
				}
				defer conn.Close()
				br := bufio.NewReader(conn)
				for left.Add(-1) >= 0 {
					if _, err := conn.Write(request); err != nil {
						return err
					}
					resp, err := http.ReadResponse(br, nil)
					if err != nil {
						return err
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						return err
					}
					resp.Body.Close()
					if resp.StatusCode != 200 {
						return fmt.Errorf("status %d", resp.StatusCode)
					}
				}
				return nil
			}()
		}()
	}
	var first error
	for range c {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return time.Since(started), first
}

// serve is a server of this program's own.
func serve(role string, args []string) {
	var h http.Handler
	switch role {
	case "look":
		var l look
		err := json.Unmarshal([]byte(args[1]), &l)
		if err != nil {
			panic(err)
		}
		out, err := lookAt(args[0], l)
		if err != nil {
			panic(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
			panic(err)
		}
		return
	case "app":
		answer := bytes.Repeat([]byte("a"), 300)
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/large" {
				io.Copy(w, zeros(largeBody))
				return
			}
			w.Write(answer)
		})
	case "plain", "tuned":
		u, err := url.Parse(args[0])
		if err != nil {
			panic(err)
		}
		p := httputil.NewSingleHostReverseProxy(u)
		if role == "tuned" {
			p.Transport = &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
			p.BufferPool = &bufferPool{}
		}
		h = p
	default:
		panic(role)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(ln.Addr())
	panic(http.Serve(ln, h))
}

type bufferPool struct{ p sync.Pool }

func (b *bufferPool) Get() []byte {
	if v, ok := b.p.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 32<<10)
}

func (b *bufferPool) Put(v []byte) { b.p.Put(&v) }
