package tunnel

import (
	"slices"
	"testing"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestProxyFromEnvironment(t *testing.T) {
	tests := []struct {
		name string
		env  func(string) string
		to   string
		want string
	}{
		{"nothing set", env(), "", ""},
		{"set", env("HTTPS_PROXY", "http://p:1"), "", "http://p:1"},
		{"in small letters", env("https_proxy", "p:1"), "h", "p:1"},
		{"both", env("https_proxy", "small", "HTTPS_PROXY", "large"), "", "small"},
		{"not for http", env("HTTP_PROXY", "http://p:1", "ALL_PROXY", "p"), "", ""},
		{"loopback", env("HTTPS_PROXY", "p"), "127.0.0.1:443", "p"},
		{"loopback by name", env("HTTPS_PROXY", "p"), "localhost:443", "p"},
		{"loopback, exempt", env("HTTPS_PROXY", "p", "NO_PROXY", "127.0.0.1"), "127.0.0.1:443", ""},
		{"loopback, exempt as a range", env("HTTPS_PROXY", "p", "no_proxy", "10.0.0.0/8, 127.0.0.0/8"), "https://127.0.0.1:4443", ""},
		{"loopback, IPv6", env("HTTPS_PROXY", "p", "NO_PROXY", "[::1]:443"), "[::1]", ""},
		{"loopback by name, exempt", env("HTTPS_PROXY", "p", "NO_PROXY", "localhost"), "tls://localhost", ""},
		{"ngrok's, exempt", env("HTTPS_PROXY", "p", "NO_PROXY", ".ngrok-agent.com"), "", ""},
		{"all exempt", env("HTTPS_PROXY", "p", "NO_PROXY", "a,*"), "", ""},
		{"a connect URL that is none", env("HTTPS_PROXY", "p"), "ftp://h", ""},
	}
	for _, test := range tests {
		if got := ProxyFromEnvironment(test.env, test.to); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The results are those of golang.org/x/net/http/httpproxy, but for brackets
// without a port, which that does not understand.
func TestExempt(t *testing.T) {
	const (
		a, sub, other, odd = "a.example:443", "b.A.example:443", "xa.example:443", "a.example:4443"
		four, near, far    = "10.1.2.3:443", "10.1.2.4:443", "11.1.2.3:443"
		six, sixNear       = "[2001:db8::1]:443", "[2001:db8::2]:4443"
	)
	addresses := []string{a, sub, other, odd, four, near, far, six, sixNear}
	tests := []struct {
		list   string
		exempt []string
	}{
		{"", nil},
		{" , ,", nil},
		{"*", addresses},
		{"x, *", addresses},
		{"a.example", []string{a, sub, odd}},
		{"A.EXAMPLE", []string{a, sub, odd}},
		{".a.example", []string{sub}},
		{"*.a.example", []string{sub}},
		{"a.example:443", []string{a, sub}},
		{"a.example:80", nil},
		{".a.example:443", []string{sub}},
		{"example", []string{a, sub, other, odd}},
		{"a.example.", nil},
		{"*:443", nil},
		{":443", nil},
		{".", nil},
		{"10.1.2.3", []string{four}},
		{"10.1.2.3:443", []string{four}},
		{"10.1.2.3:1", nil},
		{"1.2.3", nil},
		{"10.0.0.0/8", []string{four, near}},
		{"10.1.2.3/16", []string{four, near}},
		{"2001:db8::1", []string{six}},
		{"[2001:db8::1]:443", []string{six}},
		{"[2001:db8::1]", []string{six}},
		{"2001:db8::/32", []string{six, sixNear}},
		{"x,10.1.2.3 , xa.example", []string{other, four}},
	}
	for _, test := range tests {
		var got []string
		for _, address := range addresses {
			if exempt(test.list, address) {
				got = append(got, address)
			}
		}
		if !slices.Equal(got, test.exempt) {
			t.Errorf("NO_PROXY=%q: %v, want %v", test.list, got, test.exempt)
		}
	}
}
