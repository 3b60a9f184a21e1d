package register

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// tiktokShop is the webhooks of a shop in TikTok Shop: a URL for each topic, and
// one URL a topic.
//
// The vendor's pages partner.tiktokshop.com/docv2/page/update-shop-webhook,
// get-shop-webhooks, delete-shop-webhook and sign-your-api-request are known to
// us second hand only: from clients that were generated of them and from notes
// that quote them, all of which agree. The example of the signature is the
// vendor's, computed again; see TestTiktokShopVector.
var tiktokShop = Provider{
	ID: "tiktok-shop", API: "https://open-api.tiktokglobalshop.com", Docs: "https://partner.tiktokshop.com/docv2/page/update-shop-webhook",
	Params: []Param{
		{Name: "app-key", About: "the `KEY` of the app, which is no secret", Env: "TIKTOK_SHOP_APP_KEY", Required: true, Check: checkTiktokShopWord},
		{Name: "app-secret", About: "the app's secret, a `REF`, which calls are signed with", Env: "TIKTOK_SHOP_APP_SECRET", Kind: Secret, Required: true},
		{Name: "access-token", About: "the access token of the shop, a `REF`, with the scope seller.authorization.info", Env: "TIKTOK_SHOP_ACCESS_TOKEN", Kind: Secret, Required: true},
		{Name: "shop-cipher", About: "the `CIPHER` of the shop, as Get Authorized Shops tells it", Env: "TIKTOK_SHOP_CIPHER", Required: true, Check: checkTiktokShopWord},
		{Name: "topic", About: "the `TOPIC` to be sent, as ORDER_STATUS_CHANGE, any number of them (the API is known to devhook second hand)", Kind: Many, Required: true, Check: checkTiktokShopTopic},
		takeover,
	},
	Open: func(s Settings, c *Client) (Registrar, error) {
		t := &tiktokShopApp{c: c, s: s}
		c.Header = map[string]string{"x-tts-access-token": "{access-token}", "Content-Type": "application/json"}
		c.Hidden = map[string]string{"access-token": s.Get("access-token")}
		c.Answer = t.answer
		return t, nil
	},
}

var (
	checkTiktokShopWord  = form(`^[A-Za-z0-9_.=+/-]{1,256}$`, "is not one: it has letters and digits")
	checkTiktokShopTopic = form(`^[A-Z][A-Z0-9_]{1,63}$`, "is no topic, as in ORDER_STATUS_CHANGE")
)

type tiktokShopApp struct {
	c    *Client
	s    Settings
	code int // the code that came last
}

func (t *tiktokShopApp) Account() string { return t.s.Get("app-key") + " " + t.s.Get("shop-cipher") }

const tiktokShopPath = "/event/202309/webhooks"

// call is a call without its signature. A nil body is none.
func (t *tiktokShopApp) call(method string, body any) Call {
	return Call{
		Method: method, Body: body, Idempotent: true, // a PUT sets, whatever was there
		Path: tiktokShopPath + "?" + t.params("TIMESTAMP").Encode() + "&sign={sign}",
	}
}

func (t *tiktokShopApp) params(timestamp string) url.Values {
	return url.Values{"app_key": {t.s.Get("app-key")}, "shop_cipher": {t.s.Get("shop-cipher")}, "timestamp": {timestamp}}
}

// do signs the call and makes it. Its timestamp may be five minutes old.
func (t *tiktokShopApp) do(ctx context.Context, call Call, into any) error {
	params := t.params(strconv.FormatInt(time.Now().Unix(), 10))
	text, _, err := call.encode()
	if err != nil {
		return err
	}
	call.Path = tiktokShopPath + "?" + params.Encode() + "&sign={sign}"
	t.c.Hidden["sign"] = signTiktokShop(t.s.Get("app-secret"), tiktokShopPath, params, text)
	if into == nil {
		into = new(struct{}) // what is no JSON is no answer
	}
	t.code = 0
	err = t.c.Do(ctx, call, into)
	if why := tiktokShopWhy[t.code]; err != nil && why != "" {
		return fmt.Errorf("%w (%s)", err, why)
	}
	return err
}

// signTiktokShop returns the signature of a call: the HMAC-SHA256, in hex, with
// the app's secret over the path, each parameter's name and value by name, and
// the body, between the secret and the secret. The parameters sign and
// access_token are not among them.
// partner.tiktokshop.com/docv2/page/sign-your-api-request, second hand.
func signTiktokShop(secret, path string, params url.Values, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprint(mac, secret, path)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprint(mac, name, params.Get(name))
	}
	fmt.Fprint(mac, body, secret)
	return hex.EncodeToString(mac.Sum(nil))
}

// answer reads the code in the body, which is 0 if all is well.
func (t *tiktokShopApp) answer(status int, body []byte) (int, string) {
	var a struct {
		Code    int
		Message string
	}
	if t.code = 0; json.Unmarshal(body, &a) != nil || a.Code == 0 {
		return usualAnswer(status, body)
	}
	t.code = a.Code
	words := fmt.Sprintf("code %d: %s", a.Code, a.Message)
	switch {
	case status >= 300:
		return status, words
	case a.Code == 36009002:
		return http.StatusTooManyRequests, words
	case a.Code == 36009007:
		return http.StatusInternalServerError, words
	case tiktokShopWhy[a.Code] != "":
		return http.StatusUnauthorized, words
	}
	return http.StatusBadRequest, words
}

// tiktokShopWhy is what codes mean, by notes that quote the vendor's page on
// error codes.
var tiktokShopWhy = map[int]string{
	105002:   "the access token has expired: have it refreshed",
	105005:   "the access token lacks a scope: seller.authorization.info is needed, and that of the topic",
	106001:   "the signature is not right: is the app secret that of the app key?",
	106013:   "the shop cipher is missing, or of another shop",
	1010000:  "the access token is not right",
	36009004: "the signature, the access token, the app key or the timestamp is not right: is this machine's clock?",
	36009033: "this machine's address is not on the app's list, in Partner Center",
}

// checkURL refuses what the vendor's configuration guide refuses, as others
// quote it: an address in the place of a domain, another port, plain HTTP.
func (t *tiktokShopApp) checkURL(callback string) error {
	u, err := url.Parse(callback)
	if err != nil || t.c.Local() { // an emulator, which can reach what is here
		return err
	}
	_, ip := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" || u.Port() != "" || ip == nil {
		return &Refusal{Text: "TikTok Shop wants an https URL with a domain, and without a port: not " + callback, Hint: "--url https://…"}
	}
	return nil
}

// get returns the URLs that are set, by topic.
func (t *tiktokShopApp) get(ctx context.Context) (map[string]string, error) {
	var a struct {
		Data struct {
			Webhooks []struct {
				Topic   string `json:"event_type"`
				Address string `json:"address"`
			} `json:"webhooks"`
		} `json:"data"`
	}
	err := t.do(ctx, t.call(http.MethodGet, nil), &a)
	urls := map[string]string{}
	for _, w := range a.Data.Webhooks {
		urls[w.Topic] = w.Address
	}
	return urls, err
}

func (t *tiktokShopApp) Plan(ctx context.Context, callback string, done []Change) ([]Change, error) {
	if err := t.checkURL(callback); err != nil {
		return nil, err
	}
	urls, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	var plan []Change
	for _, topic := range t.s.Values["topic"] {
		mine, now := changeOf(done, "topic "+topic), urls[topic]
		before, err := t.s.claim("the topic "+topic, now, callback, mine)
		if err != nil {
			return nil, err
		}
		if now == callback && (mine == nil || mine.State == Done && mine.URL == callback) {
			continue
		}
		plan = append(plan, Change{
			Key: "topic " + topic, About: "have " + topic + " sent to " + callback, URL: callback,
			Data: map[string]string{"topic": topic, "before": before}, Call: t.put(topic, callback),
		})
	}
	return plan, nil
}

func (t *tiktokShopApp) put(topic, address string) Call {
	return t.call(http.MethodPut, map[string]string{"address": address, "event_type": topic})
}

func (t *tiktokShopApp) Apply(ctx context.Context, ch *Change, _ []Change) error {
	return t.do(ctx, t.put(ch.Data["topic"], ch.URL), nil)
}

func (t *tiktokShopApp) Revert(ctx context.Context, ch Change) (Undo, error) {
	urls, err := t.get(ctx)
	if err != nil {
		return Undo{}, err
	}
	topic := ch.Data["topic"]
	if undo := t.s.release(ch, urls[topic]); undo.Result != "" {
		return undo, nil
	}
	call := t.call(http.MethodDelete, map[string]string{"event_type": topic})
	if before := ch.Data["before"]; before != "" {
		call = t.put(topic, before)
	}
	err = t.do(ctx, call, nil)
	return Undo{Result: Reverted}, err
}
