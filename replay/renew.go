package replay

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"devhook/recorder"
)

// A renew puts another id in the place of one, wherever it is the whole of a text:
// in headers, the query, and the body. An id that is a number in JSON is one
// afterwards.
type renew struct{ old, id string }

// parseRenew reads OLD NEW.
func parseRenew(rest string) (Mutation, error) {
	old, id, ok := strings.Cut(rest, " ")
	if !ok || old == "" || id == "" || strings.Contains(id, " ") {
		return nil, bad("write the old id and the new one", "renew %q: two ids with a space between them are needed", rest)
	}
	if isDigits(old) && !isDigits(id) || isDigits(old) && id[0] == '0' {
		return nil, bad("", "renew %s: the new id must be a number, too", rest)
	}
	return renew{old, id}, nil
}

func (r renew) String() string { return "renew " + r.old + " " + r.id }

func (r renew) Apply(req *recorder.Request) error {
	applyFirst([]Mutation{r}, req)
	return nil
}

// applyFirst applies the first mutation of list, and with it, in one pass, the renews that
// follow a renew: a body can hold thousands of ids. n is how many it has applied. A renew of
// what one before it has made, or has taken, waits for another pass.
func applyFirst(list []Mutation, req *recorder.Request) (n int, err error) {
	ids, made := map[string]string{}, map[string]bool{}
	for _, m := range list {
		r, ok := m.(renew)
		if !ok || made[r.old] || ids[r.old] != "" {
			break
		}
		ids[r.old], made[r.id] = r.id, true
	}
	if len(ids) == 0 {
		return 1, list[0].Apply(req)
	}
	rewriteTexts(req, func(_, text string) string { return cmp.Or(ids[text], text) })
	return len(ids), nil
}

// minID is the least length of an id that is renewed: what is shorter can be the
// same as something else by accident.
const minID = 8

// Fresh gives new ids to the deliveries of a session, the same new one for the
// same old one wherever it stands. What is an id of a delivery or an event: what
// the provider declares as such; a header or a value at the top of the body that is
// called so (webhook-id, event_id, X-…-Delivery); and id beside an event's type.
// Ids of less than 8 characters stay, and so does what is only called an id and names a
// kind, as in rm:repository:component. A new id has the form of the old one: prefix,
// length, and the kind of each character.
//
// A session that is sent several times has others in each round.
//
// First [Fresh.Note] is told all, then [Fresh.Of] gives the changes; that is safe
// for concurrent use.
type Fresh struct {
	Seed uint64 // the same ids for the same seed

	noted map[string]string // the prefix of each id, as far as the provider declares it

	mu     sync.Mutex
	rounds map[int]map[string]string // guarded by mu: new ids by the old ones
}

// Note takes the ids of a webhook up. declared is what its provider calls the
// delivery, "" if it has no name for it, and prefix what all of its ids begin with,
// "" if that is not known. The body of req has to be in memory.
func (f *Fresh) Note(req *recorder.Request, declared, prefix string) {
	f.add(declared, prefix)
	for name, values := range req.Headers {
		if len(values) == 1 && namesDelivery(name) && !isName(values[0]) {
			f.add(values[0], "")
		}
	}
	top := topTexts(req)
	for name, text := range top {
		named := namesDelivery(name) || name == "id" && (top["type"] != "" || top["event"] != "" || top["event_type"] != "" || top["object"] == "event")
		if named && !isName(text) {
			f.add(text, "")
		}
	}
}

// isName reports whether text names a kind of things, in words with : . or / between them, and
// not one thing: what a machine has made to be unlike others has a digit or a capital.
func isName(text string) bool {
	return strings.ContainsAny(text, ":./") && !strings.ContainsFunc(text, func(c rune) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' })
}

// namesDelivery reports whether a header or member of that name names a delivery
// or an event.
func namesDelivery(name string) bool {
	switch w := nameWords(name); {
	case len(w) == 0:
		return false
	case w[len(w)-1] == "delivery":
		return len(w) > 1
	case len(w) >= 2 && w[len(w)-1] == "id":
		switch w[len(w)-2] {
		case "delivery", "event", "webhook", "notification", "message", "msg", "request", "log":
			return true
		}
	case len(w) >= 2 && w[len(w)-2] == "idempotency":
		return true
	}
	return strings.EqualFold(name, "msgid") || strings.EqualFold(name, "eventid") || strings.EqualFold(name, "logid")
}

func (f *Fresh) add(id, prefix string) {
	if len(id) < minID || len(id) > 200 || strings.ContainsAny(id, " \r\n") {
		return
	}
	if f.noted == nil {
		f.noted = map[string]string{}
	}
	if !strings.HasPrefix(id, prefix) || len(prefix) > len(id)-minID/2 {
		prefix = ""
	}
	f.noted[id] = cmp.Or(prefix, f.noted[id])
}

// assigned gives each id a new one, which is no other's of the round, neither old nor new.
func (f *Fresh) assigned(round int) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ids, ok := f.rounds[round]; ok {
		return ids
	}
	ids, used := make(map[string]string, len(f.noted)), map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(f.noted)) {
		for n := range uint64(100) {
			made := newID(id, f.noted[id], f.Seed+uint64(round), n)
			if _, old := f.noted[made]; !old && !used[made] {
				ids[id], used[made] = made, true
				break
			}
		}
	}
	if f.rounds == nil {
		f.rounds = map[int]map[string]string{}
	}
	f.rounds[round] = ids
	return ids
}

const (
	digits    = "0123456789"
	crockford = "ABCDEFGHJKMNPQRSTVWXYZ" // the letters of a ULID
)

// newID gives a new id in the form of an old one, which begins with prefix.
func newID(id, prefix string, seed, n uint64) string {
	mac := hmac.New(sha256.New, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, seed), n))
	mac.Write([]byte(id))
	random := rand.New(rand.NewChaCha8([32]byte(mac.Sum(nil))))
	pick := func(alphabet string) byte { return alphabet[random.IntN(len(alphabet))] }
	from := restOf(id)
	rest := id[from:]
	allDigits := isDigits(rest)
	isUUID := len(rest) == 36 && rest[8] == '-' && rest[23] == '-'
	letters, isULID := lettersOf(rest)
	out := []byte(id)
	for i := range rest {
		switch c := rest[i]; {
		case allDigits && i < 1+2*(len(rest)/19), isUUID && (i == 14 || i == 19), isULID && i == 0:
			// no leading zero, no more than an int64 holds; version and variant; 48 bits of time
		case c >= '0' && c <= '9':
			out[from+i] = pick(digits)
		case c >= 'a' && c <= 'z':
			out[from+i] = pick(strings.ToLower(letters))
		case c >= 'A' && c <= 'Z':
			out[from+i] = pick(letters)
		}
	}
	copy(out, prefix)
	return string(out)
}

// restOf returns where id goes on after its prefix: after the last _ or :, as in evt_ and
// msg_, or after up to seven letters before a . or -, as in wamid. and WH-: a UUID has eight.
func restOf(id string) int {
	most := len(id) - minID/2 // what is left can be new
	from := strings.LastIndexAny(id[:most], "_:") + 1
	word := strings.TrimLeft(id[from:most], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if n := most - len(word); n > from && n-from < 8 && word != "" && (word[0] == '.' || word[0] == '-') {
		from = n + 1
	}
	return from
}

// lettersOf returns the alphabet, in capitals, of the letters in the random part of an id: that
// of hexadecimal digits, of a ULID, or all.
func lettersOf(text string) (letters string, isULID bool) {
	switch upper := strings.ToUpper(text); {
	case strings.Trim(upper, digits+"-ABCDEF") == "":
		return "ABCDEF", false
	case len(text) == 26 && strings.Trim(upper, digits+crockford) == "":
		return crockford, true
	}
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ", false
}

// Of returns the changes that renew the ids which req holds, in a round; the first is 0.
func (f *Fresh) Of(req *recorder.Request, round int) []Mutation {
	var all []Mutation
	seen, ids := map[string]bool{}, f.assigned(round)
	rewriteTexts(&recorder.Request{URL: req.URL, Headers: req.Headers, Body: req.Body}, func(_, text string) string {
		if id, ok := ids[text]; ok && !seen[text] {
			seen[text] = true
			all = append(all, renew{text, id})
		}
		return text
	})
	return all
}
