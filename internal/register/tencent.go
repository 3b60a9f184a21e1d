package register

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/verify"
)

// tencentLive is the callback of Tencent Cloud Live (TUILiveKit): an app, which
// is an SDKAppID, has one URL and a list of commands that are sent there, and a
// token that they are signed with. Paths and shapes are those of trtc.io/document
// 64419 to 64421, 69528 and 69529, and of product 1071, 78177, on
// tencentcloud.com. What get_callback answers where there is none is not
// documented.
var tencentLive = Provider{
	ID: "tencent-live", API: tencentDomains["singapore"], Docs: "https://trtc.io/document/64420",
	Params: []Param{
		{Name: "sdk-app-id", About: "the `SDKAPPID` of the app", Env: "TENCENT_SDK_APP_ID", Required: true, Check: checkTencentApp},
		{Name: "sdk-secret-key", About: "the app's secret key, a `REF`, which a UserSig is made of", Env: "TENCENT_SDK_SECRET_KEY", Kind: Secret, Required: true},
		{Name: "admin", About: "the `NAME` of an administrator of the app; administrator if it is not said", Check: checkTencentAdmin},
		{Name: "region", About: "`WHERE` the app is: china, singapore (if it is not said) or usa", Check: checkTencentRegion},
		{Name: "command", About: "the callback `COMMAND` to be sent, any number of them; all that are known if none is said, with Live.CallbackBeforeCallBackNotBlock, so that no gift is blocked while nobody answers", Kind: Many, Check: checkTencentCommand},
		takeover,
		{Name: "token", About: "what webhooks are to be signed with, a `REF`, if they are not signed yet", Kind: Secret, Check: checkTencentToken},
		{Name: "fetch-secret", About: "ask for the token, or have webhooks signed with one that is made up; kept in memory only", Kind: Flag},
	},
	Tells: func(s Settings) bool { return s.Has("fetch-secret") },
	Open:  openTencent,
}

// tencentDomains are where the API is, by region.
var tencentDomains = map[string]string{
	"china":     "https://console.tim.qq.com",
	"singapore": "https://adminapisgp.im.qcloud.com",
	"usa":       "https://adminapiusa.im.qcloud.com",
}

// tencentCommands are those of trtc.io/document/64413; the last is a switch, not
// an event.
var tencentCommands = []string{
	"Live.CallbackAfterCreateRoom", "Live.CallbackAfterDestroyRoom", "Live.CallbackAfterUpdateRoomInfo",
	"Live.CallbackAfterSetMetadata", "Live.CallbackAfterDelMetadata", "Live.CallbackAfterCreateRoomReachingThreshold",
	"Live.CallbackAfterMemberStateChanged", "Live.CallbackAfterChangeOwner", "Live.CallbackAfterModifyAdmin",
	"Mic.CallbackAfterSeatInfoChanged",
	"Live.CallbackAfterCreateBattle", "Live.CallbackAfterStartBattle", "Live.CallbackAfterEndBattle",
	"Live.CallbackBeforeSendGift", "Group.CallbackBeforeSendMsg", "Group.CallbackAfterSendMsg",
	"Follow.CallbackAfterFollowAdd", "Follow.CallbackAfterFollowDelete",
	"Live.CallbackBeforeCallBackNotBlock",
}

var (
	checkTencentApp = number(32, "is no SDKAppID, which is a number like 1400000000")
	// A user ID is printable ASCII of up to 32 bytes (tencentcloud.com, product 1047, 34348,
	// error 7003).
	checkTencentAdmin   = form(`^[ -~]{0,32}$`, "is not the name of an account")
	checkTencentCommand = form(`^[A-Za-z]{1,32}\.Callback[A-Za-z]{1,64}$`, "is no command, as in Live.CallbackAfterCreateRoom")
	checkTencentToken   = secretForm(`^[!-~]{0,256}$`, "a token is letters and digits, 256 of them at most")
)

func checkTencentRegion(v string) error {
	if tencentDomains[v] == "" {
		return fmt.Errorf("%q is none of china, singapore, usa; for others, name the API's address", v)
	}
	return nil
}

func openTencent(s Settings, c *Client) (Registrar, error) {
	if s.Get("token") != "" && s.Has("fetch-secret") {
		return nil, fmt.Errorf("token and fetch-secret are one or the other")
	}
	if domain := tencentDomains[s.Get("region")]; domain != "" && c.Base == tencentDomains["singapore"] {
		c.Base = domain // unless another was said
	}
	t := &tencentApp{c: c, s: s, admin: s.Get("admin"), commands: s.Values["command"], token: s.Get("token")}
	t.app, _ = strconv.ParseUint(s.Get("sdk-app-id"), 10, 32) // was checked
	t.admin = cmp.Or(t.admin, "administrator")
	if len(t.commands) == 0 {
		t.commands = tencentCommands
	}
	c.Hidden = map[string]string{"token": t.token}
	c.Answer = t.answer
	return t, nil
}

type tencentApp struct {
	c        *Client
	s        Settings
	app      uint64
	admin    string
	commands []string
	token    string // what webhooks are to be signed with; "": as it is
	taken    bool   // TakeSecret was told
	code     int    // the ErrorCode that came last
}

// tencentConfig is what is set for an app.
type tencentConfig struct {
	URL      string   `json:"Url"`
	Commands []string `json:"CallbackCommandList"`
}

type tencentToken struct {
	Token   string
	Enabled bool `json:"IsTokenEnable"`
}

// The keys of what is changed.
const (
	tencentCallbackKey = "callback"
	tencentTokenKey    = "token"
)

// sigGood is how long a UserSig is good. One is made for each call, which can
// have to wait and be repeated, and clocks are not quite the same.
const sigGood = time.Hour

func (t *tencentApp) Account() string { return strconv.FormatUint(t.app, 10) }

// call is POST live_config/cmd.
func (t *tencentApp) call(cmd string, body any) Call {
	return Call{
		Method: http.MethodPost, Body: body, Idempotent: strings.HasPrefix(cmd, "get_"),
		Path: fmt.Sprintf("/v4/live_config/%s?sdkappid=%d&identifier=%s&usersig={usersig}&random=%d&contenttype=json", cmd, t.app, url.QueryEscape(t.admin), mrand.Uint32()),
	}
}

func (t *tencentApp) do(ctx context.Context, call Call, response any) error {
	t.c.Hidden["usersig"] = userSig(t.app, t.admin, t.s.Get("sdk-secret-key"), time.Now(), sigGood)
	t.code = 0
	a := struct{ Response any }{response}
	err := t.c.Do(ctx, call, &a)
	if why := tencentWhy[t.code]; err != nil && why != "" {
		return fmt.Errorf("%w (%s)", err, why)
	}
	return err
}

// answer reads the ErrorCode: the API answers HTTP 200 also if it fails. The
// status that it is told as is our own choice.
func (t *tencentApp) answer(status int, body []byte) (int, string) {
	var a struct {
		ErrorCode int
		ErrorInfo string
	}
	if t.code = 0; json.Unmarshal(body, &a) != nil || a.ErrorCode == 0 {
		return usualAnswer(status, body)
	}
	t.code = a.ErrorCode
	words := fmt.Sprintf("ErrorCode %d: %s", a.ErrorCode, a.ErrorInfo)
	switch n := a.ErrorCode; {
	case n >= 70001 && n < 70100: // of a UserSig
		return http.StatusUnauthorized, words
	case n == 60010:
		return http.StatusForbidden, words
	case n == 60007 || n == 60011:
		return http.StatusTooManyRequests, words
	case n == 100302:
		return http.StatusNotFound, words
	case n == 100001 || n == 60008 || n == 60014 || n == 70169 || n == 70500 || n == 91000:
		return http.StatusInternalServerError, words
	}
	return http.StatusBadRequest, words
}

// tencentWhy is what ErrorCodes mean. 1000xx and 100302 are those of this API;
// the others are of the page on error codes, product 1047, 34348.
var tencentWhy = map[int]string{
	60006:  "there is no such SDKAppID: is it right, and is it of this region?",
	60010:  "the account is no administrator of the app: --admin NAME",
	60020:  "the app's plan does not have this",
	70001:  "the UserSig has expired: is this machine's clock right?",
	70003:  "the UserSig is not right: is the secret key that of this SDKAppID?",
	70009:  "the UserSig is not right: is the secret key that of this SDKAppID?",
	70013:  "the UserSig is of another account",
	70014:  "the UserSig is of another SDKAppID",
	70020:  "there is no such SDKAppID: is it right, and is it of this region?",
	100001: "an error within Tencent: try it again",
	100002: "a parameter is not right",
	100302: "no token is set",
}

// get returns what is set, with an empty URL if nothing is.
func (t *tencentApp) get(ctx context.Context) (now tencentConfig, err error) {
	err = t.do(ctx, t.call("get_callback", struct{}{}), &now)
	return now, err
}

// getToken returns the token, an empty one if none is set.
func (t *tencentApp) getToken(ctx context.Context) (now tencentToken, err error) {
	err = t.do(ctx, t.call("get_callback_token", struct{}{}), &now)
	if t.code == 100302 {
		err = nil
	}
	return now, err
}

// checkTencentURL refuses what the console refuses (trtc.io/document/74157).
func checkTencentURL(callback string) error {
	if i := strings.IndexAny(callback, "?&!$ "); i >= 0 {
		return &Refusal{
			Text: fmt.Sprintf("Tencent takes no callback with %q in it: it puts a query of its own behind the URL, and refuses spaces and ! $ & ?", callback[i:i+1]),
			Hint: "--url https://… with a path only",
		}
	}
	return nil
}

func (t *tencentApp) Plan(ctx context.Context, callback string, done []Change) ([]Change, error) {
	if err := checkTencentURL(callback); err != nil {
		return nil, err
	}
	plan, err := t.planToken(ctx, done)
	if err != nil {
		return nil, err
	}
	now, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	mine := changeOf(done, tencentCallbackKey)
	before, err := t.s.claim("SDKAppID "+t.Account(), now.URL, callback, mine)
	if err != nil {
		return nil, err
	}
	same := now.URL == callback && sameSet(now.Commands, t.commands)
	if same && (mine == nil || mine.State == Done && mine.URL == callback) {
		return plan, nil
	}
	ch := Change{
		Key: tencentCallbackKey, URL: callback,
		About: "have the callbacks of SDKAppID " + t.Account() + " sent to " + callback + " (in effect after 2 minutes)",
		Data:  map[string]string{"before": before, "now": now.URL},
		Call:  t.put(now.URL, tencentConfig{callback, t.commands}),
	}
	switch {
	case mine != nil && before == mine.Data["before"]:
		ch.Data["commands"] = mine.Data["commands"]
	case before != "" && len(now.Commands) == 0:
		return nil, &Refusal{Text: "Tencent does not say which commands go to " + quote(before) + ", so that they could not be put back", Hint: "delete that URL in the console: Live > Configuration > Live Webhook"}
	case before != "":
		ch.Data["commands"] = strings.Join(now.Commands, " ")
	}
	return append(plan, ch), nil
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

// put is the call that sets to, where the URL is now.
func (t *tencentApp) put(now string, to tencentConfig) Call {
	cmd := "update_callback"
	if now == "" {
		cmd = "set_callback"
	}
	return t.call(cmd, to)
}

// planToken returns what is to be done so that webhooks are signed. A token
// that is there is never replaced: it could not be put back after a crash, as no
// secret is written down.
func (t *tencentApp) planToken(ctx context.Context, done []Change) ([]Change, error) {
	mine := changeOf(done, tencentTokenKey)
	if t.token == "" && !t.s.Has("fetch-secret") || t.taken && (mine == nil || mine.State == Done) {
		return nil, nil
	}
	now, err := t.getToken(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case t.token == "" && now.Token != "":
		t.token = now.Token
	case t.token == "":
		t.token = rand.Text()
	case now.Token != "" && now.Token != t.token:
		return nil, &Refusal{
			Text: "SDKAppID " + t.Account() + " has another token, which could not be put back after a crash, as devhook writes no secrets down",
			Hint: "give devhook up that token, in TENCENT_LIVE_TOKEN, or have it asked for with --fetch-secret; or delete it in the console",
		}
	}
	t.c.Hidden["token"] = t.token
	if now.Enabled && now.Token == t.token {
		t.take()
		return nil, nil
	}
	return []Change{{
		Key: tencentTokenKey, About: "have the callbacks of SDKAppID " + t.Account() + " signed",
		Data: map[string]string{"token": fingerprint(t.token)}, Call: t.enable(true),
	}}, nil
}

// enable is the call that switches signing on or off.
func (t *tencentApp) enable(on bool) Call {
	return t.call("set_callback_token", map[string]any{"Token": "{token}", "IsTokenEnable": on})
}

// fingerprint tells a token from others. What it tells of the token is what any
// webhook tells that was signed with it, and is recorded.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte("devhook " + token))
	return hex.EncodeToString(sum[:8])
}

// take hands the token over, once, if it is not the user's own.
func (t *tencentApp) take() {
	if !t.taken && t.s.Has("fetch-secret") {
		t.s.TakeSecret(verify.NewSecret(t.token))
	}
	t.taken = true
}

func (t *tencentApp) Apply(ctx context.Context, ch *Change, _ []Change) error {
	if ch.Key == tencentTokenKey {
		err := t.do(ctx, t.enable(true), nil) // once more does no harm
		if err == nil {
			t.take()
		}
		return err
	}
	now := ch.Data["now"]
	delete(ch.Data, "now")
	if ch.Again {
		is, err := t.get(ctx)
		if err != nil {
			return err
		}
		now = is.URL
	}
	return t.do(ctx, t.put(now, tencentConfig{ch.URL, t.commands}), nil)
}

func (t *tencentApp) Revert(ctx context.Context, ch Change) (Undo, error) {
	if ch.Key == tencentTokenKey {
		return t.revertToken(ctx, ch)
	}
	now, err := t.get(ctx)
	if err != nil {
		return Undo{}, err
	}
	if undo := t.s.release(ch, now.URL); undo.Result != "" {
		return undo, nil
	}
	call := t.call("delete_callback", struct{}{})
	if before := ch.Data["before"]; before != "" {
		call = t.put(now.URL, tencentConfig{before, strings.Fields(ch.Data["commands"])})
	}
	return Undo{Result: Reverted}, t.do(ctx, call, nil)
}

// revertToken switches signing off. There is no call that deletes a token.
func (t *tencentApp) revertToken(ctx context.Context, ch Change) (Undo, error) {
	now, err := t.getToken(ctx)
	switch {
	case err != nil:
		return Undo{}, err
	case !now.Enabled:
		return Undo{Result: Gone}, nil
	case fingerprint(now.Token) != ch.Data["token"]:
		return Undo{Left, "it is another token by now"}, nil
	}
	t.c.Hidden["token"] = now.Token
	return Undo{Result: Reverted}, t.do(ctx, t.enable(false), nil)
}
