package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
)

// A jwk is a public JSON Web Key (RFC 7517), as far as webhooks are signed with
// such.
type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Use string `json:"use"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// public gives the key, nil if it is none that is known.
func (j jwk) public() crypto.PublicKey {
	number := func(text string) *big.Int {
		raw, err := base64URLStrict.DecodeString(text)
		if err != nil || len(raw) == 0 || len(raw) > maxKeySignature {
			return nil
		}
		return new(big.Int).SetBytes(raw)
	}
	switch {
	case j.Use != "" && j.Use != "sig":
	case j.Kty == "EC" && j.Crv == "P-256":
		x, err := base64URLStrict.DecodeString(j.X)
		y, err2 := base64URLStrict.DecodeString(j.Y)
		if err != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
			return nil
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)) // and that the point is on the curve
		if err == nil {
			return key
		}
	case j.Kty == "RSA":
		n, e := number(j.N), number(j.E)
		if n != nil && e != nil && n.BitLen() >= 1024 && e.IsInt64() && e.Int64() > 1 && e.Int64() < 1<<31 && e.Bit(0) == 1 {
			return &rsa.PublicKey{N: n, E: int(e.Int64())}
		}
	}
	return nil
}

// parseJWK reads one key, or one in a field called key, as APIs answer it.
func parseJWK(src []byte) crypto.PublicKey {
	var doc struct {
		jwk
		Key jwk `json:"key"`
	}
	if json.Unmarshal(src, &doc) != nil {
		return nil
	}
	if doc.Kty == "" {
		return doc.Key.public()
	}
	return doc.public()
}

// findJWK gives the key of a set (RFC 7517 §5) that has the id. isSet is false
// if src is no set.
func findJWK(src []byte, kid string) (public crypto.PublicKey, isSet bool) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if json.Unmarshal(src, &set) != nil || len(set.Keys) == 0 {
		return nil, false
	}
	for _, j := range set.Keys {
		if j.Kid == kid && kid != "" {
			return j.public(), true
		}
	}
	return nil, true
}
