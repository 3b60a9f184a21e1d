package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"devhook/recorder"
)

const waitAbout = `Waits for the next webhook that fits a filter and is done, and shows it. Give the number of the newest recording as after if it may come, or have come, before this is called. ` + filterAbout

type waitInput struct {
	Filter  string  `json:"filter,omitempty" jsonschema:"which webhook; any if empty"`
	After   int     `json:"after,omitempty" jsonschema:"only one with a larger number; one that is there already counts"`
	Timeout float64 `json:"timeout_seconds,omitempty" jsonschema:"how long to wait, up to 600; 30 if not given"`
}

func (s *server) wait(ctx context.Context, in waitInput) (string, error) {
	if in.Timeout <= 0 {
		in.Timeout = 30
	}
	patience := time.Duration(min(in.Timeout, 600) * float64(time.Second))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ex, err := s.next(ctx, in)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && ex == nil {
		return "", fmt.Errorf("nothing that fits came within %s; list shows what did", patience)
	}
	if err != nil {
		return "", err
	}
	return s.show(context.WithoutCancel(ctx), showInput{Ref: string(ex.ID)})
}

// next returns the first exchange that fits and is done.
func (s *server) next(ctx context.Context, in waitInput) (*recorder.Exchange, error) {
	query := url.Values{"view": {"summary"}, "limit": {"1"}, "filter": {in.Filter}}
	if in.After > 0 {
		query.Set("limit", "1000")
	}
	list, err := s.listed(ctx, query)
	if err != nil {
		return nil, err
	}
	if in.After > 0 {
		for _, ex := range slices.Backward(list.Exchanges) {
			if ex.Seq > uint64(in.After) && ex.Outcome != recorder.Pending {
				return ex, nil
			}
		}
	}
	query = url.Values{"view": {"summary"}, "filter": {in.Filter}, "after": {list.Cursor}}
	resp, err := s.send(ctx, http.MethodGet, "/devhook/v1/events", query, nil, "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	for data, err := range events(resp.Body) {
		if err != nil {
			return nil, err
		}
		ex := new(recorder.Exchange)
		if err := json.Unmarshal(data, ex); err != nil {
			return nil, err
		}
		if ex.Outcome != recorder.Pending {
			return ex, nil
		}
	}
	return nil, errors.New("devhook has ended")
}

// events gives the data of the events "exchange" of an event stream.
func events(r io.Reader) func(yield func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		in := bufio.NewReader(r)
		var name string
		var data []byte
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(nil, err)
				}
				return
			}
			line = bytes.TrimRight(line, "\r\n")
			field, value, _ := bytes.Cut(line, []byte(": "))
			switch {
			case len(line) == 0:
				if name == "exchange" && !yield(data, nil) {
					return
				}
				name, data = "", nil
			case string(field) == "event":
				name = string(value)
			case string(field) == "data":
				data = append(append(data, value...), '\n')
			}
		}
	}
}
