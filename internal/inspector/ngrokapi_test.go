package inspector

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/config"
	"devhook/recorder"
)

// agentBench is an inspector whose tunnel has a public URL and a name.
func agentBench(t *testing.T, name string) *bench {
	t.Helper()
	var b *bench
	b = newBench(t, func(o *Options) {
		o.Agent.Name, o.ParseApp = name, config.ParseForward
		o.Status = func() Status {
			return Status{
				Version: "0.0.0-test", Ready: b == nil || b.ready.Load(), URL: "https://x.ngrok-free.dev", Tunnel: Tunnel{Kind: "ngrok", State: "connected"},
				Forward: []string{"http://localhost:8001"},
			}
		}
	})
	return b
}

const (
	noMetrics = `{"conns":{"count":0,"gauge":0,"rate1":0,"rate5":0,"rate15":0,"p50":0,"p90":0,"p95":0,"p99":0},"http":{"count":0,"rate1":0,"rate5":0,"rate15":0,"p50":0,"p90":0,"p95":0,"p99":0}}`
	oneTunnel = `{"name":"command_line","ID":"$ID","uri":"/api/tunnels/command_line","public_url":"https://x.ngrok-free.dev","proto":"https","config":{"addr":"http://localhost:8001","inspect":true},"metrics":` + noMetrics + `}`
)

var hexID = regexp.MustCompile(`"ID":"[0-9a-f]{32}"`)

// Each answer is, byte for byte, as captures of the agent have it.
func TestAgentAnswers(t *testing.T) {
	b := agentBench(t, "")
	endpoint := `{"name":"command_line","uri":"/api/endpoints/command_line","url":"https://x.ngrok-free.dev","upstream":{"url":"http://localhost:8001","protocol":"http1"},"inspect":true,"traffic_policy":"","pooling_enabled":false`
	wrong := `{"error_code":102,"status_code":400,"msg":"invalid tunnel configuration","details":{"err":"`
	for _, row := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/api/tunnels", "", 200, `{"tunnels":[` + oneTunnel + `],"uri":"/api/tunnels"}`},
		{"GET", "/api/tunnels/command_line", "", 200, oneTunnel},
		{"GET", "/api/tunnels/other", "", 404, `{"error_code":100,"status_code":404,"msg":"tunnel not found","details":{"err":"tunnel \"other\" not found"}}`},
		{"GET", "/api/endpoints", "", 200, `{"endpoints":[` + endpoint + `}]}`},
		{"GET", "/api/endpoints/command_line", "", 200, endpoint + `,"metrics":` + noMetrics + `}`},
		{"GET", "/api/requests/http", "", 200, `{"uri":"/api/requests/http","requests":[]}`},
		{"GET", "/api/status", "", 200, `{"status":"online","agent_version":"0.0.0-test","session":{"legs":[]},"uri":"/api/status"}`},
		{"GET", "/api/nothing", "", 404, `{"error_code":100,"status_code":404,"msg":"resource not found","details":{"err":"GET /api/nothing is nothing that devhook has"}}`},
		{"POST", "/api/tunnels", `{"addr":8001,"proto":"http","name":"1dcd323f-8402-4d43-bcab-06de83d51aa4","configPath":null,"unknown":[1]}`, 201, oneTunnel},
		{"POST", "/api/tunnels", `{"addr":"127.0.0.1:8001","bind_tls":true,"domain":"x.ngrok-free.dev"}`, 201, oneTunnel},
		{"POST", "/api/tunnels", `{"addr":"http://localhost:8001","subdomain":"x"}`, 201, oneTunnel},
		{"POST", "/api/endpoints", `{"name":"a","url":"https://x.ngrok-free.dev","upstream":{"url":"8001"}}`, 201, endpoint + `,"metrics":` + noMetrics + `}`},
		{"PUT", "/api/endpoints/command_line", `{"upstream":{"url":8001}}`, 200, endpoint + `,"metrics":` + noMetrics + `}`},
		{"POST", "/api/tunnels", `{"addr":80}`, 400, wrong + `this devhook forwards to http://localhost:8001: start it as devhook up --forward 80"}}`},
		{"POST", "/api/tunnels", `{"addr":8001,"proto":"tcp"}`, 400, wrong + `devhook has no tcp tunnels"}}`},
		{"POST", "/api/tunnels", `{"addr":8001,"hostname":"y.ngrok.app"}`, 400, wrong + `this devhook is at https://x.ngrok-free.dev; devhook up --url asks for another"}}`},
		{"POST", "/api/tunnels", `{"addr":8001,"subdomain":"y"}`, 400, wrong + `this devhook is at https://x.ngrok-free.dev; devhook up --url asks for another"}}`},
		{"POST", "/api/tunnels", `{}`, 400, wrong + `no addr is given"}}`},
		{"POST", "/api/tunnels", `[`, 400, wrong + `unexpected EOF"}}`},
		{"DELETE", "/api/tunnels/command_line", "", 204, ""},
		{"DELETE", "/api/endpoints/command_line", "", 204, ""},
		{"DELETE", "/api/tunnels/other", "", 404, `{"error_code":100,"status_code":404,"msg":"tunnel not found","details":{"err":"tunnel \"other\" not found"}}`},
		{"GET", "/api/tunnels", "", 200, `{"tunnels":[` + oneTunnel + `],"uri":"/api/tunnels"}`}, // it is still there
	} {
		var headers []string
		if row.body != "" {
			headers = []string{"Content-Type: application/json"}
		}
		r := b.must(row.status, row.method, row.path, row.body, headers...)
		got := hexID.ReplaceAllString(strings.TrimSuffix(string(r.body), "\n"), `"ID":"$$ID"`)
		if got != row.want {
			t.Errorf("%s %s %s:\n got %s\nwant %s", row.method, row.path, row.body, got, row.want)
		}
		if row.status != 204 && r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s is %s", row.method, row.path, r.header.Get("Content-Type"))
		}
	}
	if parts := strings.Split(string(b.must(200, "GET", "/api/tunnels", "").body), `"`); parts[17] != "https://x.ngrok-free.dev" {
		t.Errorf("the 18th part is %s", parts[17])
	}
	if a, c := b.must(200, "GET", "/api", ""), b.must(200, "GET", "/api/", ""); !bytes.Equal(a.body, c.body) {
		t.Errorf("/api is %s, /api/ is %s", a.body, c.body)
	}
}

// Before the tunnel is open wrappers are told to try again, in the very words that
// they look for; and so they are while devhook still connects.
func TestAgentNotReady(t *testing.T) {
	const again = `{"error_code":104,"status_code":503,"msg":"ngrok is not yet ready to start tunnels","details":{"err":"a successful ngrok tunnel session has not yet been established"}}` + "\n"
	b := agentBench(t, "")
	b.ready.Store(false)
	starting := httptest.NewServer(nil)
	t.Cleanup(starting.Close)
	starting.Config.Handler = Starting(Options{Addr: starting.Listener.Addr().String(), Version: "0.0.0-test"})
	for _, base := range []string{b.url, starting.URL} {
		here := &bench{t: t, url: base}
		if r := here.must(503, "POST", "/api/tunnels", `{"addr":8001}`); string(r.body) != again {
			t.Errorf("%s", r.body)
		}
		if r := here.must(200, "GET", "/api/tunnels", ""); string(r.body) != `{"tunnels":[],"uri":"/api/tunnels"}`+"\n" {
			t.Errorf("%s", r.body)
		}
		if r := here.must(200, "GET", "/api/status", ""); !strings.HasPrefix(string(r.body), `{"status":"connecting",`) {
			t.Errorf("%s", r.body)
		}
		here.must(403, "GET", "/api/tunnels", "", "Host: evil.example")
		here.must(415, "POST", "/api/tunnels", `{"addr":8001}`, "Content-Type: text/plain")
	}
	(&bench{t: t, url: starting.URL}).must(503, "GET", "/anything", "")
}

// A name may have a space in it, and is asked for in two spellings.
func TestAgentNames(t *testing.T) {
	b := agentBench(t, "command_line (http)")
	for _, name := range []string{"command_line%20%28http%29", "command_line+%28http%29", "command_line%20(http)"} {
		r := b.must(200, "GET", "/api/tunnels/"+name, "")
		if v := r.json(t); v["name"] != "command_line (http)" || v["uri"] != "/api/tunnels/command_line%20%28http%29" {
			t.Errorf("%s", r.body)
		}
	}
}

// Who closes the tunnel ends devhook only where that was allowed.
func TestAgentEnds(t *testing.T) {
	ended := 0
	b := newBench(t, func(o *Options) { o.Agent.End = func() { ended++ } })
	b.must(404, "DELETE", "/api/tunnels/other", "")
	if b.must(204, "DELETE", "/api/tunnels/command_line", "{}", "Content-Type: application/json"); ended != 1 {
		t.Errorf("it was ended %d times", ended)
	}
}

// A request is, byte for byte, what the documentation of the agent shows.
func TestAgentRequest(t *testing.T) {
	b := agentBench(t, "")
	at := time.Date(2026, 11, 27, 14, 2, 11, 482913000, time.UTC)
	ex := b.record(recorder.Exchange{At: at, Request: recorder.Request{
		URL: "https://x.ngrok-free.dev/hooks/<a>?x=1&y", Proto: "HTTP/2.0", Remote: "192.168.100.25:4711",
		Headers: http.Header{"Host": {"x.ngrok-free.dev"}, "Accept": {"*/*", "text/plain"}}, Body: recorder.Body{Bytes: []byte(`{"a":1}`)},
	}}, recorder.Response{Status: 502, Took: 3893202, Headers: http.Header{"Content-Length": {"4"}}, Body: recorder.Body{Bytes: []byte("down")}})
	raw := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	id := string(ex.ID)
	want := `{"uri":"/api/requests/http/` + id + `","id":"` + id + `","tunnel_name":"command_line","remote_addr":"192.168.100.25","start":"` + at.Local().Format(time.RFC3339) + `","duration":3893202,` +
		`"request":{"method":"POST","proto":"HTTP/2.0","headers":{"Accept":["*/*","text/plain"],"Host":["x.ngrok-free.dev"]},"uri":"/hooks/<a>?x=1&y","raw":"` +
		raw("POST /hooks/<a>?x=1&y HTTP/1.1\r\nAccept: */*\r\nAccept: text/plain\r\nHost: x.ngrok-free.dev\r\nContent-Length: 7\r\n\r\n{\"a\":1}") + `"},` +
		`"response":{"status":"502 Bad Gateway","status_code":502,"proto":"HTTP/1.1","headers":{"Content-Length":["4"]},"raw":"` + raw("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\ndown") + `"}}`
	if got := string(b.must(200, "GET", "/api/requests/http/"+id, "").body); got != want+"\n" {
		t.Errorf(" got %s\nwant %s", got, want)
	}
	if got := string(b.must(200, "GET", "/api/requests/http", "").body); got != `{"uri":"/api/requests/http","requests":[`+want+"]}\n" {
		t.Errorf("the list is %s", got)
	}
	sample := b.record(recorder.Exchange{Origin: recorder.Trigger}, recorder.Response{})
	if got := string(b.must(200, "GET", "/api/requests/http/"+string(sample.ID), "").body); !strings.Contains(got, `"request":{"method":"POST","proto":"HTTP/1.1",`) {
		t.Errorf("a sample is %s", got)
	}
}

// A bookmark of the agent's page leads to the page.
func TestAgentPages(t *testing.T) {
	b := agentBench(t, "")
	for _, path := range []string{"/inspect/http", "/http/in", "/status"} {
		if r := b.page(path); r.status != 200 || !strings.Contains(string(r.body), "<title>devhook</title>") {
			t.Errorf("%s: %d %.100s", path, r.status, r.body)
		}
	}
}

// Until the app has answered, the response is null, and there.
func TestAgentRequestUnderWay(t *testing.T) {
	b := agentBench(t, "")
	ex := recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Request: recorder.Request{Method: "GET", URL: "https://x.ngrok-free.dev/", Proto: "HTTP/1.1"}}
	if err := b.store.Append(t.Context(), &ex); err != nil {
		t.Fatal(err)
	}
	if got := string(b.must(200, "GET", "/api/requests/http/"+string(ex.ID), "").body); !strings.HasSuffix(got, `"response":null}`+"\n") || !strings.Contains(got, `"headers":{}`) {
		t.Errorf("%s", got)
	}
}

// A large binary body is whole in raw.
func TestAgentLargeBody(t *testing.T) {
	b := agentBench(t, "")
	large := make([]byte, 5<<20)
	for i := range large {
		large[i] = byte(i * i >> 3)
	}
	spool := b.store.Spool()
	if _, err := spool.Write(large); err != nil {
		t.Fatal(err)
	}
	body, err := spool.Body()
	if err != nil {
		t.Fatal(err)
	}
	ex := recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Request: recorder.Request{Method: "POST", URL: "https://x/", Proto: "HTTP/1.1", Body: body, Size: int64(len(large))}}
	if err := b.store.Append(t.Context(), &ex); err != nil {
		t.Fatal(err)
	}
	res := &recorder.Response{Status: 200, Body: body, Size: int64(len(large))}
	if err := b.store.Finish(t.Context(), ex.ID, recorder.Result{Outcome: recorder.Answered, Response: res}); err != nil {
		t.Fatal(err)
	}
	var v struct {
		Requests []struct{ Request, Response struct{ Raw []byte } }
	}
	if err := json.Unmarshal(b.must(200, "GET", "/api/requests/http?limit=1", "").body, &v); err != nil || len(v.Requests) != 1 {
		t.Fatal(err, len(v.Requests))
	}
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(v.Requests[0].Request.Raw)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(v.Requests[0].Response.Raw)), req)
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]io.Reader{"request": req.Body, "response": resp.Body} {
		if got, err := io.ReadAll(r); err != nil || sha256.Sum256(got) != sha256.Sum256(large) {
			t.Errorf("%s: %d bytes, %v", what, len(got), err)
		}
	}
}

// What a sender writes stays in its strings.
func TestAgentHostile(t *testing.T) {
	b := agentBench(t, "")
	for _, text := range hostile {
		head := http.Header{"X-A": {text}}
		b.record(recorder.Exchange{Request: recorder.Request{URL: "http://x/" + text, Headers: head, Body: recorder.Body{Bytes: []byte(text)}}}, recorder.Response{Headers: head, Body: recorder.Body{Bytes: []byte(text)}})
	}
	r := b.must(200, "GET", "/api/requests/http?limit=1000", "")
	if list := r.json(t)["requests"].([]any); len(list) != len(hostile) {
		t.Errorf("%d of %d", len(list), len(hostile))
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", r.header)
	}
}

func TestAgentList(t *testing.T) {
	b := agentBench(t, "")
	for i := range 5 {
		b.record(recorder.Exchange{Event: fmt.Sprint(i)}, recorder.Response{})
	}
	b.record(recorder.Exchange{Origin: recorder.Mirror}, recorder.Response{})
	b.record(recorder.Exchange{Origin: recorder.Import}, recorder.Response{})
	b.record(recorder.Exchange{Origin: recorder.Stream, Request: recorder.Request{Proto: recorder.ProtoStream}}, recorder.Response{})
	count := func(query string) int {
		return len(b.must(200, "GET", "/api/requests/http"+query, "").json(t)["requests"].([]any))
	}
	for query, want := range map[string]int{"": 5, "?limit=2": 2, "?tunnel_name=command_line": 5, "?tunnel_name=other": 0, "?limit=3&tunnel_name=command_line": 3} {
		if got := count(query); got != want {
			t.Errorf("%q lists %d, want %d", query, got, want)
		}
	}
	for range 2 * atOnce { // more than are held at a time, with others between them
		b.record(recorder.Exchange{Origin: recorder.Mirror}, recorder.Response{})
		b.record(recorder.Exchange{}, recorder.Response{})
	}
	ids := func(path, list string) (ids []string) {
		for _, v := range b.must(200, "GET", path, "").json(t)[list].([]any) {
			ids = append(ids, v.(map[string]any)["id"].(string))
		}
		return ids
	}
	all := ids("/devhook/v1/exchanges?limit=1000&filter=origin:live", "exchanges")
	for query, want := range map[string]int{"?limit=1000": 5 + 2*atOnce, fmt.Sprint("?limit=", atOnce+3): atOnce + 3, fmt.Sprint("?limit=", 2*atOnce): 2 * atOnce} {
		if got := ids("/api/requests/http"+query, "requests"); len(got) != want || !slices.Equal(got, all[:want]) {
			t.Errorf("%q lists %d, want the newest %d", query, len(got), want)
		}
	}
	newest := b.must(200, "GET", "/api/requests/http?limit=1", "").json(t)["requests"].([]any)[0].(map[string]any)["id"]
	if ex, err := b.store.Get("last"); err != nil || newest != string(ex.ID) {
		t.Errorf("the newest is %v, want %v (%v)", newest, ex.ID, err)
	}
	b.must(400, "GET", "/api/requests/http?limit=none", "")

	// Deleting hides what is there, and only from this API.
	b.must(204, "DELETE", "/api/requests/http", "")
	if n := count(""); n != 0 {
		t.Errorf("%d are left", n)
	}
	b.must(404, "GET", fmt.Sprintf("/api/requests/http/%v", newest), "")
	b.must(404, "POST", "/api/requests/http", fmt.Sprintf(`{"id":%q}`, newest))
	if n := len(b.must(200, "GET", "/devhook/v1/exchanges?limit=1000", "").json(t)["exchanges"].([]any)); n != 7+2*atOnce {
		t.Errorf("%d are recorded", n)
	}
	b.record(recorder.Exchange{}, recorder.Response{})
	if n := count(""); n != 1 {
		t.Errorf("%d have come", n)
	}
}

// A replay is understood in all spellings that clients have.
func TestAgentReplay(t *testing.T) {
	b := newBench(t)
	ex := b.signed()
	for i, body := range []string{`{"id":%q}`, `{"id":%q,"tunnel_name":null}`, `{"id":%q,"tunnel_name":"command_line"}`, `{"id":%q,"tunnelName":"command_line","x":1}`, `{"id":%q,"tunnel_name":""}`} {
		if r := b.must(204, "POST", "/api/requests/http", fmt.Sprintf(body, ex.ID)); len(r.body) > 0 || b.seen.Load() != int64(i+1) {
			t.Errorf("%s: %s, the app saw %d", body, r.body, b.seen.Load())
		}
	}
	if last, err := b.store.Get("last"); err != nil || last.Parent != ex.ID || last.Origin != recorder.Replay || last.Verdict.Status != "valid" {
		t.Errorf("it became %+v, %v", last, err)
	}
	for body, status := range map[string]int{`{"id":"nosuch"}`: 404, `{"id":"1","tunnel_name":"other"}`: 404, `{}`: 400, `x`: 400, `{"id":1}`: 400} {
		if v := b.must(status, "POST", "/api/requests/http", body).json(t); v["status_code"] != float64(status) || v["msg"] == "" {
			t.Errorf("%s: %v", body, v)
		}
	}
	if b.seen.Load() != 5 {
		t.Errorf("the app saw %d", b.seen.Load())
	}
}

// A replay goes only where a forward or a route leads.
func TestAgentReplayIsGuarded(t *testing.T) {
	b := newBench(t, func(o *Options) { o.IsApp = func(*url.URL) bool { return false } })
	b.signed()
	if v := b.must(403, "POST", "/api/requests/http", `{"id":"1"}`).json(t); b.seen.Load() != 0 || v["error_code"] == nil {
		t.Errorf("the app saw %d: %v", b.seen.Load(), v)
	}
}

// Programs get in as they are; pages of other sites do not.
func TestAgentGuard(t *testing.T) {
	b := newBench(t)
	b.signed()
	for _, row := range []struct {
		status       int
		method, path string
		headers      []string
	}{
		{403, "GET", "/api/tunnels", []string{"Host: evil.example"}},
		{403, "GET", "/api/requests/http", []string{"Origin: https://evil.example"}},
		{403, "GET", "/api/requests/http", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}},
		{403, "POST", "/api/requests/http", []string{"Origin: null"}},
		{403, "DELETE", "/api/requests/http", []string{"Sec-Fetch-Site: same-site"}},
		{403, "DELETE", "/api/tunnels/command_line", []string{"Origin: http://localhost:3000"}},
		{415, "POST", "/api/requests/http", []string{"Content-Type: text/plain"}},
		{415, "POST", "/api/tunnels", []string{"Content-Type: application/x-www-form-urlencoded"}},
		{204, "POST", "/api/requests/http", []string{"Content-Type: application/json; charset=utf-8"}},
		{200, "GET", "/api/tunnels", []string{"Accept: text/html,application/xml", "Sec-Fetch-Site: none"}},
	} {
		body := ""
		if row.method == "POST" {
			body = `{"id":"1"}`
		}
		r := b.must(row.status, row.method, row.path, body, row.headers...)
		if row.status >= 400 {
			if v := r.json(t); v["status_code"] != float64(row.status) || v["msg"] == "" || v["error_code"] != 100.0 || v["details"].(map[string]any)["err"] == "" {
				t.Errorf("%s %s %v: %s", row.method, row.path, row.headers, r.body)
			}
		}
	}
	if b.seen.Load() != 1 {
		t.Errorf("the app saw %d", b.seen.Load())
	}
}

// What comes in is counted, what devhook sends is not.
func TestAgentMetrics(t *testing.T) {
	b := newBench(t)
	for i := range 4 {
		b.record(recorder.Exchange{}, recorder.Response{Took: time.Duration(i+1) * time.Millisecond})
	}
	b.record(recorder.Exchange{Origin: recorder.Replay}, recorder.Response{})
	open := recorder.Exchange{Origin: recorder.Live, Outcome: recorder.Pending, Request: recorder.Request{Method: "GET", URL: "https://x/"}}
	if err := b.store.Append(t.Context(), &open); err != nil {
		t.Fatal(err)
	}
	var got struct{ Metrics agentMetrics }
	for end := time.Now().Add(15 * time.Second); got.Metrics.Conns.Count < 5 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := json.Unmarshal(b.must(200, "GET", "/api/tunnels/command_line", "").body, &got); err != nil {
			t.Fatal(err)
		}
	}
	m := got.Metrics
	if m.Conns.Count != 5 || m.Conns.Gauge != 1 || m.HTTP.Count != 4 || m.HTTP.P50 != 3_000_000 || m.HTTP.P99 != 4_000_000 {
		t.Errorf("%+v", m)
	}
}

// At a steady rate all averages are that rate, and fade when it ends, the shorter
// the faster.
func TestMeter(t *testing.T) {
	var m meter
	now := time.Unix(1e9, 0)
	for range 3600 {
		m.count(now)
		now = now.Add(500 * time.Millisecond)
	}
	r := m.rates(now)
	for _, rate := range []float64{r.Rate1, r.Rate5, r.Rate15} {
		if math.Abs(rate-2) > 0.01 {
			t.Errorf("2 a second is %+v", r)
		}
	}
	if r = m.rates(now.Add(time.Minute)); !(r.Rate1 < r.Rate5 && r.Rate5 < r.Rate15 && r.Rate15 < 2) || math.Abs(r.Rate1-2/math.E) > 0.01 {
		t.Errorf("a minute later it is %+v", r)
	}
	for i := range 3 * maxTimes {
		m.took(time.Duration(i))
	}
	if r = m.rates(now); len(m.times) != maxTimes || r.P50 < 2*maxTimes || r.P99 < r.P95 || r.P95 < r.P90 {
		t.Errorf("of the last ones: %d, %+v", len(m.times), r)
	}
}
