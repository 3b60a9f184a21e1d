package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"devhook/internal/loopback"
)

// A Poller fetches events that a stream may have missed.
type Poller interface {
	// Poll returns the events that there are now, oldest first, each byte for
	// byte. It may return what it has returned before.
	Poll(ctx context.Context) ([]json.RawMessage, error)
}

// HTTPPoller is a [Poller] that gets a URL of the user's own. Tuniform says that
// events can be polled for where the stream is down, and documents neither the
// address, nor how it is asked, nor what it answers; so there is no default. What
// is expected is an answer of 200 with a JSON array of events.
type HTTPPoller struct {
	URL    string // whole, with what secret it takes; never shown
	Client *http.Client
}

// PollNote is what a user should know who has something polled.
const PollNote = "where events are polled for is not documented by the platform: devhook gets the URL you gave, and takes a JSON array of events for an answer. An event that was polled and one of the stream are taken for the same only if their bytes are"

// maxPolled is the largest answer in bytes that is taken.
const maxPolled = 8 << 20

// Poll implements [Poller]. No error has the URL in it.
func (p HTTPPoller) Poll(ctx context.Context) ([]json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", p.URL, nil)
	if err != nil {
		return nil, errors.New("the URL to poll is malformed")
	}
	client := p.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := own.Do(req)
	if err != nil {
		return nil, errors.New(causeOf(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return nil, fmt.Errorf("the answer is %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPolled+1))
	if err != nil {
		return nil, errors.New(causeOf(err))
	}
	if len(body) > maxPolled {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxPolled)
	}
	var events []json.RawMessage
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, errors.New("the answer is no JSON array of events")
	}
	return events, nil
}

// CheckPollURL checks the address of a poll as [CheckURL] does that of a stream;
// a query is allowed.
func CheckPollURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback.Is(u.Host)) {
		return &Error{Text: "the URL to poll is none that can be asked", Hint: "write https://HOST/PATH, or http:// for a server on this machine; there is no known address, so it has to be yours"}
	}
	return nil
}

// poll takes in what is polled and has not come yet.
func (s *Source) poll(ctx context.Context, q *queue) {
	list, err := s.o.Poll.Poll(ctx)
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	if trouble != s.pollTrouble && ctx.Err() == nil {
		s.pollTrouble = trouble
		if trouble == "" {
			trouble = "works again"
		}
		s.say(Status{State: Polling, Detail: trouble})
	}
	for _, body := range list {
		kind, problem := eventType(body)
		if id := sum(body); s.seen.add(id) {
			q.push(ctx, Event{Body: body, Type: kind, DeliveryID: id, At: s.o.Now().UTC(), Problem: problem})
		}
	}
}
