package verify

import (
	"strings"
	"testing"
)

// What --check does with a description is tried on all that are known to be
// right.
func TestTrials(t *testing.T) {
	t.Parallel()
	for _, p := range append(Providers(), featureProviders(t)...) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			held := 0
			for _, trial := range p.Trials(someTime) {
				if trial.Fault != "" {
					t.Errorf("%s: %s", trial.Law, trial.Fault)
				}
				if trial.Fault == "" && trial.Skipped == "" {
					held++
				}
				if strings.HasPrefix(trial.Skipped, "no message") {
					t.Error(trial.Skipped)
				}
			}
			if held < 3 {
				t.Errorf("only %d laws could be tried", held)
			}
		})
	}
}

func TestParseVectors(t *testing.T) {
	for src, want := range map[string]string{
		`[`: "", `{}`: "cannot unmarshal object", `[{"nmae":"x"}]`: `unknown field "nmae"`, `[{"status":"valid"}]`: "vector 1 has no name",
		`[{"name":"x","status":"vald"}]`: `vector "x": status "vald" is none of`, `[{"name":"x","status":"valid","url":":"}]`: "its url is none",
	} {
		if _, err := ParseVectors([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", src, err, want)
		}
	}
}
