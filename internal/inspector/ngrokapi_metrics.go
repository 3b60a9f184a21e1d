package inspector

import (
	"math"
	"slices"
	"sync"
	"time"

	"devhook/recorder"
)

// agentMetrics is how ngrok's agent counts: rates are a second's, over 1, 5 and 15
// minutes, and the percentiles are in nanoseconds.
type agentMetrics struct {
	Conns struct {
		Count int64 `json:"count"`
		Gauge int64 `json:"gauge"` // open now
		agentRates
	} `json:"conns"`
	HTTP struct {
		Count int64 `json:"count"`
		agentRates
	} `json:"http"`
}

type agentRates struct {
	Rate1  float64 `json:"rate1"`
	Rate5  float64 `json:"rate5"`
	Rate15 float64 `json:"rate15"`
	P50    int64   `json:"p50"`
	P90    int64   `json:"p90"`
	P95    int64   `json:"p95"`
	P99    int64   `json:"p99"`
}

// A traffic counts the webhooks that come in while devhook runs. What the agent
// counts as connections are those that have arrived: several can come in one
// connection, which the recorder does not know of.
type traffic struct {
	now         func() time.Time
	mu          sync.Mutex
	open        map[recorder.ID]bool
	conns, http meter
}

// newTraffic follows the journal until in is closed.
func newTraffic(in *Inspector) *traffic {
	t := &traffic{now: in.o.Now, open: map[recorder.ID]bool{}}
	from, err := in.o.Store.End()
	if err != nil {
		in.o.Log.Warn("nothing can be counted for /api/tunnels", "error", err)
		return t
	}
	in.work.Go(func() {
		for step, err := range in.o.Store.Steps(in.done, from) {
			if err == nil && step.Exchange != nil && !step.Pin {
				t.add(step.Exchange)
			}
		}
	})
	return t
}

// add counts ex as it has arrived, or as it is done.
func (t *traffic) add(ex *recorder.Exchange) {
	if ex.Origin != recorder.Live || ex.Ending != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if !t.open[ex.ID] {
		t.conns.count(now)
	}
	if ex.Outcome == recorder.Pending {
		t.open[ex.ID] = true
		return
	}
	delete(t.open, ex.ID)
	t.http.count(now)
	if ex.Response != nil {
		t.conns.took(ex.Response.Took)
		t.http.took(ex.Response.Took)
	}
}

func (t *traffic) metrics() (m agentMetrics) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	m.Conns.Count, m.Conns.agentRates = t.conns.total, t.conns.rates(now)
	m.Conns.Gauge = int64(len(t.open))
	m.HTTP.Count, m.HTTP.agentRates = t.http.total, t.http.rates(now)
	return m
}

// A meter counts, and knows how much it was lately.
type meter struct {
	total   int64
	recent  float64    // since last
	last    time.Time  // the end of the last step; zero before the first
	average [3]float64 // a second, over 1, 5 and 15 minutes
	begun   bool       // average holds
	times   []time.Duration
	next    int // where in times the next goes
}

const (
	meterStep = 5 * time.Second
	maxTimes  = 1024 // of the last ones the percentiles are made
)

func (m *meter) count(now time.Time) {
	m.advance(now)
	m.total++
	m.recent++
}

// advance brings the averages, which are exponentially weighted as the load of a
// Unix is, up to now.
func (m *meter) advance(now time.Time) {
	if m.last.IsZero() {
		m.last = now
		return
	}
	steps := int(now.Sub(m.last) / meterStep)
	if steps <= 0 {
		return
	}
	m.last = m.last.Add(time.Duration(steps) * meterStep)
	rate := m.recent / meterStep.Seconds()
	m.recent = 0
	for i, minutes := range []float64{1, 5, 15} {
		keep := math.Exp(-meterStep.Minutes() / minutes)
		if m.begun {
			m.average[i] = m.average[i]*keep + rate*(1-keep)
		} else {
			m.average[i] = rate
		}
		m.average[i] *= math.Pow(keep, float64(steps-1))
	}
	m.begun = true
}

func (m *meter) took(d time.Duration) {
	if len(m.times) < maxTimes {
		m.times = append(m.times, d)
		return
	}
	m.times[m.next] = d
	m.next = (m.next + 1) % maxTimes
}

func (m *meter) rates(now time.Time) agentRates {
	m.advance(now)
	sorted := slices.Sorted(slices.Values(m.times))
	at := func(part float64) int64 {
		if len(sorted) == 0 {
			return 0
		}
		return int64(sorted[int(part*float64(len(sorted)-1)+0.5)])
	}
	a := m.average
	return agentRates{a[0], a[1], a[2], at(0.50), at(0.90), at(0.95), at(0.99)}
}
