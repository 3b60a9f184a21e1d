package delivery

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"devhook/verify"
)

// The schedules are those that the providers document.
func TestOf(t *testing.T) {
	m, h := time.Minute, time.Hour
	adyen := []time.Duration{9 * time.Second, 9 * time.Second, 9 * time.Second, 2 * m, 5 * m, 10 * m, 15 * m, 30 * m, h, 2 * h, 4 * h, 8 * h}
	for id, want := range map[string]struct {
		pauses    []time.Duration
		certainty Certainty
	}{
		"tiktok-shop":  {[]time.Duration{2 * m, 30 * m, 3 * h, 12 * h}, Documented},
		"tencent-trtc": {[]time.Duration{0, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second}, Documented},
		"tencent-css":  {slices.Repeat([]time.Duration{m}, 12), Documented},
		"tencent-live": {nil, Documented},
		"github":       {nil, Documented},
		"euler":        {nil, Unknown},
		"slack":        {[]time.Duration{0, m, 5 * m}, Documented},
		"monday":       {slices.Repeat([]time.Duration{m}, 30), Documented},
		"braintree":    {slices.Repeat([]time.Duration{h}, 24), Documented},
		"adyen":        {append(adyen, slices.Repeat([]time.Duration{8 * h}, 87)...), Documented},
		"mailgun":      {[]time.Duration{5 * m, 10 * m, 15 * m, h, 2 * h, 4 * h}, Documented},
		"plaid":        {[]time.Duration{m / 2, 2 * m, 8 * m, 32 * m, 128 * m, 512 * m}, Documented},
		"zoom":         {[]time.Duration{5 * m, 20 * m, 60 * m}, Documented},
		"discord":      {[]time.Duration{m, 2 * m, 4 * m}, Assumed},
		"resend":       {[]time.Duration{5 * time.Second, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h}, Documented},
		"frameio":      {[]time.Duration{15 * time.Second, 30 * time.Second, m, 2 * m}, Documented},
		"typeform":     {[]time.Duration{5 * m, 10 * m, 20 * m, h, 2 * h, 3 * h, 4 * h}, Documented},
		"wise":         {append([]time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m, 512 * m, 1024 * m}, slices.Repeat([]time.Duration{24 * h}, 14)...), Documented},
		"bitbucket":    {[]time.Duration{m, 2 * m}, Assumed},
		"plain":        {[]time.Duration{10 * time.Second, 30 * time.Second, 5 * m, 30 * m, h, 3 * h, 6 * h, 12 * h, 24 * h, 24 * h, 24 * h, 24 * h}, Documented},
		"livekit":      {[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, Documented},
		"gogs":         {nil, Documented},
		"hookdeck":     {nil, Unknown},
		"telnyx":       {[]time.Duration{m, 2 * m}, Assumed},
		"onfleet":      {slices.Repeat([]time.Duration{30 * m}, 48), Documented},
		"tiktok":       {[]time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m, 512 * m, 12 * h, 12 * h, 12 * h, 12 * h}, Assumed},
	} {
		p, ok := verify.Lookup(id)
		if !ok {
			t.Fatalf("no provider %s", id)
		}
		got := Of(p.Retry)
		var pauses []time.Duration
		for i := 1; i < len(got.At); i++ {
			pauses = append(pauses, got.At[i]-got.At[i-1])
		}
		if !slices.Equal(pauses, want.pauses) || got.Certainty != want.certainty {
			t.Errorf("%s: %v, %s", id, pauses, got.Certainty)
		}
	}
}

// A provider that says how many tries there are, and within what time, makes all of them,
// also where pauses are rounded up to whole seconds.
func TestAllTriesAreInTime(t *testing.T) {
	for times := 2; times <= 30; times++ {
		for more := range 200 {
			within := time.Duration(times)*(firstPause+time.Second) + time.Duration(more*times)*7*time.Second
			p := Of(verify.Retry{Times: times, Within: within, Backoff: "exponential"})
			if got := len(p.At) - 1; got != times || p.At[times] > within {
				t.Fatalf("%d times within %v: %d, the last at %v", times, within, got, p.At[got])
			}
		}
	}
}

// Every provider's schedule begins at once, goes forward and ends in time.
func TestAll(t *testing.T) {
	for _, p := range verify.Providers() {
		got := Of(p.Retry)
		if got.At[0] != 0 || !slices.IsSorted(got.At) || len(got.At) >= mostTries {
			t.Errorf("%s: %v", p.ID, got.At)
		}
		if p.Retry.Times > 0 && len(got.At) != p.Retry.Times+1 {
			t.Errorf("%s tries %d times again, and says %d", p.ID, len(got.At)-1, p.Retry.Times)
		}
		if last := got.At[len(got.At)-1]; p.Retry.Within > 0 && last > p.Retry.Within {
			t.Errorf("%s: the last try is after %s, and it gives up after %s", p.ID, last, p.Retry.Within)
		}
	}
}

// However long a description has pauses grow, and an app asks for, times go forward.
func TestLong(t *testing.T) {
	p := Of(verify.Retry{After: []time.Duration{time.Minute}, Times: 99, Backoff: "exponential", RetryAfter: []string{"5xx"}})
	if len(p.At) != 100 || !slices.IsSorted(p.At) {
		t.Errorf("%d tries: %v", len(p.At), p.At)
	}
	at := p.At
	for i := range at {
		pause, _ := p.Asked(503, http.Header{"Retry-After": {"2147483647"}}, time.Now())
		at = p.Postponed(at, i, pause)
	}
	if len(at) != 100 || !slices.IsSorted(at) {
		t.Errorf("postponed: %v", at)
	}
}

func TestDelivered(t *testing.T) {
	tiktok, _ := verify.Lookup("tiktok")
	stripe, _ := verify.Lookup("stripe")
	for status, want := range map[int][2]bool{200: {true, true}, 204: {false, true}, 302: {false, false}, 500: {false, false}, 0: {false, false}} {
		if got := [2]bool{Of(tiktok.Retry).Delivered(status), Of(stripe.Retry).Delivered(status)}; got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
}

func TestEnds(t *testing.T) {
	for id, want := range map[string]map[int]bool{
		"stripe":      {0: false, 302: false, 404: false, 410: false, 500: false},
		"bitbucket":   {0: false, 302: true, 404: true, 429: true, 500: false, 599: false},
		"contentful":  {0: false, 404: true, 429: false, 503: false},
		"typeform":    {0: false, 403: false, 404: true, 410: true, 500: false},
		"tiktok-shop": {0: false, 401: true, 403: false, 500: false},
		"twilio":      {0: false, 302: true, 404: true, 503: true},
	} {
		p, _ := verify.Lookup(id)
		for status, ends := range want {
			if got := Of(p.Retry).Ends(status, nil); got != ends {
				t.Errorf("%s, %d: %t", id, status, got)
			}
		}
	}
	slack, _ := verify.Lookup("slack")
	for value, ends := range map[string]bool{"1": true, "0": false, "": false} {
		if got := Of(slack.Retry).Ends(500, http.Header{"X-Slack-No-Retry": {value}}); got != ends {
			t.Errorf("slack, X-Slack-No-Retry: %q: %t", value, got)
		}
	}
}

// Who looks at Retry-After waits as it says, within its bounds; who does not, does not.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		id     string
		status int
		text   string
		want   time.Duration
	}{
		{"telegram", 503, "120", 2 * time.Minute},
		{"telegram", 302, "86400", time.Hour},
		{"telegram", 503, "Sat, 28 Nov 2026 12:05:00 GMT", 5 * time.Minute},
		{"telegram", 503, "Sat, 28 Nov 2026 11:05:00 GMT", 0},
		{"telegram", 503, "-5", 0},
		{"telegram", 503, "99999999999999999999", 0},
		{"telegram", 503, "soon", 0},
		{"telegram", 503, "", 0},
		{"telegram", 0, "120", 0},
		{"plaid", 429, "99999", 4 * time.Hour},
		{"plaid", 503, "60", 0},
		{"stripe", 429, "60", 0},
		{"wise", 503, "999999999", 30 * 24 * time.Hour},
		{"standard-webhooks", 503, "Fri, 31 Dec 9999 23:59:59 GMT", 30 * 24 * time.Hour},
	} {
		p, _ := verify.Lookup(row.id)
		if got, ok := Of(p.Retry).Asked(row.status, http.Header{"Retry-After": {row.text}}, now); max(got, 0) != row.want || ok != (row.want > 0) {
			t.Errorf("%s, %d, %q: %s, %t", row.id, row.status, row.text, got, ok)
		}
	}
	p := Of(verify.Retry{After: []time.Duration{time.Minute, time.Hour, time.Hour}, Within: 2*time.Hour + time.Minute})
	for pause, want := range map[time.Duration][]time.Duration{
		2 * time.Minute: {0, 2 * time.Minute, time.Hour + 2*time.Minute},
		time.Second:     {0, time.Second, time.Hour + time.Second, 2*time.Hour + time.Second},
		3 * time.Hour:   {0},
	} {
		if got := p.Postponed(p.At, 0, pause); !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", pause, got, want)
		}
	}
	if got := p.Postponed(p.At, 3, time.Hour); !slices.Equal(got, p.At) {
		t.Errorf("after the last: %v", got)
	}
}
