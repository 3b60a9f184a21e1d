// Package handlers has receivers of webhooks that each have one fault, and right
// ones: what package attack is tested with. Directory serve makes programs of them.
package handlers

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// UnknownEvent is an event that no provider has.
const UnknownEvent = "devhook.unknown.event"

// A Sender is a provider as its documentation has it, written here once more and
// without package verify.
type Sender struct {
	Fixture, Secret string
	at              string // the header or parameter with the signature
	// sent gives what r carries: the signature, and the time in Unix seconds,
	// "" if none is signed.
	sent func(r *http.Request) (signature, stamp string)
	// mac is the signature over body.
	mac func(r *http.Request, stamp string, body []byte) string
	id  func(r *http.Request, body []byte) string
	// Patience is how long it waits for an answer.
	Patience time.Duration
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

// RawKey is the key of standard-webhooks.
var RawKey = []byte("0123456789abcdef0123456789abcdef")

// Senders are the providers that there are handlers for, by their IDs.
var Senders = map[string]Sender{
	"tiktok": {
		Fixture: "video.publish.completed", at: "Tiktok-Signature", Secret: "s3cret", id: hash,
		sent: func(r *http.Request) (string, string) {
			p := pairs(r.Header.Get("Tiktok-Signature"))
			return p["s"], p["t"]
		},
		mac: func(_ *http.Request, stamp string, body []byte) string {
			return hmacHex("s3cret", stamp+"."+string(body))
		},
	},
	"stripe": {
		Fixture: "customer.created", at: "Stripe-Signature", Secret: "whsec_test",
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
		Fixture: "push", at: "X-Hub-Signature-256", Secret: "s3cret",
		sent: func(r *http.Request) (string, string) {
			return strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="), ""
		},
		mac: func(_ *http.Request, _ string, body []byte) string { return hmacHex("s3cret", string(body)) },
		id:  func(r *http.Request, _ []byte) string { return r.Header.Get("X-Github-Delivery") },
	},
	"standard-webhooks": {
		Fixture: "user.created", at: "Webhook-Signature", Secret: "whsec_" + base64.StdEncoding.EncodeToString(RawKey),
		sent: func(r *http.Request) (string, string) {
			return strings.TrimPrefix(r.Header.Get("Webhook-Signature"), "v1,"), r.Header.Get("Webhook-Timestamp")
		},
		mac: func(r *http.Request, stamp string, body []byte) string {
			m := hmac.New(sha256.New, RawKey)
			fmt.Fprintf(m, "%s.%s.%s", r.Header.Get("Webhook-Id"), stamp, body)
			return base64.StdEncoding.EncodeToString(m.Sum(nil))
		},
		id: func(r *http.Request, _ []byte) string { return r.Header.Get("Webhook-Id") },
	},
	"tencent-live": {
		Fixture: "Live.CallbackAfterCreateRoom", at: "Sign", Secret: "token", id: hash,
		sent: func(r *http.Request) (string, string) {
			return r.URL.Query().Get("Sign"), r.URL.Query().Get("RequestTime")
		},
		mac: func(_ *http.Request, stamp string, _ []byte) string {
			return fmt.Sprintf("%x", sha256.Sum256([]byte("token"+stamp)))
		},
	},
	"euler": {
		Fixture: "alert.live.assumed-sdk-shape", at: "X-Webhook-Signature", Secret: "s3cret", id: hash,
		sent: func(r *http.Request) (string, string) { return r.Header.Get("X-Webhook-Signature"), "" },
		mac:  func(_ *http.Request, _ string, body []byte) string { return hmacHex("s3cret", string(body)) },
	},
	"monday": {
		Fixture: "create_pulse", at: "Authorization", Secret: "s3cret", id: hash,
		sent: func(r *http.Request) (string, string) {
			_, claims, signature := token(r)
			return signature, strconv.FormatInt(claims.Iat, 10)
		},
		mac: func(r *http.Request, _ string, _ []byte) string {
			text := r.Header.Get("Authorization")
			m := hmac.New(sha256.New, []byte("s3cret"))
			io.WriteString(m, text[:max(0, strings.LastIndexByte(text, '.'))])
			return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
		},
	},
}

// token reads a JSON Web Token.
func token(r *http.Request) (head struct{ Alg string }, claims struct{ Iat int64 }, signature string) {
	parts := append(strings.Split(r.Header.Get("Authorization"), "."), "", "", "")
	for i, into := range []any{&head, &claims} {
		text, _ := base64.RawURLEncoding.DecodeString(parts[i])
		json.Unmarshal(text, into) // what is none has no algorithm and an old time
	}
	return head, claims, parts[2]
}

// A Handler is a receiver of a sender's webhooks with one fault, as the attack calls
// it, which can be of a kind, in words behind that; "" for none. It answers webhooks at every path. Make one with [New].
type Handler struct {
	Sender Sender
	Fault  string

	mu      sync.Mutex // guards what is below
	seen    map[string]bool
	effects int
}

// New returns a handler that has received nothing yet.
func New(s Sender, fault string) *Handler {
	return &Handler{Sender: s, Fault: fault, seen: map[string]bool{}}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 25<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if h.Fault == "acts-first" {
		h.act()
	}
	if h.Fault == "keeps-forged" && !h.first(h.Sender.id(r, body)) || !h.verified(w, r, body) {
		return
	}
	var event map[string]any
	if err := json.Unmarshal(body, &event); err != nil || event == nil {
		status := http.StatusBadRequest
		if h.Fault == "crash-body" {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		return
	}
	if h.Fault == "crash-event" && (bytes.Contains(body, []byte(UnknownEvent)) || strings.Contains(fmt.Sprint(r.Header, r.URL), UnknownEvent)) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if h.Fault == "crash-fields" {
		for _, v := range event {
			if v == nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
		}
	}
	if h.Fault == "too-slow" {
		time.Sleep(h.Sender.Patience + 50*time.Millisecond)
	}
	if h.Fault == "no-answer" && len(body) > 1<<20 {
		panic(http.ErrAbortHandler)
	}
	if h.Fault == "keeps-forged" || h.Fault != "acts-first" && h.first(h.Sender.id(r, body)) {
		h.act()
	}
}

func (h *Handler) act() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.effects++
}

// Effects returns on how many webhooks it has acted.
func (h *Handler) Effects() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.effects
}

// Know has a handler that does not sign bodies take signature for right, whatever
// the body.
func (h *Handler) Know(signature string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen["signature "+signature] = true
}

// first reports whether there was none of that id before, and remembers it.
func (h *Handler) first(id string) bool {
	switch h.Fault {
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

func (h *Handler) verified(w http.ResponseWriter, r *http.Request, body []byte) bool {
	signature, stamp := h.Sender.sent(r)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	old := stamp != "" && (err != nil || math.Abs(time.Since(time.Unix(seconds, 0)).Seconds()) > 60)
	signed := body
	switch h.Fault {
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
	case "decoded-text latin1":
		var text []rune
		for _, c := range body {
			text = append(text, rune(c))
		}
		signed = []byte(string(text))
	case "trims-body":
		signed = bytes.TrimSpace(body)
	case "empty-body":
		signed = []byte("{}")
	case "no-tolerance":
		old = false
	}
	want := h.Sender.mac(r, stamp, signed)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1
	switch h.Fault {
	case "unchecked-signature":
		right = signature != ""
	case "fails-open":
		if signature == "" {
			return true
		}
	case "accepts-empty-signature":
		right = right || signature == "" && (len(r.Header[h.Sender.at]) > 0 || r.URL.Query().Has(h.Sender.at))
	case "compares-prefix":
		right = len(signature) >= 8 && (strings.HasPrefix(want, signature) || strings.HasPrefix(signature, want))
	case "compares-prefix but the first":
		right = len(signature) == len(want) && signature[1:] == want[1:]
	case "compares-prefix but the last":
		right = len(signature) == len(want) && signature[:len(want)-4] == want[:len(want)-4]
	case "ignores-case":
		right = strings.EqualFold(want, signature)
	case "crash-signature":
		if signature != "" && len(signature) != len(want) {
			w.WriteHeader(http.StatusInternalServerError)
			return false
		}
	case "unsigned-time": // a clock that is a day off is nothing to it
		right = right || stamp != "" && signature == h.Sender.mac(r, strconv.FormatInt(seconds-24*60*60, 10), body)
	case "other-scheme": // whoever has one of its secrets is let in
		for _, other := range Senders {
			right = right || signature == "" && r.Header.Get(other.at) != "" && other.at != h.Sender.at
		}
	case "passes-errors":
		_, err := hex.DecodeString(signature)
		right = right || err != nil
	case "passes-errors unlike": // in a loop over signatures, of which there is none
		header := r.Header.Get(h.Sender.at)
		right = right || signature == "" && header != "" && !strings.HasSuffix(header, "=")
	case "fails-open by type": // express.json({verify}) is not asked about a text
		right = right || !strings.Contains(r.Header.Get("Content-Type"), "json")
	case "parsed-json too": // after the raw body
		var v any
		if json.Unmarshal(body, &v) == nil {
			b, _ := json.Marshal(v)
			right = right || signature == h.Sender.mac(r, stamp, b)
		}
	case "other-scheme without a secret":
		right = right || r.Header.Get("X-Hub-Signature-256") == "sha256="+hmacHex("", string(body))
	case "empty-secret":
		right = right || signature == hmacHex("", string(body))
	case "unsigned-token":
		head, _, _ := token(r)
		right = right || head.Alg == "none"
	case "answers-first":
		return right && !old
	case "unsigned-body": // knows the signatures of other bodies
		right = right || len(signature) == len(want) && stamp != "x" && h.knows(signature)
	}
	if right && !old {
		return true
	}
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

// knows reports whether a signature is right for any body: here, for those that were
// told by [Handler.Know].
func (h *Handler) knows(signature string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen["signature "+signature]
}
