package verify

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"strings"
)

// A schemeKind is how a signature is made.
type schemeKind string

const (
	schemeHMAC  schemeKind = "hmac"       // HMAC of the payload (RFC 2104)
	schemeHash  schemeKind = "hash"       // a plain hash of a payload that holds the secret
	schemeToken schemeKind = "token"      // the secret itself, sent along
	schemeBasic schemeKind = "basic"      // the same as user:password in base64 (RFC 7617)
	schemePair  schemeKind = "asymmetric" // a signature with a key pair
)

// isToken reports whether the secret itself is sent, and nothing is signed.
func (k schemeKind) isToken() bool { return k == schemeToken || k == schemeBasic }

// An algorithm is a hash function, or a way to sign with a key pair.
type algorithm struct {
	name string
	size int // bytes of a sum, or of a signature; 0 if that depends on the key
	new  func() hash.Hash
	pair *pairing // nil for a hash function
}

const maxSum = sha512.Size // bytes of the longest sum

// MD5 and SHA-1 are here because senders use them; HMAC with them is not
// broken, a plain hash with them is as weak as it looks.
var algorithms = []algorithm{
	{name: "sha256", size: sha256.Size, new: sha256.New},
	{name: "sha512", size: sha512.Size, new: sha512.New},
	{name: "sha1", size: sha1.Size, new: sha1.New},
	{name: "md5", size: md5.Size, new: md5.New},
}

// hashNamed gives the hash function of the name, which is known.
func hashNamed(name string) hash.Hash {
	return algorithms[slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })].new()
}

// An encoding is how the bytes of a signature are written.
type encoding string

const (
	encodingHex       encoding = "hex"       // upper case is read, lower case written
	encodingBase64    encoding = "base64"    // with padding
	encodingBase64URL encoding = "base64url" // without padding
)

var encodings = []encoding{encodingHex, encodingBase64, encodingBase64URL}

// Strict: the bits that padding leaves over must be 0, or one signature would
// have several spellings.
var (
	base64Strict    = base64.StdEncoding.Strict()
	base64URLStrict = base64.RawURLEncoding.Strict()
)

// base64 gives how bytes are written in base64, nil for hex.
func (e encoding) base64() *base64.Encoding {
	switch e {
	case encodingBase64:
		return base64Strict
	case encodingBase64URL:
		return base64URLStrict
	}
	return nil
}

// length gives how many characters size bytes take.
func (e encoding) length(size int) int {
	if b := e.base64(); b != nil {
		return b.EncodedLen(size)
	}
	return hex.EncodedLen(size)
}

// encode returns sum, written in e.
func (e encoding) encode(sum []byte) string {
	if b := e.base64(); b != nil {
		return b.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

// decodeString returns the bytes that text stands for.
func (e encoding) decodeString(text string) ([]byte, error) {
	b := e.base64()
	switch {
	case b == nil:
		return hex.DecodeString(text)
	case strings.ContainsAny(text, "\r\n"): // which the library passes over
		return nil, errLineBreak
	}
	return b.DecodeString(text)
}

var errLineBreak = errors.New("a line break")

// decode reads text into the first size bytes of sum. It reports false unless
// text is exactly size bytes, with nothing left over and no white space.
func (e encoding) decode(sum *[maxSum]byte, text string, size int) bool {
	if len(text) != e.length(size) {
		return false
	}
	var room, into [2 * maxSum]byte // hex is the longest
	src := room[:copy(room[:], text)]
	var n int
	var err error
	if b := e.base64(); b != nil {
		n, err = b.Decode(into[:], src) // passes over line feeds; the count shows them
	} else {
		n, err = hex.Decode(into[:], src)
	}
	if err != nil || n != size {
		return false
	}
	copy(sum[:], into[:n])
	return true
}
