package attack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"devhook/internal/neterr"
)

// effectsTimeout is how long it may take to say how many effects there were.
const effectsTimeout = 10 * time.Second

// An EffectsError says that the effects could not be counted.
type EffectsError struct {
	Text string
	Hint string // what to do about it, "" if there is no telling
	Err  error  // may be nil
}

func (e *EffectsError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *EffectsError) Unwrap() error { return e.Err }

// Count returns what counts effects: the first number of what ask says. An error is an
// [*EffectsError].
func Count(ask func(context.Context) (string, error)) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, effectsTimeout)
		defer cancel()
		var digits []string
		for i := 0; len(digits) == 0; i++ { // a file is empty while it is being written
			said, err := ask(ctx)
			if err != nil {
				return 0, &EffectsError{err.Error(), "it has to print a number, and 0 as long as the app has not acted: cat FILE || echo 0", err}
			}
			digits = strings.FieldsFunc(said, func(r rune) bool { return r < '0' || r > '9' })
			if len(digits) == 0 && (i == 10 || strings.TrimSpace(said) != "") {
				return 0, &EffectsError{fmt.Sprintf("there is no number in %.60q", strings.TrimSpace(said)), "it has to print how many webhooks were acted on, as in 12", nil}
			}
			if len(digits) == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		n, err := strconv.Atoi(digits[0])
		if err != nil {
			return 0, &EffectsError{digits[0] + " is too large a number", "", err}
		}
		return n, nil
	}
}

// Ask returns what asks a URL, for [Count].
func Ask(client *http.Client, url string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		resp, err := client.Do(req)
		if neterr.Is(err, syscall.ECONNREFUSED) {
			return "", fmt.Errorf("%s refuses the connection: is the app running?", url)
		}
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return "", fmt.Errorf("%s answered %s", url, resp.Status)
		}
		text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		return string(text), err
	}
}
