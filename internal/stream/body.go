package stream

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"unicode/utf8"

	"devhook/internal/jsonx"
)

// maxType is the longest text in bytes that is taken for the name of an event.
const maxType = 200

// eventType returns what a body calls itself, its member type, and what is
// wrong with the body.
func eventType(body []byte) (name, problem string) {
	if !utf8.Valid(body) {
		problem = "it is not UTF-8"
	}
	if !jsonx.Valid(body) {
		return "", "it is not JSON"
	}
	name, ok := text(body, "type")
	if !ok && problem == "" {
		problem = "it has no type"
	}
	return name, problem
}

// text returns a scalar in a body.
func text(body []byte, path ...string) (string, bool) {
	v, err := jsonx.Find(body, path)
	if err != nil || v.Strings > 0 {
		return "", false
	}
	s, ok := jsonx.Text(v.Raw)
	if len(s) > maxType {
		return "", false
	}
	return s, ok
}

func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}

// recentIDs remembers the newest ids that it was given. It is safe for concurrent use.
type recentIDs struct {
	mu   sync.Mutex // guards what follows
	ring []string
	next int
	has  map[string]bool
}

const maxRecent = 10_000

// add remembers id, and reports whether it was new.
func (r *recentIDs) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.has[id] {
		return false
	}
	if r.has == nil {
		r.has = map[string]bool{}
	}
	if len(r.ring) < maxRecent {
		r.ring = append(r.ring, id)
	} else {
		delete(r.has, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % maxRecent
	}
	r.has[id] = true
	return true
}
