package inspector

import (
	"context"
	"net/http"
	"time"
)

// A lineWriter is an answer that begins before it is known: lines of JSON, of which the last
// is the answer itself, or the problem that has ended it. Until the first line it is the
// answer that it holds. Not for concurrent use.
type lineWriter struct {
	http.ResponseWriter
	// done is the inspector's own, as an eventWriter has it.
	done  context.Context
	begun bool
}

// tell writes a line. What fails shows by the context of the request, which then ends.
func (l *lineWriter) tell(v any) {
	if !l.begun {
		l.Header().Set("Content-Type", "application/x-ndjson")
		l.Header().Set("X-Accel-Buffering", "no") // for a proxy of the user's
		l.ResponseWriter.WriteHeader(http.StatusOK)
		l.begun = true
	}
	c := http.NewResponseController(l.ResponseWriter)
	if l.done.Err() == nil {
		c.SetWriteDeadline(time.Now().Add(slowest))
	}
	writeAnswer(l, http.StatusOK, v)
	c.Flush()
}

// WriteHeader does nothing once lines have been told: what comes is the last.
func (l *lineWriter) WriteHeader(status int) {
	if !l.begun {
		l.ResponseWriter.WriteHeader(status)
	}
}
