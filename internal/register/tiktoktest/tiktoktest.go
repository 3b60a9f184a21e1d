// Package tiktoktest sends webhooks as TikTok for Developers does: the test of the
// portal, and events, at least once, and again until they are answered 200. The
// signature, the 72 hours and that pauses grow exponentially are documented
// (developers.tiktok.com/doc/webhooks-overview and webhooks-verification). The
// pauses themselves and the time that an answer may take are not: they are
// assumed.
package tiktoktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"devhook/fixtures"
)

const (
	firstPause = time.Minute    // assumed; each is twice the one before
	giveUp     = 72 * time.Hour // after the first attempt
	patience   = 10 * time.Second
)

// Ping is the event that the portal's Test URL sends.
const Ping = "tiktok.ping"

// A Sender sends webhooks to one URL. The zero value but for URL and Secret is
// ready to use.
type Sender struct {
	URL    string
	Secret string  // the app's client secret
	Speed  float64 // how many times as fast pauses pass; 0: once
	// Say is told of each attempt; may be nil.
	Say func(Attempt)
	Now func() time.Time // nil: time.Now
}

// An Attempt is one request.
type Attempt struct {
	Event  string
	N      int           // from 1
	After  time.Duration // since the first attempt, on the platform's clock
	Status int           // 0: there was no answer
	Err    error         // why there was none
	Again  time.Duration // until the next attempt, on the platform's clock; 0: there is none
}

// OK reports whether the platform is content: with 200, and nothing else.
func (a Attempt) OK() bool { return a.Status == http.StatusOK }

// ErrNoSample is the error of an event that there is no sample of.
var ErrNoSample = errors.New("there is no sample of this event")

// Send sends an event until it is answered 200, or given up, or ctx ends, and
// returns the last attempt. The test of the portal is sent once. The body stays
// the same; the signature is of the time of the attempt.
func (s *Sender) Send(ctx context.Context, event string) (Attempt, error) {
	sample, ok := fixtures.Lookup("tiktok", event)
	if !ok {
		return Attempt{}, fmt.Errorf("%w: %q", ErrNoSample, event)
	}
	sample, err := sample.Fill(s.now(), rand.Uint64())
	if err != nil {
		return Attempt{}, err
	}
	body := sample.Exchange.Request.Body.Bytes
	a := Attempt{Event: event}
	for pause := firstPause; ; pause *= 2 {
		a.N++
		a.Status, a.Err = s.post(ctx, body)
		if a.Again = pause; a.OK() || event == Ping || a.After+pause > giveUp {
			a.Again = 0
		}
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		if s.Say != nil {
			s.Say(a)
		}
		if a.Again == 0 {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(s.Pass(pause)):
		}
		a.After += pause
	}
}

// Pass is how long a time on the platform's clock takes here.
func (s *Sender) Pass(d time.Duration) time.Duration {
	if s.Speed > 0 {
		return time.Duration(float64(d) / s.Speed)
	}
	return d
}

func (s *Sender) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Sender) post(ctx context.Context, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	h := hmac.New(sha256.New, []byte(s.Secret))
	fmt.Fprintf(h, "%s.%s", at, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("TikTok-Signature", "t="+at+",s="+hex.EncodeToString(h.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // what it says does not matter
	return resp.StatusCode, nil
}
