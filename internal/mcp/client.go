package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"devhook/internal/terminal"
	"devhook/recorder"
)

// maxAnswer is the most that is read of an answer of the API, in bytes.
const maxAnswer = 64 << 20

// get asks the API for path and reads the JSON that it answers into v.
func (s *server) get(ctx context.Context, path string, query url.Values, v any) error {
	return s.call(ctx, http.MethodGet, path, query, nil, v)
}

// post has the API do something.
func (s *server) post(ctx context.Context, path string, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPost, path, nil, text, v)
}

func (s *server) call(ctx context.Context, method, path string, query url.Values, body []byte, v any) error {
	resp, err := s.send(ctx, method, path, query, body, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v)
}

// send returns the answer of the API, which the caller closes; an error if it is
// none of success.
func (s *server) send(ctx context.Context, method, path string, query url.Values, body []byte, span string) (*http.Response, error) {
	u := url.URL{Scheme: "http", Host: "devhook", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if span != "" {
		req.Header.Set("Range", span)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the URL says nothing to anybody
		}
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, apiError(resp)
}

// apiError returns what the API says of why it does not do something. Its hints
// are kept where they are for who is not at its own port.
func apiError(resp *http.Response) error {
	var told struct{ Error, Hint string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&told); err != nil || told.Error == "" {
		return fmt.Errorf("devhook answers %s", resp.Status)
	}
	text := told.Error
	if told.Hint != "" && !strings.Contains(told.Hint, "/devhook/v1/") {
		text += "\nhint: " + told.Hint
	}
	return errors.New(terminal.SafeText(text[:min(len(text), 2000)])) // it can quote a webhook
}

// exchange returns the recording that is named, without credentials. Of a body
// that is in a file, as much is loaded as can be shown.
func (s *server) exchange(ctx context.Context, of ref) (*recorder.Exchange, error) {
	if of == "" {
		return nil, errors.New("ref is empty: it is a number, an ID, last, last~2 or live")
	}
	if strings.ContainsAny(string(of), `/\?#%`) {
		return nil, fmt.Errorf("%q names no recording: it is a number, an ID, last, last~2 or live", short(string(of), 100))
	}
	path := "/devhook/v1/exchanges/" + string(of)
	ex := new(recorder.Exchange)
	if err := s.get(ctx, path, nil, ex); err != nil {
		return nil, err
	}
	return ex, s.load(ctx, ex)
}

// load completes ex by what can be shown of its bodies, and masks it.
func (s *server) load(ctx context.Context, ex *recorder.Exchange) error {
	path := "/devhook/v1/exchanges/" + string(ex.ID)
	err := s.body(ctx, path+"/body", nil, &ex.Request.Body)
	if ex.Response != nil && err == nil {
		err = s.body(ctx, path+"/response", nil, &ex.Response.Body)
	}
	if ex.App != nil && err == nil {
		err = s.body(ctx, path+"/response", url.Values{"of": {"app"}}, &ex.App.Body)
	}
	*ex = s.o.Masker()(*ex)
	return err
}

// maxLoaded is the most that is looked at of a body, in bytes.
const maxLoaded = 2 << 20

func (s *server) body(ctx context.Context, path string, query url.Values, b *recorder.Body) error {
	if b.Sum == "" {
		return nil
	}
	resp, err := s.send(ctx, http.MethodGet, path, query, nil, fmt.Sprintf("bytes=0-%d", maxLoaded-1))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxLoaded))
	*b = recorder.Body{Bytes: text}
	return err
}
