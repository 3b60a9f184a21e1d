package config

import (
	"strings"
	"testing"

	"devhook/verify"
)

// What is configured anywhere is known, without a word about what cannot be had.
func TestKnownSecrets(t *testing.T) {
	env := map[string]string{"GITHUB_WEBHOOK_SECRET": "of-github", "NGROK_AUTHTOKEN": "of-ngrok", "TOKEN": "of-tuniform"}
	c, err := Load(Source{
		Dir: t.TempDir(), Getenv: func(name string) string { return env[name] },
		Flag: func(name string) []string {
			switch name {
			case "secret":
				return []string{"tiktok=of-tiktok", "stripe=env:NOT_SET", "slack=-", "tuniform=env:TOKEN"}
			case "source":
				return []string{"tuniform"}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := "of-github of-ngrok of-tuniform of-tiktok others"
	hidden := verify.Hider(c.KnownSecrets(func(name string) string { return env[name] })...)(text)
	if strings.Contains(hidden, "of-") || !strings.HasSuffix(hidden, " others") {
		t.Errorf("got %s", hidden)
	}
}
