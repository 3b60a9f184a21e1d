package ngroktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certLife is how long a certificate is good for: longer than any test, and
// longer than a session by hand.
const certLife = 30 * 24 * time.Hour

// A certificate is one for the loopback addresses, which signs itself.
type certificate struct {
	pair tls.Certificate
	pem  []byte
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "ngroktest"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &certificate{
		pair: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}, nil
}

// config is what the server's side of a connection needs.
func (c *certificate) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.pair}, MinVersion: tls.VersionTLS12}
}

// CertPEM returns the server's certificate, in PEM. It is good for 127.0.0.1,
// ::1 and localhost.
func (s *Server) CertPEM() []byte { return append([]byte(nil), s.cert.pem...) }

// CertPool returns a pool with nothing but the server's certificate, for
// ngrok.WithAgentConnectCAs.
func (s *Server) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.cert.pem)
	return pool
}

// CertFile writes the server's certificate to a file in dir, and returns the
// path of the file: what ngrok's connect_cas wants.
func (s *Server) CertFile(dir string) (string, error) {
	path := filepath.Join(dir, "ngroktest.pem")
	if err := os.WriteFile(path, s.cert.pem, 0o600); err != nil {
		return "", fmt.Errorf("write the certificate: %w", err)
	}
	return path, nil
}
