// Package tencenttest is the live_config API of Tencent Cloud Live on this
// machine, which also sends callbacks to the URL that it was given, signed if
// it was told to. Paths, shapes and the error codes 1000xx and 100302 are those
// of trtc.io/document 64419 to 64421, 69528 and 69529; the codes 600xx and 700xx
// those of Tencent's page on error codes (product 1047, 34348). What the vendor
// documents nowhere is assumed: the words of errors, that get_callback answers an
// empty Response where nothing is set, and that set_callback refuses a second
// URL and update_callback a first.
package tencenttest

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a server is like. The zero value is an app whose UserSig is
// not checked, with nothing set.
type Options struct {
	App       uint64        // the SDKAppID; 0: 1400000000
	Key       string        // the app's secret key; "": any UserSig will do
	Admin     string        // the administrator; "": administrator
	Set       Config        // what is set to begin with
	Token     Token         // what callbacks are signed with to begin with
	Effective time.Duration // how long a new URL takes to get into effect; the real one takes two minutes
	// Fail returns the ErrorCode that a command is to fail with, 0 for none, and
	// whether it does its work all the same. May be nil.
	Fail func(cmd string) (code int, done bool)
	Log  func(text string) // told of each call and callback; may be nil. It never has a UserSig
	Now  func() time.Time  // nil: time.Now
}

// A Config is where callbacks go.
type Config struct {
	URL      string   `json:"Url"`
	Commands []string `json:"CallbackCommandList"`
}

// A Token is what callbacks are signed with.
type Token struct {
	Token   string `json:"Token"`
	Enabled bool   `json:"IsTokenEnable"`
}

// A Server is the API, at /v4/live_config/; Fire has it send a callback. It keeps all in
// memory.
type Server struct {
	o   Options
	mux *http.ServeMux

	mu    sync.Mutex
	set   Config    // guarded by mu
	was   Config    // guarded by mu: what is in effect until since+Effective
	since time.Time // guarded by mu
	token Token     // guarded by mu
	calls int       // guarded by mu
}

// New returns a server.
func New(o Options) *Server {
	o.App = cmp.Or(o.App, 1400000000)
	o.Admin = cmp.Or(o.Admin, "administrator")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	s := &Server{o: o, mux: http.NewServeMux(), set: o.Set, was: o.Set, token: o.Token}
	s.mux.HandleFunc("POST /v4/live_config/{cmd}", s.serveCall)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, nil, failure{60004, "there is no such command, or the method is not POST"})
	})
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Config returns what is set, in effect or not yet.
func (s *Server) Config() Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Config{s.set.URL, slices.Clone(s.set.Commands)}
}

// SetConfig sets it, as somebody does in the console.
func (s *Server) SetConfig(c Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setConfig(c)
}

// Token returns what callbacks are signed with.
func (s *Server) Token() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// setConfig needs mu.
func (s *Server) setConfig(c Config) { s.was, s.set, s.since = s.effective(), c, s.o.Now() }

// effective returns where callbacks go by now. It needs mu.
func (s *Server) effective() Config {
	if s.o.Now().Before(s.since.Add(s.o.Effective)) {
		return s.was
	}
	return s.set
}

// A failure is an ErrorCode and its words.
type failure struct {
	code int
	text string
}

var fine failure

func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	cmd := r.PathValue("cmd")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	bad := s.refuse(r.URL.Query())
	if bad == fine && (err != nil || !json.Valid(body)) {
		bad = failure{60003, "the body is not JSON"}
	}
	var code int
	done := true
	if s.o.Fail != nil {
		code, done = s.o.Fail(cmd)
	}
	var response any
	if bad == fine && (code == 0 || done) {
		response, bad = s.do(cmd, body)
	}
	if code != 0 {
		response, bad = nil, failure{code, "this was to fail"}
	}
	s.answer(w, r, response, bad)
}

// answer answers HTTP 200, whatever became of the call.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, response any, bad failure) {
	s.mu.Lock()
	s.calls++
	n := s.calls
	s.mu.Unlock()
	a := struct {
		ErrorCode    int
		ErrorInfo    string
		ActionStatus string
		RequestID    string `json:"RequestId"`
		Response     any    `json:",omitempty"`
	}{bad.code, bad.text, "OK", fmt.Sprintf("Id-00000000000000000000000000000000-O-Seq-%d", n), response}
	if bad != fine {
		a.ActionStatus = "FAIL"
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a) // the caller has gone
	s.o.Log(fmt.Sprintf("%s %s ErrorCode %d", r.Method, r.URL.Path, bad.code))
}

// refuse returns what is wrong with the query of a call.
func (s *Server) refuse(q url.Values) failure {
	if n, err := strconv.ParseUint(q.Get("sdkappid"), 10, 64); err != nil || n != s.o.App {
		return failure{60006, "there is no such SDKAppID"}
	}
	if _, err := strconv.ParseUint(q.Get("random"), 10, 32); err != nil {
		return failure{100002, "random is no unsigned integer of 32 bits"}
	}
	if q.Get("contenttype") != "json" {
		return failure{100002, "contenttype is not json"}
	}
	if s.o.Key != "" {
		if bad := s.checkSig(q.Get("usersig"), q.Get("identifier")); bad != fine {
			return bad
		}
	}
	if q.Get("identifier") != s.o.Admin {
		return failure{60010, "the account is no administrator of the app"}
	}
	return fine
}

// checkSig reads a UserSig as whoever has the key can: what is in it, and whether
// it is signed with the key.
func (s *Server) checkSig(sig, identifier string) failure {
	text := strings.Map(func(r rune) rune {
		switch r {
		case '*':
			return '+'
		case '-':
			return '/'
		case '_':
			return '='
		}
		return r
	}, sig)
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return failure{70003, "the UserSig is not base64"}
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return failure{70003, "the UserSig is not deflated"}
	}
	var in map[string]any
	d := json.NewDecoder(io.LimitReader(z, 1<<16))
	d.UseNumber()
	if d.Decode(&in) != nil {
		return failure{70003, "the UserSig holds no JSON"}
	}
	field := func(name string) string { return fmt.Sprint(in["TLS."+name]) }
	var signed strings.Builder
	for _, name := range []string{"identifier", "sdkappid", "time", "expire"} {
		signed.WriteString("TLS." + name + ":" + field(name) + "\n")
	}
	h := hmac.New(sha256.New, []byte(s.o.Key))
	h.Write([]byte(signed.String()))
	began, _ := strconv.ParseInt(field("time"), 10, 64)
	good, _ := strconv.ParseInt(field("expire"), 10, 64)
	switch {
	case field("ver") != "2.0" || base64.StdEncoding.EncodeToString(h.Sum(nil)) != field("sig"):
		return failure{70009, "the UserSig is not signed with this app's key"}
	case field("identifier") != identifier:
		return failure{70013, "the UserSig is of another account"}
	case field("sdkappid") != strconv.FormatUint(s.o.App, 10):
		return failure{70014, "the UserSig is of another SDKAppID"}
	case s.o.Now().Unix() > began+good:
		return failure{70001, "the UserSig has expired"}
	}
	return fine
}

func (s *Server) do(cmd string, body []byte) (any, failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch cmd {
	case "get_callback":
		if s.set.URL == "" {
			return struct{}{}, fine
		}
		return s.set, fine
	case "set_callback", "update_callback":
		var c Config
		if json.Unmarshal(body, &c) != nil {
			return nil, failure{100002, "the body is not as it is to be"}
		}
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(c.URL, " !$&?") || len(c.Commands) == 0 {
			return nil, failure{100002, "Url or CallbackCommandList is not right"}
		}
		if is := s.set.URL != ""; is != (cmd == "update_callback") {
			return nil, failure{100002, "there is a callback already, or none"}
		}
		s.setConfig(c)
	case "delete_callback":
		s.setConfig(Config{})
	case "get_callback_token":
		if s.token.Token == "" {
			return nil, failure{100302, "the webhook authentication configuration does not exist"}
		}
		return s.token, fine
	case "set_callback_token":
		var t Token
		if json.Unmarshal(body, &t) != nil || t.Token == "" {
			return nil, failure{100002, "Token is missing"}
		}
		s.token = t
	default:
		return nil, failure{60004, "there is no such command"}
	}
	return nil, fine
}
