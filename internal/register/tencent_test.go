package register

import (
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"devhook/internal/register/tencenttest"
	"devhook/verify"
)

// tencentKey is the sample key of Tencent's own generators.
const tencentKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"

// The signature is what Tencent's generators make of these (npm tls-sig-api-v2
// 1.0.2); what is around it is read back, as deflated bytes differ.
func TestUserSig(t *testing.T) {
	sig := userSig(1400000000, "administrator", tencentKey, time.Unix(1700000000, 0), 24*time.Hour)
	if strings.ContainsAny(sig, "+/=") {
		t.Errorf("got %s", sig)
	}
	z, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(sig))))
	must(t, err)
	var got map[string]any
	must(t, json.NewDecoder(z).Decode(&got))
	want := map[string]any{
		"TLS.ver": "2.0", "TLS.identifier": "administrator", "TLS.sdkappid": 1.4e9, "TLS.expire": 86400.0, "TLS.time": 1.7e9,
		"TLS.sig": "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60=",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// own is what somebody has set before.
var own = tencenttest.Config{URL: "https://own.example/cb", Commands: []string{"Live.CallbackAfterCreateRoom", "Follow.CallbackAfterFollowAdd"}}

func tencentAPI(t *testing.T, o tencenttest.Options) (*tencenttest.Server, string) {
	t.Helper()
	o.Key = tencentKey
	api := tencenttest.New(o)
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return api, srv.URL
}

// tencentOptions are those of a registration in dir; words are names of
// parameters, as name=value.
func tencentOptions(t *testing.T, dir, api string, words ...string) Options {
	o := Options{Store: storeIn(t, dir), Provider: tencentLive, API: api, pause: noPause, Values: map[string][]string{
		"sdk-app-id": {"1400000000"}, "sdk-secret-key": {tencentKey},
	}}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		o.Values[name] = append(o.Values[name], value)
	}
	return o
}

func wantConfig(t *testing.T, api *tencenttest.Server, want tencenttest.Config) {
	t.Helper()
	if got := api.Config(); got.URL != want.URL || !sameSet(got.Commands, want.Commands) {
		t.Errorf("there is %v, want %v", got, want)
	}
}

func TestTencent(t *testing.T) {
	for _, c := range []struct {
		name   string
		before tencenttest.Config
		words  []string
	}{
		{"nothing was there", tencenttest.Config{}, nil},
		{"another URL was there", own, []string{"takeover=true"}},
		{"the same URL with other commands", tencenttest.Config{URL: first, Commands: own.Commands}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, at := tencentAPI(t, tencenttest.Options{Set: c.before})
			dir := t.TempDir()
			r := begin(t, tencentOptions(t, dir, at, c.words...))
			for _, u := range []string{first, first, second, first} {
				must(t, r.Set(t.Context(), u))
				wantConfig(t, api, tencenttest.Config{URL: u, Commands: tencentCommands})
			}
			must(t, r.Close(t.Context()))
			wantConfig(t, api, c.before)
			if left := ledgers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A URL that is there is not displaced unasked, nor is one taken that Tencent
// refuses; nothing is written down then.
func TestTencentRefuses(t *testing.T) {
	api, at := tencentAPI(t, tencenttest.Options{Set: own})
	for url, want := range map[string]string{first: "room for one URL", first + "?a=b": "takes no callback with \"?\"", first + "/$x": "takes no callback"} {
		dir := t.TempDir()
		r := begin(t, tencentOptions(t, dir, at))
		var no *Refusal
		if err := r.Set(t.Context(), url); !errors.As(err, &no) || !strings.Contains(err.Error(), want) || no.Hint == "" {
			t.Errorf("%s: %v", url, err)
		}
		must(t, r.Close(t.Context()))
		if left := ledgers(t, dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
	wantConfig(t, api, own)
}

// After a crash between any two calls, a cleanup and the next registration put
// back exactly what was there.
func TestTencentCrash(t *testing.T) {
	for _, op := range []string{"set_callback", "update_callback", "set_callback_token", "none"} {
		for _, made := range []bool{true, false} {
			for _, before := range []tencenttest.Config{{}, own} {
				for _, next := range []string{"cleanup", "register"} {
					t.Run(fmt.Sprint(op, " made ", made, " on ", before.URL, " then ", next), func(t *testing.T) {
						crashed := false
						api, at := tencentAPI(t, tencenttest.Options{Set: before, Fail: func(cmd string) (int, bool) {
							if cmd == op && !crashed {
								return 100001, made
							}
							return 0, false
						}})
						dir := t.TempDir()
						words := []string{"takeover=true", "fetch-secret=true"}
						r := begin(t, tencentOptions(t, dir, at, words...))
						ctx, cancel := context.WithCancel(t.Context())
						defer cancel()
						r.client.pause = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
						r.Set(ctx, first) // fails where op is
						crashed = true
						kill(t, r)

						o := tencentOptions(t, dir, at, words...)
						if next == "cleanup" {
							_, err := Cleanup(t.Context(), o)
							must(t, err)
						} else {
							r := begin(t, o)
							must(t, r.Set(t.Context(), second))
							wantConfig(t, api, tencenttest.Config{URL: second, Commands: tencentCommands})
							must(t, r.Close(t.Context()))
						}
						wantConfig(t, api, before)
						if api.Token().Enabled {
							t.Error("callbacks are still signed")
						}
						if left := ledgers(t, dir); len(left) > 0 {
							t.Errorf("left: %v", left)
						}
					})
				}
			}
		}
	}
}

// Of two at once the second needs to be told to take over, and whichever ends
// last puts back what was there before both.
func TestTencentTwoAtOnce(t *testing.T) {
	for _, endsFirst := range []int{0, 1} {
		t.Run(fmt.Sprint(endsFirst, " ends first"), func(t *testing.T) {
			api, at := tencentAPI(t, tencenttest.Options{Set: own})
			dir := t.TempDir()
			both := []*Registration{
				begin(t, tencentOptions(t, dir, at, "takeover=true")),
				begin(t, tencentOptions(t, dir, at, "takeover=true")),
			}
			must(t, both[0].Set(t.Context(), first))
			third := begin(t, tencentOptions(t, dir, at))
			if err := third.Set(t.Context(), second); err == nil || !strings.Contains(err.Error(), "of another devhook") {
				t.Errorf("got %v", err)
			}
			must(t, both[1].Set(t.Context(), second))
			must(t, both[endsFirst].Close(t.Context()))
			wantConfig(t, api, tencenttest.Config{URL: []string{second, first}[endsFirst], Commands: tencentCommands})
			must(t, both[1-endsFirst].Close(t.Context()))
			wantConfig(t, api, own)
			if left := ledgers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// Of two that took over from each other and have died, one cleanup puts back what
// was there before both.
func TestTencentBothDie(t *testing.T) {
	api, at := tencentAPI(t, tencenttest.Options{Set: own})
	dir := t.TempDir()
	for _, u := range []string{first, second} {
		r := begin(t, tencentOptions(t, dir, at, "takeover=true"))
		r.begun = true // as if the one before it were still alive
		must(t, r.Set(t.Context(), u))
		kill(t, r)
	}
	n, err := Cleanup(t.Context(), tencentOptions(t, dir, at))
	must(t, err)
	wantConfig(t, api, own)
	if left := ledgers(t, dir); n != 2 || len(left) > 0 {
		t.Errorf("%d were cleaned up, left: %v", n, left)
	}
}

// What somebody has set meanwhile is left.
func TestTencentOthersSetIt(t *testing.T) {
	api, at := tencentAPI(t, tencenttest.Options{})
	dir := t.TempDir()
	r := begin(t, tencentOptions(t, dir, at))
	must(t, r.Set(t.Context(), first))
	api.SetConfig(own)
	if err := r.Set(t.Context(), second); err == nil {
		t.Error("it was displaced")
	}
	must(t, r.Close(t.Context()))
	wantConfig(t, api, own)
	if left := ledgers(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// The callbacks that come are signed with the token that was handed over, and
// not any more once it is over. A token that is there is used, and never
// replaced. No ledger has one.
func TestTencentToken(t *testing.T) {
	for _, c := range []struct {
		name   string
		before tencenttest.Token
		words  string
		told   bool
		err    string
	}{
		{"none is there: one is made up", tencenttest.Token{}, "fetch-secret=true", true, ""},
		{"one is there", tencenttest.Token{Token: "tok-there-0123", Enabled: true}, "fetch-secret=true", true, ""},
		{"one is there, switched off", tencenttest.Token{Token: "tok-there-0123"}, "fetch-secret=true", true, ""},
		{"the user has one", tencenttest.Token{}, "token=tok-own-0123", false, ""},
		{"the user has the one that is there", tencenttest.Token{Token: "tok-own-0123", Enabled: true}, "token=tok-own-0123", false, ""},
		{"the user has another", tencenttest.Token{Token: "tok-there-0123", Enabled: true}, "token=tok-own-0123", false, "has another token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var came []verify.Message
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				came = append(came, verify.Message{Method: r.Method, URL: r.URL, Header: r.Header})
			}))
			defer app.Close()
			api, at := tencentAPI(t, tencenttest.Options{Token: c.before})
			dir := t.TempDir()
			o := tencentOptions(t, dir, at, c.words)
			secret := verify.NewSecret("tok-own-0123")
			told := 0
			o.TakeSecret = func(s verify.Secret) { secret = s; told++ }
			r := begin(t, o)
			err := r.Set(t.Context(), app.URL)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "tok-") {
					t.Errorf("got %v", err)
				}
				return
			}
			must(t, err)
			must(t, r.Set(t.Context(), app.URL+"/moved"))
			if (told == 1) != c.told || told > 1 {
				t.Errorf("told %d times", told)
			}
			for _, name := range ledgers(t, dir) {
				text, err := os.ReadFile(name)
				must(t, err)
				if strings.Contains(string(text), "tok-") || strings.Contains(string(text), api.Token().Token) || strings.Contains(string(text), tencentKey) {
					t.Errorf("the ledger:\n%s", text)
				}
			}
			_, err = api.Fire(t.Context(), "Live.CallbackAfterCreateRoom", nil)
			must(t, err)
			p, _ := verify.Lookup("tencent-live")
			if len(came) != 1 {
				t.Fatalf("%d came", len(came))
			}
			if v := p.Scheme.Verify(came[0], verify.Keys{Secrets: []verify.Secret{secret}}, time.Now()); v.Status != verify.Valid {
				t.Errorf("got %+v", v)
			}
			must(t, r.Close(t.Context()))
			if got := api.Token(); got.Enabled != c.before.Enabled || c.before.Token != "" && got.Token != c.before.Token {
				t.Errorf("left: enabled %v", got.Enabled)
			}
		})
	}
}

// HTTP 200 with an ErrorCode is an error, in Tencent's words and with what it
// means; the UserSig is in none.
func TestTencentErrors(t *testing.T) {
	for code, c := range map[int]struct {
		status int
		why    string
	}{
		100001: {500, "an error within Tencent"}, 100002: {400, "a parameter is not right"}, 60010: {403, "no administrator"},
		70001: {401, "clock"}, 60011: {429, ""}, 12345: {400, ""},
	} {
		_, at := tencentAPI(t, tencenttest.Options{Fail: func(string) (int, bool) { return code, false }})
		r := begin(t, tencentOptions(t, t.TempDir(), at))
		err := r.Set(t.Context(), first)
		if StatusOf(err) != c.status || !strings.Contains(err.Error(), fmt.Sprintf("ErrorCode %d: this was to fail", code)) || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), "usersig={usersig}&") {
			t.Errorf("%d: %v", code, err)
		}
	}
	_, at := tencentAPI(t, tencenttest.Options{})
	for words, want := range map[string]string{"admin=eve": "60010", "sdk-secret-key=x": "70009", "sdk-app-id=1400000001": "60006"} {
		o := tencentOptions(t, t.TempDir(), at)
		name, value, _ := strings.Cut(words, "=")
		o.Values[name] = []string{value}
		if err := begin(t, o).Set(t.Context(), first); err == nil || !strings.Contains(err.Error(), "ErrorCode "+want) {
			t.Errorf("%s: %v", words, err)
		}
	}
	// No answer after an answer of another kind is not explained by that one.
	o := tencentOptions(t, t.TempDir(), "http://127.0.0.1:1", "fetch-secret=true")
	if err := begin(t, o).Set(t.Context(), first); err == nil || strings.Contains(err.Error(), "(") {
		t.Errorf("got %v", err)
	}
}

func TestTencentRegion(t *testing.T) {
	for region, want := range map[string]string{"": "https://adminapisgp.im.qcloud.com", "china": "https://console.tim.qq.com", "usa": "https://adminapiusa.im.qcloud.com"} {
		o := tencentOptions(t, t.TempDir(), "")
		if region != "" {
			o.Values["region"] = []string{region}
		}
		r := begin(t, o)
		if _, at, _ := r.Show(Call{}); at != want {
			t.Errorf("%s: %s", region, at)
		}
	}
	for _, bad := range []string{"region=mars", "sdk-app-id=0", "sdk-app-id=4294967296", "command=x y", "admin=" + strings.Repeat("x", 33), "token=a b"} {
		o := tencentOptions(t, t.TempDir(), "", bad)
		name, value, _ := strings.Cut(bad, "=")
		o.Values[name] = []string{value}
		if _, err := Open(o); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
