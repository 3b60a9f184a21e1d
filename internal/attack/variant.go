package attack

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// Want is what a right handler does with a variant.
type Want string

// What a right handler does.
const (
	Accept  Want = "accept"  // answers 2xx
	Refuse  Want = "refuse"  // answers 4xx, and has no effect
	Survive Want = "survive" // answers anything but 5xx
	Once    Want = "once"    // answers 2xx to each, and acts once; 409 will do for what came before
)

// A Variant is one way in which a webhook can be, or be wrong.
type Variant struct {
	Name  string
	About string
	Want  Want

	signed bool // make changes a message that is signed afterwards, and else one that was
	make   func(b *build) error

	accepted, refused, crashed string // the fault that it tells, if that is not what is wanted
	unseen                     string // why a right handler may accept it, where it is to be refused
	// What is told where it is no fault: if it is accepted, if it is refused, if the
	// handler crashes.
	note, refusedNote, crashNote string
	idleNote                     string // if it is let through and known to have no effect
	unseenBefore                 bool   // no handler has seen this body: if it is let through, it has an effect
	decoy                        bool   // the first of its requests is to be refused
}

// crashNoObject is no fault: it takes the secret, and the examples of Stripe, GitHub and
// LINE for their own libraries crash so.
const crashNoObject = "crashes on JSON that is no object, which nobody sends who has the secret"

// A build is a variant that is being made.
type build struct {
	a        *Attack
	now      time.Time
	req      recorder.Request
	more     []recorder.Request // what is sent if it is not req alone
	together bool
}

// body replaces the body.
func (b *build) body(f func([]byte) ([]byte, error)) error {
	body, err := f(b.req.Body.Bytes)
	if err == nil {
		setBody(&b.req, body)
	}
	return err
}

// word replaces the word of each signature.
func (b *build) word(f func(word string) (string, error)) error {
	for _, p := range b.a.places {
		w, err := f(p.word(&b.req))
		if err != nil {
			return err
		}
		p.setWord(&b.req, w)
	}
	return nil
}

// header replaces the header.
func (b *build) header(name, value string) {
	b.req.Headers = b.req.Headers.Clone()
	b.req.Headers[name] = []string{value}
}

func word(f func(string) (string, error)) func(*build) error {
	return func(b *build) error { return b.word(f) }
}

func body(f func(b *build, body []byte) ([]byte, error)) func(*build) error {
	return func(b *build) error {
		return b.body(func(body []byte) ([]byte, error) { return f(b, body) })
	}
}

// plain is body of what asks nothing but the body.
func plain(f func(body []byte) ([]byte, error)) func(*build) error {
	return func(b *build) error { return b.body(f) }
}

func fixed(text string) func(*build) error {
	return plain(func([]byte) ([]byte, error) { return []byte(text), nil })
}

// adding makes the body one with a further field.
func adding(name, raw string) func(*build) error {
	return plain(func(body []byte) ([]byte, error) { return added(body, name, raw) })
}

// padded makes the body one with a text of n bytes more, which is made when it is wanted:
// every start of devhook would take the memory.
func padded(n int) func(*build) error {
	return plain(func(body []byte) ([]byte, error) {
		return added(body, "devhook_padding", `"`+strings.Repeat("x", n)+`"`)
	})
}

const (
	bodyUnseen = "the signature does not cover this"
	timeUnseen = "no time is signed"
)

// control is the name of the webhook as it is.
const control = "control"

// Variants are all variants, in the order in which they are to be sent. The first
// is the webhook as it is.
var Variants = []Variant{
	{Name: control, About: "as the provider sends it", Want: Accept, signed: true, make: same, refused: "refuses-right"},

	{Name: "signature-missing", About: "no signature at all", Want: Refuse, make: unsigned, accepted: "fails-open", crashed: "crash-signature"},
	{Name: "signature-empty", About: "nothing where the signature was", Want: Refuse, accepted: "accepts-empty-signature", crashed: "crash-signature",
		make: word(func(string) (string, error) { return "", nil })},
	{Name: "signature-value-empty", About: "the header or parameter of the signature is empty", Want: Refuse, make: emptyValue, accepted: "accepts-empty-signature", crashed: "crash-signature"},
	{Name: "signature-flipped", About: "one character of the signature is another: in the middle, the first, one of the last", Want: Refuse, make: flipped, accepted: "compares-prefix", crashed: "crash-signature"},
	{Name: "signature-truncated", About: "only the first half of the signature", Want: Refuse, accepted: "compares-prefix", crashed: "crash-signature",
		make: word(func(w string) (string, error) { return w[:len(w)/2/4*4], nil })},
	{Name: "signature-longer", About: "the signature, and more behind it", Want: Refuse, accepted: "compares-prefix", crashed: "crash-signature",
		make: word(func(w string) (string, error) { return strings.TrimRight(w, "=") + "ab00", nil })},
	{Name: "signature-garbage", About: "words in place of the signature", Want: Refuse, accepted: "passes-errors", crashed: "crash-signature",
		make: word(func(string) (string, error) { return "not a signature!", nil })},
	{Name: "signature-odd", About: "letters that are no ASCII in place of the signature", Want: Refuse, accepted: "passes-errors",
		crashNote: "crashes on letters that are no ASCII, as what compares texts in constant time may: compare bytes",
		make:      word(func(string) (string, error) { return "žluťoučký", nil })},
	{Name: "signature-unlike", About: "words in place of all that the signature stands in, and that without the signature", Want: Refuse, make: unlike, accepted: "passes-errors", crashed: "crash-signature"},
	{Name: "signature-case", About: "the signature with upper and lower case exchanged", Want: Refuse, make: word(swapCase), accepted: "ignores-case", crashed: "crash-signature"},
	{Name: "signature-hex-case", About: "hexadecimal digits in upper case, which are the same bytes", Want: Survive, make: word(upperHex), crashed: "crash-signature",
		note: "compares without regard to case, which is harmless for hexadecimal digits"},
	{Name: "signature-encoding", About: "the same bytes in base64 and not in hex, or the other way round", Want: Survive, make: word(recode), crashed: "crash-signature"},
	{Name: "signature-twice", About: "a second, wrong one behind the signature", Want: Survive, make: doubled(false), crashed: "crash-signature"},
	{Name: "signature-second", About: "a wrong one before the signature", Want: Survive, make: doubled(true), crashed: "crash-signature"},
	{Name: "signature-rotated", About: "a wrong one before the right one in its list, as while a secret is rotated", Want: Survive, make: rotated, crashed: "crash-signature",
		refusedNote: "looks at one signature of several: it will refuse webhooks while a secret is rotated"},
	{Name: "token-unsigned", About: `a token with "alg":"none", and no signature`, Want: Refuse, make: unsignedToken, accepted: "unsigned-token", crashed: "crash-signature"},
	{Name: "method-other", About: "no signature, and PUT in place of POST", Want: Refuse, make: otherMethod, accepted: "fails-open", unseenBefore: true,
		crashNote: "does not know the method", idleNote: "answers 2xx to PUT, and does nothing"},
	{Name: "type-other", About: "no signature, and a text in place of what it is by its Content-Type", Want: Refuse, make: otherType, accepted: "fails-open", unseenBefore: true,
		crashNote: "crashes on another Content-Type", idleNote: "answers 2xx to another Content-Type, and does nothing"},
	{Name: "secret-wrong", About: "signed with another secret", Want: Refuse, make: wrongSecret, accepted: "unchecked-signature", crashed: "crash-signature", unseenBefore: true},
	{Name: "secret-empty", About: "signed with an empty secret, as of one that is not set", Want: Refuse, make: emptySecret, accepted: "empty-secret", crashed: "crash-signature"},
	{Name: "scheme-other", About: "signed with the right secret as another provider does", Want: Refuse, make: otherScheme, accepted: "other-scheme", crashed: "crash-signature"},

	{Name: "time-stale", About: "signed long ago", Want: Refuse, make: aged(-1, verify.Stale), accepted: "no-tolerance", crashed: "crash-signature", unseen: timeUnseen},
	{Name: "time-future", About: "signed with a time that is yet to come", Want: Survive, make: aged(1, verify.Future),
		note: "takes webhooks from the future; some providers' own libraries do"},
	{Name: "time-forged", About: "the present time, with the signature of an old one", Want: Refuse, make: forgedTime, accepted: "unsigned-time", crashed: "crash-signature", unseen: timeUnseen},

	{Name: "body-flipped", About: "one letter of the body is another, under the old signature", Want: Refuse, accepted: "unsigned-body", crashed: "crash-signature", unseen: bodyUnseen,
		make: body(func(b *build, body []byte) ([]byte, error) { return b.a.flipped(body) })},
	{Name: "body-field-added", About: "one field more, under the old signature", Want: Refuse, accepted: "unsigned-body", crashed: "crash-signature", unseen: bodyUnseen, make: adding("admin", "true")},
	{Name: "body-truncated", About: "half of the body, under the old signature", Want: Refuse, accepted: "unsigned-body", unseen: bodyUnseen, crashed: "crash-body",
		make: plain(func(body []byte) ([]byte, error) { return body[:len(body)/2], nil })},
	{Name: "body-emptied", About: "no body, under the old signature", Want: Refuse, make: fixed(""), accepted: "unsigned-body", unseen: bodyUnseen, crashed: "crash-body"},
	{Name: "body-unread", About: "the body, under signatures of what is left of one that was read before", Want: Refuse,
		make: unread, accepted: "empty-body", unseen: bodyUnseen, crashed: "crash-signature"},
	{Name: "body-line-added", About: "a line break behind the body, under the old signature", Want: Refuse, accepted: "trims-body", crashed: "crash-signature", unseen: bodyUnseen,
		make: plain(func(body []byte) ([]byte, error) { return append(bytes.Clone(body), '\n'), nil })},
	{Name: "body-bytes-added", About: "a byte more that is no UTF-8, under the old signature", Want: Refuse, accepted: "decoded-text", crashed: "crash-body", unseen: bodyUnseen,
		make: plain(func(body []byte) ([]byte, error) {
			at := bytes.LastIndexByte(body, '"') // in a text, so that it can be parsed once it was decoded
			if at < 0 {
				at = len(body)
			}
			return slices.Insert(bytes.Clone(body), at, 0xff), nil
		})},
	{Name: "json-respaced", About: "the same JSON with other white space, under the old signature", Want: Refuse, make: respaced, accepted: "parsed-json", crashed: "crash-signature", unseen: bodyUnseen},
	{Name: "json-spaced", About: "other white space, signed so", Want: Accept, signed: true, refused: "parsed-json", make: plain(spaced)},
	{Name: "json-compact", About: "no white space, signed so", Want: Accept, signed: true, refused: "parsed-json", make: plain(compact)},
	{Name: "json-ascii", About: `no white space and no letters but ASCII, as Python's json.dumps can write it, signed so`, Want: Accept, signed: true, refused: "parsed-json",
		make: plain(func(body []byte) ([]byte, error) { return written(body, "", "/") })},
	{Name: "json-python", About: "as Python's json.dumps writes it, signed so", Want: Accept, signed: true, refused: "parsed-json",
		make: plain(func(body []byte) ([]byte, error) { return written(body, " ", "/") })},
	{Name: "json-php", About: "as PHP's json_encode writes it, signed so", Want: Accept, signed: true, refused: "parsed-json",
		make: plain(func(body []byte) ([]byte, error) { return written(body, "", `\/`) })},
	{Name: "json-go", About: "as Go's json.Marshal writes a map, signed so", Want: Accept, signed: true, refused: "parsed-json", make: plain(asMap)},
	{Name: "json-order", About: "the members in another order, signed so", Want: Accept, signed: true, refused: "parsed-json", make: plain(reordered)},
	{Name: "json-escapes", About: `letters as \u00XX, signed so`, Want: Accept, signed: true, refused: "parsed-json",
		make: body(func(b *build, body []byte) ([]byte, error) { return b.a.escaped(body) })},
	{Name: "unicode", About: "letters of many scripts, signed", Want: Accept, signed: true, refused: "decoded-text", make: adding("devhook_text", `"žluťoučký 直播 🎁 שלום é"`)},

	{Name: "unicode-odd", About: "a NUL, half a surrogate and bytes that are no UTF-8, signed", Want: Survive, signed: true, crashed: "crash-body",
		make: adding("devhook_text", "\"\\u0000 \\ud800 \xff\xfe\"")},
	{Name: "event-unknown", About: "an event of a name that nobody knows, signed", Want: Survive, signed: true, make: unknown, crashed: "crash-event"},
	{Name: "fields-extra", About: "fields that nobody knows, signed", Want: Accept, signed: true, refused: "refuses-right", crashed: "crash-fields", make: adding("devhook_extra", `{"a":[1,null]}`)},
	{Name: "fields-null", About: "null in all fields, signed", Want: Survive, signed: true, make: members("null"), crashed: "crash-fields"},
	{Name: "fields-missing", About: "no fields but the name of the event, signed", Want: Survive, signed: true, make: members(""), crashed: "crash-fields"},
	{Name: "fields-types", About: "a list where something else was, signed", Want: Survive, signed: true, make: members("[]"), crashed: "crash-fields"},
	{Name: "body-empty", About: "no body, signed", Want: Survive, signed: true, make: fixed(""), crashed: "crash-body"},
	{Name: "body-list", About: "a JSON list for a body, signed", Want: Survive, signed: true, make: fixed("[]"), crashNote: crashNoObject},
	{Name: "body-null", About: "null for a body, signed", Want: Survive, signed: true, make: fixed("null"), crashNote: crashNoObject},
	{Name: "body-no-json", About: "a body that is no JSON, signed", Want: Survive, signed: true, make: fixed("{\"a\": oops"), crashed: "crash-body"},
	{Name: "body-deep", About: "lists in lists, 5,000 deep, signed", Want: Survive, signed: true,
		crashNote: "crashes on lists 5,000 deep, of which Python's json raises no ValueError; nobody sends them who has the secret",
		make:      adding("devhook_deep", strings.Repeat("[", 5000)+strings.Repeat("]", 5000))},
	{Name: "body-huge", About: "a body of 2 MB, signed", Want: Survive, signed: true, crashed: "crash-body", make: padded(2_000_000)},
	{Name: "body-compressed", About: "the body in gzip, under the signature of what is in it", Want: Survive, make: compressed, crashed: "crash-body"},
	{Name: "content-type-wrong", About: "a body that calls itself an image, signed", Want: Survive, signed: true, crashed: "crash-body",
		make: func(b *build) error { b.header("Content-Type", "image/png"); return nil }},

	{Name: "twice", About: "the same bytes a second time", Want: Once, make: repeated(2, false), accepted: "not-idempotent", refused: "refuses-late"},
	{Name: "twice-at-once", About: "the same bytes four times at once", Want: Once, make: repeated(4, true), accepted: "race", refused: "refuses-late"},
	{Name: "tried-again", About: "the provider's second try: the same delivery, signed a few seconds later", Want: Once, make: triedAgain, accepted: "not-idempotent", refused: "refuses-late"},
	{Name: "forged-first", About: "a wrong signature, and then the same delivery with the right one", Want: Once, make: forgedFirst, decoy: true,
		accepted: "acts-first", refused: "keeps-forged", crashed: "crash-signature"},
	{Name: "reordered", About: "two webhooks, the older one last", Want: Accept, make: late, refused: "refuses-right"},
}
