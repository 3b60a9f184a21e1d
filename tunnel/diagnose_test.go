package tunnel_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"devhook/tunnel"
	"devhook/tunnel/ngroktest"
)

// The way to the service is looked at without an authtoken, and without a session.
func TestDiagnose(t *testing.T) {
	srv := ngroktest.NewServer()
	t.Cleanup(srv.Close)
	cert, err := srv.CertFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := tunnel.NgrokOptions{ConnectURL: srv.ConnectURL(), ConnectCAs: cert}
	d, err := tunnel.Diagnose(t.Context(), o)
	if err != nil || d.Address != srv.ConnectURL() || d.Region == "" || d.Latency <= 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if n := len(srv.Endpoints()); n != 0 {
		t.Errorf("%d endpoints", n)
	}
	for mode, patience := range map[ngroktest.Mode]time.Duration{
		ngroktest.Refuse: time.Minute, ngroktest.HangUp: time.Minute, ngroktest.PlainText: time.Minute, ngroktest.Silent: 200 * time.Millisecond, ngroktest.Deaf: 200 * time.Millisecond,
	} {
		srv.SetMode(mode)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := tunnel.Diagnose(ctx, o)
		cancel()
		var e *tunnel.Error
		if !errors.As(err, &e) || e.Text == "" || e.Hint == "" {
			t.Errorf("%s: %v", mode, err)
		}
		if mode == ngroktest.Refuse && e.Text != srv.ConnectURL()+" refused the connection" { // as devhook up says it
			t.Errorf("%s: %s", mode, e.Text)
		}
	}
	srv.SetMode(ngroktest.Serve)
	o.ConnectCAs = ""
	if _, err := tunnel.Diagnose(t.Context(), o); !errors.As(err, new(*tunnel.Error)) {
		t.Errorf("a certificate that nobody knows: %v", err)
	}
}
