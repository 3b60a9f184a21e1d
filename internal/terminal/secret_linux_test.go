package terminal

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// openPTY returns both ends of a new terminal.
func openPTY(t *testing.T) (far, near *os.File) {
	t.Helper()
	open := func(name string) *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	far = open("/dev/ptmx")
	var unlock, number uint32
	for request, arg := range map[uintptr]*uint32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, far.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	return far, open("/dev/pts/" + strconv.Itoa(int(number)))
}

// A shared is a buffer that may be read while it is written.
type shared struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Who is asked for a secret can leave, and sees again what he types; who types
// it does not see it.
func TestReadSecret(t *testing.T) {
	far, near := openPTY(t)
	before, err := term.GetState(int(near.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	var asked shared
	terminal := New(&asked, Never, env())
	type answer struct {
		text string
		err  error
	}
	ask := func() <-chan answer {
		got := make(chan answer, 1)
		go func() {
			text, err := terminal.ReadSecret(near, "the secret")
			got <- answer{text, err}
		}()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if now, err := term.GetState(int(near.Fd())); err == nil && !reflect.DeepEqual(now, before) {
				return got // nothing that is typed is shown any more
			}
		}
		t.Fatal("the terminal shows what is typed")
		return nil
	}
	typed := ask()
	if _, err := far.WriteString("hunter2\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-typed; got.text != "hunter2" || got.err != nil || asked.String() != "the secret: \n" {
		t.Errorf("typed: %+v, asked %q", got, asked.String())
	}
	left := ask()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-left; !errors.Is(got.err, ErrInterrupted) {
		t.Errorf("interrupted: %+v", got)
	}
	if now, err := term.GetState(int(near.Fd())); err != nil || !reflect.DeepEqual(now, before) {
		t.Errorf("the terminal is left as %v, not as it was (%v)", now, err)
	}
}
