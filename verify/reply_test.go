package verify

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStandIn(t *testing.T) {
	live, _ := Lookup("tencent-live")
	for _, event := range []string{"Live.CallbackBeforeSendGift", "Group.CallbackBeforeSendMsg"} {
		s, ok := live.StandIn(event)
		if !ok || s.After != 1500*time.Millisecond || s.Name != "allow" || live.Misunderstood(s.Answer.Body) != "" || s.After >= live.Retry.Timeout {
			t.Errorf("%s: %+v %v", event, s, ok)
		}
	}
	for _, event := range []string{"Live.CallbackAfterCreateRoom", "", "CallbackBefore"} {
		if s, ok := live.StandIn(event); ok {
			t.Errorf("%q: %+v", event, s)
		}
	}
	if got := live.AnswerNames(); !slices.Equal(got, []string{"ack", "allow", "discard", "reject"}) {
		t.Error(got)
	}
	tiktok, _ := Lookup("tiktok")
	if s, ok := tiktok.StandIn("tiktok.ping"); !ok || s.Answer.Status != 200 || tiktok.Reads() || tiktok.Misunderstood([]byte("x")) != "" {
		t.Errorf("%+v %v", s, ok)
	}
	if _, ok := (Provider{}).StandIn("x"); ok {
		t.Error("a provider without a description stands in")
	}
}

func TestExplain(t *testing.T) {
	p, _ := Lookup("tiktok")
	u, _ := url.Parse("https://h/?hub.challenge=1")
	m := Message{Method: "GET", URL: u, Header: http.Header{}}
	if got := p.Explain(m); !strings.Contains(got, "no challenge") {
		t.Errorf("GET: %q", got)
	}
	m.Method = "POST"
	if got := p.Explain(m); got != "" || p.NeverSigned(m) {
		t.Errorf("POST: %q", got)
	}
	for id, name := range map[string]string{"tiktok": "X-Tiktok-Signature", "euler": "X-Euler-Signature"} { // of examples that are wrong
		wrong, _ := Lookup(id)
		m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{name: {"00"}}}
		if got := wrong.Explain(m); !strings.Contains(strings.ToLower(got), strings.ToLower(name)) {
			t.Errorf("%s: %q", name, got)
		}
	}
	mollie, _ := Lookup("mollie")
	m.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	m.Body = []byte("id=tr_d0b0E3EA3v")
	if !strings.Contains(mollie.Explain(m), "never signs") || !mollie.NeverSigned(m) {
		t.Error("a classic webhook of Mollie is signed")
	}
}

func TestRepliesThatCannotBe(t *testing.T) {
	const base = "id: x\nscheme: hmac\nalgorithm: sha256\nsignature: {in: header, name: X-Sig, encoding: hex}\npayload: '{body}'\n"
	for text, want := range map[string]string{
		"stand_in: [{event: a, answer: nosuch}]":                  `there is no answer "nosuch" (known: ack)`,
		"stand_in: [{after: 1s}]":                                 "needs event",
		"stand_in: [{event: a, after: 2s}]\nretry: {timeout: 2s}": "after 2s is too late: the provider waits for 2s",
		"understands: [A]":                                        "ack: the provider does not understand it: it is empty",
		"understands: [A]\nack: {body: '{\"A\":1}'}\nanswers: {no: {body: '{\"B\":1}'}}":         `answers: the provider does not understand "no": it has no A`,
		"understands: [A]\nack: {body: '{\"A\":1}'}\nanswers: {no: {type: text/plain, body: x}}": "it is not a JSON object",
		"answers: {ack: {body: '{}'}}":      "and not ack",
		"answers: {no: {body: '{'}}":        "the body is not JSON",
		"explain: [{about: x}]":             "needs when and about",
		"checklist: [{about: x}]":           "needs of and about",
		"checklist: [{of: luck, about: x}]": "luck",
	} {
		_, err := ParseProvider([]byte(base + text + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
