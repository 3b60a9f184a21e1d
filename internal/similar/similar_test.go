package similar

import (
	"slices"
	"strings"
	"testing"
)

var known = []string{"provider", "event", "status", "path", "github", "stripe"}

func TestTypo(t *testing.T) {
	for word, want := range map[string]string{
		"provder": "provider", "stauts": "status", "strpe": "stripe", "Github": "", "GITHUP": "github",
		"prov": "provider", "x": "", "": "", "completely": "", strings.Repeat("a", 1000): "",
	} {
		if got := Typo(word, known); got != want {
			t.Errorf("Typo(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	if got := Names("strpe", known, 2); !slices.Equal(got, []string{"stripe", "status"}) {
		t.Errorf("got %v", got)
	}
	if got := Names(strings.Repeat("b", 1<<20), nil, 3); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestNear(t *testing.T) {
	if got := Near("strpe", []string{"mailchimp", "stripes", "stripe", "zoom"}, 3); !slices.Equal(got, []string{"stripe", "stripes"}) {
		t.Errorf("got %v", got)
	}
	if got := Near("qqqqq", known, 3); len(got) != 1 {
		t.Errorf("nothing is near, and one is told of: got %v", got)
	}
	if got := Near("", nil, 3); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
