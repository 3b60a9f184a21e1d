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
func flipWord(w string) string {
	if w == "" {
		return "0"
	}
	i := len(w) / 2 // the number of a key can stand before it
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

// otherScheme signs as GitHub does, or as Stripe, if the provider signs as GitHub.
func otherScheme(b *build) error {
	scheme, mark := "github", "X-Hub-Signature-256"
	for _, p := range b.a.places {
		if p.where == "header" && p.name == mark {
			scheme = "stripe"
		}
	}
	p, _ := verify.Lookup(scheme)
	if err := unsigned(b); err != nil {
		return err
	}
	signed, err := b.a.signAs(b.req, Signing{As: p, At: b.now})
	if isRefusal(err) {
		return skip("its secret is none of " + scheme)
	}
	b.req = signed
	return err
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

// respaced signs what handlers write that parse JSON and write it again.
func respaced(b *build) (err error) {
	if err := b.body(compact); err != nil {
		return err
	}
	if b.req, err = b.a.sign(b.req, b.now, false); err != nil {
		return err
	}
	return b.body(spaced)
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
