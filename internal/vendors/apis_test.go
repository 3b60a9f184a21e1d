//go:build vendors

package vendors

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"reflect"
	"testing"

	"devhook/internal/register/registertest"
)

// The vendors' own clients find their APIs in the far sides that devhook
// registers at: what they make, they see; what the vendor refuses, is refused.
// Kick has no client of its own.
func TestAPIs(t *testing.T) {
	const secret = "far-secret-0123456789"
	for id, c := range map[string]struct {
		secret string
		api    func() http.Handler
		want   string
	}{
		"github": {secret, func() http.Handler {
			return registertest.NewGitHub(registertest.Options{}, secret, "repos/octocat/hello", "orgs/acme")
		}, `{"listed":["https://second.example/hooks"],"twice":422,"secret":"********","left":0,"org":0,"gone":404,"unknown":401}`},
		"stripe": {"sk_test_" + secret, func() http.Handler {
			return registertest.NewStripe(registertest.Options{}, "sk_test_"+secret, "acct_1")
		}, `{"total":16,"seventeenth":400,"url":"https://second.example/hooks","events":2,"told":true,"again":false,"deleted":true,"gone":404,"unknown":401}`},
		"telegram": {"123456:" + secret, func() http.Handler {
			return registertest.NewTelegram(registertest.Options{}, "123456:"+secret)
		}, `{"url":"https://first.example/hooks","updates":["message"],"port":400,"plain":400,"words":400,"left":"","unknown":401}`},
		"twilio": {secret, func() http.Handler {
			api := registertest.NewTwilio(registertest.Options{}, "AC0123456789abcdef0123456789abcdef", secret)
			api.AddNumber("PN0123456789abcdef0123456789abcdef", "+15017122661", "https://own.example/sms", "", "")
			api.AddService("MG0123456789abcdef0123456789abcdef", "")
			return api
		}, `{"before":"https://own.example/sms","sms":"https://first.example/hooks","method":"POST","inbound":"https://second.example/hooks","own":false,"bad":400,"gone":404,"unknown":401}`},
		"twitch": {secret, func() http.Handler {
			return registertest.NewTwitch(registertest.Options{}, "app-1", secret)
		}, `{"status":"webhook_callback_verification_pending","listed":["true enabled"],"twice":409,"short":400,"plain":400,"left":0,"gone":404}`},
	} {
		t.Run(id, func(t *testing.T) {
			srv := httptest.NewServer(c.api())
			defer srv.Close()
			out, err := exec.Command("node", "apis.mjs", id, srv.URL, c.secret).CombinedOutput()
			if err != nil {
				t.Fatalf("node is needed, and `npm ci` in this directory: %v\n%s", err, out)
			}
			var got, want any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", out, c.want)
			}
		})
	}
}
