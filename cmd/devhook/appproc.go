package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// An appProcess is an app that devhook has started, with all that it has started
// itself.
type appProcess struct {
	cmd   *exec.Cmd
	kin   family // finds what leaves its process group
	out   tailBuffer
	pipe  *os.File      // what it prints is read from it
	ended chan struct{} // closed when the process is gone
	mute  chan struct{} // closed when nothing can come from the pipe any more
}

// startApp starts command in a shell, as it is typed.
func startApp(command string) (*appProcess, error) {
	a := &appProcess{cmd: shellCommand(context.Background(), command), kin: adopting(), ended: make(chan struct{}), mute: make(chan struct{})}
	ownGroup(a.cmd)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, &failure{code: 4, text: "--app: " + err.Error(), err: err}
	}
	defer w.Close()
	a.pipe, a.cmd.Stdout, a.cmd.Stderr = r, w, w
	if err := a.cmd.Start(); err != nil {
		r.Close()
		return nil, &failure{code: 4, text: "--app: " + err.Error(), err: err}
	}
	go func() {
		io.Copy(&a.out, r) // ends when all have closed it, or stop closes it
		close(a.mute)
	}()
	go func() {
		a.cmd.Wait()
		close(a.ended)
	}()
	return a, nil
}

// readyTimeout is how long an app may take to start, unless the user says otherwise.
const readyTimeout = time.Minute

// stopTime is how long an app may take to end when it is asked to.
const stopTime = 5 * time.Second

// stop ends the app and all that it has started, and returns when they are gone. They
// have some time to end by themselves, and none any more once ctx is done. What has left
// the process group of the app is found on Linux only.
func (a *appProcess) stop(ctx context.Context) {
	askGroup(a.cmd)
	asked, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for asked.Err() == nil && !a.gone() {
		select {
		case <-asked.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	killGroup(a.cmd) // also what has outlived the first
	<-a.ended
	a.kin.end(asked)
	a.pipe.Close() // what has left the group may keep the other end open
	<-a.mute
}

// gone reports whether the process and all in its group have ended: the shell may end
// at once, and the app that it has started take its time.
func (a *appProcess) gone() bool { return isClosed(a.ended) && groupGone(a.cmd) }

// hasEnded reports whether the process has ended, which it may be about to do.
func (a *appProcess) hasEnded() bool {
	select {
	case <-a.ended:
		return true
	case <-time.After(500 * time.Millisecond):
		return false
	}
}

// failed reports whether the process has ended, and said that it could not work. One that
// leaves an app behind and ends well has not.
func (a *appProcess) failed() bool { return isClosed(a.ended) && !a.cmd.ProcessState.Success() }

// said returns what the app has printed last, as a hint.
func (a *appProcess) said() string {
	if isClosed(a.ended) {
		select { // what it printed at its end may not have been read
		case <-a.mute:
		case <-time.After(500 * time.Millisecond):
		}
	}
	if text := a.out.last(); text != "" {
		return "it said: " + text
	}
	return "it has printed nothing; run it by itself"
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// awaitReady returns nil when the app answers at u: with any status for http, or
// else by taking a connection. a may be nil.
func awaitReady(ctx context.Context, u *url.URL, patience time.Duration, a *appProcess) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var ended chan struct{}
	if a != nil {
		ended = a.ended
	}
	for {
		err := answers(ctx, u)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			f := &failure{code: 4, text: "the app has ended before it was ready", hint: a.said()}
			if !a.failed() {
				f.text += ", and without an error"
				f.hint = "what goes into the background is not waited for: keep it in front (docker compose up, without -d), or start it before and leave out --app"
			}
			return f
		case <-ctx.Done():
			f := &failure{code: 4, text: fmt.Sprintf("the app did not answer at %s within %v: %s", u, patience, befell(err))}
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return errInterrupted
			}
			if a != nil {
				f.hint = a.said()
			}
			return f
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// listens reports whether something takes connections where u is.
func listens(ctx context.Context, u *url.URL) bool { return answers(ctx, portOf(u)) == nil }

// portOf is u without a path: the port is asked then, and not the app.
func portOf(u *url.URL) *url.URL { return &url.URL{Scheme: u.Scheme, Host: u.Host} }

// answers tries once.
func answers(ctx context.Context, u *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if u.Scheme != "http" && u.Scheme != "https" || u.Path == "" {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u))
		if err == nil {
			conn.Close()
		}
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "GET", u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		if resp.StatusCode >= 500 {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
	}
	return err
}

// hostPort returns where u is dialed: HOST:PORT, the port that of the scheme unless u
// has one.
func hostPort(u *url.URL) string {
	usual := map[string]string{"https": "443"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual, "80"))
}

// A tailBuffer keeps the end of what is written.
type tailBuffer struct {
	mu sync.Mutex
	b  []byte // guarded by mu: maxTail bytes at least, if so many came
}

const maxTail = 4 << 10 // bytes

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 2*maxTail {
		t.b = append(t.b[:0], t.b[len(t.b)-maxTail:]...)
	}
	return len(p), nil
}

// last returns the last lines in one, "" if there are none. They are so many because what
// went wrong stands at the beginning of a trace in Node.js, and at its end in Python.
func (t *tailBuffer) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
	lines = lines[max(0, len(lines)-12):]
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, " | ")
}
