package inspector

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"devhook/recorder"
)

// metrics counts what the journal tells since this devhook started, in the text
// format of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/.
// The client library of Prometheus would do it, with eight modules of its own for
// two counters and a histogram.
type metrics struct {
	mu    sync.Mutex
	count map[counted]uint64
	took  map[timed]*histogram
}

// A counted is the labels of a counter. Only provider has values that are not
// devhook's own.
type counted struct{ provider, origin, outcome, verdict, status string }

// A timed is the labels of a histogram.
type timed struct{ provider, outcome string }

// maxProviders is how many values provider has before all others are "other". The
// name of a provider comes from the catalog and not from a sender; a store can have
// been written by somebody else's.
const maxProviders = 200

// bounds of the histograms, in seconds: an app on this machine takes milliseconds,
// and some providers wait for a minute.
var bounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

type histogram struct {
	buckets []uint64 // by bounds; not cumulative
	count   uint64
	sum     float64 // seconds
}

// metering registers /metrics and follows the journal.
func (in *Inspector) metering() {
	m := &metrics{count: map[counted]uint64{}, took: map[timed]*histogram{}}
	in.handle("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		in.writeStatus(w)
		m.write(w)
	})
	from, err := in.o.Store.End()
	if err != nil {
		in.o.Log.Warn("nothing can be counted for /metrics", "error", err)
		return
	}
	in.work.Go(func() {
		for ex, err := range in.o.Store.Follow(in.done, from) {
			if err == nil {
				m.add(ex)
			}
		}
	})
}

// add counts ex, which is done.
func (m *metrics) add(ex *recorder.Exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	provider := cmp.Or(ex.Provider, "none")
	if !m.knows(provider) {
		provider = "other"
	}
	c := counted{provider, string(ex.Origin), string(ex.Outcome), string(ex.Verdict.Status), ""}
	if ex.Response != nil {
		c.status = strconv.Itoa(ex.Response.Status/100) + "xx"
	}
	m.count[c]++
	if ex.Response == nil || ex.Outcome != recorder.Answered && ex.Outcome != recorder.Unreachable { // else devhook is what took long
		return
	}
	t := timed{provider, string(ex.Outcome)}
	if m.took[t] == nil {
		m.took[t] = &histogram{buckets: make([]uint64, len(bounds))}
	}
	m.took[t].add(ex.Response.Took)
}

// knows reports whether provider has a label of its own, or may get one.
func (m *metrics) knows(provider string) bool {
	seen := map[string]bool{}
	for c := range m.count {
		if c.provider == provider {
			return true
		}
		seen[c.provider] = true
	}
	return len(seen) < maxProviders
}

func (h *histogram) add(d time.Duration) {
	s := d.Seconds()
	h.count++
	h.sum += s
	if i, _ := slices.BinarySearch(bounds, s); i < len(bounds) {
		h.buckets[i]++
	}
}

func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	describe(w, "devhook_exchanges_total", "counter", "Webhooks that are done, by what became of them.")
	for _, c := range slices.SortedFunc(maps.Keys(m.count), func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.origin, b.origin), cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.verdict, b.verdict), cmp.Compare(a.status, b.status))
	}) {
		fmt.Fprintf(w, "devhook_exchanges_total{provider=%s,origin=%s,outcome=%s,verdict=%s,status=%s} %d\n",
			label(c.provider), label(c.origin), label(c.outcome), label(c.verdict), label(c.status), m.count[c])
	}
	describe(w, "devhook_app_duration_seconds", "histogram", "How long the app took, up to the last byte of its answer.")
	for _, t := range slices.SortedFunc(maps.Keys(m.took), func(a, b timed) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.outcome, b.outcome))
	}) {
		labels := "provider=" + label(t.provider) + ",outcome=" + label(t.outcome)
		h, below := m.took[t], uint64(0)
		for i, n := range h.buckets {
			below += n
			fmt.Fprintf(w, "devhook_app_duration_seconds_bucket{%s,le=\"%g\"} %d\n", labels, bounds[i], below)
		}
		fmt.Fprintf(w, "devhook_app_duration_seconds_bucket{%s,le=\"+Inf\"} %d\n", labels, h.count)
		fmt.Fprintf(w, "devhook_app_duration_seconds_sum{%s} %g\ndevhook_app_duration_seconds_count{%s} %d\n", labels, h.sum, labels, h.count)
	}
}

// writeStatus writes what is not in the journal.
func (in *Inspector) writeStatus(w io.Writer) {
	s := in.o.Status()
	describe(w, "devhook_build_info", "gauge", "The version of devhook.")
	fmt.Fprintf(w, "devhook_build_info{version=%s} 1\n", label(s.Version))
	describe(w, "devhook_start_time_seconds", "gauge", "When devhook started, in unix seconds.")
	fmt.Fprintf(w, "devhook_start_time_seconds %.3f\n", float64(s.Started.UnixMilli())/1000)
	describe(w, "devhook_tunnel_connected", "gauge", "Whether webhooks can come in.")
	connected := 0
	if s.Tunnel.State == "connected" {
		connected = 1
	}
	fmt.Fprintf(w, "devhook_tunnel_connected{kind=%s} %d\n", label(s.Tunnel.Kind), connected)
	describe(w, "devhook_malformed_total", "counter", "Requests that were no whole HTTP and are not recorded.")
	fmt.Fprintf(w, "devhook_malformed_total %d\n", s.Malformed)
	describe(w, "devhook_not_recorded_total", "counter", "Webhooks that the store did not take and that were answered 503.")
	fmt.Fprintf(w, "devhook_not_recorded_total %d\n", s.NotRecorded)
}

func describe(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// label quotes the value of a label.
func label(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(value, "\uFFFD")) + `"`
}
