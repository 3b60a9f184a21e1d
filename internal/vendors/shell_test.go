//go:build vendors

package vendors

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A shell of which a script can ask what it would offer, offers what devhook knows.
func TestFishCompletes(t *testing.T) {
	if out, err := exec.Command("../../.ci/need", "fish", "fish").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir, _ := build(t)
	for line, want := range map[string]string{
		"devhook repl": "replay\tsend recordings again, changed and signed anew", "devhook list verdict:inv": "verdict:invalid",
		"devhook replay --sign ": "always\nauto\nnever", "devhook replay --sign=al": "--sign=always", "devhook trigger tiktok/video.publish.comp": "tiktok/video.publish.completed\tcreate_time and the id in content are filled in",
	} {
		cmd := exec.Command("fish", "-c", "devhook completion fish | source; complete -C $LINE")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LINE="+line, "HOME="+dir)
		if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q: %q (%v), want %q", line, out, err, want)
		}
	}
}
