package main

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A command that tells of effects ends with the attack, also what it has started.
func TestEffectsCommandEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	if got, err := command(t.Context(), "echo 3 | cat"); strings.TrimSpace(got) != "3" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := command(ctx, "sleep 60 | cat"); err == nil {
		t.Error("it ended well")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
