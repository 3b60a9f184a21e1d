package replay

import (
	"bytes"
	"fmt"
	"strings"

	"devhook/recorder"
)

// An Expectation is what the answer to a webhook should be. The zero value
// expects nothing.
type Expectation struct {
	text     string
	same     bool
	statuses []string // three characters each; x is any digit
}

// ParseExpectation reads 200, 2xx, several of these with commas between them,
// or same: the status and the body of the recorded response.
func ParseExpectation(text string) (Expectation, error) {
	e := Expectation{text: text, same: text == "same"}
	if e.same {
		return e, nil
	}
	for s := range strings.SplitSeq(text, ",") {
		s = strings.ToLower(strings.TrimSpace(s))
		if len(s) != 3 || s[0] < '1' || s[0] > '5' || !isDigitOrX(s[1]) || !isDigitOrX(s[2]) {
			return Expectation{}, bad("write a status (200), a class (2xx), several (200,404), or same", "%q is not a status", s)
		}
		e.statuses = append(e.statuses, s)
	}
	return e, nil
}

// Compares reports whether Check looks at what the source was answered.
func (e Expectation) Compares() bool { return e.same }

func isDigitOrX(c byte) bool { return '0' <= c && c <= '9' || c == 'x' }

// Check returns "" if what sent became is as expected, and else what is
// different, in a few words. source is what sent was made of.
func (e Expectation) Check(sent, source *recorder.Exchange) string {
	if e.text == "" {
		return ""
	}
	if sent.Outcome != recorder.Answered || sent.Response == nil {
		if sent.Detail != "" {
			return fmt.Sprintf("expected %s, and the app did not answer: %s", e.text, sent.Detail)
		}
		return fmt.Sprintf("expected %s, and the app did not answer", e.text)
	}
	got := sent.Response
	if !e.same {
		status := fmt.Sprint(got.Status)
		for _, want := range e.statuses {
			if matches(status, want) {
				return ""
			}
		}
		return fmt.Sprintf("expected %s, got %s", e.text, status)
	}
	was := source.Response
	switch {
	case was == nil:
		return "expected the same response, and none was recorded"
	case was.Status != got.Status:
		return fmt.Sprintf("expected the same response: status %d was %d", got.Status, was.Status)
	case was.Truncated || got.Truncated:
		return "expected the same response, and not all of its body was kept"
	case was.Size != got.Size || was.Body.Sum != got.Body.Sum || !bytes.Equal(was.Body.Bytes, got.Body.Bytes):
		return fmt.Sprintf("expected the same response: its body of %d bytes differs from that of %d", got.Size, was.Size)
	}
	return ""
}

func matches(status, want string) bool {
	if len(status) != 3 {
		return false
	}
	for i := range 3 {
		if want[i] != 'x' && want[i] != status[i] {
			return false
		}
	}
	return true
}
