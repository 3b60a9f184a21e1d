package mcp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// A script writes all of its requests, closes, and gets every answer, also where its
// last line has no end.
func TestAnswersBeforeTheEnd(t *testing.T) {
	api := roundTripper(func() error { time.Sleep(50 * time.Millisecond); return errors.New("no store") })
	for _, end := range []string{"", "\n"} {
		in := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":"two","method":"tools/call","params":{"name":"list","arguments":{}}}
{"jsonrpc":"2.0","id":3,"method":"nope"}
{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"show","arguments":{"ref":"1"}}}` + end
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		var out bytes.Buffer
		o := Options{Version: "0", API: api, Masker: func() func(recorder.Exchange) recorder.Exchange { return nil }}
		if err := Serve(ctx, o, io.NopCloser(strings.NewReader(in)), &out); err != nil {
			t.Error(err)
		}
		for _, id := range []string{`"id":1,`, `"id":"two",`, `"id":3,`, `"id":4,`} {
			if !strings.Contains(out.String(), id) {
				t.Errorf("%s is not answered:\n%s", id, out.String())
			}
		}
		if n := strings.Count(out.String(), `"isError":true`); n != 2 || strings.Count(out.String(), "no store") != 2 {
			t.Errorf("%d errors:\n%s", n, out.String())
		}
	}
}
