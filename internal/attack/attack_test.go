package attack

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/internal/attack/testdata/handlers"
	"devhook/recorder"
	"devhook/verify"
)

// attacked attacks h, and returns what was found.
func attacked(t *testing.T, id string, h *handlers.Handler) ([]Result, []Finding) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	p, _ := verify.Lookup(id)
	f, ok := fixtures.Lookup(id, h.Sender.Fixture)
	if !ok {
		t.Fatalf("no fixture %s/%s", id, h.Sender.Fixture)
	}
	f, err := f.Fill(time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(h.Sender.Secret)}}
	a, err := New(p, Holding(p, keys), f.Exchange.Request, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	list := Variants
	if h.Fault == "too-slow" { // the provider's patience, in little
		h.Sender.Patience, a.provider.Retry.Timeout = 20*time.Millisecond, 20*time.Millisecond
	}
	if h.Fault != "" && h.Fault != "no-answer" { // the one that it takes 2 MB to see
		list = slices.DeleteFunc(slices.Clone(Variants), func(v Variant) bool { return v.Name == "body-huge" })
	}
	if h.Fault == "race" || h.Fault == "too-slow" { // takes its time for each
		list = slices.DeleteFunc(slices.Clone(Variants), func(v Variant) bool { return v.Name != "control" && v.Name != "twice-at-once" })
	}
	results, err := a.Run(t.Context(), Target{Now: time.Now, Effects: func(context.Context) (int, error) { return h.Effects(), nil }, Pause: 2 * time.Millisecond, Send: func(ctx context.Context, v Variant, req recorder.Request) (Answer, error) {
		if h.Fault == "unsigned-body" { // as one that signs something else than the body would
			for _, p := range a.places {
				if v.Name == "control" || strings.HasPrefix(v.Name, "body-") {
					h.Know(p.word(&req))
				}
			}
		}
		_, target := recorder.SplitURL(req.URL)
		out, err := http.NewRequestWithContext(ctx, req.Method, server.URL+target, bytes.NewReader(req.Body.Bytes))
		if err != nil {
			return Answer{}, err
		}
		out.Header = req.Headers
		began := time.Now()
		resp, err := http.DefaultClient.Do(out)
		if err != nil {
			return Answer{Detail: err.Error()}, nil
		}
		resp.Body.Close()
		return Answer{Status: resp.StatusCode, Took: time.Since(began)}, nil
	}}, list, func(Result) {})
	if err != nil {
		t.Fatal(err)
	}
	return results, Findings(results)
}

// A right handler of each provider has no finding, and most variants were sent.
func TestRightHandler(t *testing.T) {
	for id, s := range handlers.Senders {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			results, findings := attacked(t, id, handlers.New(s, ""))
			for _, f := range findings {
				t.Errorf("%s, by %v: %s", f.Fault.ID, f.Variants, f.Detail)
			}
			sent := 0
			for _, r := range results {
				if r.Skipped == "" {
					sent++
				} else {
					t.Logf("%s: %s", r.Variant.Name, r.Skipped)
				}
			}
			if sent < 38 {
				t.Errorf("only %d variants were sent", sent)
			}
		})
	}
}

// Each fault is found in the handlers of all providers whose scheme lets them
// have it, and only there.
func TestFaults(t *testing.T) {
	ofTime := []string{"tiktok", "stripe", "standard-webhooks", "tencent-live"}
	ofBody := []string{"tiktok", "stripe", "github", "standard-webhooks", "euler"}
	everywhere := append([]string{"tencent-live"}, ofBody...)
	for fault, ids := range map[string][]string{
		"no-answer": everywhere, "unchecked-signature": everywhere, "fails-open": everywhere, "accepts-empty-signature": everywhere,
		"compares-prefix": everywhere, "ignores-case": {"standard-webhooks"}, "unsigned-body": ofBody, "parsed-json": ofBody, "trims-body": ofBody, "empty-body": ofBody,
		"decoded-text": ofBody, "no-tolerance": ofTime, "acts-first": everywhere, "crash-signature": everywhere, "crash-event": everywhere,
		"crash-fields": everywhere, "crash-body": everywhere, "not-idempotent": everywhere, "race": everywhere, "unsigned-time": ofTime, "other-scheme": everywhere, "too-slow": everywhere,
		"passes-errors": {"github", "tiktok"}, "empty-secret": {"github"}, "unsigned-token": {"monday"}, "keeps-forged": {"github", "stripe"}, "answers-first": {"github", "stripe"},
		"compares-prefix but the first": ofBody, "compares-prefix but the last": ofBody, "passes-errors unlike": {"tiktok", "stripe"}, "fails-open by type": ofBody,
		"parsed-json too": ofBody, "other-scheme without a secret": {"tiktok", "stripe"},
	} {
		for _, id := range ids {
			t.Run(fault+"/"+id, func(t *testing.T) {
				t.Parallel()
				_, findings := attacked(t, id, handlers.New(handlers.Senders[id], fault))
				var ids []string
				for _, f := range findings {
					ids = append(ids, f.Fault.ID)
				}
				if fault, kind, _ := strings.Cut(fault, " "); !slices.Contains(ids, fault) || kind != "" && len(ids) > 1 {
					t.Errorf("found is %v", ids)
				}
			})
		}
	}
}

// Who takes any spelling in ASCII and refuses what is not decodes, and does not parse.
func TestDecodedIsNotParsed(t *testing.T) {
	s := handlers.Senders["stripe"]
	s.Fixture = "invoice.paid" // which is not ASCII
	_, findings := attacked(t, "stripe", handlers.New(s, "decoded-text latin1"))
	if len(findings) != 1 || findings[0].Fault.ID != "decoded-text" {
		t.Errorf("found is %v", findings)
	}
}

// Every fault that a variant tells is known, each variant has a name of its own,
// and every fault can be told.
func TestFaultsAreKnown(t *testing.T) {
	told, names := map[string]bool{"no-answer": true, "crash": true, "acts-first": true, "too-slow": true, answersFirst: true}, map[string]bool{}
	for _, v := range Variants {
		if names[v.Name] {
			t.Errorf("%s is there twice", v.Name)
		}
		names[v.Name] = true
		for _, id := range []string{v.accepted, v.refused, v.crashed} {
			told[id] = true
			if id != "" && FaultOf(id).Fix == "" {
				t.Errorf("%s tells %s, which is not known", v.Name, id)
			}
		}
		if (v.Want == Refuse || v.Want == Once) && v.accepted == "" || (v.Want == Accept || v.Want == Once) && v.refused == "" {
			t.Errorf("%s can go wrong without a fault", v.Name)
		}
	}
	for _, f := range faults {
		if !told[f.ID] {
			t.Errorf("nothing tells %s", f.ID)
		}
	}
}

// A report is what its format says.
func TestReport(t *testing.T) {
	results := []Result{
		{Variant: Variants[0], Answers: []Answer{{Status: 200, Took: time.Second}}},
		{Variant: Variants[1], Answers: []Answer{{Status: 200}}, Fault: "fails-open", Detail: "answered 200 <&>"},
		{Variant: Variants[2], Skipped: "why"},
	}
	var b bytes.Buffer
	if err := WriteSARIF(&b, "1", &url.URL{Scheme: "http", Host: "127.0.0.1:3000", Path: "/x"}, Findings(results), ""); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Results []struct{ RuleID, Level string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil || log.Version != "2.1.0" || len(log.Runs[0].Results) != 1 || log.Runs[0].Results[0].RuleID != "fails-open" {
		t.Errorf("%v: %s", err, b.Bytes())
	}
}

// The variants of all providers that can sign can be made.
func TestEveryProvider(t *testing.T) {
	tried := map[string]int{}
	for _, f := range fixtures.All() {
		p, ok := verify.Lookup(f.Provider)
		if tried[f.Provider]++; !ok || tried[f.Provider] > 2 {
			continue
		}
		k := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(handlers.RawKey))}, With: map[string]string{"app_key": "abc"}}
		if _, err := p.CheckSign(k); err != nil {
			continue
		}
		f, err := f.Fill(time.Now(), 1)
		if err != nil {
			t.Fatal(err)
		}
		a, err := New(p, Holding(p, k), f.Exchange.Request, time.Now())
		if m, _ := f.Exchange.Request.Message(); p.NeverSigned(m) {
			if err == nil {
				t.Errorf("%s/%s: is attacked, and never signed", f.Provider, f.Name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s/%s: %v", f.Provider, f.Name, err)
			continue
		}
		for _, v := range Variants {
			if v.Name == "body-huge" && tried[f.Provider] > 1 { // 2 MB that the same scheme has signed already
				continue
			}
			s, skipped, err := a.build(v, time.Now())
			if err != nil || skipped == "" && len(s.Requests) == 0 {
				t.Errorf("%s/%s: %s: %v", f.Provider, f.Name, v.Name, err)
			}
			if v.Name == "reordered" && s.Want == Accept {
				for i := range s.Requests { // some allow 5 s, of which the way takes a part
					if verdict, _ := a.verdict(&s.Requests[i], time.Now().Add(2*time.Second)); verdict.Status != verify.Valid {
						t.Errorf("%s/%s: request %d of %s is %s soon", f.Provider, f.Name, i, v.Name, verdict.Status)
					}
				}
			}
			if v.Name == "signature-flipped" && s.Want != Refuse {
				t.Errorf("%s/%s: %s is %s", f.Provider, f.Name, v.Name, s.Want)
			}
		}
	}
}

// What a handler refuses because of something else than what the variant is about
// is not told as a fault of its own, and one that is late is told.
func TestJudge(t *testing.T) {
	variant := func(name string) Variant {
		return Variants[slices.IndexFunc(Variants, func(v Variant) bool { return v.Name == name })]
	}
	for name, row := range map[string]struct {
		variant string
		answers []Answer
		want    string
	}{
		"the first is refused":      {"twice", []Answer{{Status: 400}, {Status: 400}}, "refuses-right"},
		"the second is refused":     {"twice", []Answer{{Status: 200}, {Status: 400}}, "refuses-late"},
		"the second is a conflict":  {"twice", []Answer{{Status: 200}, {Status: 409}}, ""},
		"all at once are refused":   {"twice-at-once", []Answer{{Status: 400}, {Status: 400}}, "refuses-right"},
		"one at once is taken":      {"twice-at-once", []Answer{{Status: 400}, {Status: 200}}, "refuses-late"},
		"it is taken too late":      {"control", []Answer{{Status: 200, Took: 3 * time.Second}}, "too-slow"},
		"it is taken in time":       {"control", []Answer{{Status: 200, Took: 2 * time.Second}}, ""},
		"a decoy is refused":        {"forged-first", []Answer{{Status: 400}, {Status: 200}}, ""},
		"the one after it, too":     {"forged-first", []Answer{{Status: 400}, {Status: 401}}, "keeps-forged"},
		"deep lists crash":          {"body-deep", []Answer{{Status: 500}}, ""},
		"odd letters crash":         {"signature-odd", []Answer{{Status: 500}}, ""},
		"odd letters are let in":    {"signature-odd", []Answer{{Status: 200}}, "passes-errors"},
		"another method is unknown": {"method-other", []Answer{{Status: 501}}, ""},
		"a wrong signature crashes": {"secret-wrong", []Answer{{Status: 500}}, "crash-signature"},
	} {
		v := variant(row.variant)
		s := Shot{Want: v.Want, Together: row.variant == "twice-at-once", Patience: 2 * time.Second}
		if got := judge(v, s, row.answers, Unknown, false); got.Fault != row.want {
			t.Errorf("%s: %q, want %q", name, got.Fault, row.want)
		}
	}
}

// Who answers all in one way has one finding, and nothing is noted of single variants: the
// secret is another, or the app is broken.
func TestAllAlike(t *testing.T) {
	p, _ := verify.Lookup("stripe")
	f, _ := fixtures.Lookup("stripe", "invoice.paid")
	f, err := f.Fill(time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(p, Holding(p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("whsec_1")}}), f.Exchange.Request, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]string{401: "refuses-right", 500: crash} {
		results, err := a.Run(t.Context(), Target{Now: time.Now, Send: func(context.Context, Variant, recorder.Request) (Answer, error) {
			return Answer{Status: status}, nil
		}}, Variants, func(Result) {})
		if err != nil {
			t.Fatal(err)
		}
		if found := Findings(results); len(found) != 1 || found[0].Fault.ID != want {
			t.Errorf("%d: found is %v", status, found)
		}
		for _, r := range results {
			if r.Note != "" && r.Note == r.Variant.refusedNote {
				t.Errorf("%d: %s: %s", status, r.Variant.Name, r.Note)
			}
		}
	}
}

// A finding has what the handler said to the request that it got wrong, and nothing of others.
func TestSaid(t *testing.T) {
	said := func(v Variant, answers ...Answer) string {
		return judge(v, Shot{Want: v.Want}, answers, Unknown, false).seen()
	}
	no := Answer{Status: 401, Said: "bad signature"}
	for _, row := range []struct{ got, want string }{
		{said(Variants[0], no), "answered 401 to what is right: bad signature"},
		{said(Variants[1], no), ""},
		{said(Variants[1], no, Answer{Status: 200}), "answered 200 to what has to be refused"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

// Who knows webhooks by an event's id and not by that of its delivery has no fault, and
// neither has who knows them by something that is never another.
func TestKnownBySomethingElse(t *testing.T) {
	p, _ := verify.Lookup("paddle")
	f, _ := fixtures.Lookup("paddle", "transaction.completed")
	f, err := f.Fill(time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]int{"event_id": 9, "event_type": 1} {
		a, err := New(p, Holding(p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("pdl_ntfset_1")}}), f.Exchange.Request, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		results, err := a.Run(t.Context(), Target{Now: time.Now, Pause: time.Millisecond, Effects: func(context.Context) (int, error) { return len(seen), nil }, Send: func(_ context.Context, _ Variant, req recorder.Request) (Answer, error) {
			if verdict, err := a.verdict(&req, time.Now()); err != nil || verdict.Status != verify.Valid {
				return Answer{Status: 400}, err
			}
			var body map[string]any
			if err := json.Unmarshal(req.Body.Bytes, &body); err != nil {
				return Answer{Status: 400}, nil
			}
			id, _ := body[member].(string)
			seen[id] = true
			return Answer{Status: 200}, nil
		}}, slices.DeleteFunc(slices.Clone(Variants), func(v Variant) bool {
			return v.Name == "twice-at-once" || v.Want != Accept && v.Want != Once // it is not for concurrent use
		}), func(Result) {})
		if found := Findings(results); err != nil || len(found) != 0 {
			t.Errorf("%s: %v %v", member, found, err)
		}
		if len(seen) < want || want == 1 && len(seen) != 1 {
			t.Errorf("%s: %d effects, want %d", member, len(seen), want)
		}
	}
}

// What a handler does after it has answered is counted for the webhook that it was
// done for.
func TestLateEffects(t *testing.T) {
	var mu sync.Mutex
	sent, looks, acted := 0, 0, 0
	c := counter{t: Target{Pause: time.Millisecond, Effects: func(context.Context) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if looks++; looks == 12 { // after the answer
			acted = sent
		}
		return acted, nil
	}}}
	if err := c.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		sent, looks = sent+1, 0
		if n, err := c.effects(t.Context(), Shot{Want: Accept}); n != 1 || err != nil {
			t.Errorf("webhook %d: %d effects, %v", i, n, err)
		}
	}
	looks = 0
	if n, err := c.effects(t.Context(), Shot{Want: Refuse}); n != 0 || err != nil {
		t.Errorf("one that is refused: %d effects, %v", n, err)
	}
}

// An app that ends takes with it what counts: what it fell over is a finding all the
// same. What cannot be counted while the app is there is an error.
func TestCounterEnds(t *testing.T) {
	p, _ := verify.Lookup("github")
	f, _ := fixtures.Lookup("github", "push")
	for _, tt := range []struct {
		name                      string
		goneFrom, goneTo, blindTo int // which requests find nobody, and until which one nothing counts from the third on
		want                      string
	}{
		{"for good", 4, 9, 9, "no-answer: signature-value-empty, signature-flipped"},
		{"started again", 4, 4, 4, "no-answer: signature-value-empty"},
		{"only what counts", 9, 9, 9, "gone"},
	} {
		a, err := New(p, Holding(p, verify.Keys{Secrets: []verify.Secret{verify.NewSecret("s3cret")}}), f.Exchange.Request, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		sent := 0
		results, err := a.Run(t.Context(), Target{Now: time.Now, Pause: time.Millisecond, Effects: func(context.Context) (int, error) {
			if sent >= 3 && sent <= tt.blindTo {
				return 0, &EffectsError{Text: "gone"}
			}
			return 1, nil
		}, Send: func(_ context.Context, v Variant, _ recorder.Request) (Answer, error) {
			if sent++; sent >= tt.goneFrom && sent <= tt.goneTo {
				return Answer{Detail: "connection refused"}, nil
			}
			return Answer{Status: map[Want]int{Accept: 200, Refuse: 401}[v.Want]}, nil
		}}, Variants[:5], func(Result) {})
		got := fmt.Sprint(err)
		if err == nil {
			got = ""
			for _, f := range Findings(results) {
				got += f.Fault.ID + ": " + strings.Join(f.Variants, ", ")
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What a language writes is what an app signs that verifies JSON it has parsed: the texts
// are those of Python 3.11 and Go, and for PHP those of Python with its slashes.
func TestWritten(t *testing.T) {
	const body = "{ \"é\": \"1 × \\\"é/ü\\\" , : 😀\\\\\",\n\"b\":[1.5 ,2],\"a\":{\"<\":\"\\/\"}}"
	for _, tt := range []struct {
		name  string
		write func([]byte) ([]byte, error)
		want  string
	}{
		{"python", func(b []byte) ([]byte, error) { return written(b, " ", "/") }, `{"\u00e9": "1 \u00d7 \"\u00e9/\u00fc\" , : \ud83d\ude00\\", "b": [1.5, 2], "a": {"<": "/"}}`},
		{"ascii", func(b []byte) ([]byte, error) { return written(b, "", "/") }, `{"\u00e9":"1 \u00d7 \"\u00e9/\u00fc\" , : \ud83d\ude00\\","b":[1.5,2],"a":{"<":"/"}}`},
		{"php", func(b []byte) ([]byte, error) { return written(b, "", `\/`) }, `{"\u00e9":"1 \u00d7 \"\u00e9\/\u00fc\" , : \ud83d\ude00\\","b":[1.5,2],"a":{"<":"\/"}}`},
		{"go", asMap, `{"a":{"\u003c":"/"},"b":[1.5,2],"é":"1 × \"é/ü\" , : 😀\\"}`},
	} {
		got, err := tt.write([]byte(body))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n%s\n%s", tt.name, err, got, tt.want)
		}
		if _, err := tt.write([]byte("a=1")); err == nil {
			t.Errorf("%s takes a form for JSON", tt.name)
		}
	}
}
