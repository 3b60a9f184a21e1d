package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// secrets tries other readings of the secrets.
func (e *examination) secrets() (Diagnosis, bool) {
	if e.d.form.kind == schemePair {
		return Diagnosis{}, false
	}
	for _, text := range e.texts() {
		if d, ok := firstFound(
			func() (Diagnosis, bool) { return e.copiedBadly(text) },
			func() (Diagnosis, bool) { return e.prefixed(text) },
			func() (Diagnosis, bool) { return e.decoded(text) },
		); ok {
			return d, true
		}
	}
	return Diagnosis{}, false
}

// assignment is what stands before a secret that was copied with its name.
var assignment = regexp.MustCompile(`^(?:export )?[A-Z][A-Z0-9_]*=`)

// copiedBadly tries what goes wrong between a dashboard and an environment.
func (e *examination) copiedBadly(text string) (Diagnosis, bool) {
	name := e.d.secretName
	trimmed := strings.TrimSpace(text)
	unquoted := strings.Trim(trimmed, `"'`+"`")
	unescaped, _ := url.QueryUnescape(trimmed)
	value := trimmed[len(assignment.FindString(trimmed)):]
	for _, try := range []struct{ text, what string }{
		{trimmed, "white space around the %s is taken away"},
		{unquoted, "the quotes around the %s are taken away"},
		{strings.TrimPrefix(unquoted, "Bearer "), `"Bearer " before the %s is taken away`},
		{strings.Trim(unquoted, "\u200b\ufeff\u00a0\u200e\u2060"), "an invisible character around the %s is taken away"},
		{strings.TrimSuffix(strings.TrimSuffix(trimmed, `\n`), `\r`), `the characters \n at the end of the %s are taken away`},
		{strings.Trim(value, `"'`), "the name of the variable before the %s is taken away"},
		{unescaped, "the %s is unescaped (%%2B and the like)"},
		{text + "\n", "a line break is put behind the %s"},
		{strings.ToLower(trimmed), "the %s is in small letters"},
		{strings.ToUpper(trimmed), "the %s is in capital letters"},
		{norm.NFC.String(trimmed), "the letters of the %s are composed (é as one character: NFC)"},
		{norm.NFD.String(trimmed), "the letters of the %s are decomposed (é as two characters: NFD)"},
	} {
		if try.text != "" && try.text != text && e.fits(e.d, e.m, e.with(try.text)) {
			return Diagnosis{"matches if " + fmt.Sprintf(try.what, name), e.copyAgain()}, true
		}
	}
	return Diagnosis{}, false
}

func (e *examination) copyAgain() string {
	return fmt.Sprintf("set %s (or what --secret or devhook.yaml names) to exactly what %s shows", e.d.env, e.d.name)
}

// raw is the scheme with secrets that are taken as they are.
func (e *examination) raw() *declared {
	raw := *e.d
	raw.form.strip, raw.form.decode, raw.form.hash, raw.form.normal = "", "", "", ""
	return &raw
}

// prefixed tries prefixes that are too much, or missing.
func (e *examination) prefixed(text string) (Diagnosis, bool) {
	name, raw := e.d.secretName, e.raw()
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"whsec_", "sk_", "v1,whsec_", "sha256="} {
		without, had := strings.CutPrefix(text, prefix)
		switch {
		case had && e.d.form.strip == prefix: // that is what decoded is about
		case had && (e.fits(raw, e.m, e.with(without)) || e.fits(e.d, e.m, e.with(without))):
			return Diagnosis{fmt.Sprintf("matches if %q is taken off the %s", prefix, name), e.copyAgain()}, true
		case e.fits(e.d, e.m, e.with(prefix+text)) || e.fits(raw, e.m, e.with(prefix+text)):
			return Diagnosis{fmt.Sprintf("matches if %q is put before the %s", prefix, name), e.copyAgain()}, true
		}
	}
	return Diagnosis{}, false
}

// decoded tries other ways to make the key of a secret's text.
func (e *examination) decoded(text string) (Diagnosis, bool) {
	name, raw, form := e.d.secretName, e.raw(), e.d.form
	text = strings.TrimSpace(text)
	bare := strings.TrimPrefix(strings.TrimPrefix(text, form.strip), "whsec_")
	if form.decode != "" {
		for _, whole := range []string{text, bare} {
			if e.fits(raw, e.m, e.with(whole)) {
				return Diagnosis{fmt.Sprintf("matches if the %s is taken as it is, and not decoded from %s", name, form.decode), "the sender does not decode its key: tell it, or describe it as a provider of your own"}, true
			}
		}
	}
	for _, decoding := range decodings {
		key := decoding.decode(bare)
		if len(key) == 0 {
			continue
		}
		if form.decode != decoding.name && e.fits(raw, e.m, e.with(string(key))) {
			return Diagnosis{
				fmt.Sprintf("matches if the %s is decoded from %s", name, decoding.name),
				fmt.Sprintf("one of the two sides encoded it: give both the same text, or describe the sender as a provider of your own, with secret: {decode: %s}", decoding.name),
			}, true
		}
		for _, again := range decodings {
			if twice := again.decode(string(key)); len(twice) > 0 && e.fits(raw, e.m, e.with(string(twice))) {
				return Diagnosis{fmt.Sprintf("matches if the %s is decoded twice, from %s and from %s", name, decoding.name, again.name), e.copyAgain()}, true
			}
		}
	}
	hashed := sha256.Sum256([]byte(bare))
	for _, try := range []struct{ key, what string }{
		{base64.StdEncoding.EncodeToString([]byte(text)), "is encoded in base64"},
		{hex.EncodeToString([]byte(text)), "is encoded in hex"},
		{string(hashed[:]), "is hashed with SHA-256"},
		{hex.EncodeToString(hashed[:]), "is hashed with SHA-256, in hex"},
	} {
		if form.hash == "" && e.fits(raw, e.m, e.with(try.key)) {
			return Diagnosis{fmt.Sprintf("matches if the %s %s", name, try.what), fmt.Sprintf("%s takes it as it is: have the sender do the same", e.d.name)}, true
		}
	}
	return Diagnosis{}, false
}

// decodings are what a text can stand for. Each gives nil for what it is not.
var decodings = []struct {
	name   string
	decode func(text string) []byte
}{
	{"hex", func(text string) []byte { b, _ := hex.DecodeString(text); return b }},
	{"base64", func(text string) []byte {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return b
		}
		b, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil
		}
		return b
	}},
	{"base64url", func(text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
		if err != nil {
			return nil
		}
		return b
	}},
}
