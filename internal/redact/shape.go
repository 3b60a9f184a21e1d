package redact

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mask makes zeros of a credential, one for each character but those that
// structure it.
func mask(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-._~+/=,;:\" ", r) {
			return r
		}
		return '0'
	}, s)
}

// maskScheme is mask for what may begin with a scheme of HTTP authentication,
// which stays.
func maskScheme(s string) string {
	scheme, rest, ok := strings.Cut(s, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "basic", "digest", "token", "hmac", "aws4-hmac-sha256":
		if ok {
			return scheme + " " + mask(rest)
		}
	}
	return mask(s)
}

// maskCookies masks the values of the first n cookies of a header, or of all.
// Names and attributes stay.
func maskCookies(s string, n int) string {
	parts := strings.Split(s, ";")
	for i, part := range parts {
		if i == n {
			break
		}
		if eq := strings.IndexByte(part, '='); eq >= 0 {
			parts[i] = part[:eq+1] + mask(part[eq+1:])
		} else {
			parts[i] = mask(part)
		}
	}
	return strings.Join(parts, ";")
}

// A stream is random bytes that depend on a seed only.
type stream struct {
	seed  []byte
	block [sha256.Size]byte
	n     uint64 // bytes that were taken
}

func (s *stream) uint32() uint32 {
	at := s.n % sha256.Size
	if at == 0 {
		s.block = sha256.Sum256(binary.BigEndian.AppendUint64(s.seed[:len(s.seed):len(s.seed)], s.n))
	}
	s.n += 4
	return binary.BigEndian.Uint32(s.block[at:])
}

// in gives a random rune from lo to hi.
func (s *stream) in(lo, hi rune) rune { return lo + rune(s.uint32()%uint32(hi-lo+1)) }

// alphabets are the letters that stand for those of the same range.
var alphabets = []struct{ lo, hi rune }{
	{'à', 'ö'}, {'ø', 'ÿ'}, {'À', 'Ö'}, {'Ø', 'Þ'},
	{'α', 'ω'}, {'Α', 'Ρ'}, {'а', 'я'}, {'А', 'Я'}, {'א', 'ת'}, {'ا', 'غ'}, {'ก', 'ฮ'},
	{'ぁ', 'ゖ'}, {'ァ', 'ヺ'}, {'一', '龥'}, {'가', '힣'},
}

// shape gives another text of the same shape: letters for letters of the same
// case and script, digits for digits, the first not zero if it was not. Hex
// digits stay such if there are sixteen. What is neither stays.
func (p *pass) shape(text string) string {
	s := stream{seed: p.seed(text)}
	for range 8 {
		if out := s.shape(text, isHex(text)); out != text {
			return out
		}
	}
	return text // nothing in it can be replaced, as in "0"
}

func (s *stream) shape(text string, hex bool) string {
	var b strings.Builder
	b.Grow(len(text))
	first := true // no digit was there
	highest, second := firstDigit(text)
	for i, r := range text {
		switch {
		case '0' <= r && r <= '9':
			if first && r != '0' {
				b.WriteRune(s.in('1', highest))
			} else if first {
				b.WriteByte('0')
			} else if i == 1 {
				b.WriteRune(s.in('0', second))
			} else {
				b.WriteRune(s.in('0', '9'))
			}
			first = false
		case 'a' <= r && r <= 'z':
			b.WriteRune(s.in('a', letter('z', hex)))
		case 'A' <= r && r <= 'Z':
			b.WriteRune(s.in('A', letter('Z', hex)))
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			b.WriteByte('x') // a byte that is not UTF-8
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(s.foreign(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// firstDigit gives the highest first and second digit for what replaces text,
// so that a number which may fit into 32, 53 or 64 bits still does.
func firstDigit(text string) (first, second rune) {
	if strings.Trim(text, "0123456789") == "" {
		switch len(text) {
		case 10: // 2147483647
			return '1', '9'
		case 16, 19: // 9007199254740992, 9223372036854775807
			return '8', '9'
		case 20: // 18446744073709551615
			return '1', '7'
		}
	}
	return '9', '9'
}

// foreign gives a letter for one beyond ASCII.
func (s *stream) foreign(r rune) rune {
	for _, a := range alphabets {
		if a.lo <= r && r <= a.hi {
			return s.in(a.lo, a.hi)
		}
	}
	return 'x'
}

func letter(last rune, hex bool) rune {
	if hex {
		return last - 'z' + 'f' // and 'Z' becomes 'F'
	}
	return last
}

func isHex(text string) bool {
	n := 0
	for _, c := range []byte(text) {
		switch {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			n++
		case c != '-':
			return false
		}
	}
	return n >= 16
}

// shapeAround is shape for a text in which spans have their own replacements.
func (p *pass) shapeAround(text string, spans []span) string {
	if len(spans) == 0 {
		return p.shape(text)
	}
	var b strings.Builder
	last := 0
	for _, s := range spans {
		b.WriteString(p.shape(text[last:s.start]))
		b.WriteString(s.text)
		last = s.end
	}
	b.WriteString(p.shape(text[last:]))
	return b.String()
}

// address gives another URL on the same host. Escapes and the ending of the
// path stay.
func (p *pass) address(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	slash := strings.IndexAny(rest, "/?#")
	if slash < 0 {
		return p.text(raw, inValue)
	}
	host, path := rest[:slash], rest[slash:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = mask(host[:at]) + host[at:]
	}
	end := len(path)
	if q := strings.IndexAny(path, "?#"); q >= 0 {
		end = q
	}
	ending := strings.LastIndexByte(path[:end], '.')
	if ending < 0 || end-ending > 6 || strings.Contains(path[ending:end], "/") {
		ending = end
	}
	s := stream{seed: p.seed(raw)}
	return scheme + "://" + host + p.segments(&s, path[:ending]) + path[ending:end] + p.segments(&s, path[end:])
}

// segments replaces the words of a path or query: escapes stay.
func (p *pass) segments(s *stream, path string) string {
	var b strings.Builder
	for path != "" {
		n := strings.IndexByte(path, '%')
		if n < 0 {
			n = len(path)
		}
		b.WriteString(s.shape(path[:n], false))
		m := min(n+3, len(path))
		b.WriteString(path[n:m])
		path = path[m:]
	}
	return b.String()
}

// email gives another address, at example.com.
func (p *pass) email(local, whole string) string {
	s := stream{seed: p.seed(whole)}
	return s.shape(local, false) + "@example.com"
}

// date gives another date in the form of text, or what shape gives.
func (p *pass) date(text string) string {
	if len(text) < 10 || strings.Trim(text[:4]+text[5:7]+text[8:10], "0123456789") != "" || text[4] != text[7] {
		return p.shape(text)
	}
	s := stream{seed: p.seed(text)}
	two := func(lo, hi rune) string {
		n := s.in(lo, hi)
		return string([]rune{'0' + n/10, '0' + n%10})
	}
	sep := text[4:5]
	return "19" + two(50, 99) + sep + two(1, 12) + sep + two(1, 28) + text[10:]
}

// isTime reports whether text begins with a date and a time.
func isTime(text string) bool {
	return len(text) >= 16 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == ' ') && text[13] == ':' &&
		strings.Trim(text[:4]+text[5:7]+text[8:10]+text[11:13]+text[14:16], "0123456789") == ""
}

// ips replaces the IP addresses in a list of them, with or without ports.
func (p *pass) ips(s string) string {
	var b strings.Builder
	last := 0
	for i := 0; i < len(s); {
		if !isIPByte(s[i]) || i > 0 && isAlnum(s[i-1]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isIPByte(s[end]) {
			end++
		}
		word := s[i:end]
		if end-i <= 64 && (end == len(s) || !isAlnum(s[end])) {
			if clean, ok := p.ip(word); ok {
				b.WriteString(s[last:i])
				b.WriteString(clean)
				last = end
			}
		}
		i = end
	}
	return b.String() + s[last:]
}

func isIPByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == '.' || c == ':'
}

// ip gives an address of the documentation for another; that of the machine
// itself stays. ok is false if word is no address.
func (p *pass) ip(word string) (clean string, ok bool) {
	port := ""
	a, err := netip.ParseAddr(word)
	if colon := strings.LastIndexByte(word, ':'); err != nil && colon > 0 {
		port = word[colon:]
		a, err = netip.ParseAddr(word[:colon])
	}
	if err != nil {
		return "", false
	}
	if a.IsLoopback() || a.IsUnspecified() {
		return word, true
	}
	s := stream{seed: p.seed(a.Unmap().String())}
	if a.Unmap().Is4() {
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(s.in(1, 254))}).String() + port, true
	}
	doc := [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8}
	binary.BigEndian.PutUint32(doc[12:], s.uint32()|1)
	return netip.AddrFrom16(doc).String() + port, true
}

// unescaped gives what a part of a query stands for, if it has escapes.
func unescaped(s string) (plain string, ok bool) {
	if !strings.ContainsRune(s, '%') {
		return s, false
	}
	plain, err := url.QueryUnescape(s)
	return plain, err == nil
}
