package verify

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// request makes a message of a few words: header lines, an empty line, a body.
func request(query, text string) Message {
	m := Message{Method: "POST", URL: &url.URL{Scheme: "https", Host: "x.example", Path: "/in", RawQuery: query}, Header: http.Header{}}
	head, body, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name != "" {
			m.Header.Add(name, value)
		}
	}
	m.Body = []byte(body)
	return m
}

const form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\n\n"

func TestEventAndDeliveryID(t *testing.T) {
	long := strings.Repeat("x", maxName)
	tests := []struct{ id, query, text, event, delivery string }{
		{"tiktok", "", "\n\n" + `{"event":"tiktok.ping"}`, "tiktok.ping", ""},
		{"tiktok", "", "\n\n" + `{"event":"a","event":"b"}`, "b", ""},
		{"tiktok", "", "\n\n" + `{"event":null}`, "", ""},
		{"tiktok", "", "\n\nnot JSON", "", ""},
		{"tiktok", "", "\n\n" + `{"event":"a"`, "", ""},
		{"tiktok", "", "\n\n" + `{"event":"a","b`, "a", ""},
		{"tiktok", "", "\n\n" + `{"event":"` + long + `"}`, long, ""},
		{"tiktok", "", "\n\n" + `{"event":"` + long + `x"}`, "", ""},
		{"tiktok", "", "\n\n" + `{"event":"a\u001b[31m"}`, "", ""},
		{"tiktok", "", "\n\n" + "{\"event\":\"a\xff\"}", "", ""},
		{"tiktok", "", "\n\n" + `{"event":"é 日本"}`, "é 日本", ""},
		{"tiktok-shop", "", "\n\n" + `{"type":1,"tts_notification_id":"7327112393057371910"}`, "1", "7327112393057371910"},
		{"tiktok-shop", "", "\n\n" + `{"type":1,"tts_notification_id":7327112393057371910}`, "1", "7327112393057371910"},
		{"euler", "", "\n\n" + `{"event":"live.on"}`, "live.on", ""},
		{"euler", "", "\n\n" + `{"type":"live.online","creator":{"state_label":"live"}}`, "live.online", ""},
		{"euler", "", "\n\n" + `{"event":{},"creator":{"state_label":"live"}}`, "live", ""},
		{"euler", "", "\n\n" + `{"unique_id":"x"}`, "alert", ""},
		{"euler", "", "", "alert", ""},
		{"tencent-live", "CallbackCommand=Q&SdkAppid=1", "\n\n" + `{"CallbackCommand":"Live.B"}`, "Live.B", ""},
		{"tencent-live", "callbackcommand=Live.Q", "\n\n{}", "Live.Q", ""},
		{"tencent-live", "WebhookCommand=Live%2EW", "", "Live.W", ""},
		{"tencent-trtc", "", "\n\n" + `{"EventGroupId":1,"EventType":103}`, "103", ""},
		{"tencent-css", "", "\n\n" + `{"event_type":0,"sequence":"66"}`, "0", "66.0"},
		{"tencent-css", "", "\n\n" + `{"event_type":321,"sequence":"66","data_time":5}`, "321", "66.321.5"},
		{"tencent-css", "", "\n\n" + `{"event_type":329}`, "329", ""},
		{"github", "", "X-GitHub-Event: ping\nX-GitHub-Delivery: 72d3162e\n\n" + `{"zen":"x"}`, "ping", "72d3162e"},
		{"github", "", "X-GitHub-Event: pull_request\n\n" + `{"action":"opened"}`, "pull_request.opened", ""},
		{"github", "", "X-GitHub-Event: issues\n" + form + `payload=%7B%22action%22%3A%22closed%22%7D`, "issues.closed", ""},
		{"stripe", "", "\n\n" + `{"id":"evt_1","type":"payment_intent.succeeded"}`, "payment_intent.succeeded", "evt_1"},
		{"slack", "", "\n\n" + `{"type":"event_callback","event":{"type":"app_mention"},"event_id":"Ev1"}`, "app_mention", "Ev1"},
		{"slack", "", "\n\n" + `{"type":"url_verification"}`, "url_verification", ""},
		{"slack", "", form + "payload=%7B%22type%22%3A%22block_actions%22%7D", "block_actions", ""},
		{"slack", "", form + "command=%2Fweather&text=94070", "/weather", ""},
		{"slack", "", "\n\ncommand=%2Fweather", "", ""}, // does not say that it is a form
		{"standard-webhooks", "", "webhook-id: msg_1\n\n" + `{"type":"invoice.paid"}`, "invoice.paid", "msg_1"},
	}
	for _, tt := range tests {
		p, m := provider(t, tt.id), request(tt.query, tt.text)
		if got := p.Event(m); got != tt.event {
			t.Errorf("%s: event of %.60q is %q, want %q", tt.id, tt.text, got, tt.event)
		}
		if got := p.DeliveryID(m); got != tt.delivery {
			t.Errorf("%s: delivery id of %.60q is %q, want %q", tt.id, tt.text, got, tt.delivery)
		}
	}
}

func TestSlackHandshake(t *testing.T) {
	slack := provider(t, "slack")
	k := Keys{Secrets: []Secret{NewSecret("8f742231b10e8888abcd99yyyzzz85a5")}}
	const challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
	ask := func(challenge string) Message {
		return request("", "Content-Type: application/json\n\n"+`{"token":"x","challenge":"`+challenge+`","type":"url_verification"}`)
	}
	signed := ask(challenge)
	sign(t, slack, &signed, k, someTime)
	forged := clone(signed)
	forged.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64))
	event := request("", "\n\n"+`{"type":"event_callback","challenge":"x"}`)
	sign(t, slack, &event, k, someTime)
	get := clone(signed)
	get.Method = "GET"
	long := ask(strings.Repeat("x", maxEcho+1))
	sign(t, slack, &long, k, someTime)
	control := ask(`\u001b[31m`)
	sign(t, slack, &control, k, someTime)
	tests := []struct {
		name string
		m    Message
		k    Keys
		now  time.Time
		want string
	}{
		{"signed", signed, k, someTime, challenge},
		{"no secret known", signed, Keys{}, someTime, challenge},
		{"not signed, no secret known", ask(challenge), Keys{}, someTime, challenge},
		{"not signed", ask(challenge), k, someTime, ""},
		{"forged", forged, k, someTime, ""},
		{"stale", signed, k, someTime.Add(time.Hour), ""},
		{"an event", event, k, someTime, ""},
		{"a GET", get, k, someTime, ""},
		{"too long to repeat", long, k, someTime, ""},
		{"not fit to repeat", control, k, someTime, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := slack.Handshake(tt.m, tt.k, tt.now)
			if ok != (tt.want != "") || string(a.Body) != tt.want {
				t.Fatalf("got %s, %v, want %q", a.Body, ok, tt.want)
			}
			if ok && (a.Status != 200 || a.Header.Get("Content-Type") != "text/plain" || a.Header.Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("got %d %v", a.Status, a.Header)
			}
		})
	}
}

func TestHandshakesOfTheLanguage(t *testing.T) {
	p, err := ParseProvider([]byte(good + `handshake:
  - when: {method: GET, query: [hub.challenge, hub.mode]}
    stage: before
    respond: {body: "{query.hub.challenge}"}
  - when: {header: {X-Hook-Secret: "*"}}
    respond: {status: 204, headers: {X-Hook-Secret: "{header.X-Hook-Secret}"}}
  - when: {body: {event: verify}}
    stage: before
    respond: {type: application/json, body: '{"challenge":{body.content.challenge},"text":"{body.text}"}'}
`))
	if err != nil {
		t.Fatal(err)
	}
	k := Keys{Secrets: []Secret{NewSecret("s")}}
	get := request("hub.mode=subscribe&hub.challenge=a%20b", "")
	get.Method = "get"
	if a, ok := p.Handshake(get, k, someTime); ok {
		t.Errorf("the method in small letters: %s", a.Body)
	}
	get.Method = "GET"
	if a, ok := p.Handshake(get, k, someTime); !ok || string(a.Body) != "a b" {
		t.Errorf("got %s, %v", a.Body, ok)
	}
	hook := request("", "X-Hook-Secret: abc\n\n")
	sign(t, p, &hook, k, someTime)
	if a, ok := p.Handshake(hook, k, someTime); !ok || a.Status != 204 || a.Header.Get("X-Hook-Secret") != "abc" || len(a.Body) > 0 || a.Header.Get("Content-Type") != "" {
		t.Errorf("got %+v, %v", a, ok)
	}
	douyin := request("", "\n\n"+`{"event":"verify","content":"{\"challenge\":12345}","text":"a\"b"}`)
	if a, ok := p.Handshake(douyin, k, someTime); !ok || string(a.Body) != `{"challenge":12345,"text":"a\"b"}` || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s, %v", a.Body, ok)
	}
	notNumber := request("", "\n\n"+`{"event":"verify","content":{"challenge":"x"},"text":""}`)
	if a, ok := p.Handshake(notNumber, k, someTime); ok {
		t.Errorf("an answer that is not JSON: %s", a.Body)
	}
}

func TestAckAndReject(t *testing.T) {
	acks := map[string]string{
		"tencent-live": `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`,
		"tencent-trtc": `{"code":0}`,
		"tencent-css":  `{"code":0}`,
	}
	for _, id := range []string{"tiktok", "euler", "github", "stripe", "tencent-live", "tencent-trtc", "tencent-css"} {
		p := provider(t, id)
		want, media := acks[p.ID], ""
		if want != "" {
			media = "application/json"
		}
		if string(p.Ack.Body) != want || p.Ack.Status != 200 || p.Ack.Header.Get("Content-Type") != media {
			t.Errorf("%s acknowledges with %d %v %s", p.ID, p.Ack.Status, p.Ack.Header, p.Ack.Body)
		}
		if string(p.Reject.Body) != `{"error":"signature verification failed"}` || p.Reject.Status != 403 || p.Reject.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s rejects with %d %v %s", p.ID, p.Reject.Status, p.Reject.Header, p.Reject.Body)
		}
	}
}

func TestSteps(t *testing.T) {
	steps := provider(t, "github").Steps("https://x.example/in")
	if got := strings.Join(steps, "\n"); !strings.Contains(got, "Payload URL: https://x.example/in,") || strings.Contains(got, "{url}") {
		t.Errorf("got %s", got)
	}
	retry := provider(t, "tiktok-shop").Retry
	if len(retry.After) != 4 || retry.After[1] != 30*time.Minute || retry.Timeout != 3*time.Second {
		t.Errorf("got %+v", retry)
	}
}
