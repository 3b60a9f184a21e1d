package main

import (
	"context"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"devhook/internal/attack"
	"devhook/recorder"
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
	for line, want := range map[string]string{
		"yes": "yes: it prints more than 65536 bytes", "echo why >&2; exit 3": "why (exit status 3)", "exit 3": "exit 3: exit status 3", "sleep 60": "sleep 60: it has not ended after ",
	} {
		ctx := t.Context()
		if line == "sleep 60" {
			var cancel func()
			ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
		}
		if _, err := command(ctx, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if got, err := command(t.Context(), "sleep 60 & echo 5"); got != "5\n" || err != nil {
		t.Errorf("what is left in the background: %q, %v", got, err)
	}
}

// Where a finding is said to be is at the app, whatever the path of the recording is.
func TestHandlerOf(t *testing.T) {
	app := &url.URL{Scheme: "http", Host: "127.0.0.1:3000", Path: "/base/"}
	for _, tt := range []struct{ recorded, want string }{
		{"https://me.example/hooks?a=1", "http://127.0.0.1:3000/base/hooks"},
		{"https://me.example//other.example/x", "http://127.0.0.1:3000/base//other.example/x"},
		{"https://me.example/%zz", "http://127.0.0.1:3000/base/"},
	} {
		if got := handlerOf(app, &recorder.Exchange{Request: recorder.Request{URL: tt.recorded}}); got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.recorded, got, tt.want)
		}
	}
	if got := handlerOf(&url.URL{Scheme: "http", Host: "app"}, &recorder.Exchange{Request: recorder.Request{URL: "https://me.example//other/x"}}); got.Host != "app" {
		t.Errorf("another host: %s", got)
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
		`tests="3" failures="1" errors="0" skipped="1" time="1.000">`, `<failure type="failure" message="lets through what has no signature: answered 200 &lt;&amp;&gt;"`, `<skipped message="why">`,
	} {
		if err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v: no %s in %s", err, want, &b)
		}
	}
}
