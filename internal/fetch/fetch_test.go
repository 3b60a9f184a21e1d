package fetch

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"devhook/verify"
)

var _ verify.Fetcher = (*Client)(nil)

var made = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// certificate makes a certificate that signs itself.
func certificate(t *testing.T, key crypto.Signer, usage x509.KeyUsage, from, to time.Time, names ...string) []byte {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: from, NotAfter: to, KeyUsage: usage, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// serve serves TLS for the names, and gives a Client that finds them all there.
func serve(t *testing.T, h http.HandlerFunc, names ...string) *Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := certificate(t, key, x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), names...)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &Client{Transport: tr}
}

func TestFetch(t *testing.T) {
	var asked atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/a":
			if r.Method != "GET" || r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" {
				t.Errorf("asked with %s %v", r.Method, r.Header)
			}
			io.WriteString(w, "page a")
		case "/moved":
			http.Redirect(w, r, "/a", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "https://other.example/a", http.StatusFound)
		case "/plain":
			http.Redirect(w, r, "http://keys.example/a", http.StatusFound)
		case "/port":
			http.Redirect(w, r, "https://keys.example:444/a", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/full":
			w.Write(make([]byte, maxPage))
		case "/large":
			w.Write(make([]byte, maxPage+1))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "x")
		default:
			http.NotFound(w, r)
		}
	}, "keys.example", "other.example")
	for _, tt := range []struct{ url, want, fault string }{
		{"https://keys.example/a", "page a", ""},
		{"https://keys.example/moved", "page a", ""},
		{"https://keys.example/full", string(make([]byte, maxPage)), ""},
		{"https://keys.example/large", "", "over 64 KiB"},
		{"https://keys.example/cut", "", "unexpected EOF"},
		{"https://keys.example/none", "", "status 404"},
		{"https://keys.example/elsewhere", "", "it leads elsewhere"},
		{"https://keys.example/plain", "", "it leads elsewhere"},
		{"https://keys.example/port", "", "it leads elsewhere"},
		{"https://keys.example/loop", "", "it leads elsewhere"},
		{"https://stranger.example/a", "", "certificate is valid for keys.example"},
		{"http://keys.example/a", "", "only plain https"},
		{"https://me@keys.example/a", "", "only plain https"},
		{"file:///etc/passwd", "", "only plain https"},
		{"https:///a", "", "only plain https"},
		{"%", "", "only plain https"},
	} {
		got, err := c.Fetch(t.Context(), tt.url)
		if string(got) != tt.want || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: got %.20q, %v; want %.20q, %s", tt.url, got, err, tt.want, tt.fault)
		}
	}
	before := asked.Load()
	for range 3 {
		c.Fetch(t.Context(), "https://keys.example/a")
		c.Fetch(t.Context(), "https://keys.example/none")
	}
	if n := asked.Load() - before; n != 0 {
		t.Errorf("asked %d times for what is known", n)
	}
}

func TestPagesGrowOld(t *testing.T) {
	var asked atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
		}
	}, "keys.example")
	now := made
	c.Now = func() time.Time { return now }
	ask := func(path string, want int32) {
		t.Helper()
		before := asked.Load()
		c.Fetch(t.Context(), "https://keys.example"+path)
		if n := asked.Load() - before; n != want {
			t.Errorf("at %v: %s was asked for %d times, want %d", now.Sub(made), path, n, want)
		}
	}
	ask("/a", 1)
	ask("/none", 1)
	now = made.Add(failed - 1)
	ask("/none", 0)
	now = made.Add(failed)
	ask("/none", 1)
	now = made.Add(fresh - 1)
	ask("/a", 0)
	now = made.Add(fresh)
	ask("/a", 1)
	for i := range 3 * maxPages {
		now = now.Add(time.Second)
		ask(fmt.Sprintf("/%d", i), 1)
	}
	if len(c.pages) > maxPages {
		t.Errorf("%d pages are kept", len(c.pages))
	}
	ask(fmt.Sprintf("/%d", 3*maxPages-1), 0)
}

// Many who ask for one page ask once.
func TestAskedAtOnce(t *testing.T) {
	var asked atomic.Int32
	hold := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		<-hold
		io.WriteString(w, "x")
	}, "keys.example")
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if got, err := c.Fetch(context.Background(), "https://keys.example/a"); string(got) != "x" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := c.Fetch(gone, "https://keys.example/a"); err == nil {
		t.Error("who goes gets an error")
	}
	close(hold)
	wait.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A message of Amazon SNS, whose certificate comes over TLS.
func TestSNS(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const host = "sns.eu-west-1.amazonaws.com"
	year := 365 * 24 * time.Hour
	pages := map[string]string{
		"/good.pem":    pemOf(certificate(t, key, x509.KeyUsageDigitalSignature, made.Add(-year), made.Add(year), "sns.amazonaws.com")),
		"/region.pem":  pemOf(certificate(t, key, x509.KeyUsageDigitalSignature, made.Add(-year), made.Add(year), "sns-signing.af-south-1.amazonaws.com", host)),
		"/old.pem":     pemOf(certificate(t, key, x509.KeyUsageDigitalSignature, made.Add(-year), made.Add(-time.Second), "sns.amazonaws.com")),
		"/new.pem":     pemOf(certificate(t, key, x509.KeyUsageDigitalSignature, made.Add(time.Second), made.Add(year), "sns.amazonaws.com")),
		"/usage.pem":   pemOf(certificate(t, key, x509.KeyUsageKeyEncipherment, made.Add(-year), made.Add(year), "sns.amazonaws.com")),
		"/foreign.pem": pemOf(certificate(t, key, x509.KeyUsageDigitalSignature, made.Add(-year), made.Add(year), "sns.amazonaws.com.evil.example")),
		"/rubbish.pem": "<html>",
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if text, ok := pages[r.URL.Path]; ok {
			io.WriteString(w, text)
			return
		}
		http.NotFound(w, r)
	}, host)
	p, _ := verify.Lookup("sns")
	if !p.Fetches() {
		t.Error("sns fetches nothing")
	}
	for _, tt := range []struct {
		path   string
		status verify.Status
		reason verify.Reason
		detail string
	}{
		{"/good.pem", verify.Valid, "", ""},
		{"/region.pem", verify.Valid, "", ""},
		{"/old.pem", verify.Invalid, verify.BadSignature, "the certificate was valid until 2026-11-21T11:59:59Z"},
		{"/new.pem", verify.Invalid, verify.BadSignature, "the certificate is valid only from 2026-11-21T12:00:01Z"},
		{"/usage.pem", verify.Invalid, verify.BadSignature, "the certificate is not one for signatures"},
		{"/foreign.pem", verify.Invalid, verify.BadSignature, "the certificate is for "},
		{"/rubbish.pem", verify.Unverified, verify.Unsupported, "no certificate"},
		{"/none.pem", verify.Unverified, verify.Unsupported, "status 404"},
		{"/good.txt", verify.Invalid, verify.MalformedSignature, "which is no path for it"},
		{"/good.pem?x=1", verify.Invalid, verify.MalformedSignature, "no plain https URL"},
	} {
		sum := sha256.Sum256([]byte("Message\nm\nMessageId\n1\nTimestamp\n2026-11-21T12:00:00.000Z\nTopicArn\narn:aws:sns:eu-west-1:1:T\nType\nNotification\n"))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]string{
			"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:1:T", "Message": "m", "Timestamp": "2026-11-21T12:00:00.000Z",
			"SignatureVersion": "2", "Signature": base64.StdEncoding.EncodeToString(signature), "SigningCertURL": "https://" + host + tt.path,
		})
		if err != nil {
			t.Fatal(err)
		}
		m := verify.Message{Method: "POST", URL: &url.URL{Path: "/"}, Header: http.Header{}, Body: body}
		v := p.Scheme.Verify(m, verify.Keys{Fetch: c}, made)
		if v.Status != tt.status || v.Reason != tt.reason || !strings.Contains(v.Detail, tt.detail) {
			t.Errorf("%s: got %+v", tt.path, v)
		}
	}
}
