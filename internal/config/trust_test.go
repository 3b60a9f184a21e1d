package config

import (
	"errors"
	"strings"
	"testing"
)

// Without a place to remember what is trusted, the hint names the variable that this
// system has it from.
func TestNoPlaceForTrust(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "APPDATA"} {
		t.Setenv(name, "")
	}
	_, err := UserTrust()
	var bad *Error
	if !errors.As(err, &bad) {
		t.Fatalf("got %v, want an *Error", err)
	}
	name := strings.TrimPrefix(bad.Hint, "set ")
	if name == bad.Hint || !strings.Contains(strings.ToUpper(bad.Text), name) {
		t.Errorf("%s: %s", bad.Text, bad.Hint)
	}
	t.Setenv(name, t.TempDir())
	if _, err := UserTrust(); err != nil {
		t.Errorf("after %s: %v", bad.Hint, err)
	}
}
