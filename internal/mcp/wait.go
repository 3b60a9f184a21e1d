package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

const waitAbout = `Waits for the next webhook that fits a filter and is done, and shows it. Give the number of the newest recording as after if it may come, or have come, before this is called. ` + filterAbout

type waitInput struct {
	Filter  string  `json:"filter,omitempty" jsonschema:"which webhook; any if empty"`
	After   *int    `json:"after,omitempty" bounds:"0" jsonschema:"only one with a larger number; one that is there already counts, with 0 any"`
	Timeout float64 `json:"timeout_seconds,omitempty" bounds:"0.1 600" jsonschema:"how long to wait, up to 600; 30 if not given"`
}

func (s *server) wait(ctx context.Context, in waitInput) (string, error) {
	patience := time.Duration(cmp.Or(in.Timeout, 30) * float64(time.Second))
	query := url.Values{"view": {"summary"}, "filter": {in.Filter}, "timeout": {patience.String()}}
	if in.After != nil {
		query.Set("after", strconv.Itoa(*in.After))
	}
	var came listed
	if err := s.get(ctx, "/devhook/v1/wait", query, &came); err != nil {
		return "", err
	}
	if len(came.Exchanges) == 0 {
		text := fmt.Sprintf("nothing that fits came within %s; list shows what did", patience)
		for _, note := range came.Notes {
			text += "\nnote: " + short(note, 600)
		}
		return "", errors.New(text)
	}
	return s.show(ctx, showInput{Ref: ref(came.Exchanges[0].ID)})
}
