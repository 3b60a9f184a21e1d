package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// What is told to other machines leads to the port; a port of one address has nothing to tell.
func TestFromElsewhere(t *testing.T) {
	for _, at := range []string{"0.0.0.0:0", "127.0.0.1:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		urls := fromElsewhere(l.Addr())
		for _, u := range urls {
			addr := strings.TrimPrefix(u, "http://")
			c, err := net.DialTimeout("tcp", addr, 10*time.Second)
			if err != nil || strings.HasPrefix(addr, "127.") {
				t.Errorf("%s: %v", u, err)
				continue
			}
			c.Close()
		}
		if others := len(urls) > 0; at == "127.0.0.1:0" && others || len(urls) > mostElsewhere {
			t.Errorf("%s: %v", at, urls)
		}
	}
}
