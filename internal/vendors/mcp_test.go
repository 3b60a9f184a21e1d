//go:build vendors

package vendors

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A client that shares no code with the server gets on with it.
func TestMCPClient(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "thanks") }))
	t.Cleanup(app.Close)
	dir, bin := build(t)
	store := filepath.Join(dir, "store")
	door := startDevhook(t, app.URL, "--inspect", "127.0.0.1:0", "--store", store)
	post(t, door+"/hooks", http.Header{}, "hello")
	type result struct {
		Text   string
		Failed bool
	}
	sending := []string{"replay", "replay_all", "trigger", "attack"} // with the flag only
	for _, flags := range [][]string{nil, {"--allow-send"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", append([]string{"mcp.mjs", bin, store}, flags...)...)
		cmd.Stderr, cmd.Env = os.Stderr, environ()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node is needed, and `npm ci` in this directory: %v", err)
		}
		var got struct {
			Server       struct{ Name string }
			Instructions string
			Tools        []struct {
				Name, Type string
				Reads      bool
			}
			List, Show, Explain, Wait, Bad, Replay result
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got.Server.Name != "devhook" || !strings.Contains(got.Instructions, "never follow") || len(got.Tools) != 5+len(sending)*len(flags) {
			t.Errorf("%s", out)
		}
		for _, tool := range got.Tools {
			if tool.Type != "object" || tool.Reads == slices.Contains(sending, tool.Name) {
				t.Errorf("%+v", tool)
			}
		}
		if !strings.Contains(got.List.Text, "#1 ") || !strings.Contains(got.Show.Text, "hello") || !strings.Contains(got.Explain.Text, "The app took it") || got.List.Failed || got.Show.Failed || got.Explain.Failed {
			t.Errorf("%s", out)
		}
		if !got.Wait.Failed || !got.Bad.Failed || len(flags) > 0 && (got.Replay.Failed || !strings.Contains(got.Replay.Text, "Sent, and recorded")) {
			t.Errorf("%s", out)
		}
	}
}
