package main

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"devhook/internal/attack"
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

// A report has what is wrong with what to do about it, and what was not sent.
func TestAttackReport(t *testing.T) {
	var b strings.Builder
	err := reportJUnit(&b, "suite", checkedVariants("suite", []attack.Result{
		{Variant: attack.Variants[0], Answers: []attack.Answer{{Status: 200, Took: time.Second}}},
		{Variant: attack.Variants[1], Answers: []attack.Answer{{Status: 200}}, Fault: "fails-open", Detail: "answered 200 <&>"},
		{Variant: attack.Variants[2], Skipped: "why"},
	}))
	for _, want := range []string{
		`tests="3" failures="1" errors="0" skipped="1" time="1.000000"`, `message="lets through what has no signature: answered 200 &lt;&amp;&gt;"`, `<skipped message="why">`,
	} {
		if err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v: no %s in %s", err, want, &b)
		}
	}
}
