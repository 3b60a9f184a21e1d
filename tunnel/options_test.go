package tunnel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"devhook/internal/neterr"
	"devhook/tunnel/ngroktest"
)

func TestParseEndpoint(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: "", want: ""},
		{in: "me.ngrok.app", want: "https://me.ngrok.app"},
		{in: " https://me.ngrok.app/ ", want: "https://me.ngrok.app"},
		{in: "http://me.ngrok.app", want: "http://me.ngrok.app"},
		{in: "HTTPS://Me.example:8443", want: "https://Me.example:8443"},
		{in: "me.ngrok.app:443", want: "https://me.ngrok.app:443"},
		{in: "tcp://1.tcp.ngrok.io:1", err: "neither https nor http"},
		{in: "https://", err: "malformed"},
		{in: "https://a b", err: "malformed"},
		{in: "https://u:secret@h", err: "user name or password"},
		{in: "https://u:secret@h h", err: "malformed"},
		{in: "https://h/path", err: "more than a host"},
		{in: "h?q", err: "more than a host"},
	}
	for _, test := range tests {
		got, err := parseEndpoint(test.in)
		check(t, test.in, got, test.want, err, test.err)
	}
}

func TestParseConnectURL(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: "", want: "connect.ngrok-agent.com:443"},
		{in: "h", want: "h:443"},
		{in: "h:4443", want: "h:4443"},
		{in: "https://h", want: "h:443"},
		{in: "https://h:1/", want: "h:1"},
		{in: "tls://h:2", want: "h:2"},
		{in: "127.0.0.1", want: "127.0.0.1:443"},
		{in: "::1", want: "[::1]:443"},
		{in: "[::1]", want: "[::1]:443"},
		{in: "[::1]:5", want: "[::1]:5"},
		{in: "http://h", err: "neither https nor tls"},
		{in: "https://u:secret@h", err: "more than a host"},
		{in: "h/path", err: "more than a host"},
		{in: "h:", err: "malformed"},
		{in: "h:0", err: "malformed"},
		{in: "h:99999", err: "malformed"},
		{in: "h:a:1", err: "malformed"},
		{in: ":443", err: "malformed"},
	}
	for _, test := range tests {
		got, err := parseConnectURL(test.in)
		check(t, test.in, got, test.want, err, test.err)
	}
}

// check compares what a parser made of in with what it should make.
func check(t *testing.T, in, got, want string, err error, wantErr string) {
	t.Helper()
	switch {
	case wantErr == "" && (err != nil || got != want):
		t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
	case wantErr != "":
		e := wantError(t, err, "")
		if !errors.Is(err, ErrOption) || !strings.Contains(e.Text, wantErr) || strings.Contains(e.Text+e.Hint, "secret") {
			t.Errorf("%q: error %q, hint %q; want %q", in, e.Text, e.Hint, wantErr)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.pem")
	_, gone := os.ReadFile(missing)
	tests := []struct {
		name string
		o    NgrokOptions
		want string
	}{
		{"an authtoken of two words", NgrokOptions{Authtoken: "a b"}, "the authtoken holds spaces or control characters, so it is none"},
		{"an authtoken with an escape", NgrokOptions{Authtoken: "a\x1bb"}, "the authtoken holds spaces or control characters, so it is none"},
		{"a URL", NgrokOptions{Authtoken: "a", URL: "ftp://x"}, "the tunnel's URL"},
		{"a connect URL", NgrokOptions{Authtoken: "a", ConnectURL: "ftp://x"}, "the connect URL is neither"},
		{"no file", NgrokOptions{Authtoken: "a", ConnectCAs: missing}, "cannot read the file of certificates " + missing + ": " + neterr.Text(errors.Unwrap(gone))},
		{"a directory", NgrokOptions{Authtoken: "a", ConnectCAs: dir}, "cannot read the file of certificates " + dir},
		{"a file without certificates", NgrokOptions{Authtoken: "a", ConnectCAs: empty}, "there is no certificate in " + empty},
	}
	for _, test := range tests {
		_, err := Ngrok(t.Context(), test.o)
		if e := wantError(t, err, ""); !errors.Is(err, ErrOption) || !strings.HasPrefix(e.Text, test.want) {
			t.Errorf("%s: %q, want %q", test.name, e.Text, test.want)
		}
	}
}

func TestOptionsAtRest(t *testing.T) {
	c, err := NgrokOptions{Authtoken: "\n" + ngroktest.Authtoken + "\n"}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if c.Authtoken != ngroktest.Authtoken || c.address != defaultConnectURL || c.custom || c.cas != nil || c.proxy != nil || c.Version != "0.0.0" {
		t.Errorf("%+v", c)
	}
	if c, err = (NgrokOptions{Authtoken: "a", ConnectCAs: "host", ConnectURL: "[::1]:1"}).resolve(); err != nil || c.cas == nil || c.host != "::1" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSemantic(t *testing.T) {
	for in, want := range map[string]string{
		"": "0.0.0", "dev": "0.0.0", "(devel)": "0.0.0", "1.2": "0.0.0", "v1.2.3": "1.2.3", "1.2.3-rc.1+b": "1.2.3-rc.1+b", "01.2.3": "0.0.0",
	} {
		if got := semantic(in); got != want {
			t.Errorf("semantic(%q) = %q, want %q", in, got, want)
		}
	}
}
