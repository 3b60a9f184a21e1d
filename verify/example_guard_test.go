package verify_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"devhook/verify"
)

// send posts a body to s with a signature in header.
func send(s *httptest.Server, body string, header http.Header) {
	r, err := http.NewRequest("POST", s.URL, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header = header
	answer, err := s.Client().Do(r)
	if err != nil {
		panic(err)
	}
	answer.Body.Close()
	fmt.Println(answer.Status)
}

func ExampleHandler() {
	github, _ := verify.Lookup("github")
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("It's a Secret to Everybody")}}
	handler := func(w http.ResponseWriter, r *http.Request) {
		v, _ := verify.FromContext(r.Context())
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s: %s\n", v.Event, v.DeliveryID, body)
	}
	server := httptest.NewServer(verify.Handler(http.HandlerFunc(handler), github, keys))
	defer server.Close()

	signed := http.Header{
		"X-Github-Event":      {"push"},
		"X-Github-Delivery":   {"72d3162e"},
		"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
	}
	send(server, "Hello, World!", signed)
	send(server, "Hello, Mallory!", signed)
	// Output:
	// push 72d3162e: Hello, World!
	// 200 OK
	// 403 Forbidden
}

// One URL for two senders, with a clock of the test's and a log of what is
// refused.
func ExampleGuard() {
	now := time.Unix(1760000000, 0)
	guard := verify.Guard{
		Keys: map[string]verify.Keys{
			"stripe": {Secrets: []verify.Secret{verify.NewSecret("whsec_1")}},
			"github": {Secrets: []verify.Secret{verify.NewSecret("new"), verify.NewSecret("old")}},
		},
		BaseURL: &url.URL{Scheme: "https", Host: "hooks.example"}, // a proxy stands before
		MaxBody: 1 << 20,
		Now:     func() time.Time { return now },
		Refused: func(_ *http.Request, v verify.Verified) {
			fmt.Println("refused:", v.Provider, v.Verdict.Reason, "-", v.Verdict.Detail)
		},
	}
	if err := guard.Check(); err != nil {
		panic(err)
	}
	server := httptest.NewServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, _ := verify.FromContext(r.Context())
		fmt.Println("from", v.Provider, v.Event)
	})))
	defer server.Close()

	stripe, _ := verify.Lookup("stripe")
	m := verify.Message{Method: "POST", Header: http.Header{}, Body: []byte(`{"id":"evt_1","object":"event","type":"invoice.paid"}`)}
	_ = stripe.Scheme.Sign(&m, guard.Keys["stripe"], verify.SignOptions{}, now)
	send(server, string(m.Body), m.Header)
	now = now.Add(time.Hour)
	send(server, string(m.Body), m.Header)
	// Output:
	// from stripe invoice.paid
	// 200 OK
	// refused: stripe stale - timestamp 1h old (limit 5m)
	// 403 Forbidden
}

// With ReportOnly the handler sees everything: a first step where webhooks have
// not been verified so far.
func ExampleGuard_reportOnly() {
	guard := verify.Guard{
		Keys:       map[string]verify.Keys{"github": {Secrets: []verify.Secret{verify.NewSecret("secret")}}},
		ReportOnly: true,
	}
	server := httptest.NewServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := verify.FromContext(r.Context())
		fmt.Println(ok, v.Verdict.Status, v.Verdict.Reason)
	})))
	defer server.Close()

	send(server, "{}", http.Header{"X-Github-Event": {"push"}})
	// Output:
	// false unsigned missing_signature
	// 200 OK
}
