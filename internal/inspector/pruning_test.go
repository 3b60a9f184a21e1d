package inspector

import (
	"fmt"
	"testing"
	"time"

	"devhook/recorder"
)

// What is chosen goes, or is counted in a dry run; what is pinned stays.
func TestPrune(t *testing.T) {
	b := newBench(t)
	old := time.Now().Add(-48 * time.Hour)
	for _, ex := range []recorder.Exchange{{Event: "a", At: old}, {Event: "b"}, {Event: "a"}, {Event: "a"}} {
		b.record(ex, recorder.Response{})
	}
	b.must(200, "PUT", "/devhook/v1/exchanges/4/pin", "")
	prune := func(body string) string {
		t.Helper()
		v := b.must(200, "POST", "/devhook/v1/prune", body).json(t)
		return fmt.Sprint(v["exchanges"], v["pinned"], v["dry_run"])
	}
	for _, step := range []struct{ body, want, left string }{
		{`{"filter":"event:a","dry_run":true}`, "2 1 true", "[4 3 2 1]"},
		{`{"max_size":"1gb"}`, "0 <nil> <nil>", "[4 3 2 1]"},
		{`{"filter":"event:a","older_than":"1d"}`, "1 <nil> <nil>", "[4 3 2]"},
		{`{"older_than":"1h","dry_run":true}`, "0 <nil> true", "[4 3 2]"},
		{`{}`, "0 <nil> <nil>", "[4 3 2]"},
		{`{"filter":"path:*"}`, "2 1 <nil>", "[4]"},
	} {
		if got := prune(step.body); got != step.want || b.list() != step.left {
			t.Errorf("%s: %s and %s are left, want %s and %s", step.body, got, b.list(), step.want, step.left)
		}
	}
	for _, body := range []string{
		"", `{"filter":""}`, `{"filter":" "}`, `{"filter":"status:x"}`, `{"older_than":"soon"}`, `{"older_than":"0d"}`, `{"max_size":"0"}`, `{"max_size":"big"}`, `{"all":true}`,
	} {
		b.must(400, "POST", "/devhook/v1/prune", body)
	}
	if got := b.list(); got != "[4]" {
		t.Errorf("%s are left", got)
	}
}
