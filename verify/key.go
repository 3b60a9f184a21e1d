package verify

import (
	"crypto"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// A keyForm is how a scheme makes a key of a secret's text, and what it does
// with it. Schemes of the same form share keys.
type keyForm struct {
	kind      schemeKind
	algorithm string
	strip     string // a prefix of the text that is not part of the key; it may be missing
	decode    string // "", base64, base64url or hex
	prehash   string // the name of a hash, "" for none
	hash      string // the key is this hash of the text; "" for none
	normal    string // the normal form of Unicode that the text is put into first; "" for none
}

// A key is a secret as the schemes of one form use it.
type key struct {
	form  keyForm
	bytes []byte
	also  []byte // of the scheme basic: another reading of the secret, nil for none
	err   error  // why there is no key; never tells the secret

	public  crypto.PublicKey // of an asymmetric scheme, in place of bytes
	private crypto.Signer    // nil if only the public one is known
	pool    sync.Pool        // of *workbench, whose hash is keyed with bytes
}

// maxKeys bounds how many forms of key one secret remembers; schemes beyond it
// work without.
const maxKeys = 16

// noKey is the key that is made from the empty secret.
var noKey = &key{err: errors.New("the secret is empty")}

// key returns the key of the form that is made from s. Its err is set if there
// is none.
func (s Secret) key(form keyForm) *key {
	if s.Empty() {
		return noKey
	}
	for {
		known := s.kept.keys.Load()
		if known != nil {
			for _, k := range *known {
				if k.form == form {
					return k
				}
			}
		}
		k := newKey(*s.kept.text, form)
		var grown []*key
		if known != nil {
			grown = *known
		}
		if len(grown) >= maxKeys {
			return k
		}
		grown = append(slices.Clone(grown), k)
		if s.kept.keys.CompareAndSwap(known, &grown) {
			return k
		}
	}
}

func newKey(text string, form keyForm) *key {
	k := &key{form: form}
	switch form.kind {
	case schemePair:
		i := slices.IndexFunc(keyAlgorithms, func(a algorithm) bool { return a.name == form.algorithm })
		k.public, k.private, k.err = readKeyPair(strings.TrimPrefix(text, form.strip), form.decode, keyAlgorithms[i].pair.fits)
		return k
	case schemeBasic:
		user, password, ok := strings.Cut(text, ":")
		if !ok {
			k.err = errors.New("the secret is not USER:PASSWORD")
			return k
		}
		basic := func(text string) []byte { return []byte(base64.StdEncoding.EncodeToString([]byte(text))) }
		k.bytes = basic(text)
		if after, isNgroks := strings.CutPrefix(password, ":"); isNgroks { // ngrok writes USER::PASSWORD
			k.bytes, k.also = basic(user+":"+after), k.bytes
		}
		return k
	}
	text = strings.TrimPrefix(text, form.strip)
	after := ""
	if form.strip != "" {
		after = fmt.Sprintf(" (after %q)", form.strip)
	}
	if form.normal == "nfkd" {
		text = norm.NFKD.String(text)
	}
	k.bytes = []byte(text)
	var err error
	switch form.decode {
	case "":
	case "base64url":
		k.bytes, err = encodingBase64URL.decodeString(strings.TrimRight(text, "="))
	default:
		k.bytes, err = encoding(form.decode).decodeString(text)
	}
	if err != nil {
		k.bytes, k.err = nil, fmt.Errorf("the secret is not %s%s", form.decode, after)
	} else if len(k.bytes) == 0 {
		k.err = fmt.Errorf("the secret is empty%s", after)
	} else if form.hash != "" {
		h := hashNamed(form.hash)
		h.Write(k.bytes)
		k.bytes = h.Sum(nil)
	}
	return k
}

// A workbench is what one judgement or signature needs: a hash that is ready for one key,
// and room. It never leaves the pool of its key, because the room may hold the
// key's traces.
type workbench struct {
	of   string // the name of the algorithm
	hash hash.Hash
	room []byte
	sum  []byte
}

// take gives a workbench whose hash is fresh. Give it back with put.
func (k *key) take(a algorithm) *workbench {
	if w, ok := k.pool.Get().(*workbench); ok && w.of == a.name { // older signatures, and those that a message chooses, are of others
		w.hash.Reset()
		return w
	}
	w := &workbench{of: a.name, room: make([]byte, 0, 256), sum: make([]byte, 0, maxSum)}
	switch {
	case k.form.kind == schemeHMAC:
		w.hash = hmac.New(a.new, k.bytes)
	case k.form.prehash != "":
		w.hash = hashNamed(k.form.prehash)
	default:
		w.hash = a.new()
	}
	return w
}

func (k *key) put(w *workbench) {
	if c, ok := w.hash.(*collector); ok && c.Cap() > 64<<10 {
		return // a rare large message must not stay for ever
	}
	k.pool.Put(w)
}
