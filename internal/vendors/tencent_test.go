//go:build vendors

package vendors

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestTencent has the emulator accept what Tencent's own generator signs, and
// the generator sign what devhook register has signed.
func TestTencent(t *testing.T) {
	const key = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	t.Setenv("TENCENT_SDK_SECRET_KEY", key)
	dir, bin := build(t)
	node := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("node", append([]string{"tencent.mjs"}, args...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node (needs npm ci): %v", err)
		}
		return strings.TrimSpace(string(out))
	}
	api, _ := started(t, dir, bin, "api", "emulate", "tencent", "--listen", "127.0.0.1:0", "--ready-file", "api")
	for _, c := range []struct{ key, app, name, want string }{
		{key, "1400000000", "administrator", `"ErrorCode":0,`},
		{"another", "1400000000", "administrator", `"ErrorCode":70009,`},
		{key, "1400000001", "administrator", `"ErrorCode":70014,`},
		{key, "1400000000", "eve", `"ErrorCode":70013,`},
	} {
		q := url.Values{"sdkappid": {"1400000000"}, "identifier": {"administrator"}, "usersig": {node("sig", c.key, c.app, c.name)}, "random": {"1"}, "contenttype": {"json"}}
		resp, err := http.Post(api+"/v4/live_config/get_callback?"+q.Encode(), "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(text), c.want) {
			t.Errorf("%v: %s", c, text)
		}
	}

	sigs := make(chan string, 10)
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sigs <- r.URL.Query().Get("usersig")
		io.WriteString(w, `{"ErrorCode":0,"ErrorInfo":"","ActionStatus":"OK","RequestId":"x"}`)
	}))
	defer own.Close()
	cmd := exec.Command(bin, "register", "tencent", "--api-url", own.URL, "--sdk-app-id", "1400000000", "--admin", "the admin", "--url", "https://x.example", "--dry-run")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sig := <-sigs
	if got := node("check", key, "1400000000", sig); got != "the admin" {
		t.Errorf("got %q", got)
	}
	if got := node("check", "another", "1400000000", sig); got == "the admin" {
		t.Error("another key signs the same")
	}
}
