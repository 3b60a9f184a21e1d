package inspector

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// scrape reads /metrics as Prometheus does: each line a comment or a sample, each
// sample once, of a family that was declared before it.
func (b *bench) scrape() map[string]float64 {
	b.t.Helper()
	sample := regexp.MustCompile(`^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$`)
	values := map[string]float64{}
	declared := ""
	for line := range strings.Lines(string(b.must(200, "GET", "/metrics", "").body)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			declared, _, _ = strings.Cut(name, " ")
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(m[1], declared) || declared == "" {
			b.t.Fatalf("no sample of %s: %q", declared, line)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := values[m[1]+m[2]]; err != nil || twice {
			b.t.Fatalf("%q: %v, twice: %v", line, err, twice)
		}
		values[m[1]+m[2]] = v
	}
	return values
}

// until waits until a sample has a value.
func (b *bench) until(name string, want float64) map[string]float64 {
	b.t.Helper()
	var values map[string]float64
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if values = b.scrape(); values[name] == want {
			return values
		}
	}
	b.t.Fatalf("%s is %v, want %v", name, values[name], want)
	return nil
}

func TestMetrics(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{Provider: "tiktok"}, recorder.Response{Took: 3 * time.Millisecond})
	b.record(recorder.Exchange{Provider: "tiktok"}, recorder.Response{Took: 7 * time.Second})
	b.record(recorder.Exchange{Provider: "tiktok"}, recorder.Response{Status: 500, Took: 5 * time.Minute})
	b.record(recorder.Exchange{}, recorder.Response{})
	values := b.until(`devhook_exchanges_total{provider="none",origin="live",outcome="answered",verdict="unverified",status="2xx"}`, 1)
	const labels = `provider="tiktok",outcome="answered"`
	for name, want := range map[string]float64{
		`devhook_exchanges_total{provider="tiktok",origin="live",outcome="answered",verdict="unverified",status="2xx"}`: 2,
		`devhook_exchanges_total{provider="tiktok",origin="live",outcome="answered",verdict="unverified",status="5xx"}`: 1,
		`devhook_app_duration_seconds_bucket{` + labels + `,le="0.0025"}`:                                               0,
		`devhook_app_duration_seconds_bucket{` + labels + `,le="0.005"}`:                                                1,
		`devhook_app_duration_seconds_bucket{` + labels + `,le="5"}`:                                                    1,
		`devhook_app_duration_seconds_bucket{` + labels + `,le="60"}`:                                                   2,
		`devhook_app_duration_seconds_bucket{` + labels + `,le="+Inf"}`:                                                 3,
		`devhook_app_duration_seconds_count{` + labels + `}`:                                                            3,
		`devhook_app_duration_seconds_sum{` + labels + `}`:                                                              307.003,
		`devhook_tunnel_connected{kind="local"}`:                                                                        1,
		`devhook_malformed_total`:                                                                                       0,
		`devhook_build_info{version="0.0.0-test"}`:                                                                      1,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
		}
	}
}

// A store that names ever more providers does not make ever more series, and no
// name breaks a line.
func TestMetricsAreBounded(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{Provider: "a\"b\\c\nd_total 1\n\xff"}, recorder.Response{})
	for i := range maxProviders + 20 {
		b.record(recorder.Exchange{Provider: fmt.Sprintf("p%d", i)}, recorder.Response{})
	}
	values := b.until(`devhook_exchanges_total{provider="other",origin="live",outcome="answered",verdict="unverified",status="2xx"}`, 21)
	series := 0
	for name := range values {
		if strings.HasPrefix(name, "devhook_exchanges_total") {
			series++
		}
	}
	if series != maxProviders+1 {
		t.Errorf("there are %d series", series)
	}
}
