// Package redact takes credentials and personal data out of a recorded
// request, so that it can be shown to others and still be sent to an app. What
// becomes of the signature, which no longer fits, is left to the caller.
//
// # What is replaced
//
// The names of headers, parameters and JSON members tell what they hold, by the
// tables in names.go; patterns find tokens, e-mail addresses and telephone
// numbers in any text. An id or user name that a name gave away is replaced
// wherever else it stands as a word of its own, as in a URL; so is a name of more than
// one word or in another script than Latin, and a long number. JSON in strings, in
// base64 and in form fields is entered. Names, event types, times, signatures, booleans
// and null stay.
//
// A credential becomes zeros, of the same length, so that hex stays hex and
// base64 stays base64; which was which cannot be told any more. Personal data
// becomes other letters and digits of the same shape, the same for the same
// text and key: an id is replaced alike in the URL, in a header and in the body.
// E-mail addresses become those of example.com, IP addresses those of
// 192.0.2.0/24 and 2001:db8::/32.
//
// # What is not
//
// What no name and no pattern gives away, as what people write to each other,
// stays. So do compressed and other binary bodies, in which nothing can be
// seen; the names of JSON members, also if they are ids; and the names of hosts,
// repositories, rooms and shops. In XML and multipart forms only patterns count.
// A string in which something is replaced is spelled anew: \/ becomes /.
package redact

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"devhook/recorder"
	"devhook/verify"
)

// A Redactor replaces what should not be seen. It is safe for concurrent use.
type Redactor struct {
	key      []byte
	personal bool // replaces personal data, too
	hide     func(string) string
	provider verify.Provider // whose webhooks they are; the zero value: not known
}

// New returns a Redactor. With one key, the same text always becomes the same;
// who does not have the key cannot guess what a text was by trying. The secrets
// are replaced wherever they stand.
func New(key []byte, secrets ...verify.Secret) *Redactor {
	return &Redactor{key: bytes.Clone(key), personal: true, hide: verify.Hider(secrets...)}
}

// Credentials returns a Redactor that replaces credentials, the given secrets
// among them wherever they stand, and no personal data.
func Credentials(secrets ...verify.Secret) *Redactor {
	return &Redactor{hide: verify.Hider(secrets...)}
}

// Of returns the Redactor for webhooks of p, which leaves in place what it names
// deliveries by: elsewhere uid and UniqueID are ids of people.
func (r *Redactor) Of(p verify.Provider) *Redactor {
	of := *r
	of.provider = p
	return &of
}

// Request returns req with what should not be seen replaced, and where that
// was, each place once: "header Authorization", "query access_token", "body
// email", "remote". After the first hundred places there is only "more". Size
// and Content-Length follow the body. A body that is in a file (Body.Sum) is
// not read: load it first. What req refers to is not written to.
func (r *Redactor) Request(req recorder.Request) (redacted recorder.Request, changed []string) {
	p := r.pass()
	p.settle(func() { redacted = p.request(req) })
	return redacted, p.changed
}

func (r *Redactor) pass() *pass {
	return &pass{Redactor: r, rules: map[string]rule{}, ids: map[string]bool{}, names: map[string]string{}, parts: map[string][2]string{}, contacts: map[string]bool{}}
}

// settle does what replaces until it comes to know of nothing more: the first time ids and
// names are only collected, and then a name can be that of somebody who can be reached.
func (p *pass) settle(replace func()) {
	for again := 2; ; again-- {
		before := len(p.ids) + len(p.contacts) + len(p.names)
		replace()
		if again == 0 || len(p.ids)+len(p.contacts)+len(p.names) == before {
			return
		}
		p.known, p.reachable, p.changed, p.places = maps.Clone(p.ids), maps.Clone(p.contacts), nil, nil
		p.full = slices.Sorted(maps.Keys(p.names))
	}
}

// A pass is one way through a request.
type pass struct {
	*Redactor
	drop  bool                 // headers that hold credentials are left out
	of    string               // goes before the parts of what is no request
	rules map[string]rule      // of names that were seen, up to maxRules
	ids   map[string]bool      // ids and user names that were seen, up to maxKnown
	known map[string]bool      // those to replace wherever they stand
	kept  []string             // what the delivery is named by
	names map[string]string    // names in full that were seen, up to maxNames, and what stands for them
	parts map[string][2]string // first and last names, by their objects
	full  []string             // those to replace wherever they stand

	contacts  map[string]bool // objects with a member of contactNames, up to maxKnown
	reachable map[string]bool // those whose name is that of a person

	part    string // of the request
	changed []string
	places  map[string]bool
}

const (
	maxRules  = 4096
	maxKnown  = 10_000
	maxNames  = 100 // each is looked for in all texts
	maxPlaces = 100
	maxShown  = 64 // bytes of a name in changed
)

// note adds a place to changed.
func (p *pass) note(name string) {
	if len(name) > maxShown {
		name = name[:maxShown]
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		name = strconv.QuoteToASCII(name)
	}
	place := strings.TrimSpace(p.of + p.part + " " + name)
	switch {
	case p.places[place] || len(p.changed) > maxPlaces:
		return
	case len(p.changed) == maxPlaces:
		place = "more"
	}
	if p.places == nil {
		p.places = map[string]bool{}
	}
	p.places[place] = true
	p.changed = append(p.changed, place)
}
