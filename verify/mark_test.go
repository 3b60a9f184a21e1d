package verify

import (
	"slices"
	"strings"
	"testing"
)

func ids(ps []Provider) string {
	var all []string
	for _, p := range ps {
		all = append(all, p.ID)
	}
	return strings.Join(all, " ")
}

func TestDetect(t *testing.T) {
	hex64 := strings.Repeat("0a", 32)
	tests := []struct{ name, query, text, want string }{
		{"TikTok by its header", "", "Tiktok-Signature: x\n\n", "tiktok"},
		{"TikTok without it", "", "\n\n" + `{"client_key":"a","event":"b","create_time":1,"user_openid":"c","content":"{}"}`, "tiktok"},
		{"TikTok after a byte order mark", "", "\n\n" + "\xef\xbb\xbf" + `{"client_key":"a","event":"b","create_time":1,"content":"{}"}`, "tiktok"},
		{"TikTok Shop by its header", "", "Authorization: " + hex64 + "\n\n", "tiktok-shop"},
		{"TikTok Shop without it", "", "\n\n" + `{"type":1,"tts_notification_id":"7","shop_id":"8"}`, "tiktok-shop"},
		{"Euler", "", "X-Webhook-Signature: " + hex64 + "\n\n", "euler"},
		{"Euler, malformed", "", "X-Webhook-Signature: x\n\n", "euler"},
		{"Tencent Live", "SdkAppid=1&CallbackCommand=Live.X&contenttype=json", "\n\n{}", "tencent-live"},
		{"Tencent Live, the other names", "SdkAppId=1&WebhookCommand=Live.X", "\n\n{}", "tencent-live"},
		{"Tencent Live, signature alone", "Sign=" + hex64 + "&RequestTime=1", "\n\n{}", "tencent-live"},
		{"TRTC by its headers", "", "Sign: kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA=\nSdkAppId: 1400000000\n\n", "tencent-trtc"},
		{"TRTC without them", "", "\n\n" + `{"EventGroupId":1,"EventType":103,"CallbackTs":1,"EventInfo":{}}`, "tencent-trtc"},
		{"TRTC, a later event", "", "\n\n" + `{"EventGroupId":7,"EventType":701,"CallbackMsTs":1,"EventInfo":{}}`, "tencent-trtc"},
		{"CSS", "", "\n\n" + `{"stream_id":"s","event_type":1,"t":1,"sign":"` + hex64[:32] + `"}`, "tencent-css"},
		{"CSS without signature", "", "\n\n" + `{"appid":1,"stream_id":"s","event_type":1,"sequence":"6"}`, "tencent-css"},
		{"GitHub", "", "X-Github-Event: ping\nX-Hub-Signature-256: sha256=0\n\n", "github"},
		{"Stripe by its header", "", "Stripe-Signature: t=1\n\n", "stripe"},
		{"Stripe without it", "", "\n\n" + `{"id":"evt_1","object":"event","type":"x"}`, "stripe"},
		{"Slack by its time", "", "X-Slack-Request-Timestamp: 1\n\n", "slack"},
		{"Slack without headers", "", "\n\n" + `{"token":"x","team_id":"T","api_app_id":"A","event":{},"type":"event_callback","event_id":"Ev"}`, "slack"},
		{"a slash command without headers", "", form + "token=x&team_id=T&user_id=U&command=%2Fx&response_url=y", "slack"},
		{"Standard Webhooks", "", "webhook-id: a\nwebhook-timestamp: 1\nwebhook-signature: v1,x\n\n", "standard-webhooks"},
		{"OpenAI, which has the shape of Stripe", "", "webhook-id: a\nwebhook-timestamp: 1\nwebhook-signature: v1,x\n\n" + `{"object":"event","id":"evt_685343a1381c819085d44c354e1b330e","type":"response.completed"}`, "openai standard-webhooks stripe"},
		{"two providers, the more specific first", "", "Stripe-Signature: t=1\n\n" + `{"client_key":"a","event":"b","create_time":1,"content":"{}"}`, "tiktok stripe"},
		{"two providers alike, by ID", "", "Stripe-Signature: t=1\nX-Slack-Signature: v0=1\nX-Github-Event: x\n\n", "github slack stripe"},

		{"a browser", "", "Authorization: Bearer " + hex64 + "\nCookie: a=b\nUser-Agent: Mozilla/5.0\n\n", ""},
		{"basic authentication", "", "Authorization: Basic dXNlcjpwYXNz\n\n", ""},
		{"63 digits", "", "Authorization: " + hex64[:63] + "\n\n", ""},
		{"JSON of an app", "", "Content-Type: application/json\n\n" + `{"event":"click","type":"x","id":"evt","content":"y","t":1,"sign":"z"}`, ""},
		{"a form of an app", "", form + "command=x&text=y&user_id=1", ""},
		{"a GraphQL query", "", "\n\n" + `{"query":"{ a }","variables":{"client_key":1,"event":2,"create_time":3,"content":4}}`, ""},
		{"a search", "sign=1&t=2&event=x", "", ""},
		{"an array", "", "\n\n" + `[{"client_key":"a","event":"b","create_time":1,"content":"{}"}]`, ""},
		{"a form of JSON's names", "", form + "client_key=a&event=b&create_time=1&content=c", ""},
		{"nothing", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ids(Detect(request(tt.query, tt.text))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	get := request("", "Authorization: "+hex64+"\n\n")
	get.Method = "GET"
	if got := ids(Detect(get)); got != "" {
		t.Errorf("a GET with 64 digits: %q", got)
	}
}

// Every vector is recognised, signed or not, as what it is.
func TestDetectVectors(t *testing.T) {
	for _, p := range Providers() {
		for _, v := range vectors(t, p.ID) {
			m := v.message(t)
			// Others may look alike: whose secret is known decides between them.
			if got := ids(Detect(m)); v.Status == Valid && !slices.Contains(strings.Fields(got), p.ID) && len(v.Headers) > 1 {
				t.Errorf("%s/%s: got %q", p.ID, v.Name, got)
			}
		}
	}
}

// Nothing that a sender puts before the marks of a provider, and nothing that
// it says of the body, hides them: an app that reads all of the body would take
// an unsigned message for one of the provider's.
func TestDetectCannotBePassedBy(t *testing.T) {
	marks := `"client_key":"a","event":"b","create_time":1,"content":"{}"`
	const mark = "\xef\xbb\xbf"
	dummies := func(n int) string { return strings.Repeat(`"a":1,`, n) }
	long := strings.Repeat("x", 2<<20)
	tests := []struct{ name, text, want string }{
		{"a byte order mark, as a form", form + mark + "{" + marks + "}", "tiktok"},
		{"a byte order mark and spaces, as a form", form + mark + " \r\n{" + marks + "}", "tiktok"},
		{"256 members before", "\n\n{" + dummies(256) + marks + "}", "tiktok"},
		{"members before, as many as are remembered", "\n\n{" + dummies(maxMembers-4) + marks + "}", "tiktok"},
		{"more than are remembered", "\n\n{" + dummies(maxMembers) + marks + "}", ""}, // as documented
		{"members after", "\n\n{" + marks + "," + dummies(maxMembers) + `"z":1}`, "tiktok"},
		{"spaces before", "\n\n" + strings.Repeat(" ", 2<<20) + "{" + marks + "}", "tiktok"},
		{"spaces within", "\n\n{" + strings.Repeat(" ", 2<<20) + marks + "}", "tiktok"},
		{"a long string before", "\n\n" + `{"z":"` + long + `",` + marks + "}", "tiktok"},
		{"a long string after", "\n\n{" + marks + `,"z":"` + long + `"}`, "tiktok"},
		{"a long name before", "\n\n" + `{"` + long + `":1,` + marks + "}", "tiktok"},
		{"brackets without end after", "\n\n{" + marks + `,"z":` + strings.Repeat("[", 2<<20), "tiktok"},
		{"names with escapes", "\n\n" + strings.NewReplacer("client", `\u0063lient`, "event", `even\u0074`).Replace("{"+marks+"}"), "tiktok"},
		{"a long field of a form before", form + "z=" + long + "&team_id=T&user_id=U&command=c&response_url=y", "slack"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := request("", tt.text)
			ps := Detect(m)
			if got := ids(ps); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			k := Keys{Secrets: []Secret{NewSecret("secret")}}
			for _, p := range ps {
				if v := p.Scheme.Verify(m, k, someTime); v.Status != Unsigned {
					t.Errorf("%s: %+v, want unsigned", p.ID, v)
				}
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"abc", "abc", true},
		{"abc", "abcd", false},
		{"evt_*", "evt_", true},
		{"evt_*", "Evt_1", false},
		{"*a*b", "xxaxxb", true},
		{"*a*b", "xxbxxa", false},
		{"{digits}", "0123", true},
		{"{digits}", "", false},
		{"{digits}", "1x", false},
		{"a.{letters}-{token}", "a.us-gov-1", true},
		{"a.{letters}-{token}", "a.s3-us-1", false},
		{"t={digits},s={hex:4}", "t=12,s=0aF9", true},
		{"t={digits},s={hex:4}", "t=12,s=0aF90", false},
		{"{base64:4}", "ab+=", true},
		{"{base64:4}", "ab-=", false},
		{"*{hex:2}", "xyz0a", true},
		{"********", strings.Repeat("a", maxEcho) + "b", false}, // too long
		{"*a*a*a*b", strings.Repeat("a", maxEcho), false},       // in no time
		{"*a*a*a*b", strings.Repeat("a", 300) + "b", true},
		{"*{digits}x", "1a2x", true},
		{"a*b", "ab", true},
		{"a*a", "a", false},
		{"*", "", true},
		{"**", "x", true},
	}
	for _, tt := range tests {
		p, err := parsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.matches(tt.text); got != tt.want {
			t.Errorf("%q matches %.20q: %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}
