package neterr

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What the system of the test says, and what Windows would.
func TestSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, taken := net.Listen("tcp", l.Addr().String())
	l.Close()
	_, refused := net.Dial("tcp", l.Addr().String())
	windows := func(n syscall.Errno) error {
		return fmt.Errorf("forward: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("connectex", n)})
	}
	_, missing := os.Open(os.DevNull + "/none/there")
	for _, test := range []struct {
		err   error
		is    syscall.Errno
		words string
		broke bool
	}{
		{taken, syscall.EADDRINUSE, "address already in use", false},
		{refused, syscall.ECONNREFUSED, "connection refused", false},
		{windows(10061), syscall.ECONNREFUSED, "connection refused", false},
		{windows(10054), syscall.ECONNRESET, "connection reset by peer", true},
		{windows(10053), syscall.ECONNABORTED, "software caused connection abort", true},
		{windows(10048), syscall.EADDRINUSE, "address already in use", false},
	} {
		if !Is(test.err, test.is) || Is(test.err, syscall.ENETUNREACH) || !strings.HasSuffix(Text(test.err), ": "+test.words) || Broke(test.err) != test.broke {
			t.Errorf("%v: %v, %q, %v", test.err, Is(test.err, test.is), Text(test.err), Broke(test.err))
		}
	}
	if text := Text(missing); text == "" || text[len(text)-1] == '.' {
		t.Errorf("%v: %q", missing, text)
	}
	if text := Text(io.EOF); text != "EOF" || Is(nil, syscall.EPIPE) {
		t.Errorf("%q, and nothing is something", text)
	}
}
