package recorder

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// Who shows no bodies gets all else, from the journal too, and whatever a body looks like.
func TestFollowBrief(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	hard := []byte(`","size":1,"response":{"body":"` + "\x01\\\"" + strings.Repeat(`é"\`, 4000))
	var want []*Exchange
	for i, body := range [][]byte{hard, bytes.Repeat([]byte{0xff, '"'}, 4000), []byte("short"), nil, []byte(strings.Repeat(`\`, 9000)), []byte(strings.Repeat("\U0001F600", 3000)), []byte("a" + strings.Repeat("é", 5000))} {
		ex := newExchange(i)
		ex.Outcome = Pending
		ex.Request.Headers = http.Header{"X-Long": {strings.Repeat("h", 5000)}}
		ex.Request.Body, ex.Request.Size = Body{Bytes: body}, int64(len(body))
		mustAppend(t, s, ex)
		res := Result{Outcome: Answered, Detail: "d", Response: &Response{Status: 200, Body: Body{Bytes: body}, Size: int64(len(body))}, App: &Response{Status: 500, Body: Body{Bytes: body}, Size: 1}}
		if err := s.Finish(context.Background(), ex.ID, res); err != nil {
			t.Fatal(err)
		}
		ex.end(res)
		want = append(want, ex)
	}
	at, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	r := readOnly(t, dir) // remembers nothing of what was written
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := 0
	for ex, err := range r.FollowBrief(ctx, Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		bodies := func(ex *Exchange) []*Body { return []*Body{&ex.Request.Body, &ex.Response.Body, &ex.App.Body} }
		for i, b := range bodies(ex) {
			whole := bodies(want[n])[i].Bytes
			if len(whole) < longBody {
				continue
			}
			if !bytes.HasPrefix(whole, b.Bytes) || len(b.Bytes) > shortBody || utf8.Valid(whole) && len(b.Bytes) < 100 {
				t.Errorf("%d bytes of %.80q", len(b.Bytes), b.Bytes)
			}
			b.Bytes = nil
		}
		short := *want[n]
		response, app := *short.Response, *short.App
		for _, b := range []*Body{&short.Request.Body, &response.Body, &app.Body} {
			if len(b.Bytes) >= longBody {
				b.Bytes = nil
			}
		}
		short.Response, short.App = &response, &app
		got, err := json.Marshal(ex)
		if err != nil {
			t.Fatal(err)
		}
		if said, err := json.Marshal(&short); err != nil || !bytes.Equal(got, said) {
			t.Errorf("got  %.300s\nwant %.300s, %v", got, said, err)
		}
		if n++; n == len(want) {
			stop()
		}
	}
	if at == (Cursor{}) || n != len(want) {
		t.Errorf("%d came", n)
	}
}
