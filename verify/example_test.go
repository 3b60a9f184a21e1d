package verify_test

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"devhook/verify"
)

// received is a webhook as a server sees it.
func received() verify.Message {
	u, _ := url.Parse("https://me.example/hooks/stripe")
	return verify.Message{
		Method: "POST",
		URL:    u,
		Header: http.Header{"Stripe-Signature": {"t=1760000000,v1=da2bf9c9b5ea7f5aaaa7b0fd7a6fb9fb6a7f0b4bcf4b4d4f3d9eecb8f6f70ac9"}},
		Body:   []byte(`{"id":"evt_1","object":"event","type":"invoice.paid"}`),
	}
}

func Example() {
	stripe, _ := verify.Lookup("stripe")
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("whsec_devhook_test_secret_1234567890")}}
	now := time.Unix(1760000000, 0)
	m := received()

	verdict := stripe.Scheme.Verify(m, keys, now)
	fmt.Println(verdict.Status, verdict.Reason)

	_ = stripe.Scheme.Sign(&m, keys, verify.SignOptions{}, now)
	verdict = stripe.Scheme.Verify(m, keys, now)
	fmt.Println(verdict.Status)

	verdict = stripe.Scheme.Verify(m, keys, now.Add(11*time.Minute+42*time.Second))
	fmt.Println(verdict.Status, verdict.Reason, "-", verdict.Detail)
	// Output:
	// invalid bad_signature
	// valid
	// invalid stale - timestamp 11m42s old (limit 5m)
}

// GitHub's documented example.
func ExampleScheme_verify() {
	github, _ := verify.Lookup("github")
	m := verify.Message{
		Method: "POST",
		Header: http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
		Body:   []byte("Hello, World!"),
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("It's a Secret to Everybody")}}
	fmt.Println(github.Scheme.Verify(m, keys, time.Now()).Status)

	m.Body = []byte("Hello, world!")
	fmt.Println(github.Scheme.Verify(m, keys, time.Now()).Status)
	// Output:
	// valid
	// invalid
}

// A test signs a webhook of its own.
func ExampleScheme_sign() {
	slack, _ := verify.Lookup("slack")
	m := verify.Message{Method: "POST", Header: http.Header{}, Body: []byte(`{"type":"event_callback"}`)}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("8f742231b10e8888abcd99yyyzzz85a5")}}
	if err := slack.Scheme.Sign(&m, keys, verify.SignOptions{}, time.Unix(1531420618, 0)); err != nil {
		panic(err)
	}
	fmt.Println(m.Header.Get("X-Slack-Request-Timestamp"))
	fmt.Println(m.Header.Get("X-Slack-Signature"))
	// Output:
	// 1531420618
	// v0=5025a102182f11161096c0dc2fc26d579158446c928c56fabda14fecd7be4a08
}

// While a secret is rotated, both are given: the new one first, because the
// first one signs.
func ExampleKeys() {
	github, _ := verify.Lookup("github")
	before, after := verify.NewSecret("the old one"), verify.NewSecret("the new one")
	m := verify.Message{Method: "POST", Header: http.Header{}, Body: []byte("{}")}
	_ = github.Scheme.Sign(&m, verify.Keys{Secrets: []verify.Secret{before}}, verify.SignOptions{}, time.Now())

	for _, keys := range []verify.Keys{
		{Secrets: []verify.Secret{after, before}},
		{Secrets: []verify.Secret{after}},
	} {
		fmt.Println(github.Scheme.Verify(m, keys, time.Now()).Status)
	}
	// Output:
	// valid
	// invalid
}

func ExampleCatalog_Diagnose() {
	github, _ := verify.Lookup("github")
	secret := verify.NewSecret("It's a Secret to Everybody")
	m := verify.Message{
		Method: "POST",
		Header: http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
		Body:   []byte("Hello, World!\n"),
	}
	keys := map[string]verify.Keys{"github": {Secrets: []verify.Secret{secret}}}
	if why, ok := verify.Builtin().Diagnose(github, m, keys, time.Now()); ok {
		fmt.Println(why.Finding)
		fmt.Println(why.Do)
	}
	// Output:
	// matches if the body's trailing newline is removed
	// something on the way changed the bytes: hand on the raw body, and not one that was parsed or trimmed
}

func ExampleDetect() {
	for _, p := range verify.Detect(received()) {
		fmt.Println(p.ID, p.Event(received()), p.DeliveryID(received()))
	}
	// Output: stripe invoice.paid evt_1
}

func ExampleLookup() {
	p, ok := verify.Lookup("tiktok_business")
	fmt.Println(p.Name, p.Env, ok)
	fmt.Println(p.Summary)

	_, ok = verify.Lookup("strpe")
	fmt.Println(ok, verify.Nearest("strpe")[0])
	// Output:
	// TikTok for Developers TIKTOK_CLIENT_SECRET true
	// HMAC-SHA256 of {ts}.{body}, hex, in header TikTok-Signature, for 5m
	// false stripe
}

func ExampleParseProvider() {
	gateway, err := verify.ParseProvider([]byte(`
id: my-gateway
scheme: hmac
algorithm: sha256
signature: {in: header, name: X-Signature, encoding: hex, list: {sep: ",", kv: "=", element: s}}
timestamp: {in: signature, name: t, unit: s, tolerance: 1m}
payload: "{ts}.{path}.{body}"
event: "{body.kind}"
`))
	if err != nil {
		panic(err)
	}
	fmt.Println(gateway.Summary)

	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("sesame")}}
	m := verify.Message{Method: "POST", URL: &url.URL{Path: "/in"}, Body: []byte(`{"kind":"opened"}`)}
	_ = gateway.Scheme.Sign(&m, keys, verify.SignOptions{}, time.Unix(1760000000, 0))
	fmt.Println(gateway.Event(m), gateway.Scheme.Verify(m, keys, time.Unix(1760000030, 0)).Status)
	// Output:
	// HMAC-SHA256 of {ts}.{path}.{body}, hex, in header X-Signature, for 1m
	// opened valid
}

func ExampleParseProvider_mistake() {
	_, err := verify.ParseProvider([]byte(`
id: my-gateway
scheme: hmac
algorithm: sha256
signature: {in: header, nmae: X-Signature, encoding: hex}
payload: "{body}"
`))
	fmt.Println(err)
	// Output: 5:25: signature.nmae: unknown field (near: name, also, in)
}

func ExampleCatalog_With() {
	own, err := verify.ParseProviders([]byte(`
providers:
  my-gateway:
    scheme: token
    signature: {in: header, name: X-Gateway-Token}
`), "providers")
	if err != nil {
		panic(err)
	}
	catalog, err := verify.Builtin().With(own...)
	if err != nil {
		panic(err)
	}
	p, _ := catalog.Lookup("my-gateway")
	m := verify.Message{Header: http.Header{"X-Gateway-Token": {"sesame"}}}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("sesame")}}
	fmt.Println(p.Scheme.Verify(m, keys, time.Now()).Status)
	fmt.Println(keys.Secrets[0])
	// Output:
	// valid
	// [secret]
}

func ExampleProvider_CheckKeys() {
	p, _ := verify.Lookup("tiktok-shop")
	hint, err := p.CheckKeys(verify.Keys{Secrets: []verify.Secret{verify.NewSecret("123")}})
	fmt.Println(err)
	fmt.Println(hint)
	// Output:
	// app_key is missing
	// give it with --with tiktok-shop.app_key=VALUE, or set TIKTOK_SHOP_APP_KEY
}

func ExampleProvider_Handshake() {
	slack, _ := verify.Lookup("slack")
	m := verify.Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: []byte(`{"type":"url_verification","challenge":"3eZbrw1a"}`)}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("8f742231b10e8888abcd99yyyzzz85a5")}}
	now := time.Unix(1760000000, 0)

	_, ok := slack.Handshake(m, keys, now)
	fmt.Println("not signed:", ok)

	_ = slack.Scheme.Sign(&m, keys, verify.SignOptions{}, now)
	answer, _ := slack.Handshake(m, keys, now)
	fmt.Println("signed:", answer.Status, answer.Header.Get("Content-Type"), string(answer.Body))
	// Output:
	// not signed: false
	// signed: 200 text/plain 3eZbrw1a
}
