package verify

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Promise 14 of ngrok's guide: the time of a signature is within an acceptable
// range, both ways. devhook says which: five minutes, to the second.
func TestPromise14(t *testing.T) {
	p, _ := Lookup("tiktok")
	k := Keys{Secrets: []Secret{NewSecret("s")}}
	now := time.Unix(1_800_000_000, 0)
	for age, want := range map[time.Duration]Reason{
		0: "", 5 * time.Minute: "", -5 * time.Minute: "",
		5*time.Minute + time.Second: Stale, -5*time.Minute - time.Second: Future,
		11 * time.Minute: Stale, -time.Hour: Future,
	} {
		m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: []byte(`{"event":"e"}`)}
		if err := p.Scheme.Sign(&m, k, SignOptions{}, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		if v := p.Scheme.Verify(m, k, now); v.Reason != want || (v.Status == Valid) != (want == "") {
			t.Errorf("%v old: %+v, want %q", age, v, want)
		}
	}
}
