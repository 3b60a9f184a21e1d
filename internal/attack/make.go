package attack

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/jsonx"
	"devhook/internal/param"
	"devhook/recorder"
	"devhook/verify"
)

func same(*build) error { return nil }

func unsigned(b *build) error {
	m, err := b.req.Message()
	if err != nil {
		return err
	}
	m.Header = m.Header.Clone()
	b.a.provider.Unsign(&m)
	b.req.Headers = m.Header
	setQuery(&b.req, m.URL.RawQuery)
	setBody(&b.req, m.Body)
	return nil
}

func emptyValue(b *build) error {
	for _, p := range b.a.places {
		p.set(&b.req, "")
	}
	return nil
}

// flipWord changes the character in the middle, which in base64 has no bits that do not
// count.
func flipWord(w string) string { return flipAt(w, len(w)/2) } // the number of a key can stand before it

// flipAt changes the character at i.
func flipAt(w string, i int) string {
	if w == "" {
		return "0"
	}
	c := w[i]
	switch {
	case c == '0' || c|0x20 == 'a':
		c++
	case '1' <= c && c <= '9' || isLetter(c):
		c--
	default:
		c = 'A'
	}
	return w[:i] + string(c) + w[i+1:]
}

// flipped changes one character of the signature: in the middle, and at its ends, for who
// compares all but these. The last one in base64 may have bits that do not count.
func flipped(b *build) error {
	ends := []func(w string) int{
		func(w string) int { return len(w) / 2 },
		func(string) int { return 0 },
		func(w string) int { return max(0, len(strings.TrimRight(w, "="))-2) },
	}
	return b.several(len(ends), func(i int, req *recorder.Request) error {
		for _, p := range b.a.places {
			w := p.word(req)
			p.setWord(req, flipAt(w, ends[i](w)))
		}
		return nil
	})
}

// unlike has no signature where there should be one: words in place of the whole value, and
// the value up to the signature, without its name.
func unlike(b *build) error {
	if !slices.ContainsFunc(b.a.places, func(p place) bool { return p.before > 0 }) {
		return skip("the signature is all that there is in its value")
	}
	before := func(p place) string { // as t=1700000000 of t=1700000000,v1=
		head := p.get(&b.req)[:p.before]
		return strings.TrimRight(head[:strings.LastIndexAny(head, ",; ")+1], ",; ")
	}
	n := 1
	if slices.ContainsFunc(b.a.places, func(p place) bool { return before(p) != "" }) {
		n = 2
	}
	return b.several(n, func(i int, req *recorder.Request) error {
		for _, p := range b.a.places {
			if i == 0 {
				p.set(req, "garbage")
			} else {
				p.set(req, before(p))
			}
		}
		return nil
	})
}

// several sends n requests, which change makes of signed ones. Each is a delivery of its own:
// who remembers what he has refused would know the next one. What a receiver takes for right
// is left out, unless it is all.
func (b *build) several(n int, change func(i int, req *recorder.Request) error) error {
	var right []recorder.Request
	for i := range n {
		req, err := b.a.sign(b.a.renewed(), b.now, true)
		if err != nil {
			return err
		}
		if err := change(i, &req); err != nil {
			return err
		}
		verdict, err := b.a.verdict(&req, b.now)
		if err != nil {
			return err
		}
		if verdict.Status == verify.Valid {
			right = append(right, req)
		} else {
			b.more = append(b.more, req)
		}
	}
	if len(b.more) == 0 {
		b.more = right
	}
	return nil
}

func isHex(w string) bool {
	_, err := hex.DecodeString(w)
	return err == nil
}

func swapCase(w string) (string, error) {
	if isHex(w) {
		return "", skip("the signature is in hexadecimal digits, which are the same in upper case")
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isLetter(byte(r)) {
			return r ^ 0x20
		}
		return r
	}, w), nil
}

func upperHex(w string) (string, error) {
	if !isHex(w) || strings.ToUpper(w) == w {
		return "", skip("the signature is not in small hexadecimal digits")
	}
	return strings.ToUpper(w), nil
}

func recode(w string) (string, error) {
	if raw, err := hex.DecodeString(w); err == nil {
		return base64.StdEncoding.EncodeToString(raw), nil
	}
	if raw, err := base64.StdEncoding.DecodeString(w); err == nil {
		return hex.EncodeToString(raw), nil
	}
	return "", skip("the signature is neither in hex nor in base64")
}

func doubled(before bool) func(*build) error {
	return func(b *build) error {
		done := false
		for _, p := range b.a.places {
			if p.where != "header" {
				continue
			}
			wrong := b.req
			p.setWord(&wrong, flipWord(p.word(&wrong)))
			values := []string{p.get(&b.req), p.get(&wrong)}
			if before {
				values[0], values[1] = values[1], values[0]
			}
			b.req.Headers = b.req.Headers.Clone()
			b.req.Headers[p.name] = values
			done = true
		}
		if !done {
			return skip("the signature is not in a header")
		}
		return nil
	}
}

// otherScheme signs as GitHub does, or as Stripe, if the provider signs as GitHub: with the
// right secret, and with none, as of one that is not set.
func otherScheme(b *build) error {
	scheme, mark := "github", "X-Hub-Signature-256"
	for _, p := range b.a.places {
		if p.where == "header" && p.name == mark {
			scheme = "stripe"
		}
	}
	p, _ := verify.Lookup(scheme)
	secrets := []string{"", noKey}
	return b.several(len(secrets), func(i int, req *recorder.Request) error {
		bare := build{a: b.a, req: *req}
		if err := unsigned(&bare); err != nil {
			return err
		}
		signed, err := b.a.signAs(bare.req, Signing{As: p, At: b.now, Secret: secrets[i]})
		if isRefusal(err) {
			return skip("its secret is none of " + scheme)
		}
		*req = signed
		return err
	})
}

// aged signs at a time that a receiver refuses for the reason, if there is one.
func aged(direction int, want verify.Reason) func(*build) error {
	return func(b *build) error {
		first := b.req
		for _, d := range []time.Duration{time.Hour, 24 * time.Hour, 60 * 24 * time.Hour} {
			req, err := b.a.sign(first, b.now.Add(time.Duration(direction)*d), false)
			if err != nil {
				return err
			}
			b.req = req
			if v, err := b.a.verdict(&req, b.now); err != nil || v.Reason == want {
				return err
			}
		}
		if direction > 0 {
			return skip("a receiver cannot tell")
		}
		return nil
	}
}

func forgedTime(b *build) error {
	old, err := b.a.sign(b.req, b.now.Add(-24*time.Hour), false)
	if err != nil {
		return err
	}
	for _, p := range b.a.places {
		p.setWord(&b.req, p.word(&old))
	}
	return nil
}

// respaced signs what handlers write that parse JSON and write it again, each language in
// its own way.
func respaced(b *build) error {
	spellings := []func([]byte) ([]byte, error){
		compact, asMap,
		func(body []byte) ([]byte, error) { return written(body, " ", "/") },
		func(body []byte) ([]byte, error) { return written(body, "", `\/`) },
		func(body []byte) ([]byte, error) { // json.dumps(…, sort_keys=True)
			body, err := asMap(body)
			if err != nil {
				return nil, err
			}
			return written(body, " ", "/")
		},
	}
	return b.several(len(spellings), func(i int, req *recorder.Request) error {
		body, err := spellings[i](req.Body.Bytes)
		if err != nil {
			return err
		}
		setBody(req, body)
		if *req, err = b.a.sign(*req, b.now, false); err != nil {
			return err
		}
		if body, err = spaced(req.Body.Bytes); err == nil {
			setBody(req, body)
		}
		return err
	})
}

// unread has signatures of what is left to an app whose framework has read the body
// before it: nothing, or what its language writes for a form or JSON that is not there.
func unread(b *build) error {
	for _, left := range []string{"", "{}", "[]", "null", "[object Object]"} {
		req := b.a.renewed() // one that remembers what it has refused must not know it
		body := req.Body.Bytes
		setBody(&req, []byte(left))
		req, err := b.a.sign(req, b.now, true)
		if err != nil {
			return err
		}
		if !slices.Equal(slices.Sorted(param.Names(query(&req))), slices.Sorted(param.Names(query(&b.req)))) {
			continue // Twilio signs what is no form in another way, which says nothing of this one
		}
		setBody(&req, body)
		b.more = append(b.more, req)
	}
	return nil
}

func unknown(b *build) error {
	if b.a.event.where == "" {
		return skip("its events have no name")
	}
	b.a.event.set(&b.req, unknownEvent)
	return nil
}

// members puts raw in the place of all that is not needed to know the event, ""
// takes it away.
func members(raw string) func(*build) error {
	return body(func(b *build, body []byte) ([]byte, error) {
		return b.a.members(body, func(old []byte) []byte {
			switch {
			case raw == "":
				return nil
			case raw == "[]" && jsonx.KindOf(old) == jsonx.Array:
				return []byte("7")
			}
			return []byte(raw)
		})
	})
}

func compressed(b *build) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(b.req.Body.Bytes) // to memory
	z.Close()
	setBody(&b.req, packed.Bytes())
	b.header("Content-Encoding", "gzip")
	return nil
}

func repeated(n int, together bool) func(*build) error {
	return func(b *build) error {
		if err := b.unique(b.now); err != nil {
			return err
		}
		for range n {
			b.more = append(b.more, b.req)
		}
		b.together = together
		return nil
	}
}

// unique makes the body one that was not sent before, where the provider does not
// name deliveries: then nothing else tells a repetition. It signs at the time.
func (b *build) unique(at time.Time) (err error) {
	if b.a.deliveryOf(&b.req) == "" {
		if err := b.mark(); err != nil {
			return err
		}
	}
	b.req, err = b.a.sign(b.req, at, false)
	return err
}

// mark makes the body one that there was not before.
func (b *build) mark() error {
	mark := strconv.Quote(strconv.FormatUint(rand.Uint64(), 36))
	return b.body(func(body []byte) ([]byte, error) { return added(body, "devhook_delivery", mark) })
}

// aWhile is between two webhooks, the older of which is not stale for who allows 5 s, as Paddle does.
const aWhile = 2 * time.Second

func triedAgain(b *build) error {
	if err := b.unique(b.now.Add(-aWhile)); err != nil {
		return err
	}
	first := b.req
	again, err := b.a.sign(first, b.now, false)
	b.more = []recorder.Request{first, again}
	return err
}

func late(b *build) error {
	older, err := b.a.sign(b.a.renewed(), b.now.Add(-aWhile), true)
	b.more = []recorder.Request{b.req, older}
	return err
}
