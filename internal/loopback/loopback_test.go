package loopback

import "testing"

func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		host      string
		is, dials bool
	}{
		{"localhost", true, true},
		{"localhost:80", true, true},
		{"LocalHost.:80", true, true},
		{"shop.localhost", true, true},
		{"127.0.0.1", true, true},
		{"127.8.8.8:4050", true, true},
		{"::1", true, true},
		{"[::1]", true, true},
		{"[::1]:4050", true, true},
		{"[::ffff:127.0.0.1]:1", true, true},
		{"0.0.0.0:3000", false, true},
		{"[::]:3000", false, true},
		{"", false, false},
		{":4050", false, false},
		{"localhost.example.com", false, false},
		{"notlocalhost", false, false},
		{"127.0.0.1.nip.io", false, false},
		{"127.1", false, false},
		{"10.0.0.1:80", false, false},
	} {
		if is, dials := Is(tt.host), Dials(tt.host); is != tt.is || dials != tt.dials {
			t.Errorf("%q: is %v, dials %v; want %v, %v", tt.host, is, dials, tt.is, tt.dials)
		}
	}
}
