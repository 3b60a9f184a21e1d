package redact

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// A place is where a text stands, which tells what is looked for in it.
type place uint8

const (
	inValue place = iota // of a name that says nothing
	inBody               // that is not JSON, or is JSON that was cut off
	inPath               // of the request: the path is the route
	isFixed              // of a name in fixed
)

// A span is a part of a text that is replaced.
type span struct {
	start, end int
	text       string
}

// text replaces what patterns find in s.
func (p *pass) text(s string, at place) string {
	s = p.hide(s)
	var spans []span
	if at == inValue || at == inBody {
		spans = p.pairs(spans, s, at == inBody)
	}
	spans = userinfos(spans, s)
	if p.personal {
		spans = p.emails(spans, s)
		if at != isFixed {
			spans = p.fullNames(spans, s)
		}
	}
	spans = p.runs(spans, s, at)
	if p.personal {
		spans = p.phones(spans, s)
	}
	if len(spans) == 0 {
		return s
	}
	// Of two that overlap the one that begins first counts, then the one that
	// was looked for first.
	slices.SortStableFunc(spans, func(a, b span) int { return a.start - b.start })
	var b strings.Builder
	last := 0
	for _, sp := range spans {
		if sp.start >= last {
			b.WriteString(s[last:sp.start])
			b.WriteString(sp.text)
			last = sp.end
		}
	}
	return b.String() + s[last:]
}

const maxPart = 64 // bytes of a name, or of an address before the @, that are looked at

// pairs finds name=value, as in a query, and "name":"value", as in JSON that
// was cut off; with body, name: value, too.
func (p *pass) pairs(spans []span, s string, body bool) []span {
	done := 0
	for i := 0; i < len(s); i++ {
		sep := s[i]
		if sep != '=' && sep != ':' || i < done {
			continue
		}
		end := i
		for end > max(done, i-8) && strings.IndexByte(` "'\`, s[end-1]) >= 0 {
			end--
		}
		quoted := strings.IndexByte(s[end:i], '"') >= 0
		start := end
		for start > max(done, end-maxPart) && (isAlnum(s[start-1]) || s[start-1] == '_' || s[start-1] == '-') {
			start--
		}
		if start == end {
			continue
		}
		r := p.rule(s[start:end], "")
		k := cmp.Or(r.kind, r.plural)
		if k == 0 || k != credential && !p.personal || sep == ':' && !quoted && (k != credential || !body) {
			continue
		}
		from, to := pairValue(s, i+1, sep == ':')
		if from == to {
			continue
		}
		v := s[from:to]
		clean := v
		if plain, ok := unescaped(v); ok && sep == '=' {
			clean = url.QueryEscape(p.value(rule{kind: k}, plain))
		} else {
			clean = p.value(rule{kind: k}, v)
		}
		spans = append(spans, span{from, to, clean})
		done = to
	}
	return spans
}

// pairValue gives the bounds of the value after a separator.
func pairValue(s string, i int, spaced bool) (start, end int) {
	opening := "\"'\\"
	if spaced {
		opening += " "
	}
	start = i
	for start < min(len(s), i+8) && strings.IndexByte(opening, s[start]) >= 0 {
		start++
	}
	stop := " \t\r\n&;,\"'\\<>(){}[]#"
	if strings.IndexByte(s[i:start], '"') >= 0 {
		stop = "\"\\\r\n"
	} else if head := strings.ToLower(s[start:min(len(s), start+7)]); strings.HasPrefix(head, "bearer ") {
		start += 7
	} else if strings.HasPrefix(head, "basic ") {
		start += 6
	}
	n := strings.IndexAny(s[start:], stop)
	if n < 0 {
		return start, len(s)
	}
	return start, start + n
}

// userinfos finds user:password before the host of a URL.
func userinfos(spans []span, s string) []span {
	for from := 0; ; {
		n := strings.Index(s[from:], "://")
		if n < 0 {
			return spans
		}
		from += n + 3
		end := strings.IndexAny(s[from:min(len(s), from+4*maxPart)], "/?#@ \t\r\n\"'<>\\")
		if end > 0 && s[from+end] == '@' {
			spans = append(spans, span{from, from + end, mask(s[from : from+end])})
		}
	}
}

// emails finds e-mail addresses, also with %40 for the @.
func (p *pass) emails(spans []span, s string) []span {
	last := 0
	for i := 0; i < len(s); i++ {
		at := 1
		switch {
		case s[i] == '@':
		case s[i] == '%' && strings.HasPrefix(s[i:], "%40"):
			at = 3
		default:
			continue
		}
		start := i
		for start > max(last, i-maxPart) && isLocal(s[start-1]) {
			start--
		}
		end, dot := i+at, 0
		for end < len(s) && end < i+256 && (isAlnum(s[end]) || s[end] == '-' || s[end] == '.' || s[end] >= 0x80) {
			if s[end] == '.' {
				dot = end
			}
			end++
		}
		if dot == end-1 && dot > 0 { // the end of a sentence
			end = dot
			dot = i + at + strings.LastIndexByte(s[i+at:end], '.')
		}
		local := s[start:i]
		if start == i || dot <= i+at || end-dot < 3 || isAllDigits(s[dot+1:end]) || local == "git" {
			continue
		}
		clean := p.email(local, local+"@"+s[i+at:end])
		if at == 3 {
			clean = strings.Replace(clean, "@", "%40", 1)
		}
		spans = append(spans, span{start, end, clean})
		last = end
	}
	return spans
}

func isLocal(c byte) bool {
	return isAlnum(c) || strings.IndexByte("._+-'", c) >= 0 || c >= 0x80
}

// tokens are how known credentials begin, and how long they are at least.
var tokens = []struct {
	prefix string
	least  int
}{
	{"ghp_", 20}, {"gho_", 20}, {"ghu_", 20}, {"ghs_", 20}, {"ghr_", 20}, {"github_pat_", 30}, {"glpat-", 20},
	{"xoxb-", 15}, {"xoxp-", 15}, {"xoxa-", 15}, {"xoxr-", 15}, {"xoxs-", 15}, {"xoxe-", 15}, {"xapp-", 15},
	{"sk_live_", 16}, {"sk_test_", 16}, {"rk_live_", 16}, {"rk_test_", 16}, {"whsec_", 16}, {"sk-", 32},
	{"AKIA", 20}, {"ASIA", 20}, {"AIza", 35}, {"ya29.", 20}, {"npm_", 36}, {"SG.", 40}, {"shpat_", 32}, {"dop_v1_", 40},
}

// runs finds what is a word of its own: tokens, what follows Bearer, and ids
// that are known.
func (p *pass) runs(spans []span, s string, at place) []span {
	before := "" // the word before
	for i := 0; i < len(s); {
		if !isRun(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isRun(s[end]) {
			end++
		}
		word := strings.TrimRight(s[i:end], ".-")
		start := i
		i = end
		switch {
		case isToken(word) || len(word) >= 8 && (before == "Bearer" || before == "bearer") && strings.ContainsAny(word, "0123456789"):
			spans = append(spans, span{start, start + len(word), mask(word)})
		case isHook(s, start, end):
			to := end
			for to < len(s) && (isRun(s[to]) || s[to] == '/') {
				to++
			}
			spans = append(spans, span{end, to, mask(s[end:to])})
			i = to
		case len(p.known) > 0 && at != isFixed && len(word) <= 4*maxPart:
			spans = p.knownIn(spans, s, start, start+len(word), at)
		}
		before = word
	}
	return spans
}

// knownIn finds known ids in the word s[start:end]: the whole of it, or what
// dots separate.
func (p *pass) knownIn(spans []span, s string, start, end int, at place) []span {
	if p.known[s[start:end]] {
		if isTelling(s, start, end, at) {
			spans = append(spans, span{start, end, p.shape(s[start:end])})
		}
		return spans
	}
	for part := start; part < end; {
		to := part + strings.IndexByte(s[part:end]+".", '.')
		if p.known[s[part:to]] && isTelling(s, part, to, at) {
			spans = append(spans, span{part, to, p.shape(s[part:to])})
		}
		part = to + 1
	}
	return spans
}

// isTelling reports whether the known word s[start:end] is more than a word that
// happens to be the same, as admin is: it has digits or the like, or stands in
// a path.
func isTelling(s string, start, end int, at place) bool {
	if strings.ContainsAny(s[start:end], "0123456789_-.") {
		return true
	}
	return at != inPath && (start > 0 && (s[start-1] == '/' || s[start-1] == '@') || end < len(s) && s[end] == '/')
}

func isToken(word string) bool {
	if strings.HasPrefix(word, "eyJ") && strings.Count(word, ".") >= 2 && len(word) >= 20 {
		return true // a JWT
	}
	for _, t := range tokens {
		if len(word) >= t.least && strings.HasPrefix(word, t.prefix) {
			return true
		}
	}
	return false
}

// isHook reports whether s[start:end] is the host of a URL whose path is a
// credential, and a path follows.
func isHook(s string, start, end int) bool {
	host, rest := s[start:end], s[end:]
	return host == "hooks.slack.com" && strings.HasPrefix(rest, "/") ||
		(host == "discord.com" || host == "discordapp.com") && strings.HasPrefix(rest, "/api/webhooks/")
}

// phones finds telephone numbers as E.164 writes them: +15550100000.
func (p *pass) phones(spans []span, s string) []span {
	for i := 0; i < len(s); i++ {
		if s[i] != '+' || i > 0 && (isAlnum(s[i-1]) || strings.IndexByte("+/=-", s[i-1]) >= 0) {
			continue
		}
		end := i + 1
		for end < len(s) && end-i <= 16 && '0' <= s[end] && s[end] <= '9' {
			end++
		}
		if n := end - i - 1; n >= 8 && n <= 15 && (end == len(s) || !isAlnum(s[end]) && s[end] != '/' && s[end] != '=') {
			spans = append(spans, span{i, end, p.shape(s[i:end])})
		}
	}
	return spans
}

func isRun(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

func isWord(s string) bool {
	for i := range len(s) {
		if !isRun(s[i]) {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isAllDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
