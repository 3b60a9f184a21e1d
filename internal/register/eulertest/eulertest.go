// Package eulertest is the alerts API of Euler Stream on this machine, which
// also sends its test alert, signed, to the targets that it was given. Routes
// and shapes are those of the vendor's OpenAPI file and of the npm package
// @eulerstream/euler-api-sdk 0.3.0. What the vendor documents nowhere is
// assumed: the words of errors, the size of a page, what a status of a target
// means, and the body of an alert.
package eulertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a server is like. The zero value is an account of the free
// plan whose key is anything.
type Options struct {
	Key       string // the API key that is valid; "" takes any
	Account   int64  // the account's number; 0: 4242
	Secret    string // what alerts are signed with; "": "euler-secret"
	MaxAlerts int    // of the plan; 0: 5
	PageSize  int    // alerts on a page of the list; 0: 20
	PerMinute int    // calls that are answered each minute; 0: any number
	// HTTPStatus has errors answered with their HTTP status; else all answers
	// are HTTP 200 with a code in the body, the one status that is documented.
	HTTPStatus bool
	// Fail returns the code that a call is to fail with, 0 for none, and whether
	// it does its work all the same. May be nil.
	Fail func(op string) (code int, done bool)
	// Log is told of each call; may be nil. It never has the key.
	Log func(text string)
	Now func() time.Time // nil: time.Now
}

// A Server is the API. It is at /accounts/, and keeps all in memory.
type Server struct {
	o   Options
	mux *http.ServeMux

	mu     sync.Mutex
	lastID int64     // guarded by mu
	alerts []*Alert  // guarded by mu; the oldest first
	minute time.Time // guarded by mu: the one that calls are counted in
	calls  int       // guarded by mu
}

// An Alert tells targets of a creator's livestreams.
type Alert struct {
	ID        int64   `json:"id"`
	Account   int64   `json:"account_id"`
	CreatorID int64   `json:"alert_creator_id"`
	ReadOnly  bool    `json:"read_only"`
	Nickname  *string `json:"alert_creator_nickname"`
	Avatar    *string `json:"alert_creator_avatar_url"`
	Username  string  `json:"alert_creator_username"`
	Created   string  `json:"created_at"`

	Targets []*Target `json:"-"`
}

// A Target is a URL that an alert is sent to.
type Target struct {
	ID         int64           `json:"id"`
	Account    int64           `json:"account_id"`
	Alert      int64           `json:"alert_id"`
	CreatorID  int64           `json:"alert_creator_id"`
	URL        string          `json:"url"`
	Metadata   json.RawMessage `json:"metadata"`
	LastStatus int             `json:"last_status"`
	Format     int             `json:"format"`
	Created    string          `json:"created_at"`
	Updated    string          `json:"updated_at"`
}

// New returns a server without alerts.
func New(o Options) *Server {
	o.Account = cmp.Or(o.Account, 4242)
	o.Secret = cmp.Or(o.Secret, "euler-secret")
	o.MaxAlerts = cmp.Or(o.MaxAlerts, 5)
	o.PageSize = cmp.Or(o.PageSize, 20)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, mux: http.NewServeMux(), lastID: 90210}
	for route, do := range map[string]func(*Server, *http.Request) answer{
		"GET /accounts/me":                                                  (*Server).me,
		"PUT /accounts/{account}/alerts/create":                             (*Server).createAlert,
		"GET /accounts/{account}/alerts/list":                               (*Server).listAlerts,
		"GET /accounts/{account}/alerts/{alert}/retrieve":                   (*Server).retrieveAlert,
		"DELETE /accounts/{account}/alerts/{alert}/delete":                  (*Server).deleteAlert,
		"PUT /accounts/{account}/alerts/{alert}/targets/create":             (*Server).createTarget,
		"GET /accounts/{account}/alerts/{alert}/targets/list":               (*Server).listTargets,
		"POST /accounts/{account}/alerts/{alert}/targets/{target}/test":     (*Server).testTarget,
		"DELETE /accounts/{account}/alerts/{alert}/targets/{target}/delete": (*Server).deleteTarget,
	} {
		s.mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, do) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, failed(404, "there is no such route"))
	})
	return s
}

// Alerts returns what there is, as it is at this moment.
func (s *Server) Alerts() []Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Alert
	for _, a := range s.alerts {
		one := *a
		one.Targets = nil
		for _, t := range a.Targets {
			target := *t
			one.Targets = append(one.Targets, &target)
		}
		all = append(all, one)
	}
	return all
}

// Add makes an alert as somebody else would, with targets.
func (s *Server) Add(creator string, targets ...string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.addAlert(creator)
	for _, u := range targets {
		s.addTarget(a, u, nil)
	}
	return a.ID
}

// AddTarget has somebody else add a target to the creator's alert.
func (s *Server) AddTarget(creator, target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		if a.Username == creator {
			s.addTarget(a, target, nil)
		}
	}
}

// An answer is a code and what else stands beside it.
type answer map[string]any

func failed(code int, format string, a ...any) answer {
	return answer{"code": code, "message": fmt.Sprintf(format, a...)}
}

// ServeHTTP answers a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request, do func(*Server, *http.Request) answer) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
	op := r.Method + " " + r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if strings.Contains(r.URL.Path, "/targets/") {
		op += " target"
	}
	if s.tooMany() {
		w.Header().Set("Retry-After", "1")
		s.write(w, r, failed(429, "Too many requests"))
		return
	}
	if a := s.refuse(r); a != nil {
		s.write(w, r, a)
		return
	}
	if s.o.Fail != nil {
		if code, done := s.o.Fail(op); code != 0 {
			if done {
				do(s, r)
			}
			s.write(w, r, failed(code, "Something went wrong"))
			return
		}
	}
	s.write(w, r, do(s, r))
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer) {
	code, _ := a["code"].(int)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if s.o.HTTPStatus {
		w.WriteHeader(code)
	}
	json.NewEncoder(w).Encode(a) // the caller has gone
	if s.o.Log != nil {
		s.o.Log(fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, code))
	}
}

// tooMany counts a call.
func (s *Server) tooMany() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.o.Now(); now.Sub(s.minute) >= time.Minute {
		s.minute, s.calls = now, 0
	}
	s.calls++
	return s.o.PerMinute > 0 && s.calls > s.o.PerMinute
}

// refuse returns what is answered to who may not: nil for who may.
func (s *Server) refuse(r *http.Request) answer {
	key := cmp.Or(r.Header.Get("X-Api-Key"), r.URL.Query().Get("apiKey"))
	if key == "" && r.URL.Path != "/accounts/me" {
		key = r.Header.Get("X-Jwt-Key")
	}
	switch id := r.PathValue("account"); {
	case key == "":
		return failed(401, "No API key was provided")
	case s.o.Key != "" && key != s.o.Key:
		return failed(401, "The API key is invalid")
	case id != "" && id != strconv.FormatInt(s.o.Account, 10):
		return failed(403, "You do not have access to this account")
	}
	return nil
}
