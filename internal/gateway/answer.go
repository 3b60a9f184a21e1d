package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"devhook/recorder"
)

// answering is the way of an app's answer to the sender and into the record.
type answering struct {
	d       *delivery
	resp    *http.Response
	header  http.Header             // of resp, as the sender gets it
	ctx     context.Context         // of the request to the app
	cancel  context.CancelCauseFunc // of ctx
	spool   *recorder.Spool
	started time.Time
}

// madeUp are the headers that net/http makes up where an app sent none.
var madeUp = []string{"Date", "Content-Type"}

var errEnding = errors.New("devhook is ending")

const senderHungUp = "the sender hung up before the end of the answer"

// pass passes the answer on as it comes, and keeps it.
func (a *answering) pass() (res recorder.Result, broken bool) {
	defer a.resp.Body.Close()
	w := a.d.w
	endless := a.resp.ContentLength < 0
	if w != nil {
		done := make(chan struct{})
		defer close(done)
		a.sendHeader(a.resp.StatusCode)
		// From here on the app answers for the sender's sake only.
		stop := context.AfterFunc(a.d.sender, func() {
			t := time.AfterFunc(drainTime, func() { a.cancel(context.Cause(a.d.sender)) })
			<-done
			t.Stop()
		})
		defer stop()
	}
	if endless {
		defer context.AfterFunc(a.d.g.ending, func() { a.cancel(errEnding) })()
	}

	kept, detail := true, ""
	size := int64(0)
	buf := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buf)
	var readErr error
	for readErr == nil {
		var n int
		n, readErr = a.resp.Body.Read(buf[:])
		size += int64(n)
		if n > 0 && w != nil {
			if _, err := w.Write(buf[:n]); err != nil {
				w, detail = nil, senderHungUp
			} else if endless {
				http.NewResponseController(w).Flush()
			}
		}
		if kept = kept && size <= a.d.g.o.MaxBody; n > 0 && kept {
			if _, err := a.spool.Write(buf[:n]); err != nil {
				a.d.g.storeFailed("cannot keep an answer", err)
				kept = false
			}
		}
	}
	if readErr != io.EOF {
		if broken = w != nil; broken { // so that the sender gets what the app sent
			http.NewResponseController(w).Flush()
		}
		kept = false
		if detail == "" {
			detail = a.brokenOff()
		}
	} else if w != nil {
		for name, values := range a.resp.Trailer {
			w.Header()[http.TrailerPrefix+name] = values
		}
	}
	return a.result(detail, size, !kept), broken
}

// brokenOff says who has ended the answer before its end.
func (a *answering) brokenOff() string {
	switch cause := context.Cause(a.ctx); {
	case cause == errEnding:
		return "devhook ended before the end of the answer"
	case a.d.interrupted():
		return "interrupted before the end of the answer"
	case cause == context.Canceled: // see drainTime
		return senderHungUp
	}
	return "the app broke off its answer"
}

// sendHeader starts the sender's answer as the app's.
func (a *answering) sendHeader(status int) {
	h := a.d.w.Header()
	maps.Copy(h, a.header)
	for _, name := range madeUp {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
	a.d.w.WriteHeader(status)
	if a.resp.ContentLength < 0 {
		http.NewResponseController(a.d.w).Flush()
	}
}

// result ends the capture. cut says that not all of the answer was kept.
func (a *answering) result(detail string, size int64, cut bool) recorder.Result {
	body, err := a.spool.Body()
	if err != nil {
		a.d.g.storeFailed("cannot keep an answer", err)
		cut = true
	}
	return recorder.Result{Outcome: recorder.Answered, Detail: detail, Response: &recorder.Response{
		Status: a.resp.StatusCode, Headers: a.header, Body: body, Size: size, Truncated: cut,
		Took: a.d.g.o.Now().Sub(a.started),
	}}
}

// earlyAnswers passes on what an app says before its answer: 103 Early Hints,
// 102 Processing. What it says to Expect is left out, as the sender has heard
// that already.
type earlyAnswers struct {
	d    *delivery
	mu   sync.Mutex
	over bool // guarded by mu
}

// early passes one on. net/http's transport calls it beside RoundTrip, and sometimes still
// after it.
func (e *earlyAnswers) early(status int, h textproto.MIMEHeader) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over || e.d.w == nil || e.d.ex.Request.Proto != "HTTP/1.1" || status == http.StatusContinue {
		return nil
	}
	header := e.d.w.Header()
	maps.Copy(header, endToEnd(http.Header(h)))
	e.d.w.WriteHeader(status)
	clear(header)
	return nil
}

// end returns when nothing more is passed on.
func (e *earlyAnswers) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
}
