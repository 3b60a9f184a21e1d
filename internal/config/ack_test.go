package config

import (
	"fmt"
	"testing"
	"time"
)

func TestAck(t *testing.T) {
	for text, want := range map[string]string{
		"now":                              `[* now "" <nil>]`,
		"{deadline: 1500ms, then: reject}": `[* 1.5s "reject" <nil>]`,
		"{then: discard}":                  `[* 0s "discard" <nil>]`,
		"{deadline: 2s}":                   `[* 2s "" <nil>]`,
		"{then: {status: 202}}":            `[* 0s "" 202  ]`,
		"{deadline: 1s, commands: {A: reject, B: {deadline: 0s}}}":          `[A 1s "reject" <nil>] [B now "" <nil>] [* 1s "" <nil>]`,
		"{commands: {'*.Before*': {deadline: 2s, then: {body: '{}'}}}}":     `[*.Before* 2s "" 200 application/json {}]`,
		"{deadline: 1s, then: {status: 204, type: text/plain, body: gone}}": `[* 1s "" 204 text/plain gone]`,
	} {
		s := setup{yaml: "verify: report\nroutes: [{path: /a, provider: tencent-live, ack: " + text + "}]\n"}
		c, err := s.load(t)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		for _, r := range c.routes[0].ack.rules() {
			after := "0s"
			if r.deadline != nil {
				if after = r.deadline.String(); *r.deadline == 0 {
					after = "now"
				}
			}
			answer := "<nil>"
			if r.answer != nil {
				answer = fmt.Sprintf("%d %s %s", r.answer.Status, r.answer.Header.Get("Content-Type"), r.answer.Body)
			}
			got += fmt.Sprintf(" [%s %s %q %s]", r.event, after, r.name, answer)
		}
		if got[1:] != want {
			t.Errorf("%s:\n%s, want\n%s", text, got[1:], want)
		}
	}

	c, err := setup{yaml: "verify: report\nroutes: [{path: /a, ack: {deadline: 1s, then: {body: ok, type: text/plain}, commands: {A: reject, B: {deadline: 0s}}}}, {path: /b, ack: off}]\n"}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"ack A: after 1s reject; B: after 0s 200 ok; *: after 1s 200 ok", "ack off"} {
		if got := c.routes[i].String(); got != want {
			t.Errorf("shown as %q, want %q", got, want)
		}
	}

	rt, err := setup{yaml: "verify: report\nroutes: [{path: /a, ack: {deadline: 1s, commands: {A: {deadline: 0s}}}}, {path: /b, ack: off}, {path: /c}]\n"}.routes(t)
	if err != nil {
		t.Fatal(err)
	}
	a := rt.List[0].Ack
	if len(a.Rules) != 2 || !a.Rules[0].Now || !a.Rules[0].Event("A") || a.Rules[0].Event("AB") || a.Rules[1].Now || a.Rules[1].After != time.Second || !a.Rules[1].Event("") {
		t.Errorf("%+v", a)
	}
	if !rt.List[1].Ack.Off || rt.List[2].Ack != nil {
		t.Errorf("%+v, %+v", rt.List[1].Ack, rt.List[2].Ack)
	}
}

func TestAckMistakes(t *testing.T) {
	for text, want := range map[string][2]string{
		"soon":                                  {`routes[0].ack: "soon" is none of now, off`, "write now, off, or as in"},
		"{}":                                    {"routes[0].ack: has no deadline", "write now"},
		"{deadline: soon}":                      {"routes[0].ack.deadline: must be a time like 5m", ""},
		"{deadline: 1s, than: allow}":           {"routes[0].ack.than: unknown field", "write then:"},
		"{then: alow}":                          {`there is no answer "alow" (known: ack, allow, discard, reject)`, "write allow"},
		"{commands: {A: {then: rejct}}}":        {`there is no answer "rejct"`, "write reject"},
		"{then: {body: '{'}}":                   {"routes[0].ack.then: the body is not JSON", "give the JSON in quotes"},
		"{then: {status: 99}}":                  {"routes[0].ack.then.status", ""},
		"{then: {type: \"a\\r\\nb\", body: x}}": {"routes[0].ack.then.type", ""},
	} {
		_, err := setup{yaml: "verify: report\nroutes: [{path: /a, ack: " + text + "}]\n"}.load(t)
		refused(t, err, want[0], want[1])
	}
}
