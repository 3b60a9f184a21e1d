package replay

import (
	"errors"
	"strings"
	"testing"
	"time"

	"devhook/internal/yamlx"
	"devhook/recorder"
)

func TestCases(t *testing.T) {
	list, err := ParseCases([]byte("cases:\n  - send: a/b\n  - name: two\n    send: ./x.http\n    changes: [set a=1, {unset: b}]\n    expect: 404\n    contains: 5\n    within: 2s\n    times: 3\n    sign: never\n    at: -10m\n"))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	two := list[1]
	if list[0].Line != 2 || list[0].Times != 1 || two.Name != "two" || two.Line != 3 || len(two.Changes) != 2 || two.Contains != "5" || two.Within != 2*time.Second || two.Times != 3 || two.Sign != SignNever || two.At != "-10m" {
		t.Errorf("%+v", list)
	}
	answer := func(status int, took time.Duration) *recorder.Exchange {
		return &recorder.Exchange{Outcome: recorder.Answered, Response: &recorder.Response{Status: status, Took: took}}
	}
	for _, tt := range []struct {
		c    Case
		ex   *recorder.Exchange
		body string
		want string
	}{
		{list[0], answer(204, 0), "", ""},
		{list[0], answer(404, 0), "", "expected 2xx, got 404"},
		{list[0], &recorder.Exchange{Outcome: recorder.Unreachable}, "", "did not answer"},
		{two, answer(404, time.Second), "a 5", ""},
		{two, answer(404, time.Second), "", `expected "5" in the answer`},
		{two, answer(404, 3*time.Second), "5", "within 2s, and it took 3s"},
	} {
		if got := tt.c.Check(tt.ex, &recorder.Exchange{}, []byte(tt.body)); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	for src, want := range map[string]string{
		"":                                "there is no case",
		"cases: []":                       "there is no case",
		"name: x":                         "1:1: a case needs send",
		"- send: a/b":                     "must be a mapping",
		"cases:\n- send: a/b\n  times: 0": "3:10: cases[0].times: must be a whole number",
		"send: a/b\nexpect: ok":           `2:9: expect: "ok" is not a status`,
		"send: a/b\nsign: maybe":          "2:7: sign:",
		"send: a/b\nchanges: [sett a=1]":  "2:11: changes[0]: unknown change",
		"send: a/b\nwithin: soon":         "must be a time",
		"cases: [{send: a/b}]\nname: x":   "2:1: name: unknown field",
	} {
		var at *yamlx.Error
		if _, err := ParseCases([]byte(src)); !errors.As(err, &at) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
}
