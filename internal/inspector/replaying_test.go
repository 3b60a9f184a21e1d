package inspector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	late := b.record(recorder.Exchange{At: first.At.Add(time.Minute), Request: recorder.Request{URL: "http://h.example/plain"}}, recorder.Response{})
	for _, slow := range []string{`"speed":"0.001x"`, `"rate":"1/h"`} {
		v = b.must(200, "POST", "/devhook/v1/replays", fmt.Sprintf(`{"filter":"seq:1,%d",%s,"within":"300ms"}`, late.Seq, slow)).json(t)
		if v["timed_out"] != true || len(v["exchanges"].([]any)) != 1 {
			t.Errorf("%s: %v", slow, v)
		}
	}
}

// Who follows is told how far it is, in lines of which the last is the answer, or why there is
// none; and rounds are of all, each with ids of its own.
func TestReplaysFollowed(t *testing.T) {
	b := newBench(t)
	for _, id := range []string{"evt_000001", "evt_000002"} {
		b.record(recorder.Exchange{Request: recorder.Request{URL: "http://h.example/status/500", Body: recorder.Body{Bytes: []byte(`{"event_id":"` + id + `"}`)}}}, recorder.Response{})
	}
	lines := func(body string) (list []map[string]any) {
		t.Helper()
		for line := range strings.Lines(string(b.must(200, "POST", "/devhook/v1/replays/follow", body).body)) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			name := "ReplayProgress"
			switch {
			case v["error"] != nil:
				name = "Problem"
			case v["type"] == nil:
				name = "ReplayedAll"
			}
			checkJSON(t, name, at(described(), "components", "schemas", name), []byte(line))
			list = append(list, v)
		}
		return list
	}
	list := lines(`{"filter":"seq:1..2","repeat":3,"fresh_ids":true,"concurrency":2}`)
	if len(list) != 8 || list[0]["sent"] != 0.0 || list[0]["chosen"] != 6.0 || list[6]["sent"] != 6.0 || list[6]["failed"] != 6.0 || list[7]["failed"] != 6.0 {
		t.Fatalf("%v", list)
	}
	ids := map[string]bool{}
	for _, one := range list[7]["exchanges"].([]any) {
		ids[string(b.must(200, "GET", "/devhook/v1/exchanges/"+one.(map[string]any)["id"].(string)+"/body", "").body)] = true
	}
	if len(ids) != 6 {
		t.Errorf("of six there are these: %v", ids)
	}
	if list = lines(`{"filter":"seq:1..2","changes":["set event_id=1","set no=1"]}`); len(list) != 2 || list[1]["error"] == nil {
		t.Errorf("%v", list)
	}
	if v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..2","repeat":3,"rate":"1/s","dry_run":true}`).json(t); v["chosen"] != 6.0 || v["lasts_ns"] != 5e9 {
		t.Errorf("%v", v)
	}
	for status, bad := range map[string]int{`"filter":"seq:1..2","repeat":501`: 422, `"filter":"seq:1","repeat":-1`: 400, `"filter":"seq:1","repeat":2,"baseline":[]`: 400, `"filter":"seq:99"`: 404} {
		b.must(bad, "POST", "/devhook/v1/replays/follow", "{"+status+"}")
	}
}

// A session is moved into the present as one: its times by one span, its ids to the same new
// ones wherever they stand; and a dry run sends nothing of it.
func TestReplaysTravels(t *testing.T) {
	b := newBench(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, body := range []string{`{"event_id":"evt_000001","created_at":1772366400}`, `{"event_id":"evt_000002","created_at":1772366430,"parent":"evt_000001"}`} {
		b.record(recorder.Exchange{At: at.Add(time.Duration(i) * 30 * time.Second), Request: recorder.Request{Method: "POST", URL: "http://h.example/session", Body: recorder.Body{Bytes: []byte(body)}}}, recorder.Response{Status: 202})
	}
	const all = `{"filter":"seq:1..2","shift_time":"2026-06-01T00:00:00Z","fresh_ids":true`
	v := b.must(200, "POST", "/devhook/v1/replays", all+`,"dry_run":true}`).json(t)
	if v["chosen"] != 2.0 || v["failed"] != 0.0 || len(v["exchanges"].([]any)) != 2 || b.seen.Load() != 0 {
		t.Fatalf("a dry run, of which the app saw %d: %v", b.seen.Load(), v)
	}
	for pace, want := range map[string]any{`"speed":"2x"`: 15e9, `"rate":"4/m"`: 15e9, `"speed":"max"`: nil} {
		if v := b.must(200, "POST", "/devhook/v1/replays", all+`,"dry_run":true,`+pace+`}`).json(t); v["lasts_ns"] != want {
			t.Errorf("%s lasts %v, want %v", pace, v["lasts_ns"], want)
		}
	}
	bodies := func(more string) (list []string) {
		t.Helper()
		v := b.must(200, "POST", "/devhook/v1/replays", all+more).json(t)
		for _, one := range v["exchanges"].([]any) {
			r := b.must(200, "GET", "/devhook/v1/exchanges/"+one.(map[string]any)["id"].(string)+"/body", "")
			list = append(list, string(r.body))
		}
		return append(list, fmt.Sprintf("%.0f", v["seed"]))
	}
	one := bodies(`}`)
	var first, second struct {
		ID      string `json:"event_id"`
		Created int64  `json:"created_at"`
		Parent  string
	}
	if err := cmp.Or(json.Unmarshal([]byte(one[0]), &first), json.Unmarshal([]byte(one[1]), &second)); err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Unix()
	if first.ID == "evt_000001" || !strings.HasPrefix(first.ID, "evt_") || second.Parent != first.ID || second.ID == first.ID || second.Created != end || first.Created != end-30 {
		t.Errorf("%v", one)
	}
	if again := bodies(`,"seed":` + one[2] + `}`); !slices.Equal(again, one) {
		t.Errorf("the same seed: %v, then %v", one, again)
	}
	b.must(422, "POST", "/devhook/v1/replays", `{"filter":"seq:1","shift_time":"soon"}`)
	b.must(422, "POST", "/devhook/v1/replays", `{"filter":"seq:1","changes":["set none=1"],"dry_run":true}`)
}

// What is expected of the answers decides what has failed.
func TestReplaysExpects(t *testing.T) {
	url, allow := appOf(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(409) })
	b := newBench(t, allow)
	b.record(recorder.Exchange{}, recorder.Response{Status: 409})
	b.record(recorder.Exchange{}, recorder.Response{Status: 200})
	for expect, want := range map[string]string{``: "2", `,"expect":"4xx"`: "0", `,"expect":"200,409"`: "0", `,"expect":"same"`: "1 status 409 was 200"} {
		v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..2","to":"`+url+`"`+expect+`}`).json(t)
		unlike, _ := v["exchanges"].([]any)[1].(map[string]any)["unlike"].(string)
		n, says, _ := strings.Cut(want, " ")
		if fmt.Sprint(v["failed"]) != n || !strings.Contains(unlike, says) || (unlike == "") != (n == "0") {
			t.Errorf("%s: %v", expect, v)
		}
	}
	b.must(422, "POST", "/devhook/v1/replays", `{"filter":"seq:1","expect":"good"}`)
}

// The order of a seed is the same each time, and another than that of the store.
func TestReplaysShuffles(t *testing.T) {
	b := newBench(t)
	var stored []string
	for range 20 {
		stored = append(stored, string(b.record(recorder.Exchange{}, recorder.Response{}).ID))
	}
	order := func(more string) (ids []string, seed any) {
		t.Helper()
		v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..20","shuffle":true`+more+`}`).json(t)
		for _, one := range v["exchanges"].([]any) {
			ids = append(ids, one.(map[string]any)["of"].(string))
		}
		return ids, v["seed"]
	}
	first, seed := order(`,"seed":0`)
	again, _ := order(`,"seed":0,"concurrency":1,"rate":"100000/s"`)
	if slices.Equal(first, stored) || !slices.Equal(first, again) || seed != 0.0 {
		t.Errorf("seed %v: %v, then %v", seed, first, again)
	}
	chosen, seed := order("")
	again, _ = order(fmt.Sprintf(`,"seed":%.0f`, seed))
	if !slices.Equal(chosen, again) || slices.Equal(chosen, first) {
		t.Errorf("a seed that was chosen is %v: %v, then %v", seed, chosen, again)
	}
	slices.Sort(stored) // numbers that are made within a millisecond are in no order
	if slices.Sort(again); !slices.Equal(again, stored) {
		t.Errorf("sent were %v", again)
	}
}

// So many are under way at once as it is said, and no more; and an app that does not answer
// is not waited for beyond the time that all has.
func TestReplaysAtOnce(t *testing.T) {
	var here, most atomic.Int64
	three := make(chan struct{})
	url, allow := appOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never" {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		if n := here.Add(1); n > most.Load() {
			most.Store(n)
			if n == 3 {
				close(three)
			}
		}
		<-three
		here.Add(-1)
	})
	b := newBench(t, allow)
	for range 9 {
		b.record(recorder.Exchange{}, recorder.Response{})
	}
	v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..9","concurrency":3,"to":"`+url+`"}`).json(t)
	if v["failed"] != 0.0 || len(v["exchanges"].([]any)) != 9 || most.Load() != 3 {
		t.Errorf("%d at once: %v", most.Load(), v)
	}
	var began time.Time
	for within := 200 * time.Millisecond; within < 15*time.Second; within *= 4 { // in which a machine with other work may not have sent two
		began = time.Now()
		v = b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..9","concurrency":2,"within":"`+within.String()+`","changes":["path /never"],"to":"`+url+`"}`).json(t)
		if v["failed"] == 2.0 {
			break
		}
	}
	if v["timed_out"] != true || v["failed"] != 2.0 || len(v["exchanges"].([]any)) != 2 || time.Since(began) > 20*time.Second {
		t.Errorf("an app that never answers, after %v: %v", time.Since(began), v)
	}
	if v = b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1","within":"200ms","changes":["path /never"],"to":"`+url+`"}`).json(t); v["timed_out"] != true {
		t.Errorf("it never answers the last: %v", v)
	}
}

// One that cannot be sent ends all, at once, however long the next is to be waited for.
func TestReplaysEnds(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: []byte(`{"a":1}`)}}}, recorder.Response{})
	for range 3 {
		b.record(recorder.Exchange{Request: recorder.Request{Body: recorder.Body{Bytes: []byte("no JSON")}}}, recorder.Response{})
	}
	began := time.Now()
	r := b.must(422, "POST", "/devhook/v1/replays", `{"filter":"seq:1..4","changes":["set a=2"],"rate":"60/m","within":"10m"}`)
	if !strings.Contains(string(r.body), "#2, after 1 were sent: ") || b.seen.Load() != 1 {
		t.Errorf("%d sent: %s", b.seen.Load(), r.body)
	}
	r = b.must(422, "POST", "/devhook/v1/replays", `{"filter":"seq:2..3","changes":["set a=2"],"rate":"1/h","within":"10m"}`)
	if !strings.Contains(string(r.body), `"error"`) || time.Since(began) > time.Minute {
		t.Errorf("after %v: %s", time.Since(began), r.body)
	}
}

// What an earlier run had is held against this one.
func TestReplaysSinceBaseline(t *testing.T) {
	var broken atomic.Value
	broken.Store("/a /b")
	url, allow := appOf(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(broken.Load().(string), r.URL.Path) {
			w.WriteHeader(500)
		}
	})
	b := newBench(t, allow)
	for _, path := range []string{"/a", "/b", "/c", "/d", "/e"} {
		b.record(recorder.Exchange{Request: recorder.Request{URL: "http://h.example" + path}}, recorder.Response{})
	}
	earlier, err := json.Marshal(b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..4","to":"`+url+`"}`).json(t)["exchanges"])
	if err != nil {
		t.Fatal(err)
	}
	broken.Store("/b /c /e")
	v := b.must(200, "POST", "/devhook/v1/replays", `{"filter":"seq:1..3,5","to":"`+url+`","baseline":`+string(earlier)+`}`).json(t)
	var changes []any
	for _, one := range v["exchanges"].([]any) {
		changes = append(changes, one.(map[string]any)["change"])
	}
	if got, want := fmt.Sprint(changes, v["since_baseline"]), "[fixed <nil> regressed new] map[fixed:1 gone:1 new:1 regressed:1 unchanged:1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What is no request for it sends nothing.
func TestReplaysRefuses(t *testing.T) {
	b := newBench(t)
	b.signed()
	for body, status := range map[string]int{
		`{}`: 400, `{"filter":" "}`: 400, `{"filter":"status:none"}`: 400, `{"filter":"seq:7"}`: 404,
		`{"filter":"seq:1","speed":"fast"}`: 422, `{"filter":"seq:1","rate":"soon"}`: 422, `{"filter":"seq:1","rate":"1/s","speed":"1x"}`: 400, `{"filter":"seq:1","speed":"1x","shuffle":true}`: 400,
		`{"filter":"seq:1","seed":7}`: 400, `{"filter":"seq:1","shuffle":true,"seed":-1}`: 400, `{"filter":"seq:1","concurrency":65}`: 400, `{"filter":"seq:1","concurrency":-1}`: 400, `{"filter":"seq:1","baseline":{}}`: 400, `{"filter":"seq:1","sign":"perhaps"}`: 400,
		`{"filter":"seq:1","to":"http://192.0.2.1/"}`: 403, `{"filter":"seq:1","changes":["paint it"]}`: 422,
	} {
		b.must(status, "POST", "/devhook/v1/replays", body)
	}
	if n := b.seen.Load(); n != 0 {
		t.Errorf("the app saw %d", n)
	}
}
