package attack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/fixtures"
	"devhook/recorder"
	"devhook/verify"
)

// A sender is a provider as the documentation has it, written here once more and
// without package verify.
type sender struct {
	fixture, secret string
	at              string // the header or parameter with the signature
	// sent gives what r carries: the signature, and the time in Unix seconds,
	// "" if none is signed.
	sent func(r *http.Request) (signature, stamp string)
	// mac is the signature over body.
	mac func(r *http.Request, stamp string, body []byte) string
	id  func(r *http.Request, body []byte) string
}

func hmacHex(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	io.WriteString(m, text)
	return hex.EncodeToString(m.Sum(nil))
}

func pairs(header string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		if k, v, ok := strings.Cut(part, "="); ok {
			all[k] = v
		}
	}
	return all
}

func hash(_ *http.Request, body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

var rawKey = []byte("0123456789abcdef0123456789abcdef")

var senders = map[string]sender{
	"tiktok": {
		fixture: "video.publish.completed", at: "Tiktok-Signature", secret: "s3cret", id: hash,
		sent: func(r *http.Request) (string, string) {
			p := pairs(r.Header.Get("Tiktok-Signature"))
			return p["s"], p["t"]
		},
		mac: func(_ *http.Request, stamp string, body []byte) string {
			return hmacHex("s3cret", stamp+"."+string(body))
		},
	},
	"stripe": {
		fixture: "customer.created", at: "Stripe-Signature", secret: "whsec_test",
		sent: func(r *http.Request) (string, string) {
			p := pairs(r.Header.Get("Stripe-Signature"))
			return p["v1"], p["t"]
		},
		mac: func(_ *http.Request, stamp string, body []byte) string {
			return hmacHex("whsec_test", stamp+"."+string(body))
		},
		id: func(_ *http.Request, body []byte) string {
			var e struct{ ID string }
			json.Unmarshal(body, &e)
			return e.ID
		},
	},
	"github": {
		fixture: "push", at: "X-Hub-Signature-256", secret: "s3cret",
		sent: func(r *http.Request) (string, string) {
			return strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="), ""
		},
		mac: func(_ *http.Request, _ string, body []byte) string { return hmacHex("s3cret", string(body)) },
		id:  func(r *http.Request, _ []byte) string { return r.Header.Get("X-Github-Delivery") },
	},
	"standard-webhooks": {
		fixture: "user.created", at: "Webhook-Signature", secret: "whsec_" + base64.StdEncoding.EncodeToString(rawKey),
		sent: func(r *http.Request) (string, string) {
			return strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1,"), r.Header.Get("Webhook-Timestamp")
		},
		mac: func(r *http.Request, stamp string, body []byte) string {
			m := hmac.New(sha256.New, rawKey)
			fmt.Fprintf(m, "%s.%s.%s", r.Header.Get("Webhook-Id"), stamp, body)
			return base64.StdEncoding.EncodeToString(m.Sum(nil))
		},
		id: func(r *http.Request, _ []byte) string { return r.Header.Get("Webhook-Id") },
	},
	"tencent-live": {
		fixture: "Live.CallbackAfterCreateRoom", at: "Sign", secret: "token", id: hash,
		sent: func(r *http.Request) (string, string) {
			return r.URL.Query().Get("Sign"), r.URL.Query().Get("RequestTime")
		},
		mac: func(_ *http.Request, stamp string, _ []byte) string {
			return fmt.Sprintf("%x", sha256.Sum256([]byte("token"+stamp)))
		},
	},
	"euler": {
		fixture: "alert.live.assumed-sdk-shape", at: "X-Webhook-Signature", secret: "s3cret", id: hash,
		sent: func(r *http.Request) (string, string) { return r.Header.Get("X-Webhook-Signature"), "" },
		mac:  func(_ *http.Request, _ string, body []byte) string { return hmacHex("s3cret", string(body)) },
	},
}

// A handler is a receiver of a sender's webhooks with one fault, "" for none.
type handler struct {
	s     sender
	fault string

	mu      sync.Mutex // guards what is below
	seen    map[string]bool
	effects int
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 25<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if h.fault == "acts-first" {
		h.act()
	}
	if !h.verified(w, r, body) {
		return
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil || event == nil {
		status := http.StatusBadRequest
		if h.fault == "crash-body" {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		return
	}
	if h.fault == "crash-event" && (bytes.Contains(body, []byte(unknownEvent)) || strings.Contains(fmt.Sprint(r.Header, r.URL), unknownEvent)) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if h.fault == "crash-fields" {
		for _, v := range event {
			if v == nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
		}
	}
	if h.fault == "no-answer" && len(body) > 1<<20 {
		panic(http.ErrAbortHandler)
	}
	if h.fault == "acts-first" || !h.first(h.s.id(r, body)) {
		return
	}
	h.act()
}

func (h *handler) act() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.effects++
}

func (h *handler) count(context.Context) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.effects, nil
}

// first reports whether there was none of that id before, and remembers it.
func (h *handler) first(id string) bool {
	switch h.fault {
	case "not-idempotent":
		return true
	case "race": // looks, and remembers much later
		h.mu.Lock()
		seen := h.seen[id]
		h.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seen[id] = true
		return !seen
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[id] {
		return false
	}
	h.seen[id] = true
	return true
}

func (h *handler) verified(w http.ResponseWriter, r *http.Request, body []byte) bool {
	signature, stamp := h.s.sent(r)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	old := stamp != "" && (err != nil || math.Abs(time.Since(time.Unix(seconds, 0)).Seconds()) > 60)
	signed := body
	switch h.fault {
	case "parsed-json":
		var b bytes.Buffer
		if json.Compact(&b, body) == nil {
			signed = b.Bytes()
		}
	case "decoded-text":
		signed = bytes.Map(func(r rune) rune {
			if r > 0xff {
				return '?'
			}
			return r
		}, body)
	case "trims-body":
		signed = bytes.TrimSpace(body)
	case "no-tolerance":
		old = false
	}
	want := h.s.mac(r, stamp, signed)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1
	switch h.fault {
	case "unchecked-signature":
		right = signature != ""
	case "fails-open":
		if signature == "" {
			return true
		}
	case "accepts-empty-signature":
		right = right || signature == "" && (len(r.Header[h.s.at]) > 0 || r.URL.Query().Has(h.s.at))
	case "compares-prefix":
		right = len(signature) >= 8 && (strings.HasPrefix(want, signature) || strings.HasPrefix(signature, want))
	case "ignores-case":
		right = strings.EqualFold(want, signature)
	case "crash-signature":
		if signature != "" && len(signature) != len(want) {
			w.WriteHeader(http.StatusInternalServerError)
			return false
		}
	case "unsigned-body": // knows the signatures of other bodies
		right = right || len(signature) == len(want) && stamp != "x" && h.knows(signature)
	}
	if right && !old {
		return true
	}
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

// knows reports whether a signature was right for any body: here, for those that
// the test's sender has told.
func (h *handler) knows(signature string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen["signature "+signature]
}

// attacked attacks h, and returns what was found.
func attacked(t *testing.T, id string, h *handler) ([]Result, []Finding) {
	t.Helper()
	h.seen = map[string]bool{}
	server := httptest.NewServer(h)
	defer server.Close()
	p, _ := verify.Lookup(id)
	f, ok := fixtures.Lookup(id, h.s.fixture)
	if !ok {
		t.Fatalf("no fixture %s/%s", id, h.s.fixture)
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(h.s.secret)}}
	a, err := New(p, keys, f.Exchange.Request, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	list := Variants
	if h.fault == "race" { // takes its time for each
		list = slices.DeleteFunc(slices.Clone(Variants), func(v Variant) bool { return v.Name != "control" && v.Name != "twice-at-once" })
	}
	results, err := a.Run(t.Context(), Target{Now: time.Now, Effects: h.count, Pause: 2 * time.Millisecond, Send: func(ctx context.Context, v Variant, req recorder.Request) (Answer, error) {
		if h.fault == "unsigned-body" { // as one that signs something else than the body would
			for _, p := range a.places {
				h.mu.Lock()
				if v.Name == "control" || strings.HasPrefix(v.Name, "body-") {
					h.seen["signature "+p.word(&req)] = true
				}
				h.mu.Unlock()
			}
		}
		_, target := recorder.SplitURL(req.URL)
		out, err := http.NewRequestWithContext(ctx, req.Method, server.URL+target, bytes.NewReader(req.Body.Bytes))
		if err != nil {
			return Answer{}, err
		}
		out.Header = req.Headers
		resp, err := http.DefaultClient.Do(out)
		if err != nil {
			return Answer{Detail: err.Error()}, nil
		}
		resp.Body.Close()
		return Answer{Status: resp.StatusCode}, nil
	}}, list, func(Result) {})
	if err != nil {
		t.Fatal(err)
	}
	return results, Findings(results)
}

// A right handler of each provider has no finding, and most variants were sent.
func TestRightHandler(t *testing.T) {
	for id, s := range senders {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			results, findings := attacked(t, id, &handler{s: s})
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
		"compares-prefix": everywhere, "ignores-case": {"standard-webhooks"}, "unsigned-body": ofBody, "parsed-json": ofBody, "trims-body": ofBody,
		"decoded-text": ofBody, "no-tolerance": ofTime, "acts-first": everywhere, "crash-signature": everywhere, "crash-event": everywhere,
		"crash-fields": everywhere, "crash-body": everywhere, "not-idempotent": everywhere, "race": everywhere,
	} {
		for _, id := range ids {
			t.Run(fault+"/"+id, func(t *testing.T) {
				t.Parallel()
				_, findings := attacked(t, id, &handler{s: senders[id], fault: fault})
				var ids []string
				for _, f := range findings {
					ids = append(ids, f.Fault.ID)
				}
				if !slices.Contains(ids, fault) {
					t.Errorf("found is %v", ids)
				}
			})
		}
	}
}

// Every fault that a variant tells is known, each variant has a name of its own,
// and every fault can be told.
func TestFaultsAreKnown(t *testing.T) {
	told, names := map[string]bool{"no-answer": true, "crash": true, "acts-first": true}, map[string]bool{}
	for _, v := range Variants {
		if names[v.Name] {
			t.Errorf("%s is there twice", v.Name)
		}
		names[v.Name] = true
		for _, id := range []string{v.accepted, v.refused, v.crashed} {
			told[id] = true
			if id != "" && faultOf(id).Fix == "" {
				t.Errorf("%s tells %s, which is not known", v.Name, id)
			}
		}
		if (v.Want == Refuse || v.Want == Once) && v.accepted == "" || (v.Want == Accept || v.Want == Once) && v.refused == "" {
			t.Errorf("%s can go wrong without a fault", v.Name)
		}
	}
	for _, f := range Faults {
		if !told[f.ID] {
			t.Errorf("nothing tells %s", f.ID)
		}
	}
}

// Reports are what their formats say.
func TestReports(t *testing.T) {
	results := []Result{
		{Variant: Variants[0], Answers: []Answer{{Status: 200, Took: time.Second}}},
		{Variant: Variants[1], Answers: []Answer{{Status: 200}}, Fault: "fails-open", Detail: "answered 200 <&>"},
		{Variant: Variants[2], Skipped: "why"},
	}
	var b bytes.Buffer
	if err := WriteJUnit(&b, "github/push", results); err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Time    string `xml:"time,attr"`
			Failure struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil || suite.Tests != 3 || suite.Failures != 1 || suite.Skipped != 1 ||
		suite.Cases[0].Time != "1.000" || suite.Cases[1].Failure.Message != "lets through what has no signature: answered 200 <&>" {
		t.Errorf("%v: %s", err, b.Bytes())
	}
	b.Reset()
	if err := WriteSARIF(&b, "1", "http://127.0.0.1:3000/x", Findings(results)); err != nil {
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
	for _, f := range fixtures.All() {
		p, ok := verify.Lookup(f.Provider)
		if !ok {
			continue
		}
		k := verify.Keys{Secrets: []verify.Secret{verify.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(rawKey))}, With: map[string]string{"app_key": "abc"}}
		if _, err := p.CheckSign(k); err != nil {
			continue
		}
		a, err := New(p, k, f.Exchange.Request, time.Now())
		if err != nil {
			t.Errorf("%s/%s: %v", f.Provider, f.Name, err)
			continue
		}
		for _, v := range Variants {
			s, skipped, err := a.Build(v, time.Now())
			if err != nil || skipped == "" && len(s.Requests) == 0 {
				t.Errorf("%s/%s: %s: %v", f.Provider, f.Name, v.Name, err)
			}
			if v.Name == "signature-flipped" && s.Want != Refuse {
				t.Errorf("%s/%s: %s is %s", f.Provider, f.Name, v.Name, s.Want)
			}
		}
	}
}
