package replay

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"devhook/recorder"
)

// A shift moves the timestamps of a webhook by whole seconds, so that those of a
// session that are moved alike keep their intervals, in whatever unit they are.
//
// What is a timestamp is told by its form, its name and its distance from the time
// when the webhook came:
//
//   - Dates of RFC 3339 and ISO 8601 with a time of day (2026-11-21T14:02:11.482Z,
//     also with a space, an offset without a colon, or none), of HTTP (RFC 9110
//     §5.6.7) and as Twitter writes them: up to 366 days away, whatever they are
//     called. Their offset, fraction and spelling stay.
//   - Digits that are Unix seconds (10, also with a fraction), milliseconds (13),
//     microseconds (16) or nanoseconds (19): up to 366 days away if the name
//     speaks of a time (created_at, eventTime, ts, exp), up to one day if it says
//     nothing, and never if it speaks of an id, an amount, a key or a count.
//
// Days without a time, and words in a text, are left as they are. The time of the
// signature needs no rule: it is given anew when the webhook is signed, and so are
// iat, nbf and exp of a token whose key is known, which keep their distances.
type shift struct {
	by time.Duration // whole seconds
	at time.Time     // when the webhook came
}

// Shift returns the mutation that moves the timestamps of a webhook that came at
// arrived. by is rounded to whole seconds.
func Shift(by time.Duration, arrived time.Time) Mutation {
	return shift{by.Round(time.Second), arrived.UTC().Round(0)}
}

// parseShift reads DURATION around TIME.
func parseShift(rest string) (Mutation, error) {
	by, at, ok := strings.Cut(rest, " around ")
	d, err := time.ParseDuration(by)
	t, err2 := time.Parse(time.RFC3339Nano, at)
	if !ok || err != nil || err2 != nil || d%time.Second != 0 {
		return nil, bad("write DURATION around TIME, as in 240h around 2026-11-21T14:00:00Z; or use --shift-time now", "shift-time %q is no duration of whole seconds around a time", rest)
	}
	return shift{d, t.UTC()}, nil
}

func (s shift) String() string {
	return fmt.Sprintf("shift-time %v around %s", s.by, s.at.Format(time.RFC3339Nano))
}

func (s shift) Apply(req *recorder.Request) error {
	rewriteTexts(req, s.text)
	return nil
}

// Bounds of what is a timestamp; see shift.
const (
	nearby  = 24 * time.Hour
	faraway = 366 * 24 * time.Hour
)

func (s shift) text(name, text string) string {
	if len(text) < 10 || len(text) > 40 {
		return text
	}
	if isDigits(text[:10]) {
		return s.unix(name, text)
	}
	return s.date(text)
}

// unix moves a number of seconds or of parts of one.
func (s shift) unix(name, text string) string {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if !isDigits(whole) || hasFraction && (len(whole) != 10 || !isDigits(fraction)) {
		return text
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return text
	}
	var at time.Time
	var second int64 // in the unit of n
	switch len(whole) {
	case 10:
		at, second = time.Unix(n, 0), 1
	case 13:
		at, second = time.UnixMilli(n), 1e3
	case 16:
		at, second = time.UnixMicro(n), 1e6
	case 19:
		at, second = time.Unix(0, n), 1e9
	default:
		return text
	}
	within := time.Duration(nearby)
	switch kindOfName(name) {
	case namesTime:
		within = faraway
	case namesOther:
		return text
	}
	if at.Sub(s.at).Abs() > within {
		return text
	}
	n += int64(s.by/time.Second) * second
	now := strconv.FormatInt(n, 10)
	if n <= 0 || len(now) != len(whole) { // another unit by its length
		return text
	}
	if hasFraction {
		now += "." + fraction
	}
	return now
}

// dateForms are dates that are written anew as a whole.
var dateForms = []string{http.TimeFormat, time.RFC1123Z, time.RubyDate}

func (s shift) date(text string) string {
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil && t.Format(form) == text {
			if t.Sub(s.at).Abs() > faraway {
				return text
			}
			return t.Add(s.by).Format(form)
		}
	}
	// Of ISO 8601 only 2006-01-02T15:04:05 changes, as an offset moves with it.
	const form = "2006-01-02T15:04:05"
	if len(text) < len(form) || strings.IndexByte("Tt ", text[10]) < 0 || !isOffset(text[len(form):]) {
		return text
	}
	local, err := time.Parse(form, text[:10]+"T"+text[11:len(form)])
	if err != nil || local.Sub(s.at).Abs() > faraway {
		return text
	}
	local = local.Add(s.by)
	if local.Year() < 1 || local.Year() > 9999 {
		return text
	}
	now := local.Format(form)
	return now[:10] + text[10:11] + now[11:] + text[len(form):]
}

// isOffset reports whether s is what follows the seconds: a fraction, and then Z,
// an offset or nothing.
func isOffset(s string) bool {
	if s != "" && (s[0] == '.' || s[0] == ',') {
		rest := strings.TrimLeft(s[1:], "0123456789")
		if len(rest) == len(s)-1 {
			return false
		}
		s = rest
	}
	switch s = strings.TrimPrefix(s, " "); {
	case s == "", s == "Z", s == "z", s == "UTC":
		return true
	case s[0] != '+' && s[0] != '-':
		return false
	}
	hours, minutes, colon := strings.Cut(s[1:], ":")
	return isDigits(hours) && (colon && len(hours) == 2 && len(minutes) == 2 && isDigits(minutes) || !colon && (len(hours) == 4 || len(hours) == 2))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// What a name tells of the number that it is the name of.
type nameKind int

const (
	namesAnything nameKind = iota
	namesTime
	namesOther // an id, an amount, a secret or a count
)

var (
	timeWords = words("at time timestamp timestamps times ts t date datetime created updated modified create update expires expiry expire expiration exp iat nbf " +
		"start started starts end ended ends begin began since until when occurred sent received published issued signed paid closed opened due deadline now")
	otherWords = words("id ids uid uids uuid gid pid oid sid openid unionid key keys token secret nonce sign signature hash amount price total subtotal cost balance tax fee " +
		"quantity qty count size width height length bytes duration number num no phone tel mobile zip postal code seq sequence version room user account order item sku card iban serial rand random msgid logid roomid userid")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// kindOfName looks at the words of a name, the last first: event_time is a time,
// and time_id an id.
func kindOfName(name string) nameKind {
	for _, w := range slices.Backward(nameWords(name)) {
		switch {
		case otherWords[w]:
			return namesOther
		case timeWords[w]:
			return namesTime
		}
	}
	return namesAnything
}

// nameWords parts a name where its case changes, and at what is no letter.
func nameWords(name string) []string {
	var all []string
	word := []rune{}
	end := func() {
		if len(word) > 0 {
			all = append(all, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			end() // eventTime, and the T of IDToken
		}
		word = append(word, r)
	}
	end()
	return all
}
