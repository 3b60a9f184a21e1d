package verify

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// leastHidden is how long a secret is, in bytes, that [Hider] looks for: what is
// shorter would be found in everything.
const leastHidden = 4

// Hider returns what takes secrets out of a text. In place of each there are
// zeros, as many; of one that is digits only, ones, which are a JSON number if
// the secret was one. Found are a secret as it is, and as URLs, JSON, base64 and
// hex have it; not, where it was hashed, or is shorter than 4 bytes. In the midst of
// something that is base64 as a whole, a digit at either end can stay that is in part of
// what stands beside the secret: at most 6 bits of it.
func Hider(secrets ...Secret) func(string) string {
	masks := map[string]string{}
	add := func(spelling string) {
		if len(spelling) < leastHidden {
			return
		}
		zero := "0"
		if strings.Trim(spelling, "0123456789") == "" {
			zero = "1"
		}
		masks[spelling] = strings.Repeat(zero, len(spelling))
	}
	for _, s := range secrets {
		if s.Empty() {
			continue
		}
		text := strings.TrimSpace(*s.kept.text)
		own := []string{text, strings.TrimPrefix(text, "whsec_")}
		if _, password, ok := strings.Cut(text, "::"); ok {
			own = append(own, password)
		}
		for _, text := range own {
			if len(text) < leastHidden {
				continue
			}
			add(text)
			for _, escaped := range []string{url.QueryEscape(text), url.PathEscape(text)} {
				add(escaped)
				add(string(lowerEscapes([]byte(escaped))))
			}
			if quoted, err := json.Marshal(text); err == nil {
				inside := string(quoted[1 : len(quoted)-1])
				add(inside)
				add(strings.ReplaceAll(inside, "/", `\/`))
				add(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inside))
			}
			for _, spelling := range inBase64(text) {
				add(spelling)
				add(strings.ReplaceAll(spelling, "/", `\/`))
				add(url.QueryEscape(spelling))
			}
			add(hex.EncodeToString([]byte(text)))
			add(strings.ToUpper(hex.EncodeToString([]byte(text))))
		}
	}
	if len(masks) == 0 {
		return func(s string) string { return s }
	}
	// Of several that begin at one place, the replacer takes the first.
	var pairs []string
	spellings := make([]string, 0, len(masks))
	for s := range masks {
		spellings = append(spellings, s)
	}
	slices.SortFunc(spellings, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, s := range spellings {
		pairs = append(pairs, s, masks[s])
	}
	return strings.NewReplacer(pairs...).Replace
}

// inBase64 returns the digits that text has by itself in whatever is written in base64: as
// all of it, or with 0 to 2 bytes of a group of 3 before it, at the end and in the midst.
func inBase64(text string) (list []string) {
	for _, form := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			b := append(make([]byte, before), text...)
			digits := form.EncodeToString(b)[(before*8+5)/6:]
			list = append(list, digits)
			if len(b)%3 != 0 { // what follows has a part of the last digit
				list = append(list, digits[:len(digits)-1])
			}
		}
	}
	return list
}
