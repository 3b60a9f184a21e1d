package inspector

import (
	"strings"
	"testing"

	"devhook/recorder"
)

// What is counted is what the filter lets through.
func TestStats(t *testing.T) {
	b := newBench(t)
	for _, event := range []string{"a", "b", "b"} {
		b.record(recorder.Exchange{Provider: "github", Event: event, Request: recorder.Request{Size: 4, Body: recorder.Body{Bytes: []byte("body")}}}, recorder.Response{Status: 204})
	}
	all := string(b.must(200, "GET", "/devhook/v1/stats", "").body)
	for _, want := range []string{`"count":3,"bytes":12`, `"event":{"a":1,"b":2}`, `"status":{"2xx":3}`, `"took_ns":{`, `"by_hour":[{"at":"`} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in %s", want, all)
		}
	}
	if some := string(b.must(200, "GET", "/devhook/v1/stats?by=day&filter=event:b", "").body); !strings.Contains(some, `"count":2,`) || !strings.Contains(some, `"by_day":[`) {
		t.Errorf("%s", some)
	}
	if none := string(b.must(200, "GET", "/devhook/v1/stats?filter=event:c", "").body); !strings.HasPrefix(none, `{"v":1,"count":0,"bytes":0}`) {
		t.Errorf("%s", none)
	}
	b.must(400, "GET", "/devhook/v1/stats?by=week", "")
	b.must(400, "GET", "/devhook/v1/stats?filter=status:x", "")
}
