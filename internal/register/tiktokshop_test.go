package register

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"devhook/internal/register/shoptest"
)

// The example of the vendor's page on signing, as notes quote it that name each
// step of it. Its other one, with a body, comes without a result.
func TestTiktokShopVector(t *testing.T) {
	got := signTiktokShop("e59af819cc", "/authorization/202309/shops", url.Values{"app_key": {"29a39d"}, "timestamp": {"1623812664"}}, "")
	if want := "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func shopAPI(t *testing.T, o shoptest.Options) (*shoptest.Server, string) {
	t.Helper()
	o.AppKey, o.AppSecret, o.Token, o.Cipher = "abcdef", "s3cr3t-shop", "tts-token-0123", "ROW_x/y+z=="
	api := shoptest.New(o)
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return api, srv.URL
}

func shopOptions(t *testing.T, dir, api string, topics ...string) Options {
	return Options{Store: storeIn(t, dir), Provider: tiktokShop, API: api, pause: noPause, Values: map[string][]string{
		"app-key": {"abcdef"}, "app-secret": {"s3cr3t-shop"}, "access-token": {"tts-token-0123"}, "shop-cipher": {"ROW_x/y+z=="}, "topic": topics,
	}}
}

func wantShop(t *testing.T, api *shoptest.Server, want string) {
	t.Helper()
	if got := api.String(); got != want {
		t.Errorf("there is %q, want %q", got, want)
	}
}

func TestTiktokShop(t *testing.T) {
	api, at := shopAPI(t, shoptest.Options{Set: map[string]string{"PACKAGE_UPDATE": "https://own.example/p", "OTHER": "https://own.example/o"}})
	const before = "OTHER=https://own.example/o PACKAGE_UPDATE=https://own.example/p"
	dir := t.TempDir()
	var no *Refusal
	if err := begin(t, shopOptions(t, dir, at, "ORDER_STATUS_CHANGE", "PACKAGE_UPDATE")).Set(t.Context(), first); !errors.As(err, &no) {
		t.Errorf("got %v", err)
	}
	wantShop(t, api, before)
	o := shopOptions(t, dir, at, "ORDER_STATUS_CHANGE", "PACKAGE_UPDATE")
	o.Values["takeover"] = []string{"true"}
	r := begin(t, o)
	for _, u := range []string{first, second, second} {
		must(t, r.Set(t.Context(), u))
		wantShop(t, api, "ORDER_STATUS_CHANGE="+u+" OTHER=https://own.example/o PACKAGE_UPDATE="+u)
	}
	must(t, r.Close(t.Context()))
	wantShop(t, api, before)
	if left := ledgers(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// After a crash anywhere, a cleanup puts back exactly what was there.
func TestTiktokShopCrash(t *testing.T) {
	for _, fails := range []int{1, 2, 3} { // which PUT; the third is none
		for _, made := range []bool{true, false} {
			t.Run(fmt.Sprint(fails, " made ", made), func(t *testing.T) {
				puts, crashed := 0, false
				api, at := shopAPI(t, shoptest.Options{Set: map[string]string{"BB": "https://own.example/b"}, Fail: func(method string) (int, bool) {
					if method == "PUT" {
						puts++
					}
					if method == "PUT" && puts >= fails && !crashed {
						return 36009007, made
					}
					return 0, false
				}})
				dir := t.TempDir()
				o := shopOptions(t, dir, at, "AA", "BB")
				o.Values["takeover"] = []string{"true"}
				r := begin(t, o)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r.client.pause = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
				if err := r.Set(ctx, first); (err == nil) != (fails == 3) {
					t.Errorf("got %v", err)
				}
				crashed = true
				kill(t, r)
				_, err := Cleanup(t.Context(), shopOptions(t, dir, at))
				must(t, err)
				wantShop(t, api, "BB=https://own.example/b")
				if left := ledgers(t, dir); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			})
		}
	}
}

func TestTiktokShopErrors(t *testing.T) {
	_, at := shopAPI(t, shoptest.Options{})
	for name, c := range map[string]struct {
		status int
		want   string
	}{
		"app-secret": {401, "code 106001: Invalid credentials"}, "access-token": {401, "the access token is not right"},
		"shop-cipher": {400, "code 106013"}, "app-key": {401, "code 36009004"},
	} {
		o := shopOptions(t, t.TempDir(), at, "AA")
		o.Values[name] = []string{"wrong-0123"}
		err := begin(t, o).Set(t.Context(), first)
		if StatusOf(err) != c.status || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "tts-token") || !strings.Contains(err.Error(), "sign={sign}") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, u := range []string{"http://x.example", "https://203.0.113.5/x", "https://x.example:8443/x", "https://[2001:db8::1]/x"} {
		var no *Refusal
		o := shopOptions(t, t.TempDir(), "", "AA")
		if _, err := begin(t, o).Plan(t.Context(), u); !errors.As(err, &no) {
			t.Errorf("%s: %v", u, err)
		}
	}
}
