package verify

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestSecretIsNotPrinted(t *testing.T) {
	const text = "sesame-5f3a"
	s := NewSecret(text)
	s.key(keyForm{kind: schemeHMAC, algorithm: "sha256"}) // what it remembers is not printed, either
	type holder struct {
		S  Secret
		s  Secret
		ps *Secret
		in any
	}
	h := holder{s, s, &s, s}
	var said strings.Builder
	for _, v := range []any{s, &s, h, &h, []Secret{s}, map[string]Secret{"a": s}, Keys{Secrets: []Secret{s}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t"} {
			fmt.Fprintf(&said, verb+"\n", v)
		}
		if out, err := json.Marshal(v); err == nil {
			said.Write(out)
		}
		slog.New(slog.NewTextHandler(&said, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&said, nil)).Info("x", "v", v)
	}
	for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), "115 101 115"} {
		if strings.Contains(said.String(), form) {
			t.Errorf("the secret is printed as %s", form)
		}
	}
	if fmt.Sprint(s) != "[secret]" {
		t.Errorf("got %v", s)
	}
}

func TestAge(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"}, {1500 * time.Millisecond, "1s"}, {45 * time.Second, "45s"}, {time.Minute, "1m"}, {5 * time.Minute, "5m"},
		{11*time.Minute + 42*time.Second, "11m42s"}, {time.Hour, "1h"}, {3*time.Hour + 5*time.Minute + time.Second, "3h5m"},
		{24 * time.Hour, "1d"}, {100 * time.Hour, "4d4h"}, {365 * 24 * time.Hour, "1y"}, {unlimited, "292y"},
	}
	for _, tt := range tests {
		if got := age(tt.d); got != tt.want {
			t.Errorf("age(%v) = %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestQuoteIsShortASCII(t *testing.T) {
	for _, s := range []string{"", "é\x1b[31m\u202e", strings.Repeat("é", 1000), "\xff\xfe", strings.Repeat("\x00", 1000)} {
		got := quote(s)
		if len(got) > 4*40+10 || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("quote(%q) = %s", s, got)
		}
	}
}
