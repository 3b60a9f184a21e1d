// Package shoptest is the webhooks API of TikTok Shop on this machine, which also
// sends webhooks to the URLs that it was given. The vendor's pages are known to us
// second hand only; see devhook's own side, internal/register/tiktokshop.go. What
// we know of none is assumed: the words of errors but that of code 106001, and
// their HTTP statuses but that one's, which is 401.
package shoptest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"devhook/fixtures"
)

// Options are what a server is like. The zero value is a shop that takes any
// signature and any access token.
type Options struct {
	AppKey    string            // "": any
	AppSecret string            // what calls and webhooks are signed with; "": calls are not checked, and webhooks signed with app-secret
	Token     string            // the access token that is valid; "": any
	Cipher    string            // of the shop; "": any
	Set       map[string]string // the URLs by topic, to begin with
	// Fail returns the code that a call is to fail with, 0 for none, and whether
	// it does its work all the same. May be nil.
	Fail func(method string) (code int, done bool)
	Log  func(text string) // told of each call and webhook; may be nil
	Now  func() time.Time  // nil: time.Now
}

// A Server is the API, at /event/202309/webhooks; Fire has it send a webhook. It keeps
// all in memory.
type Server struct {
	o   Options
	mux *http.ServeMux

	mu   sync.Mutex
	urls map[string]string    // guarded by mu: by topic
	at   map[string]time.Time // guarded by mu: when they were set
}

// New returns a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	s := &Server{o: o, mux: http.NewServeMux(), urls: map[string]string{}, at: map[string]time.Time{}}
	for topic, u := range o.Set {
		s.Put(topic, u)
	}
	s.mux.HandleFunc("/event/202309/webhooks", s.serveCall)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, nil, &failure{404, 36009009, "Invalid path"})
	})
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Put sets the URL of a topic, as somebody does in Partner Center.
func (s *Server) Put(topic, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urls[topic], s.at[topic] = address, s.o.Now()
}

// String is what is set: "TOPIC=URL", by topic.
func (s *Server) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for topic, u := range s.urls {
		all = append(all, topic+"="+u)
	}
	sort.Strings(all)
	return strings.Join(all, " ")
}

// A failure is an error as the API answers it.
type failure struct {
	status, code int
	text         string
}

func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		s.answer(w, r, nil, &failure{413, 36009021, "Invalid size"})
		return
	}
	bad := s.refuse(r, body)
	code, done := 0, true
	if s.o.Fail != nil {
		code, done = s.o.Fail(r.Method)
	}
	var data any
	if bad == nil && (code == 0 || done) {
		data, bad = s.do(r.Method, body)
	}
	if code != 0 {
		data, bad = nil, &failure{500, code, "this was to fail"}
	}
	s.answer(w, r, data, bad)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, data any, bad *failure) {
	if bad == nil {
		bad = &failure{200, 0, "Success"}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(bad.status)
	json.NewEncoder(w).Encode(map[string]any{ // the caller has gone
		"code": bad.code, "message": bad.text, "data": data, "request_id": "20260101000000000000000000000000",
	})
	s.o.Log(fmt.Sprintf("%s %s %d code %d", r.Method, r.URL.Path, bad.status, bad.code))
}

// refuse returns what is wrong with a call.
func (s *Server) refuse(r *http.Request, body []byte) *failure {
	q := r.URL.Query()
	sent, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if late := s.o.Now().Unix() - sent; err != nil || late > 300 || late < -30 {
		return &failure{401, 36009004, "Invalid timestamp"}
	}
	if s.o.AppKey != "" && q.Get("app_key") != s.o.AppKey {
		return &failure{401, 36009004, "Invalid app_key"}
	}
	if s.o.AppSecret != "" && q.Get("sign") != s.signature(r.URL.EscapedPath(), r.URL.RawQuery, body) {
		return &failure{401, 106001, "Invalid credentials. The 'sign' query parameter is invalid."}
	}
	token := r.Header.Get("X-Tts-Access-Token")
	if token == "" || s.o.Token != "" && token != s.o.Token {
		return &failure{401, 1010000, "Invalid access token"}
	}
	if q.Get("shop_cipher") == "" || s.o.Cipher != "" && q.Get("shop_cipher") != s.o.Cipher {
		return &failure{400, 106013, "Invalid shop_cipher"}
	}
	return nil
}

// signature reads a call as the vendor does: the pairs of the query but sign and
// access_token, sorted, and the body as it came.
func (s *Server) signature(path, rawQuery string, body []byte) string {
	var pairs []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "sign" || name == "access_token" {
			continue
		}
		value, _ = url.QueryUnescape(value)
		pairs = append(pairs, name+value)
	}
	sort.Strings(pairs)
	text := s.o.AppSecret + path + strings.Join(pairs, "") + string(body) + s.o.AppSecret
	return s.hmac(text)
}

func (s *Server) hmac(text string) string {
	secret := cmp.Or(s.o.AppSecret, "app-secret")
	h := hmac.New(sha256.New, []byte(secret))
	io.WriteString(h, text)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (s *Server) do(method string, body []byte) (any, *failure) {
	var in struct {
		Topic   string `json:"event_type"`
		Address string `json:"address"`
	}
	if method != http.MethodGet && (json.Unmarshal(body, &in) != nil || in.Topic == "") {
		return nil, &failure{400, 36009022, "Invalid request format"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch method {
	case http.MethodGet:
		list := []map[string]any{}
		for topic, u := range s.urls {
			at := s.at[topic].Unix()
			list = append(list, map[string]any{"event_type": topic, "address": u, "create_time": at, "update_time": at})
		}
		return map[string]any{"total_count": len(list), "webhooks": list}, nil
	case http.MethodPut:
		if u, err := url.Parse(in.Address); err != nil || u.Host == "" {
			return nil, &failure{400, 36009022, "Invalid address"}
		}
		s.urls[in.Topic], s.at[in.Topic] = in.Address, s.o.Now()
	case http.MethodDelete:
		delete(s.urls, in.Topic)
	default:
		return nil, &failure{405, 36009010, "Invalid method"}
	}
	return map[string]any{}, nil
}

// patience is how long the vendor waits for an answer, by others' notes.
const patience = 3 * time.Second

// errNotSent is the error of a webhook that the platform would not send.
var errNotSent = errors.New("not sent")

// A Fired is a webhook that was sent.
type Fired struct {
	Topic  string `json:"topic"`
	URL    string `json:"url"`
	Status int    `json:"status"` // 0: there was no answer
	Answer string `json:"answer"` // the body, or what was wrong
	Effect string `json:"effect"` // what the platform does now, for people
}

// Fire sends the webhook of a topic, with body, or that of the sample of it if
// body is empty, and waits for the answer. The error wraps [errNotSent] if the
// topic has no URL.
func (s *Server) Fire(ctx context.Context, topic string, body []byte) (Fired, error) {
	s.mu.Lock()
	f := Fired{Topic: topic, URL: s.urls[topic]}
	s.mu.Unlock()
	if f.URL == "" {
		return f, fmt.Errorf("%w: no URL is set for the topic %q", errNotSent, topic)
	}
	if len(body) == 0 {
		for _, one := range fixtures.All() {
			if name, _, _ := strings.Cut(one.Name, "."); one.Provider == "tiktok-shop" && name == topic {
				one, err := one.Fill(s.o.Now(), rand.Uint64())
				if err != nil {
					return f, err
				}
				body = one.Exchange.Request.Body.Bytes
			}
		}
		if len(body) == 0 {
			return f, fmt.Errorf("%w: there is no sample of %s: POST a body", errNotSent, topic)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL, bytes.NewReader(body))
	if err != nil {
		return f, fmt.Errorf("%w: %w", errNotSent, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", s.hmac(s.o.AppKey+string(body)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.Answer = err.Error()
	} else {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what it says does not matter
		resp.Body.Close()
		f.Status, f.Answer = resp.StatusCode, string(answer)
	}
	if f.Effect = "delivered"; f.Status != http.StatusOK {
		f.Effect = "a failure: it is sent again after 2 min, 30 min, 3 h and 12 h"
	}
	s.o.Log(fmt.Sprintf("%s  %d  %s", topic, f.Status, f.Effect))
	return f, nil
}
