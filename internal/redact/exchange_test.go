package redact_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"devhook/internal/redact"
	"devhook/recorder"
	"devhook/verify"
)

const secret = `s3cr"et/of a test`

func shared() recorder.Exchange {
	body := `{"id":"evt_1","note":"it is s3cr\"et\/of a test","access_token":"tok123456","user":{"email":"ann@corp.io","id":"user-4711"}}`
	return recorder.Exchange{
		Provider: "github", Event: "push", DeliveryID: "d-1",
		Target:  "http://127.0.0.1:3000/h?token=tok123456&u=user-4711",
		Detail:  "refused with s3cr\"et/of a test",
		Changes: []string{"header Authorization: Bearer abcdef123456", "set a=1"},
		Request: recorder.Request{
			Method: "POST", URL: "https://x.example/h?token=tok123456&u=user-4711&s=" + "s3cr%22et%2Fof+a+test",
			Headers: http.Header{
				"Authorization": {"Bearer abc"}, "Cookie": {"sid=1"}, "X-Api-Key": {"k"}, "X-Hub-Signature-256": {"sha256=aa"},
				"Content-Type": {"application/json"}, "X-Note": {secret}, "X-Forwarded-For": {"9.8.7.6"},
			},
			Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body)), Remote: "9.8.7.6:1",
		},
		Response: &recorder.Response{
			Status: 200, Headers: http.Header{"Set-Cookie": {"sid=2"}, "Content-Length": {"19"}},
			Body: recorder.Body{Bytes: []byte("\x00" + secret + "\xff")}, Size: 19,
		},
		App: &recorder.Response{Status: 500, Body: recorder.Body{Bytes: []byte("password=hunter22")}, Size: 17},
	}
}

// All that a redacted exchange consists of, as text.
func whole(ex recorder.Exchange) string {
	text := fmt.Sprint(ex.Target, ex.Detail, ex.Changes, ex.Request.URL, ex.Request.Headers, string(ex.Request.Body.Bytes), ex.Request.Remote)
	for _, r := range []*recorder.Response{ex.Response, ex.App} {
		text += fmt.Sprint(r.Headers, string(r.Body.Bytes))
	}
	return text
}

func TestCredentialsOfExchange(t *testing.T) {
	ex, changed := redact.Credentials(verify.NewSecret(secret)).Exchange(shared())
	text := whole(ex)
	for _, gone := range []string{"Authorization:[", "Bearer abc", "Cookie", "X-Api-Key", "tok123456", "s3cr", "abcdef123456", "hunter22"} {
		if strings.Contains(text, gone) {
			t.Errorf("%q is there: %s", gone, text)
		}
	}
	for _, there := range []string{"sha256=aa", "ann@corp.io", "user-4711", "9.8.7.6", "set a=1", `"id":"evt_1"`} {
		if !strings.Contains(text, there) {
			t.Errorf("%q is gone: %s", there, text)
		}
	}
	if n := int64(len(ex.Response.Body.Bytes)); n != ex.Response.Size || ex.Response.Headers.Get("Content-Length") != fmt.Sprint(n) {
		t.Errorf("the response has %d bytes, and says %d and %v", n, ex.Response.Size, ex.Response.Headers)
	}
	for _, place := range []string{"header Authorization", "query token", "body access_token", "response header Set-Cookie", "response body secret", "target query token", "changes", "detail"} {
		if !strings.Contains(strings.Join(changed, ", "), place) {
			t.Errorf("%q is not told: %q", place, changed)
		}
	}
	if before := shared(); whole(before) == text || len(before.Request.Headers["Cookie"]) != 1 {
		t.Error("the exchange that was given has changed")
	}
}

// Personal data is replaced by the same everywhere, credentials as without it.
func TestExchange(t *testing.T) {
	ex, _ := redact.New([]byte("key"), verify.NewSecret(secret)).Exchange(shared())
	text := whole(ex)
	for _, gone := range []string{"ann@corp.io", "user-4711", "9.8.7.6", "tok123456", "s3cr", "Cookie"} {
		if strings.Contains(text, gone) {
			t.Errorf("%q is there: %s", gone, text)
		}
	}
	_, id, _ := strings.Cut(ex.Target, "u=")
	if !strings.Contains(ex.Request.URL, "u="+id) || !strings.Contains(string(ex.Request.Body.Bytes), `"id":"`+id+`"`) {
		t.Errorf("the id is not the same everywhere: %s", text)
	}
	again, _ := redact.New([]byte("key"), verify.NewSecret(secret)).Exchange(shared())
	if whole(again) != text {
		t.Error("another time it is other")
	}
}
