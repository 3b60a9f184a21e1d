// Package tuniformtest is Tuniform's Stream Alerts service on this machine, as
// far as it is documented: the refusals of a token, the greeting, text frames
// and pings. What it sends is left to who starts it. Sources: the pages "Stream
// Alerts service" and "Events" of Tuniform's documentation.
package tuniformtest

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"regexp"
	"time"

	"devhook/fixtures"
	"devhook/internal/stream/feed"
)

// Options are what a server is like.
type Options struct {
	Token string        // the one that is valid; "" takes any of 64 hex digits
	Hello []byte        // the greeting; nil: that of the documentation
	Mute  bool          // greets nobody, against the documentation
	Ping  time.Duration // 0: 20 s. The platform's own interval is not documented
	Log   func(text string)
}

// The answers to a token, with status 401.
const (
	MissingToken = "Missing 'token' query parameter"
	BadToken     = "Invalid or expired token"
)

// Hello is the greeting of the documentation.
const Hello = `{"type":"CONNECTED","kick_username":"creator_kick_handle","user_id":12345}`

var token = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

// New returns the server. It is at every path, as which one is the platform's
// business.
func New(o Options) *feed.Server {
	if o.Hello == nil {
		o.Hello = []byte(Hello)
	}
	o.Ping = cmp.Or(o.Ping, 20*time.Second)
	s := &feed.Server{
		Ping: o.Ping, Log: o.Log, Local: o.Token == "", // else the secret keeps strangers out
		Admit: func(r *http.Request) (int, string) {
			given := r.URL.Query().Get("token")
			switch {
			case given == "":
				return http.StatusUnauthorized, MissingToken
			case o.Token == "" && !token.MatchString(given),
				o.Token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(o.Token)) == 0:
				return http.StatusUnauthorized, BadToken
			}
			return 0, ""
		},
	}
	if !o.Mute {
		s.Greet = func(*http.Request) [][]byte { return [][]byte{o.Hello} }
	}
	return s
}

// Samples returns sample events: those of the documentation, one composed of
// its fields, and with unknown one of a type that does not exist yet. They
// happened at now.
func Samples(unknown bool, now time.Time) [][]byte {
	names := []string{"donation", "subscription", "donation.no-audio"}
	if unknown {
		names = append(names, "unknown.follow")
	}
	var list [][]byte
	for _, name := range names {
		f, _ := fixtures.Lookup("tuniform", name)
		f, err := f.Fill(now, 0)
		if err != nil {
			panic(err) // they are part of the program
		}
		list = append(list, f.Exchange.Request.Body.Bytes)
	}
	return list
}
