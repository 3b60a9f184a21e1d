package tunnel

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"devhook/internal/neterr"
)

func TestLocal(t *testing.T) {
	l, err := Local("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, want := l.URL().String(), "http://"+l.Addr().String(); got != want {
		t.Errorf("URL %s, want %s", got, want)
	}
	if ev := wantEvent(t, l, Connected); ev.URL.String() != l.URL().String() {
		t.Errorf("event %+v", ev)
	}
	serve(t, l, hello)
	res, err := http.Get(l.URL().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if _, err := Local(l.Addr().String()); !neterr.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
	_ = l.Close()
	wantClosed(t, l)
	if _, err := Local("no port"); err == nil {
		t.Error("an address that is none: no error")
	}
}

func TestLocalHost(t *testing.T) {
	tests := []struct{ asked, got, want string }{
		{"127.0.0.1:0", "127.0.0.1:5", "127.0.0.1:5"},
		{"localhost:5", "127.0.0.1:5", "localhost:5"},
		{":5", "[::]:5", "127.0.0.1:5"},
		{"0.0.0.0:5", "0.0.0.0:5", "127.0.0.1:5"},
		{"[::]:5", "[::]:5", "[::1]:5"},
		{"[::1]:0", "[::1]:5", "[::1]:5"},
		{"192.0.2.1:5", "192.0.2.1:5", "192.0.2.1:5"},
	}
	for _, test := range tests {
		got, err := net.ResolveTCPAddr("tcp", test.got)
		if err != nil {
			t.Fatal(err)
		}
		if got := localHost(test.asked, got); got != test.want {
			t.Errorf("%s: %s, want %s", test.asked, got, test.want)
		}
	}
}

func TestMailboxKeepsTheNewest(t *testing.T) {
	m := newMailbox()
	for i := range 3 * eventsKept {
		m.post(Event{Err: errors.New(strings.Repeat("x", i))})
	}
	m.close()
	m.close()
	m.post(Event{})
	first := len((<-m.ch).Err.Error())
	if want := 2 * eventsKept; first != want {
		t.Errorf("the oldest that is kept is %d, want %d", first, want)
	}
	n := 1
	for range m.ch {
		n++
	}
	if n != eventsKept {
		t.Errorf("%d events are kept, want %d", n, eventsKept)
	}
}
