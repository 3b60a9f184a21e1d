package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/jsonx"
	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/verify"
)

var redactor = redact.New([]byte("a key of tests"))

func request(body string, headers ...string) recorder.Request {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return recorder.Request{Method: "POST", URL: "https://x.example/hook", Headers: h, Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body))}
}

// found gives the text of the scalar at path.
func found(t *testing.T, body []byte, path string) string {
	t.Helper()
	p, err := jsonx.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonx.Find(body, p)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	text, _ := jsonx.Text(v.Raw)
	return text
}

// Each fixture is after it was redacted what it was before: recognised, with
// its event and delivery id, JSON of the same names.
func TestFixtures(t *testing.T) {
	secrets := map[string]string{}
	for _, f := range fixtures.All() {
		name := f.Provider + "/" + f.Name
		now := time.Unix(1_800_000_000, 0)
		f, err := f.Fill(now, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, signs := verify.Lookup(f.Provider) // the events of streams are not signed
		before := message(t, f.Exchange.Request)
		redactor := redactor.Of(p)
		req, changed := redactor.Request(f.Exchange.Request)
		after := message(t, req)
		if got := p.Event(after); got != p.Event(before) || signs && got != f.Exchange.Event {
			t.Errorf("%s: the event is %q, want %q\n%s", name, got, f.Exchange.Event, req.Body.Bytes)
		}
		got, want := p.DeliveryID(after), p.DeliveryID(before)
		if strings.HasPrefix(name, "docusign/recipient") { // recipientId, which is of somebody: another of that shape
			if got == want || len(got) != len(want) {
				t.Errorf("%s: the delivery id is %q, want one like %q", name, got, want)
			}
		} else if got != want {
			t.Errorf("%s: the delivery id is %q, want %q", name, got, want)
		}
		if jsonx.Valid(before.Body) != jsonx.Valid(after.Body) {
			t.Errorf("%s: no JSON any more: %s", name, req.Body.Bytes)
		}
		if got, want := skeleton(t, after.Body), skeleton(t, before.Body); got != want {
			t.Errorf("%s: became\n%s\nwant\n%s", name, got, want)
		}
		again, _ := redactor.Request(f.Exchange.Request)
		if !bytes.Equal(again.Body.Bytes, req.Body.Bytes) || again.URL != req.URL {
			t.Errorf("%s: another time it is other", name)
		}
		t.Logf("%s: %s", name, strings.Join(changed, ", "))

		if signs {
			k := verify.Keys{With: map[string]string{}}
			for _, need := range p.Needs {
				k.With[need.Name] = "k"
			}
			text, err := secrets[p.ID], error(nil) // a pair takes its time
			if text == "" {
				if text, _, err = p.NewKeyPair(); err != nil {
					text, err = p.SecretText([]byte("a secret of 24 letters  "))
				}
				secrets[p.ID] = text
			}
			if err != nil {
				t.Fatal(err)
			}
			k.Secrets = []verify.Secret{verify.NewSecret(text)}
			if err := p.Scheme.Sign(&after, k, verify.SignOptions{}, now); err != nil {
				t.Errorf("%s: sign: %v", name, err)
			}
		}
		if signs && !slices.ContainsFunc(verify.Detect(after), func(d verify.Provider) bool { return d.ID == p.ID }) {
			t.Errorf("%s: not recognised", name)
		}
		for _, who := range []string{"octocat", "monalisa", "brennanli", "tv_asahi_news", "UserID_001", "ada@example.com", "Ada Example", "U0RPDJQWR6E", "act.example12345"} {
			if bytes.Contains(after.Body, []byte(`"`+who+`"`)) || strings.Contains(after.URL.String(), who) {
				t.Errorf("%s: has %s: %s", name, who, after.Body)
			}
		}
	}
}

// who is what the samples have of people: names, streets, telephone numbers.
var who = regexp.MustCompile(`\b(Ada|Bo|Lovelace|Octocat)\b|Example Street|Berlin, DE|\b1555\d{7}\b|\+1?555|/(profiles?|users)/(ada|bo)\b`)

// Of the people in the samples nothing is left, but for what somebody has written.
func TestNobody(t *testing.T) {
	written := []string{"slack/app_home_opened", "typeform/form_response.answers"} // "Welcome, *Ada*", and the answer to a question
	seen := 0
	for _, f := range fixtures.All() {
		f, err := f.Fill(time.Unix(1_800_000_000, 0), 1)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := verify.Lookup(f.Provider)
		text := func(req recorder.Request) string {
			return fmt.Sprintln(req.URL, req.Headers, strings.NewReplacer("+", " ", "%2B", "+", "%20", " ").Replace(string(req.Body.Bytes)))
		}
		if who.MatchString(text(f.Exchange.Request)) {
			seen++
		}
		name := f.Provider + "/" + f.Name
		clean, _ := redactor.Of(p).Request(f.Exchange.Request)
		if left := who.FindAllString(text(clean), -1); left != nil && !slices.Contains(written, name) {
			t.Errorf("%s: has %q: %s", name, left, clean.Body.Bytes)
		}
	}
	if seen < 100 {
		t.Errorf("only %d samples have somebody", seen)
	}
}

// A name in full is replaced wherever it stands, in the same way, also one of two parts, one
// before an address and one that is known only by what comes after it; so is one in a script
// of which no word of a protocol is, and a number of an account or a machine.
func TestFullNames(t *testing.T) {
	for body, want := range map[string]string{
		`{"title":"Bo Example: call","user":{"display_name":"Bo Example"}}`:             `^{"title":"(\w\w \w{7}): call","user":{"display_name":"(\w\w \w{7})"}}$`,
		`{"t":"of Ada Example","by":{"firstName":"Ada","lastName":"Example"}}`:          `^{"t":"of (\w{3} \w{7})","by":{"firstName":"\w{3}","lastName":"\w{7}"}}$`,
		`{"t":"for Ada Example","of":[{"name":"Ada Example","email":"ada@a.example"}]}`: `^{"t":"for (\w{3} \w{7})","of":\[{"name":"(\w{3} \w{7})","email":"\w{3}@example.com"}\]}$`,
		`{"to":"Ada <ada@a.example>, \"Bo\" <bo@a.example>"}`:                           `^{"to":"\w{3} <\w{3}@example.com>, \\"\w{2}\\" <\w{2}@example.com>"}$`,
		`{"t":"Bo Examples","user":{"display_name":"Bo Example"}}`:                      `^{"t":"Bo Examples",`,
		`{"t":"says Ada Example","agent":{"id":"P1","summary":"Ada Example"}}`:          `^{"t":"says (\w{3} \w{7})","agent":{"id":"\w\d","summary":"(\w{3} \w{7})"}}$`,
		`{"t":"テレ朝ニュースが参加","nickname":"テレ朝ニュース"}`:                                       `^{"t":"([^テ"]+)が参加","nickname":"([^テ"]+)"}$`,
		`{"t":"of DE89370400440532013000.","iban":"DE89370400440532013000"}`:            `^{"t":"of (\w{2}\d{20})\.","iban":"(\w{2}\d{20})"}$`,
		`{"t":"from 203.0.113.9","ip":"203.0.113.9"}`:                                   `^{"t":"from (192\.0\.2\.\d+)","ip":"(192\.0\.2\.\d+)"}$`,
		`{"t":"cc @adaexample","mentions":["adaexample"]}`:                              `^{"t":"cc @(\w{10})","mentions":\["(\w{10})"\]}$`,
		`{"t":"ok 1.2.3.4 open","nickname":"open","ip":"1.2.3.4"}`:                      `^{"t":"ok 1.2.3.4 open",`,
	} {
		clean, _ := redactor.Request(request(body))
		got := string(clean.Body.Bytes)
		found := regexp.MustCompile(want).FindStringSubmatch(got)
		if found == nil || len(found) == 3 && found[1] != found[2] || strings.Contains(got, "Ada") {
			t.Errorf("%s: became %s", body, got)
		}
	}
}

// JSON in base64, as in what Gmail has Pub/Sub push, is entered, and else stays as it is spelled.
func TestPacked(t *testing.T) {
	const plain = "eyJoaXN0b3J5\\nSWQiOjEyMzQ1Nn0=" // {"historyId":123456}, with a line end
	data := base64.StdEncoding.EncodeToString([]byte(`{"emailAddress":"ada.x@a.example","historyId":1}`))
	clean, changed := redactor.Request(request(`{"t":"by ada.x@a.example","data":"` + data + `","other":"` + plain + `"}`))
	var got struct{ T, Data, Other string }
	if err := json.Unmarshal(clean.Body.Bytes, &got); err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(got.Data)
	if want := `{"emailAddress":"` + strings.TrimPrefix(got.T, "by ") + `","historyId":1}`; err != nil || string(b) != want || strings.Contains(want, "ada") {
		t.Errorf("%v: got %s, want %s", err, b, want)
	}
	if !strings.Contains(string(clean.Body.Bytes), plain) || !slices.Contains(changed, "body emailAddress") {
		t.Errorf("%s; changed %q", clean.Body.Bytes, changed)
	}
}

// An address that is the name of a member becomes the one that it becomes elsewhere.
func TestNamesThatAreAddresses(t *testing.T) {
	inside := `{"ada.x@a.example" : {}}`
	clean, changed := redactor.Request(request(`{"by":"ada.x@a.example","ada.x@a.example":1,"@type":"x","s":` + strconv.Quote(inside) + `}`))
	var got map[string]any
	if err := json.Unmarshal(clean.Body.Bytes, &got); err != nil {
		t.Fatal(err)
	}
	by, _ := got["by"].(string)
	if got[by] != 1.0 || got["s"] != strings.ReplaceAll(inside, "ada.x@a.example", by) || got["@type"] != "x" || strings.Contains(by, "ada") {
		t.Errorf("%s", clean.Body.Bytes)
	}
	if !slices.Contains(changed, "body name") {
		t.Errorf("changed %q", changed)
	}
}

// A delivery is named by what its provider says, and only that stays: what is the id of
// somebody by its name is replaced, whatever it is for.
func TestOf(t *testing.T) {
	p, err := verify.ParseProvider([]byte(`
id: acme
name: Acme
docs: https://acme.example
secret: {name: secret, at: somewhere}
scheme: hmac
algorithm: sha256
signature: {in: header, name: X-Acme, encoding: hex}
payload: "{body}"
delivery_id: "{body.uid}.{body.user_id}.{body.form.uid}"
`))
	if err != nil {
		t.Fatal(err)
	}
	req := recorder.Request{Method: "POST", URL: "https://x.example/", Body: recorder.Body{Bytes: []byte(`{"uid":"abcdef123","user_id":"user12345","form":{"uid":98765432},"member":{"uid":"ghijkl456"}}`)}}
	of, _ := redactor.Of(p).Request(req)
	for path, stays := range map[string]bool{"uid": true, "form.uid": true, "user_id": false, "member.uid": false} {
		if got, want := found(t, of.Body.Bytes, path), found(t, req.Body.Bytes, path); got == want != stays {
			t.Errorf("%s is %s, and was %s", path, got, want)
		}
	}
	other, _ := redactor.Request(req)
	if got := found(t, other.Body.Bytes, "uid"); got == "abcdef123" {
		t.Error("where no provider is known uid stays")
	}
}

func message(t *testing.T, req recorder.Request) verify.Message {
	t.Helper()
	u, err := url.Parse(req.URL)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Message{Method: req.Method, URL: u, Header: req.Headers.Clone(), Body: bytes.Clone(req.Body.Bytes)}
}

// skeleton gives the paths of a document with the kind of each value.
func skeleton(t *testing.T, doc []byte) string {
	t.Helper()
	var b strings.Builder
	_, _ = jsonx.Rewrite(doc, func(p jsonx.Path, raw []byte) []byte {
		fmt.Fprintf(&b, "%s %s\n", p, jsonx.KindOf(raw))
		return nil
	})
	return b.String()
}

func TestShape(t *testing.T) {
	req, changed := redactor.Request(request(`{"user":{"id":144115216631667826,"name":"Jörg Müller-Łoś 山田","email":"Jo.Mu+x@firm.test",
		"birthday":"1980-02-29","phone":"+49 171 5550100","avatar_url":"https://cdn.test/a/U777x/p%2Fq.webp?sig=abc","last_login_ip":"10.1.2.3"},
		"user_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","openid":"0","owner":null,"member":true,"password":1234.5,"ip":"::1","created_at":"2026-01-01T10:00:00Z"}`))
	body := req.Body.Bytes
	if !json.Valid(body) {
		t.Fatalf("not JSON: %s", body)
	}
	matches := func(path, pattern string) {
		t.Helper()
		if got := found(t, body, path); !fits(got, pattern) {
			t.Errorf("%s is %q, want the shape %q", path, got, pattern)
		}
	}
	matches("user.id", "199999999999999999")
	matches("user.name", "Aaaa Aaaaaa-?aa ??")
	matches("user.email", "Aa.Aa+a@example.com")
	matches("user.birthday", "1999-99-99")
	matches("user.phone", "+19 999 9999999")
	matches("user.last_login_ip", "192.0.2.*")
	matches("user_id", "????????-????-????-????-????????????")
	matches("openid", "=0")
	matches("password", "1000.0")
	matches("ip", "=::1")
	matches("created_at", "=2026-01-01T10:00:00Z")
	if got := found(t, body, "user.avatar_url"); !strings.HasPrefix(got, "https://cdn.test/") || !strings.Contains(got, "%2F") || !strings.Contains(got, ".webp?") || strings.Contains(got, "U777x") {
		t.Errorf("avatar_url is %s", got)
	}
	if b, err := time.Parse(time.DateOnly, found(t, body, "user.birthday")); err != nil {
		t.Errorf("birthday: %v, %v", b, err)
	}
	if strings.Trim(found(t, body, "user_id"), "0123456789abcdef-") != "" {
		t.Errorf("a UUID became %s", found(t, body, "user_id"))
	}
	for _, part := range []string{"Jörg", "Müller", "山田", "firm", "171", "10.1.2.3", "1234"} {
		if bytes.Contains(body, []byte(part)) {
			t.Errorf("%s is left in %s", part, body)
		}
	}
	want := "body id, body name, body email, body birthday, body phone, body avatar_url, body last_login_ip, body user_id, body password"
	if got := strings.Join(changed, ", "); got != want {
		t.Errorf("changed: %s\nwant     %s", got, want)
	}
	if req.Size != int64(len(body)) {
		t.Errorf("the size is %d, want %d", req.Size, len(body))
	}
}

// fits compares a text with a pattern: 9 and 1 are a digit, A and a letters,
// ? is anything, * the rest; after = the text itself stands.
func fits(text, pattern string) bool {
	if exact, ok := strings.CutPrefix(pattern, "="); ok {
		return text == exact
	}
	pattern, hasRest := strings.CutSuffix(pattern, "*")
	if at := strings.Index(pattern, "@"); at >= 0 || hasRest {
		if hasRest {
			return strings.HasPrefix(text, pattern)
		}
		return strings.HasSuffix(text, pattern[at:]) && fits(strings.TrimSuffix(text, pattern[at:]), pattern[:at])
	}
	rs, ps := []rune(text), []rune(pattern)
	return len(rs) == len(ps) && !slices.ContainsFunc(slices.Collect(maps.Keys(indexes(rs))), func(i int) bool {
		r := rs[i]
		switch ps[i] {
		case '?':
			return false
		case '1', '9':
			return r < '0' || r > '9' || ps[i] == '1' && r == '0'
		case '0':
			return r != '0'
		case 'a':
			return strings.ToUpper(string(r)) == string(r)
		case 'A':
			return strings.ToLower(string(r)) == string(r)
		}
		return r != ps[i]
	})
}

func indexes(rs []rune) map[int]bool {
	m := map[int]bool{}
	for i := range rs {
		m[i] = true
	}
	return m
}

// One id has one replacement: by name in the query, in a header, in a form, in
// JSON in strings; and as a word elsewhere.
func TestConsistent(t *testing.T) {
	const who = "user-7781x"
	req := request(`{"openid":"`+who+`","content":"{\"user\":{\"id\":\"`+who+`\"}}","share_url":"https://t.test/@`+who+`/video/1?openid=`+who+`","note":"`+who+`: hi"}`, "X-User-Id", who)
	req.URL = "https://x.example/hook/" + who + "?openid=" + who + "&a=1"
	got, _ := redactor.Request(req)
	one := found(t, got.Body.Bytes, "openid")
	all := got.URL + got.Headers.Get("X-User-Id") + string(got.Body.Bytes)
	if one == who || strings.Contains(all, who) || strings.Count(all, one) != 8 {
		t.Errorf("%s: %d times in\n%s", one, strings.Count(all, one), all)
	}
	if other, _ := redact.New([]byte("other")).Request(req); found(t, other.Body.Bytes, "openid") == one {
		t.Error("another key gives the same")
	}
}

func TestCredentials(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
	req := request(`{"type":"message","api_key":"k-123","max_tokens":500,"tokens":["abc"],"credentials":{"value":"x1"},"text":"use ghp_abcdefghijklmnopqrstuvwx12 and `+jwt+`.",
		"url":"https://bob:pw@h.test/p?access_token=abc123&x=1","hook":"https://hooks.slack.com/services/T0/B0/zzz","cmd":"Authorization: Bearer tok3n-abcdef"}`,
		"Authorization", "Bearer abc.DEF-123", "Cookie", "sid=a1; theme=dark", "X-Gitlab-Token", "gl!pat", "X-Hub-Signature-256", "sha256=abcdef", "X-Event-Type", "login:octocat")
	req.URL = "https://me:secret@x.example/hook?token=abc&Sign=ff00&event=x.y"
	got, changed := redactor.Request(req)
	if got.URL != "https://00:000000@x.example/hook?token=000&Sign=ff00&event=x.y" {
		t.Errorf("the URL is %s", got.URL)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer 000.000-000", "Cookie": "sid=00; theme=0000", "X-Gitlab-Token": "000000",
		"X-Hub-Signature-256": "sha256=abcdef", "X-Event-Type": "login:octocat", "Content-Type": "application/json",
	} {
		if v := got.Headers.Get(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	for path, want := range map[string]string{
		"type": "message", "api_key": "0-000", "max_tokens": "500", "tokens.0": "000", "credentials.value": "00",
		"text": "use 000_00000000000000000000000000 and " + strings.Repeat("0", 20) + "." + strings.Repeat("0", 15) + "." + strings.Repeat("0", 12) + ".",
		"url":  "https://000:00@h.test/p?access_token=000000&x=1", "hook": "https://hooks.slack.com/00000000/00/00/000", "cmd": "Authorization: Bearer 00000-000000",
	} {
		if v := found(t, got.Body.Bytes, path); v != want {
			t.Errorf("%s is %q, want %q", path, v, want)
		}
	}
	if changed[0] != "URL user" || changed[1] != "query token" || changed[2] != "header Authorization" {
		t.Errorf("changed: %q", changed)
	}
	if req.Headers.Get("Authorization") != "Bearer abc.DEF-123" || !bytes.Contains(req.Body.Bytes, []byte("k-123")) {
		t.Error("the original was written to")
	}
}

// A name is that of a person if an e-mail address or the like stands beside it.
func TestNames(t *testing.T) {
	got, changed := redactor.Request(request(`{"object":{"name":"Ada","email":null,"plan":{"name":"Pro"}},"name":"x.created","items":[{"name":"Hat"},{"phone":"","name":"Bob"}]}`))
	for path, keeps := range map[string]bool{"object.name": false, "object.plan.name": true, "name": true, "items.0.name": true, "items.1.name": false} {
		before := found(t, []byte(`{"object":{"name":"Ada","plan":{"name":"Pro"}},"name":"x.created","items":[{"name":"Hat"},{"name":"Bob"}]}`), path)
		if after := found(t, got.Body.Bytes, path); (after == before) != keeps {
			t.Errorf("%s: %q became %q", path, before, after)
		}
	}
	if len(changed) != 1 || changed[0] != "body name" {
		t.Errorf("changed: %q", changed)
	}
}

func TestAddresses(t *testing.T) {
	req := request("", "X-Forwarded-For", "203.0.113.9, 10.0.0.1:80", "Forwarded", `for="[2a00:1450::5]:4711";proto=https`, "Cf-Connecting-Ip", "2a00:1450::5", "X-Forwarded-Host", "1.2.3.4")
	req.Remote = "203.0.113.9:5123"
	got, changed := redactor.Request(req)
	first, _, _ := strings.Cut(got.Headers.Get("X-Forwarded-For"), ",")
	if !strings.HasPrefix(first, "192.0.2.") || got.Remote != first+":5123" || !strings.HasSuffix(got.Headers.Get("X-Forwarded-For"), ":80") {
		t.Errorf("%q, remote %s", got.Headers, got.Remote)
	}
	six := got.Headers.Get("Cf-Connecting-Ip")
	if !strings.HasPrefix(six, "2001:db8::") || got.Headers.Get("Forwarded") != `for="[`+six+`]:4711";proto=https` {
		t.Errorf("%q", got.Headers)
	}
	if got.Headers.Get("X-Forwarded-Host") != "1.2.3.4" || !slices.Contains(changed, "remote") {
		t.Errorf("%q, changed %q", got.Headers, changed)
	}
}

// What stands for a number of 64 bits fits into as many.
func TestLargeNumbers(t *testing.T) {
	for i := range 100 {
		id := fmt.Sprint(int64(math.MaxInt64) - int64(i))
		got, _ := redactor.Request(request(`{"user_id":` + id + `}`))
		var body struct {
			UserID int64 `json:"user_id"`
		}
		if err := json.Unmarshal(got.Body.Bytes, &body); err != nil || len(fmt.Sprint(body.UserID)) != len(id) || fmt.Sprint(body.UserID) == id {
			t.Errorf("%s became %s, %v", id, got.Body.Bytes, err)
		}
	}
}

func TestOtherBodies(t *testing.T) {
	tests := []struct{ name, kind, body, gone, want string }{
		{"a form", "application/x-www-form-urlencoded", "user_name=bob&team=x%20y&text=hi+there", "bob", "&team=x%20y&text=hi+there"},
		{"a form with brackets", "application/x-www-form-urlencoded", "user[name]=bob&room[name]=bob2", "[name]=bob&", "&room[name]=bob2"},
		{"JSON in a form", "application/x-www-form-urlencoded", "payload=" + url.QueryEscape(`{"action":"x","sender":{"login":"octo"}}`), "octo", "payload=%7B%22action%22%3A%22x%22%2C%22sender%22%3A%7B%22login%22%3A%22"},
		{"text", "text/plain", "from bob@firm.test. call +15550100000", "bob", "@example.com. call +"},
		{"an address that is escaped", "text/plain", "from bob%40firm.test", "bob", "%40example.com"},
		{"JSON that was cut off", "application/json", `{"user":{"email":"bob","nickname":"Bob the`, "ob", `{"user":{"email":"`},
		{"JSON in a string that was cut off", "application/json", `{"c":"{\"nickname\":\"Bob the\",\"x`, "Bob", `{"c":"{\"nickname\":\"`},
		{"a password in text", "text/plain", "password: hunter2, name: x", "hunter2", ", name: x"},
		{"no UTF-8", "text/plain", "\xff\xfe bob@firm.test", "bob", "\xff\xfe "},
		{"binary", "image/png", "\x89PNG\x00bob@firm.test", "nothing", "\x89PNG\x00bob@firm.test"},
		{"SSH addresses", "text/plain", "git@github.com:x/y.git", "nothing", "git@github.com:x/y.git"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := redactor.Request(request(tt.body, "Content-Type", tt.kind))
			if b := string(got.Body.Bytes); strings.Contains(b, tt.gone) || !strings.Contains(b, tt.want) {
				t.Errorf("got %q, want %q in it, and no %q", b, tt.want, tt.gone)
			}
		})
	}
}

// The time is in proportion to the length: what takes its square would take many
// minutes, and not one, which is enough for the slowest machine.
func TestHostileBodies(t *testing.T) {
	const n = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	for name, body := range map[string]string{
		"many at signs":    fill("@"),
		"many addresses":   fill("a@b.cd "),
		"half addresses":   fill("a@"),
		"one word":         fill("a"),
		"one separator":    fill("="),
		"pairs":            fill("token=x&"),
		"quotes":           fill(`"`),
		"URLs":             fill("://"),
		"plus":             fill("+1234567"),
		"dots":             fill("a."),
		"bytes":            fill("\xff\xfe@\xc3"),
		"names":            `[` + fill(`{"user_id":"abcdef","name":"x"},`) + "1]",
		"one long name":    `{"nickname":"` + fill("x") + `"}`,
		"deep":             strings.Repeat("[", 9999) + fill("1,") + "1" + strings.Repeat("]", 9999),
		"too deep":         fill("["),
		"names, no end":    fill(`{"email":"x",`),
		"a string of JSON": `{"c":"` + fill(`[`) + `"}`,
		"many known":       `{"user":"abc12","t":"` + fill("abc12.") + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, _ = redactor.Request(request(body))
			_, _ = redactor.Request(request(body[:n/50], "Content-Type", "application/x-www-form-urlencoded"))
			if took := time.Since(began); took > time.Minute {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func TestChangedIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "\"a%d_\\u001b_email\":\"x\",", i)
	}
	_, changed := redactor.Request(request("{" + b.String() + `"x":1}`))
	if len(changed) != 101 || changed[100] != "more" || strings.Contains(strings.Join(changed, ""), "\x1b") {
		t.Errorf("%d places: %q", len(changed), changed)
	}
}

// Law: what is JSON stays JSON with the same names and kinds.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"user":{"id":12,"name":"x","email":"a@b.cd"},"c":"{\"token\":-0.5e3}"}`), "a=b&token=%zz&email=a%40b.cd")
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		req := request(string(body))
		req.URL += "?" + query
		got, _ := redactor.Request(req)
		if jsonx.Valid(body) {
			if !jsonx.Valid(got.Body.Bytes) {
				t.Fatalf("%q became %q", body, got.Body.Bytes)
			}
			if a, b := skeleton(t, body), skeleton(t, got.Body.Bytes); a != b {
				t.Errorf("%q became %q", body, got.Body.Bytes)
			}
		}
		if _, err := url.Parse(req.URL); err == nil {
			if _, err := url.Parse(got.URL); err != nil {
				t.Errorf("%q became %q: %v", req.URL, got.URL, err)
			}
		}
		req.Headers.Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = redactor.Request(req)
	})
}

func ExampleRedactor_Request() {
	req := recorder.Request{
		URL:     "https://x.example/hook",
		Headers: http.Header{"Authorization": {"Bearer s3cr3t"}},
		Body:    recorder.Body{Bytes: []byte(`{"event":"user.created","api_key":"k_123"}`)},
	}
	req, changed := redact.New([]byte("key")).Request(req)
	fmt.Println(req.Headers.Get("Authorization"))
	fmt.Printf("%s\n", req.Body.Bytes)
	fmt.Println(strings.Join(changed, ", "))
	// Output:
	// Bearer 000000
	// {"event":"user.created","api_key":"0_000"}
	// header Authorization, body api_key
}
