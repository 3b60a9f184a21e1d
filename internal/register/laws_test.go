package register

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"devhook/internal/register/eulertest"
	"devhook/internal/register/registertest"
	"devhook/internal/register/shoptest"
	"devhook/internal/register/tencenttest"
	"devhook/verify"
)

// A far is a provider's far side for the laws: an account in which there is
// something of others already.
type far struct {
	api    http.Handler
	values map[string][]string // what the user says
	state  func() string       // what there is, in words; callbacks stand in it as they are
	times  int                 // how often a callback stands in it once it is registered
	// change has somebody else point what goes to a callback elsewhere; nil where
	// nobody can.
	change func(from, to string)
	// secrets are what must be seen nowhere, as of now.
	secrets func() []string
}

const (
	lawSecret = "s3cr3t-of-the-user-0123456789"
	lawToken  = "123456:AAbbCCddEEffGGhhIIjjKKllMMnnOO"
	lawSID    = "AC0123456789abcdef0123456789abcdef"
	lawOwn    = "https://own.example/hooks"
)

func lawNumber(n int) string { return fmt.Sprintf("PN%032d", n) }

// fars has one for each provider in the list.
var fars = map[string]func() far{
	"euler": func() far {
		api := eulertest.New(eulertest.Options{Key: lawSecret, PageSize: 1})
		api.Add("ada", lawOwn)
		return far{
			api: api, times: 1, values: map[string][]string{"account": {"4242"}, "creator": {"bob"}, "key": {lawSecret}},
			state: func() string { return state(api) }, secrets: func() []string { return nil },
		}
	},
	"github": func() far {
		api := registertest.NewGitHub(registertest.Options{}, lawSecret, "repos/octocat/hello", "orgs/acme")
		api.Add("repos/octocat/hello", lawOwn, "push")
		api.Add("orgs/acme", lawOwn, "*")
		return far{
			api: api, times: 2, values: map[string][]string{"repo": {"octocat/hello"}, "org": {"acme"}, "token": {lawSecret}},
			state: api.State, change: api.Change, secrets: api.Secrets,
		}
	},
	"kick": func() far {
		api := registertest.NewKick("app-1", lawSecret)
		api.Add(1, "chat.message.sent")
		api.Add(7, "chat.message.sent")
		return far{
			api: api, values: map[string][]string{"client-id": {"app-1"}, "client-secret": {lawSecret}, "broadcaster": {"7"}, "event": {"channel.followed", "kicks.gifted@1", "chat.message.sent"}},
			state: api.State, secrets: api.Secrets,
		}
	},
	"stripe": func() far {
		key := "sk_test_" + lawSecret
		api := registertest.NewStripe(registertest.Options{PageSize: 1}, key, "acct_1")
		api.Add(lawOwn, "invoice.paid")
		api.Add(lawOwn+"/2", "*")
		return far{
			api: api, times: 1, values: map[string][]string{"key": {key}}, // nothing that a ledger has
			state: api.State, change: api.Change, secrets: api.Secrets,
		}
	},
	"telegram": func() far {
		api := registertest.NewTelegram(registertest.Options{}, lawToken)
		api.Set(registertest.TelegramWebhook{URL: lawOwn + "/" + lawToken, Connections: 7, Updates: []string{"message"}}, "by-hand-0123456789")
		return far{
			api: api, times: 1, values: map[string][]string{
				"token": {lawToken}, "takeover": {"true"}, "former-secret": {"by-hand-0123456789"}, "update": {"message", "callback_query"},
			},
			state: api.State, change: api.Change, secrets: api.Secrets,
		}
	},
	"tencent-live": func() far {
		api := tencenttest.New(tencenttest.Options{Key: tencentKey, Set: own})
		return far{
			api: api, times: 1, values: map[string][]string{"sdk-app-id": {"1400000000"}, "sdk-secret-key": {tencentKey}, "takeover": {"true"}},
			state: func() string { c := api.Config(); slices.Sort(c.Commands); return fmt.Sprint(c) },
			change: func(from, to string) {
				if c := api.Config(); c.URL == from {
					api.SetConfig(tencenttest.Config{URL: to, Commands: c.Commands})
				}
			},
			secrets: func() []string { return []string{tencentKey, api.Token().Token} },
		}
	},
	"tiktok-shop": func() far {
		api := shoptest.New(shoptest.Options{AppKey: "abcdef", AppSecret: lawSecret, Token: lawToken, Cipher: "ROW_x", Set: map[string]string{"PACKAGE_UPDATE": lawOwn, "OTHER": lawOwn}})
		return far{
			api: api, times: 2, values: map[string][]string{
				"app-key": {"abcdef"}, "app-secret": {lawSecret}, "access-token": {lawToken}, "shop-cipher": {"ROW_x"},
				"topic": {"ORDER_STATUS_CHANGE", "PACKAGE_UPDATE"}, "takeover": {"true"},
			},
			state: api.String,
			change: func(from, to string) {
				for _, topic := range []string{"ORDER_STATUS_CHANGE", "PACKAGE_UPDATE"} {
					if strings.Contains(api.String(), topic+"="+from) {
						api.Put(topic, to)
					}
				}
			},
			secrets: func() []string { return nil },
		}
	},
	"twilio": func() far {
		api := registertest.NewTwilio(registertest.Options{}, lawSID, lawSecret)
		api.AddNumber(lawNumber(1), "+15017122661", "https://demo.twilio.com/welcome/sms/reply", lawOwn, "")
		api.AddNumber(lawNumber(2), "+15017122662", lawOwn, "", "AP0123456789abcdef0123456789abcdef")
		api.AddService("MG0123456789abcdef0123456789abcdef", lawOwn)
		return far{
			api: api, times: 3, values: map[string][]string{
				"account-sid": {lawSID}, "auth-token": {lawSecret}, "number": {"+15017122662"}, "service": {"MG0123456789abcdef0123456789abcdef"},
				"voice": {"true"}, "sms": {"true"}, "takeover": {"true"},
			},
			state: api.State, change: api.Change, secrets: func() []string { return nil },
		}
	},
	"twitch": func() far {
		api := registertest.NewTwitch(registertest.Options{PageSize: 1}, "app-1", lawSecret)
		api.Add("stream.online", "1", map[string]string{"broadcaster_user_id": "1"}, lawOwn)
		api.Add("stream.online", "1", map[string]string{"broadcaster_user_id": "2"}, first)
		return far{
			api: api, times: 1, values: map[string][]string{
				"client-id": {"app-1"}, "client-secret": {lawSecret}, "subscription": {"stream.online:broadcaster_user_id=1"},
			},
			state: api.State, secrets: api.Secrets,
		}
	},
}

// A life is one provider and one store, and what was said in it.
type life struct {
	t      *testing.T
	p      Provider
	far    far
	faults *registertest.Faults
	at     string
	dir    string
	before string

	mu   sync.Mutex
	fate func(n int) registertest.Fate // guarded by mu; nil: nothing fails
	said strings.Builder               // guarded by mu; all that could be seen

	calls []string // guarded by mu; their methods
}

func newLife(t *testing.T, p Provider) *life {
	t.Helper()
	l := &life{t: t, p: p, far: fars[p.ID](), dir: t.TempDir()}
	l.before = l.far.state()
	l.faults = &registertest.Faults{API: l.far.api, Fate: func(n int, r *http.Request) registertest.Fate {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.calls = append(l.calls, r.Method)
		if l.fate == nil {
			return registertest.Fate{}
		}
		return l.fate(n)
	}}
	srv := httptest.NewServer(l.faults)
	t.Cleanup(srv.Close)
	l.at = srv.URL
	return l
}

func (l *life) setFate(fate func(n int) registertest.Fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fate = fate
}

func (l *life) say(a ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(&l.said, a...)
}

func (l *life) options() Options {
	return Options{
		Store: storeIn(l.t, l.dir), Provider: l.p, API: l.at, pause: noPause, Values: maps.Clone(l.far.values), TakeSecret: func(verify.Secret) {},
		Say: func(s Step) { l.say(s.Change.Key, s.Change.About, s.Change.Data, s.Undo.Why, s.Err) },
	}
}

// want checks that callback is where all goes, "" for as it was.
func (l *life) want(when, callback string) {
	l.t.Helper()
	got := l.far.state()
	if callback == "" {
		if got != l.before {
			l.t.Errorf("%s: there is\n%s\nwant, as it was,\n%s", when, got, l.before)
		}
		return
	}
	if got == l.before {
		l.t.Errorf("%s: nothing is registered", when)
	}
	for _, one := range []string{first, second} {
		n := strings.Count(got, one) - strings.Count(l.before, one)
		if want := map[bool]int{true: l.far.times}[one == callback]; n != want {
			l.t.Errorf("%s: %s is there %d times, want %d:\n%s", when, one, n, want, got)
		}
	}
}

// wantNoLedger checks that nothing is left in the store.
func (l *life) wantNoLedger(when string) {
	l.t.Helper()
	if left := ledgers(l.t, l.dir); len(left) > 0 {
		text, _ := os.ReadFile(left[0])
		l.t.Errorf("%s: left in the store: %s", when, text)
	}
}

// keepLedgers returns what the store has at this moment, as a crash would leave it.
func (l *life) keepLedgers() map[string]string {
	names, _ := filepath.Glob(filepath.Join(l.dir, kind, "*"))
	all := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err == nil {
			all[name] = string(text)
			fmt.Fprintln(&l.said, string(text))
		}
	}
	return all
}

// restoreLedgers makes the store what it was.
func (l *life) restoreLedgers(all map[string]string) {
	l.t.Helper()
	for _, name := range ledgers(l.t, l.dir) {
		must(l.t, os.Remove(name))
	}
	for name, text := range all {
		must(l.t, os.WriteFile(name, []byte(text), 0o600))
	}
}

// wantNoSecrets checks what could be seen.
func (l *life) wantNoSecrets(when string, more ...string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slices.Concat(more, l.far.secrets(), []string{lawSecret, lawToken}) {
		if s != "" && strings.Contains(l.said.String(), s) {
			l.t.Errorf("%s: %q is to be seen in\n%s", when, s, l.said.String())
		}
	}
}

// steps are what one process does at a provider, in order.
var steps = []struct {
	name string
	do   func(ctx context.Context, r *Registration) error
	want string
}{
	{"register", func(ctx context.Context, r *Registration) error { return r.Set(ctx, first) }, first},
	{"register again", func(ctx context.Context, r *Registration) error { return r.Set(ctx, first) }, first},
	{"move", func(ctx context.Context, r *Registration) error { return r.Set(ctx, second) }, second},
	{"end", func(ctx context.Context, r *Registration) error { return r.Close(ctx) }, ""},
}

// TestLaws holds each provider in the list to what a registration promises.
func TestLaws(t *testing.T) {
	for _, p := range Providers() {
		if fars[p.ID] == nil {
			t.Errorf("%s has no far side in fars", p.ID)
			continue
		}
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			calls := lawDay(t, p)
			lawCrash(t, p, calls)
			lawFails(t, p, calls)
			lawDown(t, p)
			lawChanged(t, p)
			lawKilled(t, p)
		})
	}
}

// lawDay: what is registered is there, again changes nothing, it moves, and is
// taken back; a dry run changes nothing; no secret is seen. It returns the
// methods of the calls that takes.
func lawDay(t *testing.T, p Provider) []string {
	l := newLife(t, p)
	dry := begin(t, l.options())
	plan, err := dry.Plan(t.Context(), first)
	must(t, err)
	l.want("a dry run", "")
	if len(plan) == 0 {
		t.Error("nothing is planned")
	}
	for _, ch := range plan {
		method, url, body := dry.Show(ch.Call)
		l.say(ch.About, method, url, body)
		if method == "" || !strings.HasPrefix(url, l.at+"/") {
			t.Errorf("%s: what is called first is not said: %s %s", ch.Key, method, url)
		}
	}
	l.wantNoLedger("a dry run")
	base := len(l.calls)

	var secrets []string
	l.setFate(func(int) registertest.Fate { l.keepLedgers(); return registertest.Fate{} })
	r := begin(t, l.options())
	for i, step := range steps {
		there := l.far.state()
		must(t, step.do(t.Context(), r))
		l.want(step.name, step.want)
		if i == 1 && l.far.state() != there {
			t.Errorf("registering again has changed something: %s", l.far.state())
		}
		secrets = append(secrets, l.far.secrets()...)
	}
	l.wantNoLedger("the end")
	l.wantNoSecrets("a day", secrets...)
	return l.calls[base:]
}

// lawCrash: wherever a process ends, before a call has done its work or after,
// a cleanup makes all what it was.
func lawCrash(t *testing.T, p Provider, calls []string) {
	for i, method := range calls {
		n := i + 1
		for _, done := range []bool{false, true} {
			if method == http.MethodGet && done {
				continue // has no work to do
			}
			when := fmt.Sprintf("a crash at call %d of %d, which has done its work: %v", n, len(calls), done)
			l := newLife(t, p)
			r := begin(t, l.options())
			ctx, cancel := context.WithCancel(t.Context())
			var left map[string]string
			l.setFate(func(call int) registertest.Fate {
				if call < n {
					return registertest.Fate{}
				}
				fate := registertest.Fate{Cut: true}
				if left == nil {
					left = l.keepLedgers()
					fate.Done = done
					cancel()
				}
				return fate
			})
			for _, step := range steps {
				if step.do(ctx, r) != nil {
					break
				}
			}
			cancel()
			if r.held != nil {
				r.held.Leave() // it may have done so itself
			}
			l.setFate(nil)
			l.restoreLedgers(left)
			if _, err := Cleanup(t.Context(), l.options()); err != nil {
				t.Errorf("%s: %v", when, err)
			}
			l.want(when, "")
			l.wantNoLedger(when)
		}
	}
}

// lawFails: a call that fails once, be it refused, or having done its work
// after all, leaves nothing twice, and nothing behind.
func lawFails(t *testing.T, p Provider, calls []string) {
	for i, method := range calls {
		n := i + 1
		for _, fate := range []registertest.Fate{{Status: 500}, {Status: 500, Done: true}, {Status: 429}} {
			if method == http.MethodGet && fate.Done {
				continue // has no work to do
			}
			when := fmt.Sprintf("call %d of %d ends as %+v", n, len(calls), fate)
			l := newLife(t, p)
			l.setFate(func(call int) registertest.Fate {
				l.keepLedgers()
				if call == n {
					return fate
				}
				return registertest.Fate{}
			})
			r := begin(t, l.options())
			for _, step := range steps {
				err := step.do(t.Context(), r)
				if err != nil {
					l.say(err)
					if step.want == "" {
						_, err = Cleanup(t.Context(), l.options())
					} else {
						err = step.do(t.Context(), r) // as up does
					}
				}
				if err != nil {
					t.Errorf("%s: %s: %v", when, step.name, err)
				}
				l.want(when+": "+step.name, step.want)
			}
			l.wantNoLedger(when)
			l.wantNoSecrets(when)
		}
	}
}

// lawDown: what cannot be taken back stays in the store for later.
func lawDown(t *testing.T, p Provider) {
	l := newLife(t, p)
	r := begin(t, l.options())
	must(t, r.Set(t.Context(), first))
	l.setFate(func(int) registertest.Fate { return registertest.Fate{Status: 500} })
	err := r.Close(t.Context())
	if StatusOf(err) != 500 {
		t.Errorf("a provider that is down: got %v", err)
	}
	l.say(err)
	l.setFate(nil)
	l.want("a provider that is down", first)
	n, err := Cleanup(t.Context(), l.options())
	must(t, err)
	if n != 1 {
		t.Errorf("%d were cleaned up", n)
	}
	l.want("a provider that is up again", "")
	l.wantNoLedger("a provider that is up again")
	l.wantNoSecrets("a provider that is down")
}

// lawChanged: what somebody has changed meanwhile is left to him.
func lawChanged(t *testing.T, p Provider) {
	l := newLife(t, p)
	if l.far.change == nil {
		return
	}
	r := begin(t, l.options())
	must(t, r.Set(t.Context(), first))
	l.far.change(first, "https://somebody.example/else")
	changed := l.far.state()
	must(t, r.Close(t.Context()))
	if got := l.far.state(); got != changed {
		t.Errorf("what somebody has changed to\n%s\nis\n%s", changed, got)
	}
	l.wantNoLedger("changed by somebody")
}

// lawKilled: the next start takes back what one that was killed has left, also
// at the same callback.
func lawKilled(t *testing.T, p Provider) {
	for _, callback := range []string{first, second} {
		l := newLife(t, p)
		r := begin(t, l.options())
		must(t, r.Set(t.Context(), first))
		kill(t, r)
		r = begin(t, l.options())
		must(t, r.Set(t.Context(), callback))
		l.want("after one that was killed", callback)
		if all, err := List(storeIn(t, l.dir)); err != nil || len(all) != 1 {
			t.Errorf("after one that was killed: %d ledgers, %v", len(all), err)
		}
		must(t, r.Close(t.Context()))
		l.want("the end of both", "")
	}
}

// A ledger that speaks of another repository than was named is not acted on.
func TestForeignTarget(t *testing.T) {
	p, _ := Lookup("github")
	l := newLife(t, p)
	r := begin(t, l.options())
	must(t, r.Set(t.Context(), first))
	kill(t, r)
	name := ledgers(t, l.dir)[0]
	text, err := os.ReadFile(name)
	must(t, err)
	for _, target := range []string{"repos/octocat/hello?x=", "repos/octocat/hello/..", "repos/octocat/other"} {
		changed := strings.Replace(string(text), `"target": "repos/octocat/hello"`, `"target": "`+target+`"`, 1)
		must(t, os.WriteFile(name, []byte(changed), 0o600))
		l.setFate(func(int) registertest.Fate { return registertest.Fate{} })
		_, err := Cleanup(t.Context(), l.options())
		if err == nil || changed == string(text) {
			t.Errorf("%s: got %v", target, err)
		}
		if !strings.Contains(l.far.state(), "repos/octocat/hello [*] true "+first) {
			t.Errorf("%s: there is %s", target, l.far.state())
		}
	}
}

// An app's token that has expired is asked for anew.
func TestTokenExpires(t *testing.T) {
	p, _ := Lookup("twitch")
	l := newLife(t, p)
	r := begin(t, l.options())
	must(t, r.Set(t.Context(), first))
	l.far.api.(*registertest.Twitch).Expire()
	must(t, r.Set(t.Context(), second))
	l.want("an expired token", second)
	l.far.api.(*registertest.Twitch).Expire()
	must(t, r.Close(t.Context()))
	l.want("an expired token", "")
}

// What providers refuse comes with what to do, and leaves nothing.
func TestRefusals(t *testing.T) {
	with := func(id string, name string, values ...string) map[string][]string {
		all := maps.Clone(fars[id]().values)
		all[name] = values
		return all
	}
	for _, c := range []struct {
		what, id string
		values   map[string][]string
		prepare  func(far)
		callback string
		want     string // in the error, or in its hint
	}{
		{"a wrong token", "github", with("github", "token", "wrong-token"), nil, first, "401 Unauthorized"},
		{"a repository that is not there", "github", with("github", "repo", "octocat/gone"), nil, first, "admin:repo_hook"},
		{"a webhook at the URL", "github", with("github", "org"), func(f far) { f.api.(*registertest.GitHub).Add("repos/octocat/hello", first, "push") }, first, "is there already"},
		{"20 webhooks", "github", with("github", "org"), func(f far) {
			for i := range 20 {
				f.api.(*registertest.GitHub).Add("repos/octocat/hello", fmt.Sprint(lawOwn, i), "*")
			}
		}, first, "at most 20"},
		{"a URL that GitHub cannot reach", "github", with("github", "org"), nil, "http://127.0.0.1:1/x", "reachable"},
		{"a wrong key", "stripe", with("stripe", "key", "sk_test_wrong"), nil, first, "Invalid API Key"},
		{"a publishable key", "stripe", with("stripe", "key", "pk_test_1"), nil, first, "publishable"},
		{"a live key", "stripe", with("stripe", "key", "sk_live_1"), nil, first, "--live"},
		{"16 endpoints", "stripe", with("stripe", "connect"), func(f far) {
			for i := range 16 {
				f.api.(*registertest.Stripe).Add(fmt.Sprint(lawOwn, i), "*")
			}
		}, first, "at most 16"},
		{"an endpoint at the URL", "stripe", with("stripe", "connect"), func(f far) { f.api.(*registertest.Stripe).Add(first, "*") }, first, "is there already"},
		{"a wrong client secret", "twitch", with("twitch", "client-secret", "wrong-secret"), nil, first, "client secret right"},
		{"no scope", "twitch", with("twitch", "subscription", "channel.follow@2:broadcaster_user_id=1,moderator_user_id=1"), nil, first, "authorises"},
		{"an unknown type", "twitch", with("twitch", "subscription", "stream.unknown:broadcaster_user_id=1"), nil, first, "is there such a type"},
		{"a short secret", "twitch", with("twitch", webhookSecretName, "short"), nil, first, "10 to 100"},
		{"three subscriptions", "twitch", with("twitch", "subscription", "stream.online:broadcaster_user_id=3"), func(f far) {
			for i := range 3 {
				f.api.(*registertest.Twitch).Add("stream.online", "1", map[string]string{"broadcaster_user_id": "3"}, fmt.Sprint(lawOwn, i))
			}
		}, first, "at most three"},
		{"a wrong app", "kick", with("kick", "client-secret", "wrong-secret"), nil, first, "client secret right"},
		{"an unknown event", "kick", with("kick", "event", "chat.unknown"), nil, first, "event-types"},
		{"a wrong bot", "telegram", with("telegram", "token", "123456:wrong-wrong-wrong"), nil, first, "BotFather"},
		{"a webhook of somebody", "telegram", with("telegram", "takeover"), nil, first, "--takeover"},
		{"a certificate", "telegram", with("telegram", "update"), func(f far) {
			f.api.(*registertest.Telegram).Set(registertest.TelegramWebhook{URL: lawOwn, Certificate: true}, "")
		}, first, "certificate"},
		{"a wrong auth token", "twilio", with("twilio", "auth-token", "wrong-token"), nil, first, "auth token right"},
		{"a number of somebody", "twilio", with("twilio", "number", "+15550000000"), nil, first, "has no number"},
		{"a number of a trunk", "twilio", with("twilio", "service"), func(f far) { f.api.(*registertest.Twilio).Trunk(lawNumber(2), "TK1") }, first, "SIP trunk"},
		{"a URL of somebody", "twilio", with("twilio", "takeover"), nil, first, "--takeover"},
	} {
		t.Run(c.id+", "+c.what, func(t *testing.T) {
			p, _ := Lookup(c.id)
			l := newLife(t, p)
			if c.prepare != nil {
				c.prepare(l.far)
				l.before = l.far.state()
			}
			o := l.options()
			o.Values = c.values
			r, err := Open(o)
			if err == nil {
				err = r.Set(t.Context(), c.callback)
				must(t, r.Close(t.Context()))
			}
			text := fmt.Sprint(err)
			var refusal *Refusal
			if errors.As(err, &refusal) {
				text += refusal.Hint
			}
			if !strings.Contains(text, c.want) || strings.Contains(text, "wrong-") {
				t.Errorf("got %q, want %q in it, and no secret", text, c.want)
			}
			l.want("a refusal", "")
			l.wantNoLedger("a refusal")
		})
	}
}
