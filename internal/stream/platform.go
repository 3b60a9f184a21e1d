package stream

import (
	"net/url"
)

// A platform is what differs from one to the other.
type platform struct {
	id, name string
	url      string
	env      string // the variable that usually has the secret
	secret   string // what the platform calls it
	creator  bool   // it has to be told whose stream
	// check tells what is wrong with the secret, "" if nothing.
	check func(secret string) string
	query func(q url.Values, o Options)
	// open takes a frame apart. first says that none came before it on this
	// connection. account is set if it is no event but a greeting.
	open func(frame []byte, first bool) (account *string, events []Event, problem string)
	// refused says what an answer other than 101 to the handshake means.
	refused func(status int) verdict
	// closed says what the close code means.
	closed func(code int) verdict
}

// A verdict is what follows from the end of a connection.
type verdict struct {
	why  string // "" if there is nothing to say beside the fact
	next next
	hint string // for stop
}

// next is what to do after the end of a connection.
type next int

const (
	again  next = iota // reconnect soon, and later each time it fails
	atOnce             // reconnect: nothing is wrong
	later              // look again at an easy pace: there is nothing to hear now
	rarely             // the platform has had enough of us: wait long
	stop               // no attempt will change it
)

var platforms = []*platform{tuniform, euler}

// Names returns the names of all platforms.
func Names() []string {
	var names []string
	for _, p := range platforms {
		names = append(names, p.id)
	}
	return names
}

// Env returns the variable that usually has the secret of a platform, and what
// the platform calls it; "" if there is no such platform.
func Env(name string) (env, secret string) {
	if p := find(name); p != nil {
		return p.env, p.secret
	}
	return "", ""
}

// NeedsCreator reports whether a platform has to be told whose stream is meant.
func NeedsCreator(name string) bool { p := find(name); return p != nil && p.creator }

func find(name string) *platform {
	for _, p := range platforms {
		if p.id == name {
			return p
		}
	}
	return nil
}
