package inspector

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/gateway"
	"devhook/internal/register"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

const registerToken = "ghp_the-token-of-nobody"

// benchToken is that of the inspector.
const benchToken = "the-token"

const tiktokSecret = "s3cret-of-tiktok"

// A bench is an inspector on a real port, in front of a real store and gateway, and
// an app.
type bench struct {
	t     *testing.T
	in    *Inspector
	store *recorder.Store
	gate  *gateway.Gateway
	app   *httptest.Server
	url   string // of the inspector
	seen  atomic.Int64
	ready atomic.Bool
	saved []SaveFixture

	private    string // key of the pair that was made last
	registerAt string // where a provider's API is
	held       *register.Held
	told       []string // providers and secrets
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t}
	b.ready.Store(true)
	b.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.seen.Add(1)
		body, _ := io.ReadAll(r.Body)
		if code, ok := strings.CutPrefix(r.URL.Path, "/status/"); ok {
			n, _ := strconv.Atoi(code)
			w.WriteHeader(n)
		}
		w.Write(body)
	}))
	t.Cleanup(b.app.Close)
	dir := filepath.Join(t.TempDir(), ".devhook")
	var err error
	if b.store, err = recorder.Open(dir, recorder.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	app, _ := url.Parse(b.app.URL)
	b.gate = gateway.New(gateway.Options{Store: b.store}, &gateway.Routes{
		Default: gateway.Route{Forward: []*url.URL{app}, Verify: gateway.Enforce}, Catalog: verify.Builtin(),
		Keys: map[string]verify.Keys{"tiktok": {Secrets: []verify.Secret{verify.NewSecret(tiktokSecret)}}},
	})
	t.Cleanup(b.gate.Wait)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + l.Addr().String()
	o := Options{
		Addr: l.Addr().String(), Token: benchToken, Version: "0.0.0-test", Store: b.store, Plan: b.gate.Plan, Send: b.gate.Send,
		Status: func() Status {
			return Status{
				V: 1, Version: "0.0.0-test", PID: 1, Started: time.Now().UTC(), Ready: b.ready.Load(), Store: dir, Inspect: b.url, URL: "http://127.0.0.1:1",
				Tunnel: Tunnel{Kind: "local", State: "connected", Since: time.Now().UTC()}, Verify: "enforce", Secrets: []string{"tiktok"},
				Routes: []Route{{Path: "/hooks", Forward: []string{b.app.URL}, Verify: "strict"}},
			}
		},
		Catalog: func() *verify.Catalog { return b.gate.Routes().Catalog }, Keys: func() map[string]verify.Keys { return b.gate.Routes().Keys },
		URL: func(string) string { return "http://127.0.0.1:1" },
		Settings: func() []Setting {
			return []Setting{{"verify", "enforce", "default"}, {"secret tiktok", "[secret]", "--secret"}}
		},
		Secrets:   func() []verify.Secret { return b.gate.Routes().Keys["tiktok"].Secrets },
		RedactKey: func() ([]byte, error) { return []byte("the key of a store"), nil },
		Keep:      func() (time.Duration, int64) { return time.Hour, 0 },
		Fixtures:  func() ([]fixtures.Fixture, error) { return fixtures.All(), nil },
		Address: func(f fixtures.Fixture, _ *url.URL, at string) *recorder.Exchange {
			ex := f.Exchange
			if at != "" {
				ex.Request.URL = "http://127.0.0.1:1" + at
			}
			ex.Provider, ex.ID, ex.Seq, ex.Response = f.Provider, "", 0, nil
			return &ex
		},
		SaveFixture: func(s SaveFixture) (string, []string, error) {
			b.saved = append(b.saved, s)
			return "fixtures/" + s.Name + ".json", []string{"header Authorization"}, nil
		},
		KeyPair: func(p verify.Provider, anew bool) (string, string, error) {
			private, public, err := p.NewKeyPair()
			if err != nil {
				return "", "", &Error{422, err.Error(), ""}
			}
			b.private = private
			return public, "keys/" + p.ID + ".pem", nil
		},
		Registrar: Registrar{
			Open: func(p register.Provider, asked Registering) (*register.Registration, string, error) {
				values := map[string][]string{"token": {registerToken}}
				maps.Copy(values, asked.Params)
				reg, err := register.Open(register.Options{Store: b.store, Provider: p, Values: values, API: b.registerAt})
				if err != nil {
					return nil, "", &Error{422, err.Error(), ""}
				}
				return reg, "https://me.example/hooks", nil
			},
			Hold: func(_ context.Context, reg *register.Registration, callback string, _ register.Provider, _ Registering) (*register.Held, error) {
				first := make(chan error, 1)
				held := register.Hold(reg, register.HoldOptions{First: first, Set: func(string) {}, Say: func(string) {}})
				held.Move(callback)
				if err := <-first; err != nil {
					held.Release()
					<-held.Done()
					return nil, err
				}
				b.held = held
				return held, nil
			},
			Held: func(mark string) (*register.Held, error) {
				if b.held != nil && b.held.Mark() == mark {
					return b.held, nil
				}
				return nil, nil
			},
			CleanUp: func(ctx context.Context, p register.Provider, _ register.Ledger) (steps []register.Step, err error) {
				_, err = register.Cleanup(ctx, register.Options{
					Store: b.store, Provider: p, Values: map[string][]string{"token": {registerToken}}, API: b.registerAt, Say: func(s register.Step) { steps = append(steps, s) },
				})
				return steps, err
			},
			TakeSecret: func(provider string, s verify.Secret) { b.told = append(b.told, provider+" "+s.Reveal()) },
		},
		App:   func(*recorder.Exchange, []replay.Mutation) (*url.URL, string, error) { return app, "", nil },
		IsApp: func(u *url.URL) bool { return u.Host == app.Host },
		ParseApp: func(text string) (*url.URL, error) {
			return url.Parse("http://" + strings.TrimPrefix(text, "http://"))
		},
	}
	for _, c := range change {
		c(&o)
	}
	b.in = New(o)
	server := &http.Server{Handler: b.in}
	go server.Serve(l)
	t.Cleanup(func() { b.in.Close(); server.Close() })
	return b
}

// record records a webhook, which is done.
func (b *bench) record(ex recorder.Exchange, res recorder.Response) *recorder.Exchange {
	b.t.Helper()
	if ex.Request.URL == "" {
		ex.Request.URL = "http://127.0.0.1:1/hooks"
	}
	if ex.Origin == "" {
		ex.Origin = recorder.Live
	}
	ex.Request.Method, ex.Outcome, ex.Request.Size = "POST", recorder.Pending, int64(len(ex.Request.Body.Bytes))
	if ex.Verdict.Status == "" {
		ex.Verdict.Status = verify.Unverified
	}
	if err := b.store.Append(context.Background(), &ex); err != nil {
		b.t.Fatal(err)
	}
	if res.Status == 0 {
		res.Status = 200
	}
	res.Size = int64(len(res.Body.Bytes))
	if err := b.store.Finish(context.Background(), ex.ID, recorder.Result{Outcome: recorder.Answered, Response: &res}); err != nil {
		b.t.Fatal(err)
	}
	return &ex
}

// signed records a webhook of TikTok whose signature is right.
func (b *bench) signed() *recorder.Exchange {
	b.t.Helper()
	f, ok := fixtures.Lookup("tiktok", "video.publish.completed")
	if !ok {
		b.t.Fatal("no sample")
	}
	f, err := f.Fill(time.Now(), 1)
	if err != nil {
		b.t.Fatal(err)
	}
	ex := f.Exchange
	ex.Provider, ex.ID, ex.Response = "tiktok", "", nil
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(tiktokSecret)}}
	p, _ := verify.Lookup("tiktok")
	made, err := replay.Plan{Source: &ex, Sign: replay.SignAlways}.Build(replay.Keys(p, keys), time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	made.Event, made.Verdict.Status = "video.publish.completed", verify.Valid
	made.Target = b.app.URL + "/hooks"
	return b.record(*made, recorder.Response{})
}

// A reply is an answer of the inspector.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return v
}

// call sends a request as a program does, with "Name: value" headers, and holds the
// answer against the description of the API.
func (b *bench) call(method, path, body string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	client := http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	maps.Copy(resp.Header, resp.Trailer)
	r := reply{resp.StatusCode, resp.Header, got}
	if isGuards := slices.Contains([]int{401, 403, 415}, r.status); !isGuards || method == http.MethodPost {
		checkReply(b.t, method, req.URL.Path, []byte(body), r)
	}
	return r
}

// must is call for what has to be answered with status.
func (b *bench) must(status int, method, path, body string, headers ...string) reply {
	b.t.Helper()
	r := b.call(method, path, body, headers...)
	if r.status != status {
		b.t.Fatalf("%s %s: %d %s, want %d", method, path, r.status, bytes.TrimSpace(r.body), status)
	}
	return r
}
