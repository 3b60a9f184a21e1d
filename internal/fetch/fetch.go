// Package fetch gets public keys and certificates over https, for signatures
// whose key is named by a URL. It is a [verify.Fetcher].
//
// Which URLs may be asked for is not its business: package verify compares them
// with the provider's description first. What it gets is remembered for a
// while, and so is that there was nothing, because the URLs come from messages
// that anybody can send.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	timeout  = 5 * time.Second  // of a fetch as a whole, waiting for a place among others included
	maxPage  = 64 << 10         // bytes; a chain of certificates is a few KiB
	fresh    = 10 * time.Minute // how long a page is kept
	failed   = 30 * time.Second // how long it is remembered that there is none
	maxPages = 64               // kept at once
	maxBusy  = 4                // fetches under way at once
	maxHops  = 3                // redirects
)

// A Client fetches. The zero value is ready, and safe for concurrent use.
type Client struct {
	Transport http.RoundTripper // nil: http.DefaultTransport
	Now       func() time.Time  // nil: time.Now

	once  sync.Once
	busy  chan struct{} // holds a place for each fetch under way
	mu    sync.Mutex    // guards pages
	pages map[string]*page
}

// A page is what a URL gave.
type page struct {
	done  chan struct{} // closed once the rest is set
	until time.Time
	body  []byte
	err   error
}

// Fetch returns what is at an https URL, or what was there up to ten minutes
// ago. Who asks for a page that is being fetched waits for it. The slice is
// shared: it must not be written to.
func (c *Client) Fetch(ctx context.Context, rawURL string) ([]byte, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("only plain https is fetched")
	}
	c.once.Do(func() {
		c.pages = map[string]*page{}
		c.busy = make(chan struct{}, maxBusy)
	})
	p, mine := c.page(rawURL)
	if mine {
		// Others wait for it, too: it is not ended by one who goes.
		c.fill(context.WithoutCancel(ctx), p, u)
	}
	select {
	case <-p.done:
		return p.body, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// page gives the page of a URL. mine is true for who is to fill it.
func (c *Client) page(key string) (p *page, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if p, ok := c.pages[key]; ok && (p.until.IsZero() || now.Before(p.until)) {
		return p, false
	}
	if len(c.pages) >= maxPages {
		c.forget(now)
	}
	p = &page{done: make(chan struct{})}
	c.pages[key] = p
	return p, true
}

// forget drops the pages whose time is up, or else the one that is next. mu is
// held.
func (c *Client) forget(now time.Time) {
	next := ""
	for key, p := range c.pages {
		switch {
		case p.until.IsZero():
		case !now.Before(p.until):
			delete(c.pages, key)
		case next == "" || p.until.Before(c.pages[next].until):
			next = key
		}
	}
	if len(c.pages) >= maxPages && next != "" {
		delete(c.pages, next)
	}
}

func (c *Client) fill(ctx context.Context, p *page, u *url.URL) {
	body, err := c.get(ctx, u)
	keep := fresh
	if err != nil {
		keep = failed
	}
	c.mu.Lock()
	p.body, p.err, p.until = body, err, c.now().Add(keep)
	c.mu.Unlock()
	close(p.done)
}

func (c *Client) get(ctx context.Context, u *url.URL) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return nil, errors.New("too many others are being fetched")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "devhook")
	client := http.Client{Transport: c.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Scheme != "https" || next.URL.Host != u.Host || len(via) > maxHops {
			return errors.New("it leads elsewhere")
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch from %s: %w", u.Host, cause(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch from %s: status %d", u.Host, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("fetch from %s: %w", u.Host, cause(err))
	}
	if len(body) > maxPage {
		return nil, fmt.Errorf("fetch from %s: over %d KiB", u.Host, maxPage>>10)
	}
	return body, nil
}

// cause takes the URL, which is long, off an error.
func cause(err error) error {
	var at *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v", timeout)
	case errors.As(err, &at):
		return at.Err
	}
	return err
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
