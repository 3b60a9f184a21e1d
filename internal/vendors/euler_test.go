//go:build vendors

package vendors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// started starts the program at dir and waits until the file ready says where it
// is. stop interrupts it and waits for its end.
func started(t *testing.T, dir, bin, ready string, args ...string) (at string, stop func()) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Env, cmd.Dir = append(environ(), "EULER_API_KEY=key-0123456789"), dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if !ended {
			ended = true
			cmd.Process.Signal(os.Interrupt)
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, ready)); err == nil {
			_, host, _ := strings.Cut(strings.TrimSpace(string(text)), "://")
			return "http://" + host, stop
		}
	}
	t.Fatalf("%v did not get ready:\n%s", args, errs.String())
	return "", nil
}

type eulerAnswer struct {
	Code    int
	Message string
	Account struct {
		Secret string `json:"webhook_secret"`
	}
	Alert   struct{ ID int64 }
	Creator struct {
		State string `json:"state_label"`
	}
	Target      struct{ ID int64 }
	Status      int
	StatusLabel string
	HasMore     bool
	Alerts      []struct {
		ID       int64
		Username string `json:"alert_creator_username"`
	}
	Targets []struct {
		URL      string
		Metadata map[string]string
	}
}

// TestEuler has Euler's own SDK speak to the emulator, whose test alert a running
// devhook verifies; and what devhook register makes there is what the SDK sees.
func TestEuler(t *testing.T) {
	dir, bin := build(t)
	api, _ := started(t, dir, bin, "api", "emulate", "euler", "--listen", "127.0.0.1:0", "--silent", "--key", "env:EULER_API_KEY", "--page-size", "1", "--max-alerts", "2", "--ready-file", "api")
	store := filepath.Join(dir, "store")
	up, _ := started(t, dir, bin, "up", "up", "--tunnel", "local", "--listen", "127.0.0.1:0", "--inspect", "off", "--store", store, "--output", "quiet", "--ready-file", "up")
	as := func(key, group, method string, args ...any) eulerAnswer {
		t.Helper()
		words := []string{"euler.mjs", api, key, group, method}
		for _, a := range args {
			text, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, string(text))
		}
		cmd := exec.Command("node", words...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		var a eulerAnswer
		if err == nil {
			err = json.Unmarshal(out, &a)
		}
		if err != nil {
			t.Fatalf("node %v (needs npm ci): %v\n%s", words, err, out)
		}
		return a
	}
	sdk := func(group, method string, args ...any) eulerAnswer {
		t.Helper()
		return as("key-0123456789", group, method, args...)
	}

	if a := as("wrong", "alerts", "listAlerts", 4242); a.Code != 401 || a.Message == "" {
		t.Errorf("with a wrong key: %+v", a)
	}
	if a := sdk("alerts", "listAlerts", 4243); a.Code != 403 {
		t.Errorf("another account: %+v", a)
	}
	if a := sdk("accounts", "retrieveAccountSelf"); a.Code != 200 || a.Account.Secret != secrets["EULER_WEBHOOK_SECRET"] {
		t.Errorf("the account: %+v", a)
	}
	alert := sdk("alerts", "createAlert", 4242, map[string]string{"unique_id": "own"}).Alert.ID
	if a := sdk("alerts", "retrieveAlert", 4242, alert); a.Code != 200 || a.Alert.ID != alert || a.Creator.State != "live" {
		t.Errorf("the alert: %+v", a)
	}
	target := sdk("alertTargets", "createAlertTarget", 4242, alert, map[string]any{"url": up + "/hooks", "metadata": map[string]string{"own": "1"}}).Target.ID
	if a := sdk("alertTargets", "testAlertTarget", 4242, alert, target); a.Code != 200 || a.Status != 1 || a.StatusLabel != "OK" {
		t.Errorf("the test: %+v", a)
	}
	if got := verdicts(t, store); !slices.Equal(got, []string{"euler live valid"}) {
		t.Errorf("recorded: %v", got)
	}

	// devhook register, as the SDK sees it.
	cmd := exec.Command(bin, "register", "euler", "--api-url", api, "--account", "4242", "--creator", "@own", "--creator", "made", "--store", store)
	cmd.Env, cmd.Dir = append(environ(), "EULER_API_KEY=key-0123456789"), dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var said []byte
	for buf := make([]byte, 1024); !bytes.Contains(said, []byte("Ctrl-C takes it back")); {
		n, err := out.Read(buf)
		if said = append(said, buf[:n]...); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
	}
	var names []string
	var made int64
	for page := 0; ; page++ {
		a := sdk("alerts", "listAlerts", 4242, page)
		for _, one := range a.Alerts {
			names, made = append(names, one.Username), one.ID
		}
		if !a.HasMore {
			break
		}
	}
	if !slices.Equal(names, []string{"own", "made"}) {
		t.Errorf("alerts: %v", names)
	}
	for _, id := range []int64{alert, made} {
		a := sdk("alertTargets", "listAlertTargets", 4242, id)
		if last := a.Targets[len(a.Targets)-1]; last.URL != up || len(last.Metadata) != 1 || last.Metadata["devhook"] == "" {
			t.Errorf("targets of %d: %+v", id, a.Targets)
		}
	}
	if a := sdk("alerts", "createAlert", 4242, map[string]string{"unique_id": "third"}); a.Code != 403 {
		t.Errorf("more than the plan allows: %+v", a)
	}
	cmd.Process.Signal(os.Interrupt)
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if a := sdk("alerts", "listAlerts", 4242, 1); len(a.Alerts) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the alert that devhook made is still there")
		}
	}
	if a := sdk("alertTargets", "listAlertTargets", 4242, alert); len(a.Targets) != 1 || a.Targets[0].Metadata["own"] != "1" {
		t.Errorf("what was there before: %+v", a.Targets)
	}
	if a := sdk("alertTargets", "deleteAlertTarget", 4242, alert, target); a.Code != 200 {
		t.Errorf("delete the target: %+v", a)
	}
	if a := sdk("alertTargets", "deleteAlertTarget", 4242, alert, target); a.Code != 404 {
		t.Errorf("delete it again: %+v", a)
	}
	if a := sdk("alerts", "deleteAlert", 4242, alert); a.Code != 200 {
		t.Errorf("delete the alert: %+v", a)
	}
}

func verdicts(t *testing.T, dir string) []string {
	t.Helper()
	store, err := recorder.Open(dir, recorder.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var all []string
	for ex, err := range store.Query(recorder.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(ex.Provider, " ", ex.Event, " ", ex.Verdict.Status))
	}
	return all
}
