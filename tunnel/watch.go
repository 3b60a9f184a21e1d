package tunnel

import (
	"errors"

	"golang.ngrok.com/ngrok/v2"
)

// errSessionOver stands for the SDK's event without an error: its session has
// ended, and does not come back.
var errSessionOver = errors.New("the session is over")

// What the SDK calls, from its own goroutines, which must not be held up.

// onEvent takes an event of the SDK.
func (l *ngrokListener) onEvent(ev ngrok.Event) {
	var n note
	switch ev := ev.(type) {
	case *ngrok.EventAgentConnectSucceeded:
	case *ngrok.EventAgentDisconnected:
		if n.err = ev.Error; n.err == nil {
			n.err = errSessionOver
		}
	default:
		return
	}
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.isOpen {
		l.noted(n)
		return
	}
	select {
	case l.notes <- n:
	default: // whoever connects has given up
	}
}

// onBound takes the URL in an answer to a bind. It comes before the event that
// says that the session is connected again.
func (l *ngrokListener) onBound(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered = url
}

// noted takes what the SDK tells of its session once the tunnel is open.
func (l *ngrokListener) noted(n note) {
	if n.err == nil {
		l.up()
		return
	}
	if errors.Is(n.err, errSessionOver) {
		l.end(&Error{Text: "the session with the ngrok service is over", Hint: startAgain})
		l.down(nil)
		return
	}
	e, kind := l.cfg.translate(n.err)
	if kind == refusal && hopeless[e.Code] {
		l.end(e)
	}
	l.down(e)
}

// up is for a session that is connected, and the tunnel with it.
func (l *ngrokListener) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return
	}
	moved := false
	if u := publicURL(l.answered); u != nil && *u != *l.url {
		l.url, moved = u, true
	}
	if l.state != Connected || moved {
		l.state, l.trouble = Connected, ""
		l.post(nil)
	}
}

// down is for a session that is not connected, because of e.
func (l *ngrokListener) down(e *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		l.lose()
		return
	}
	if l.state != Reconnecting || l.trouble != e.Text {
		l.state, l.trouble = Reconnecting, e.Text
		l.post(e)
	}
}

// lose ends the wait for connections under way: there are none any more, and
// the tunnel must not come back. The caller holds l.mu.
func (l *ngrokListener) lose() {
	if !l.isLost {
		l.isLost = true
		close(l.lost)
	}
}
