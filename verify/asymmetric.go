package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// A pairing is how signatures with key pairs are made and checked. digest is
// what a [workbench] has made of the payload.
type pairing struct {
	hash crypto.Hash // of the payload; 0: the payload itself is signed
	// fits reports whether a public key is one of the algorithm.
	fits   func(public crypto.PublicKey) bool
	verify func(public crypto.PublicKey, digest, signature []byte) bool
}

// keyAlgorithms are those of an asymmetric scheme. The size of a signature is 0
// where it depends on the key.
var keyAlgorithms = []algorithm{
	{name: "ed25519", size: ed25519.SignatureSize, new: newCollector, pair: &pairing{ // RFC 8032
		fits: func(public crypto.PublicKey) bool { _, ok := public.(ed25519.PublicKey); return ok },
		verify: func(public crypto.PublicKey, message, signature []byte) bool {
			return ed25519.Verify(public.(ed25519.PublicKey), message, signature)
		},
	}},
	{name: "ecdsa-p256", new: sha256.New, pair: &pairing{ // FIPS 186-5, with SHA-256; signatures in DER
		hash: crypto.SHA256,
		fits: isP256,
		verify: func(public crypto.PublicKey, digest, signature []byte) bool {
			return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest, signature)
		},
	}},
	{name: "rsa-pkcs1-sha256", new: sha256.New, pair: rsaPairing(crypto.SHA256)}, // RFC 8017 §8.2
	{name: "rsa-pkcs1-sha512", new: sha512.New, pair: rsaPairing(crypto.SHA512)},
	{name: "rsa-pkcs1-sha1", new: sha1.New, pair: rsaPairing(crypto.SHA1)},
}

func isP256(public crypto.PublicKey) bool {
	k, ok := public.(*ecdsa.PublicKey)
	return ok && k.Curve == elliptic.P256()
}

func rsaPairing(h crypto.Hash) *pairing {
	return &pairing{
		hash: h,
		fits: func(public crypto.PublicKey) bool { _, ok := public.(*rsa.PublicKey); return ok },
		verify: func(public crypto.PublicKey, digest, signature []byte) bool {
			return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), h, digest, signature) == nil
		},
	}
}

// maxKeySignature bounds the signatures of key pairs in bytes: RSA with 8192
// bits.
const maxKeySignature = 1024

// A collector is a hash that is the message itself, for signatures that hash
// in their own way.
type collector struct{ bytes.Buffer }

func newCollector() hash.Hash { return new(collector) }

func (c *collector) Sum(b []byte) []byte { return append(b, c.Bytes()...) }
func (c *collector) Size() int           { return c.Len() }
func (c *collector) BlockSize() int      { return 1 }

// readKeyPair reads a public or a private key: PEM, or the bytes of one as the
// provider writes them, in hex or base64. The error never tells the text.
func readKeyPair(text, decode string, fits func(crypto.PublicKey) bool) (public crypto.PublicKey, private crypto.Signer, err error) {
	var raw []byte
	kind := ""
	if strings.Contains(text, "-----BEGIN ") {
		if !strings.Contains(text, "\n") { // as a variable that could not hold line breaks
			text = strings.ReplaceAll(text, `\n`, "\n")
		}
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, nil, errors.New("the key is no whole PEM")
		}
		raw, kind = block.Bytes, block.Type
	} else if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if public = parseJWK([]byte(text)); public == nil {
			return nil, nil, errors.New("the key is no JSON Web Key that is known")
		}
		if !fits(public) {
			return nil, nil, fmt.Errorf("the key is of another kind (%s)", keyKind(public))
		}
		return public, nil, nil
	} else if raw = decodeKey(text, decode); raw == nil {
		return nil, nil, errors.New("the key is neither PEM nor hex or base64")
	}
	public, private = parseKey(raw, kind)
	switch {
	case public == nil:
		return nil, nil, errors.New("the key is none that is known: want a public key (PEM, or as the provider shows it) or a private key (PEM)")
	case !fits(public):
		return nil, nil, fmt.Errorf("the key is of another kind (%s)", keyKind(public))
	}
	return public, private, nil
}

func decodeKey(text, decode string) []byte {
	text = strings.TrimSpace(text)
	if raw, err := hex.DecodeString(text); err == nil && decode != "base64" && len(raw) > 0 {
		return raw
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := e.DecodeString(text); err == nil && decode != "hex" && len(raw) > 0 {
			return raw
		}
	}
	return nil
}

// parseKey gives the key in raw. kind is that of its PEM, "" if it was none.
func parseKey(raw []byte, kind string) (public crypto.PublicKey, private crypto.Signer) {
	if kind == "" && len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), nil
	}
	if cert, err := x509.ParseCertificate(raw); err == nil {
		return cert.PublicKey, nil
	}
	if key, err := x509.ParsePKIXPublicKey(raw); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PublicKey(raw); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(raw); err == nil {
		private, _ = key.(crypto.Signer)
	} else if key, err := x509.ParseECPrivateKey(raw); err == nil {
		private = key
	} else if key, err := x509.ParsePKCS1PrivateKey(raw); err == nil {
		private = key
	}
	if private == nil {
		return nil, nil
	}
	return private.Public(), private
}

func keyKind(public crypto.PublicKey) string {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	}
	return fmt.Sprintf("%T", public)
}

// errPublic tells that a key can verify and not sign.
var errPublic = errors.New("the key is a public one: it verifies, and does not sign")

// digest gives what is signed of a payload that was written to w.
func (d *declared) digest(w *workbench) []byte {
	sum := w.hash.Sum(nil)
	if d.prehash.name != "" {
		h := d.algorithm.new()
		h.Write(sum)
		sum = h.Sum(nil)
	}
	return sum
}

// signDigest signs with a private key. Without randomness, so that one message
// at one time has one signature: ECDSA as in RFC 6979.
func (d *declared) signDigest(private crypto.Signer, digest []byte) ([]byte, error) {
	if private == nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSecret, errPublic)
	}
	return private.Sign(nil, digest, d.algorithm.pair.hash)
}

// decodeSignature gives the bytes of a signature with a key pair.
func (d *declared) decodeSignature(text string) []byte {
	if len(text) > 2*maxKeySignature {
		return nil
	}
	raw, err := d.encoding.decodeString(text)
	if err != nil || len(raw) == 0 || d.algorithm.size > 0 && len(raw) != d.algorithm.size {
		return nil
	}
	return raw
}

// NewKeyPair makes a key pair for a local sender to sign as p does: a private
// key in PEM, for Keys.Secrets, and the public one as the provider shows its
// own, for the app. It is an error if p does not sign with a key pair.
func (p Provider) NewKeyPair() (private, public string, err error) {
	d, ok := p.Scheme.(*declared)
	if !ok || d.form.kind != schemePair {
		return "", "", fmt.Errorf("%s does not sign with a key pair: its %s signs and verifies", p.ID, p.SecretName)
	}
	var key crypto.Signer
	switch d.form.algorithm {
	case "ed25519":
		_, key, err = ed25519.GenerateKey(nil)
	case "ecdsa-p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	public, err = p.PublicKey(NewSecret(private))
	return private, public, err
}

// SecretText writes raw, bytes of ASCII, as the text of a secret of p: in its encoding
// and with its prefix. It is an error if p signs with a key pair; see [Provider.NewKeyPair].
func (p Provider) SecretText(raw []byte) (string, error) {
	d, ok := p.Scheme.(*declared)
	switch {
	case !ok:
		return string(raw), nil
	case d.form.kind == schemePair:
		return "", fmt.Errorf("%s signs with a key pair", p.ID)
	}
	text := string(raw)
	if d.form.decode != "" {
		text = encoding(d.form.decode).encode(raw)
	}
	text = d.form.strip + text
	if d.kind == schemeBasic {
		text = "user:" + text
	}
	return text, nil
}

// PublicKey returns the public key of s, a key of either kind, as the provider
// shows its own.
func (p Provider) PublicKey(s Secret) (string, error) {
	d, ok := p.Scheme.(*declared)
	if !ok || d.form.kind != schemePair {
		return "", fmt.Errorf("%s does not sign with a key pair", p.ID)
	}
	key := s.key(d.form)
	if key.err != nil {
		return "", key.err
	}
	der, err := x509.MarshalPKIXPublicKey(key.public)
	if err != nil {
		return "", err
	}
	if d.form.decode == "" {
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
	}
	if raw, ok := key.public.(ed25519.PublicKey); ok {
		der = raw
	}
	return d.form.strip + encoding(d.form.decode).encode(der), nil
}
