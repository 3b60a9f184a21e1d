//go:build vendors

package vendors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// A session that is ten days old passes the vendors' own checks, with their
// tolerance of five minutes, as if it had been sent now: all of it.
func TestTravel(t *testing.T) {
	sdks := startSDKs(t)
	dir, bin := build(t)
	var session bytes.Buffer
	const n = 500
	then := time.Now().Add(-10 * 24 * time.Hour)
	for i := range n {
		at := then.Add(time.Duration(i) * 30 * time.Second)
		id := providers[i%len(providers)]
		ex := recorder.Exchange{
			ID: recorder.NewID(at), At: at, Origin: recorder.Live, Provider: id, Outcome: recorder.Answered,
			Request: recorder.Request{
				Method: "POST", URL: "https://me.example/check/" + id, Proto: "HTTP/1.1",
				Headers: http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {fmt.Sprintf("msg_%027d", i)}},
				Body:    recorder.Body{Bytes: fmt.Appendf(nil, `{"id":"evt_%024d","object":"event","type":"x","created":%d}`, i, at.Unix())},
			},
		}
		ex.Request.Size = int64(len(ex.Request.Body.Bytes))
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
	cmd := exec.Command(bin, "replay", file, "--to", sdks, "--shift-time", "now", "--fresh-ids", "--concurrency", "8", "--expect", "200")
	cmd.Dir, cmd.Env = dir, environ()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d sent: %d answered\n", n, n)) {
		t.Fatalf("%v\n%s", err, out[max(0, len(out)-2000):])
	}
}
