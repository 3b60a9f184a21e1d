package inspector

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// The next failure is the nearest of all that the list calls so, in both directions, and
// under any filter.
func TestFailures(t *testing.T) {
	b := newBench(t)
	verdicts := []verify.Status{verify.Valid, verify.Invalid, verify.Unsigned, verify.Unverified, verify.Skipped}
	outcomes := []recorder.Outcome{recorder.Answered, recorder.Handled, recorder.Refused, recorder.Unrouted, recorder.Unreachable}
	statuses := []int{200, 302, 404, 503, 999}
	var all []*recorder.Exchange
	for n := range 125 {
		ex := recorder.Exchange{
			Origin: recorder.Live, Event: fmt.Sprint("even-", n%2 == 0), Outcome: recorder.Pending, Verdict: verify.Verdict{Status: verdicts[n/5%5]},
			Request: recorder.Request{Method: "POST", URL: "http://127.0.0.1:1/hooks"},
		}
		res := recorder.Result{Outcome: outcomes[n%5], Response: &recorder.Response{Status: statuses[n/25]}}
		if n%7 > 0 { // else too many fail
			res.Outcome, ex.Verdict.Status = recorder.Answered, verify.Valid
		}
		if n%11 > 0 {
			res.Response.Status = 200
		}
		if n%3 == 0 { // what the sender got stands in for it, so it is no failure
			res.App = &recorder.Response{Status: 500}
		}
		if err := b.store.Append(t.Context(), &ex); err != nil {
			t.Fatal(err)
		}
		if err := b.store.Finish(t.Context(), ex.ID, res); err != nil {
			t.Fatal(err)
		}
		stored, err := b.store.Get(string(ex.ID))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stored)
	}
	asked := 0
	for _, filter := range []string{"", "event:even-true", "status:500..599 event:even-false"} {
		f, err := recorder.ParseFilter(time.Now(), filter)
		if err != nil {
			t.Fatal(err)
		}
		failing := []uint64{0}
		for _, ex := range all {
			if ok, _ := f.Match(b.store, ex); ok && isFailure(ex) {
				failing = append(failing, ex.Seq)
			}
		}
		query := "/page/failure?filter=" + url.QueryEscape(filter)
		for seq := uint64(1); seq <= uint64(len(all))+1; seq += 3 {
			at, _ := slices.BinarySearch(failing, seq)
			older, newer := failing[at-1], uint64(0)
			if i, same := slices.BinarySearch(failing, seq); same && i+1 < len(failing) {
				newer = failing[i+1]
			} else if !same && i < len(failing) {
				newer = failing[i]
			}
			for way, want := range map[string]uint64{"before": older, "after": newer} {
				if got := b.page(fmt.Sprintf("%s&%s=%d", query, way, seq)).json(t)["seq"]; got != float64(want) {
					t.Errorf("%q, %s %d: %v, want %d of %v", filter, way, seq, got, want, failing)
				}
				asked++
			}
		}
		if last := failing[len(failing)-1]; b.page(query + "&before=").json(t)["seq"] != float64(last) {
			t.Errorf("%q: the newest is not %d", filter, last)
		}
	}
	if asked < 200 {
		t.Errorf("only %d were asked for", asked)
	}
	copied := recorder.Exchange{Origin: recorder.Mirror, Outcome: recorder.Unreachable, Request: recorder.Request{Method: "POST", URL: "http://127.0.0.1:1/hooks"}}
	if err := b.store.Append(t.Context(), &copied); err != nil { // a copy for a further app, which lists leave out
		t.Fatal(err)
	}
	newest := ""
	for _, ex := range slices.Backward(all) {
		if isFailure(ex) && strings.Count(newest, "#") < failuresShown {
			newest += fmt.Sprintf("#%d ", ex.Seq)
		}
	}
	if got := strings.Join(regexp.MustCompile(`#\d+`).FindAllString(string(b.page("/page/failures").body), -1), " ") + " "; got != newest {
		t.Errorf("the newest failures are %s, want %s", got, newest)
	}
	if r := b.page("/page/failure?filter=stauts:5"); r.status != 400 {
		t.Errorf("a wrong filter: %d", r.status)
	}
}

// The chart goes on where the rows end.
func TestPoints(t *testing.T) {
	b := newBench(t)
	for n := range 9 {
		b.record(recorder.Exchange{}, recorder.Response{Status: 200 + n})
	}
	for query, want := range map[string]int{"": 9, "?before=4": 3, "?before=4&limit=2": 2, "?filter=status:203": 1, "?filter=status:203&before=4": 0} {
		if got := b.page("/page/points" + query).json(t)["points"].([]any); len(got) != want {
			t.Errorf("%s: %d points, want %d", query, len(got), want)
		}
	}
	if r := b.page("/page/points?limit=2001"); r.status != 400 {
		t.Errorf("too many: %d", r.status)
	}
}
