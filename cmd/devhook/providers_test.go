package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"devhook/verify"
)

const (
	tableStart = "<!-- the table is written by make golden -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// docs/providers.md lists every provider that is built in.
func TestProvidersDoc(t *testing.T) {
	const path = "../../docs/providers.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableStart)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("docs/providers.md has no table")
	}
	want := before + tableStart + providerTable() + tableEnd + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("docs/providers.md does not list what is built in: run make golden")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func providerTable() string {
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	var b strings.Builder
	b.WriteString("| id | provider | how it signs | confirmed by |\n|---|---|---|---|\n")
	for _, p := range verify.Providers() {
		names := "`" + p.ID + "`"
		for _, a := range p.Aliases {
			names += ", `" + a + "`"
		}
		fmt.Fprintf(&b, "| %s | [%s](%s) | %s | %s |\n", names, cell.Replace(p.Name), p.Docs, cell.Replace(p.Summary), confidence(p))
	}
	return b.String()
}

// confidence is the best that is known of how p signs.
func confidence(p verify.Provider) string {
	for _, level := range []string{"high", "medium", "low"} {
		for _, s := range p.Sources {
			if s.Confidence != level {
				continue
			}
			switch level {
			case "high":
				return "its own documentation or code"
			case "medium":
				return "others who receive it"
			}
			return "assumption"
		}
	}
	return ""
}
