package main

import (
	"net"
	"strconv"
	"syscall"

	"devhook/internal/neterr"
)

// A listening is an address to listen at, and what is said of it.
type listening struct {
	from, addr string // the setting, and its value
	given      bool   // the user wants this address and no other
	moved      string // what is said before the address that it has in place of one that is taken
	hint       string // how to have it elsewhere
}

// listen listens at l.addr by open. Where that is a default, and taken, the next
// free port does, and say tells which. An error is a [*failure].
func listen[L net.Listener](l listening, open func(addr string) (L, error), say func(format string, a ...any)) (L, error) {
	at, err := open(l.addr)
	if err != nil && !l.given && neterr.Is(err, syscall.EADDRINUSE) {
		if at, err = nextFree(l.addr, open); err == nil {
			say("%s is taken; %s %s", l.addr, l.moved, at.Addr())
		}
	}
	if err != nil {
		text := err.Error()
		if neterr.Is(err, syscall.EADDRINUSE) {
			text = l.addr + " is taken by another program"
		}
		return at, &failure{code: 2, text: l.from + ": " + text, hint: l.hint, err: err}
	}
	return at, nil
}

// tcp is what listen opens a plain port by.
func tcp(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// nextFree listens at one of the ports behind that of addr.
func nextFree[L any](addr string, listen func(addr string) (L, error)) (L, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return *new(L), err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return *new(L), err
	}
	for n := first + 1; n < first+50; n++ {
		if l, err := listen(net.JoinHostPort(host, strconv.Itoa(n))); err == nil {
			return l, nil
		}
	}
	return listen(net.JoinHostPort(host, "0"))
}
