package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/recorder"
)

// A session of 500 that is ten days old passes an app with a tolerance of five
// minutes, which is written here after Stripe's documentation and has nothing of
// devhook's own: all of it, with the intervals and the references that it had.
func TestTimeTravel(t *testing.T) {
	t.Parallel()
	const n, secret = 500, "whsec_travel"
	const gap = 20 * time.Second
	type event struct {
		ID      string `json:"id"`
		Created int64  `json:"created"`
		Data    struct {
			Previous string `json:"previous"`
			EndsAt   string `json:"ends_at"`
			Amount   int64  `json:"amount"`
			UserID   int64  `json:"user_id"`
		} `json:"data"`
	}
	var mu sync.Mutex
	var got []event
	var wrong []string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var at, signature string
		for part := range strings.SplitSeq(r.Header.Get("Stripe-Signature"), ",") {
			k, v, _ := strings.Cut(part, "=")
			switch k {
			case "t":
				at = v
			case "v1":
				signature = v
			}
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(at + "." + string(body)))
		seconds, _ := strconv.ParseInt(at, 10, 64)
		var e event
		err := json.Unmarshal(body, &e)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil || hex.EncodeToString(mac.Sum(nil)) != signature:
			wrong = append(wrong, "not signed: "+string(body))
		case time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute:
			wrong = append(wrong, "too old: "+at)
		default:
			got = append(got, e)
			return
		}
		w.WriteHeader(400)
	}))
	defer app.Close()

	dir := t.TempDir()
	then := time.Now().Add(-10 * 24 * time.Hour).Truncate(time.Second)
	amount, user := then.Unix()+7, then.Unix()+9 // that look like times, and are none
	var session bytes.Buffer
	for i := range n {
		at := then.Add(time.Duration(i) * gap)
		ex := recorder.Exchange{
			ID: recorder.NewID(at), At: at.Add(250 * time.Millisecond), Origin: recorder.Live, Provider: "stripe", Outcome: recorder.Answered,
			Request: recorder.Request{
				Method: "POST", URL: "https://me.example/hooks", Proto: "HTTP/1.1", Headers: http.Header{"Stripe-Signature": {"t=1,v1=00"}},
				Body: recorder.Body{Bytes: fmt.Appendf(nil, `{"id":"evt_%024d","object":"event","created":%d,"data":{"previous":"evt_%024d","ends_at":%q,"amount":%d,"user_id":%d}}`,
					i, at.Unix(), max(0, i-1), at.Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"), amount, user)},
			},
		}
		line, err := json.Marshal(&ex)
		if err != nil {
			t.Fatal(err)
		}
		session.Write(append(line, '\n'))
	}
	file := filepath.Join(dir, "session.json")
	if err := os.WriteFile(file, session.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	env := map[string]string{"DEVHOOK_STORE": filepath.Join(dir, recorder.Dir), "STRIPE_WEBHOOK_SECRET": secret}
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return env[name] }}
	if code := p.run([]string{"devhook", "replay", file, "--to", app.URL, "--shift-time", "now", "--fresh-ids", "--seed", "3", "--expect", "2xx"}); code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs.String())
	}
	if len(got) != n || len(wrong) > 0 {
		t.Fatalf("%d of %d were accepted; %q", len(got), n, wrong[:min(3, len(wrong))])
	}
	seen := map[string]bool{}
	for i, e := range got {
		created := time.Unix(e.Created, 0)
		ends, err := time.Parse(time.RFC3339, e.Data.EndsAt)
		if i > 0 && (e.Data.Previous != got[i-1].ID || created.Sub(time.Unix(got[i-1].Created, 0)) != gap) {
			t.Fatalf("%d: %+v follows %+v", i, e, got[i-1])
		}
		if err != nil || ends.Sub(created) != time.Hour || e.Data.Amount != amount || e.Data.UserID != user {
			t.Fatalf("%d: %+v", i, e)
		}
		if seen[e.ID] || strings.HasPrefix(e.ID, "evt_00000000000") || len(e.ID) != 28 {
			t.Fatalf("%d: the id is %s", i, e.ID)
		}
		seen[e.ID] = true
	}
	if last := time.Since(time.Unix(got[n-1].Created, 0)); last < -2*time.Second || last > 5*time.Minute {
		t.Errorf("the newest is %v old", last)
	}
}
