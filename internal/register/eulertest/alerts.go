package eulertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/verify"
)

func (s *Server) now() string { return s.o.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) id() int64 { s.lastID++; return s.lastID }

func (s *Server) me(*http.Request) answer {
	return answer{"code": 200, "account": map[string]any{
		"id": s.o.Account, "name": "Community", "day": 2500, "hour": 250, "minute": 10,
		"webhook_secret": s.o.Secret, "max_alerts": s.o.MaxAlerts, "max_websockets": 25, "expires_at": nil,
		"purchased_captcha_credits": 0, "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "scopes": []int{0},
	}}
}

func (s *Server) createAlert(r *http.Request) answer {
	var in struct {
		Name string `json:"unique_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || strings.Trim(in.Name, "@") == "" {
		return failed(400, "unique_id is missing")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.TrimPrefix(in.Name, "@")
	for _, a := range s.alerts {
		if strings.EqualFold(a.Username, name) {
			return failed(409, "There is an alert for this creator already")
		}
	}
	if len(s.alerts) >= s.o.MaxAlerts {
		return failed(403, "You have reached the maximum of %d alerts", s.o.MaxAlerts)
	}
	a := s.addAlert(name)
	a.ReadOnly = r.URL.Query().Get("read_only") == "true"
	return answer{"code": 200, "alert": *a}
}

func (s *Server) addAlert(creator string) *Alert {
	a := &Alert{ID: s.id(), Account: s.o.Account, CreatorID: s.id(), Username: creator, Created: s.now()}
	s.alerts = append(s.alerts, a)
	return a
}

func (s *Server) listAlerts(r *http.Request) answer {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil && r.URL.Query().Has("page") || page < 0 {
		return failed(400, "page is not a number")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := min(page, len(s.alerts)) * s.o.PageSize
	from = min(from, len(s.alerts))
	to := min(from+s.o.PageSize, len(s.alerts))
	list := []Alert{}
	for _, a := range s.alerts[from:to] {
		list = append(list, *a)
	}
	return answer{"code": 200, "alerts": list, "hasMore": to < len(s.alerts)}
}

// with calls do with the alert that is meant.
func (s *Server) with(r *http.Request, do func(*Alert) answer) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		if strconv.FormatInt(a.ID, 10) == r.PathValue("alert") {
			return do(a)
		}
	}
	return failed(404, "The alert was not found")
}

func (s *Server) retrieveAlert(r *http.Request) answer {
	return s.with(r, func(a *Alert) answer { return answer{"code": 200, "alert": *a, "creator": creator(a)} })
}

func creator(a *Alert) map[string]any {
	return map[string]any{
		"unique_id": a.Username, "state": 2, "state_label": "live", "room_id": "7602356191083907865",
		"last_nickname": nil, "last_avatar_url": nil,
	}
}

func (s *Server) deleteAlert(r *http.Request) answer {
	return s.with(r, func(a *Alert) answer {
		s.alerts = slices.DeleteFunc(s.alerts, func(one *Alert) bool { return one == a })
		return answer{"code": 200, "message": "The alert was deleted"}
	})
}

func (s *Server) createTarget(r *http.Request) answer {
	var in struct {
		URL      string          `json:"url"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return failed(400, "the body is not JSON")
	}
	if u, err := url.Parse(in.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return failed(400, "url is not a URL")
	}
	if len(in.Metadata) > 2<<20 {
		return failed(413, "metadata is larger than 2 MB")
	}
	return s.with(r, func(a *Alert) answer {
		return answer{"code": 200, "target": *s.addTarget(a, in.URL, in.Metadata)}
	})
}

func (s *Server) addTarget(a *Alert, u string, metadata json.RawMessage) *Target {
	if len(metadata) == 0 {
		metadata = json.RawMessage("{}")
	}
	t := &Target{
		ID: s.id(), Account: a.Account, Alert: a.ID, CreatorID: a.CreatorID, URL: u, Metadata: metadata,
		Format: 1, Created: s.now(), Updated: s.now(),
	}
	a.Targets = append(a.Targets, t)
	return t
}

func (s *Server) listTargets(r *http.Request) answer {
	return s.with(r, func(a *Alert) answer {
		list := []Target{}
		for _, t := range a.Targets {
			list = append(list, *t)
		}
		return answer{"code": 200, "targets": list}
	})
}

// target calls do with the target that is meant.
func (s *Server) target(r *http.Request, do func(*Alert, *Target) answer) answer {
	return s.with(r, func(a *Alert) answer {
		for _, t := range a.Targets {
			if strconv.FormatInt(t.ID, 10) == r.PathValue("target") {
				return do(a, t)
			}
		}
		return failed(404, "The target was not found")
	})
}

func (s *Server) deleteTarget(r *http.Request) answer {
	return s.target(r, func(a *Alert, t *Target) answer {
		a.Targets = slices.DeleteFunc(a.Targets, func(one *Target) bool { return one == t })
		return answer{"code": 200, "message": "The target was deleted"}
	})
}

// testTarget sends the alert, and says how that went.
func (s *Server) testTarget(r *http.Request) answer {
	var body []byte
	var to string
	found := s.target(r, func(a *Alert, t *Target) answer {
		to = t.URL
		var err error
		body, err = json.Marshal(map[string]any{"alert": *a, "creator": creator(a), "metadata": t.Metadata})
		if err != nil {
			return failed(500, "metadata: %v", err)
		}
		return answer{"code": 200}
	})
	if found["code"] != 200 {
		return found
	}
	status, label := 1, "OK"
	if err := s.deliver(r, to, body); err != nil {
		status, label = 4, "FAILED: "+err.Error()
	}
	return s.target(r, func(_ *Alert, t *Target) answer {
		t.LastStatus, t.Updated = status, s.now()
		return answer{"code": 200, "status": status, "statusLabel": label}
	})
}

// deliver sends a webhook as Euler signs it.
func (s *Server) deliver(r *http.Request, to string, body []byte) error {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "eulertest")
	p, _ := verify.Lookup("euler")
	m := verify.Message{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(s.o.Secret)}}
	if err := p.Scheme.Sign(&m, keys, verify.SignOptions{}, s.o.Now()); err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // what it says does not matter
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the target answered %d", resp.StatusCode)
	}
	return nil
}
