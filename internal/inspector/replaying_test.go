package inspector

import (
	"testing"

	"devhook/recorder"
)

// All that a filter lets through is sent again, oldest first, changed and signed anew.
func TestReplays(t *testing.T) {
	b := newBench(t)
	first := b.signed()
	b.record(recorder.Exchange{Request: recorder.Request{URL: "http://h.example/plain"}}, recorder.Response{Status: 500})
	b.signed()
	v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"provider:tiktok","changes":["set user_openid=other"]}`).json(t)
	list := v["exchanges"].([]any)
	if v["chosen"] != 2.0 || v["failed"] != 0.0 || len(list) != 2 || list[0].(map[string]any)["of"] != string(first.ID) {
		t.Fatalf("%v", v)
	}
	if n := b.seen.Load(); n != 2 {
		t.Errorf("the app saw %d", n)
	}
	for _, one := range list {
		ex := b.must(200, "GET", "/devhook/v1/exchanges/"+one.(map[string]any)["id"].(string), "").json(t)
		if verdict := ex["verdict"].(map[string]any)["status"]; verdict != "valid" || ex["origin"] != "replay" {
			t.Errorf("%v is %v", one, verdict)
		}
	}
	v = b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..3","speed":"0.001x","within":"300ms"}`).json(t)
	if v["timed_out"] != true || len(v["exchanges"].([]any)) != 1 {
		t.Errorf("at a thousandth of the speed: %v", v)
	}
}

// What is no request for it sends nothing.
func TestReplaysRefuses(t *testing.T) {
	b := newBench(t)
	b.signed()
	for body, status := range map[string]int{
		`{}`: 400, `{"filter":" "}`: 400, `{"filter":"status:none"}`: 400, `{"filter":"seq:7"}`: 404,
		`{"filter":"seq:1","speed":"fast"}`: 422, `{"filter":"seq:1","sign":"perhaps"}`: 400,
		`{"filter":"seq:1","to":"http://192.0.2.1/"}`: 403, `{"filter":"seq:1","changes":["paint it"]}`: 422,
	} {
		b.must(status, "POST", "/devhook/v1/replays", body)
	}
	if n := b.seen.Load(); n != 0 {
		t.Errorf("the app saw %d", n)
	}
}
