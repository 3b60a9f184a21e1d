package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"devhook/internal/register/registertest"

	"github.com/rogpeppe/go-internal/testscript"
)

// farSides are APIs that set where webhooks go, which take callbacks on this
// machine. Their credentials are "far-secret-0123456789", of the app "app-1".
var farSides = map[string]func() http.Handler{
	"github": func() http.Handler {
		return registertest.NewGitHub(registertest.Options{Local: true}, "far-secret-0123456789", "repos/octocat/hello", "repos/octocat/second")
	},
	"kick": func() http.Handler { return registertest.NewKick("app-1", "far-secret-0123456789") },
	"twitch": func() http.Handler {
		return registertest.NewTwitch(registertest.Options{Local: true}, "app-1", "far-secret-0123456789")
	},
	"telegram": func() http.Handler {
		api := registertest.NewTelegram(registertest.Options{Local: true}, "123456:far-secret-0123456789")
		api.Set(registertest.TelegramWebhook{URL: "https://own.example/hooks"}, "")
		return api
	},
	"twilio": func() http.Handler {
		api := registertest.NewTwilio(registertest.Options{Local: true}, "AC0123456789abcdef0123456789abcdef", "far-secret-0123456789")
		api.AddNumber("PN0123456789abcdef0123456789abcdef", "+15017122661", "https://own.example/sms", "", "")
		return api
	},
	"stripe": func() http.Handler {
		return registertest.NewStripe(registertest.Options{Local: true}, "sk_test_far-secret-0123456789", "acct_1")
	},
}

// farEnv starts all of them, and returns what the environment is to say.
func farEnv(t *testing.T) []string {
	env := []string{
		"GITHUB_TOKEN=far-secret-0123456789", "STRIPE_API_KEY=sk_test_far-secret-0123456789", "TELEGRAM_BOT_TOKEN=123456:far-secret-0123456789",
		"TWITCH_CLIENT_ID=app-1", "TWITCH_CLIENT_SECRET=far-secret-0123456789", "KICK_CLIENT_ID=app-1", "KICK_CLIENT_SECRET=far-secret-0123456789",
		"TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN=far-secret-0123456789",
	}
	for id, far := range farSides {
		srv := httptest.NewServer(far())
		t.Cleanup(srv.Close)
		env = append(env, "DEVHOOK_"+strings.ToUpper(id)+"_API_URL="+srv.URL)
	}
	return env
}

func cmdFar(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || farSides[args[0]] == nil {
		ts.Fatalf("usage: far ID URL-NAME")
	}
	srv := httptest.NewServer(farSides[args[0]]())
	ts.Defer(srv.Close)
	ts.Setenv(args[1], srv.URL)
}
