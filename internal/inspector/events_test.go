package inspector

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"encoding/json"

	"devhook/recorder"
)

const patience = 20 * time.Second

// A stream is what a client follows.
type stream struct {
	b      *bench
	r      *bufio.Reader
	cancel context.CancelFunc
}

type event struct{ name, id, data string }

// follow opens a stream, whose first event it takes.
func (b *bench) follow(path, lastID string) *stream {
	b.t.Helper()
	s := b.open(path, lastID)
	if e := s.next(); e.name != "open" {
		b.t.Fatalf("the first event is %q", e.name)
	}
	return s
}

func (b *bench) open(path, lastID string) *stream {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		b.t.Fatalf("%s: %d %s", path, resp.StatusCode, got)
	}
	return &stream{b, bufio.NewReader(resp.Body), cancel}
}

// next reads one event, as the specification has it.
func (s *stream) next() (e event) {
	s.b.t.Helper()
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.b.t.Fatalf("the stream has ended: %v", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" && e.name != "" {
			return e
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data += value
		}
	}
}

func (e event) exchange(t *testing.T) recorder.Exchange {
	t.Helper()
	checkJSON(t, "an event", at(described(), "components", "schemas", "Exchange"), []byte(e.data))
	var ex recorder.Exchange
	if err := json.Unmarshal([]byte(e.data), &ex); err != nil {
		t.Fatal(err)
	}
	return ex
}

// Each exchange comes when it arrives and when it is done, and who comes back goes
// on where he was, also between the two.
func TestEvents(t *testing.T) {
	b := newBench(t)
	s := b.follow("/devhook/v1/events?view=summary", "")
	b.record(recorder.Exchange{}, recorder.Response{Body: recorder.Body{Bytes: []byte("thanks")}})
	arrived := s.next()
	if ex := arrived.exchange(t); ex.Outcome != recorder.Pending {
		t.Errorf("it arrives %s", ex.Outcome)
	}
	done := s.next()
	if ex := done.exchange(t); ex.Outcome != recorder.Answered || ex.Response.Size != 6 || len(ex.Response.Body.Bytes) != 0 {
		t.Errorf("it becomes %+v", ex)
	}
	s.cancel()
	b.record(recorder.Exchange{}, recorder.Response{Status: 500})
	if e := b.follow("/devhook/v1/events", arrived.id).next(); e.exchange(t).Seq != 1 || e.id != done.id {
		t.Errorf("from its arrival on, the next is %+v", e)
	}
	if e := b.follow("/devhook/v1/events?after="+done.id, "").next(); e.exchange(t).Seq != 2 {
		t.Errorf("from its end on, the next is %+v", e)
	}
	if e := b.follow("/devhook/v1/events?filter=status:5xx&after="+done.id, "").next(); e.exchange(t).Outcome != recorder.Answered {
		t.Errorf("a filter lets %+v through", e)
	}
	// A list tells where to go on behind it.
	cursor := b.must(200, "GET", "/devhook/v1/exchanges", "").json(t)["cursor"].(string)
	s = b.follow("/devhook/v1/events?after="+cursor, "")
	b.record(recorder.Exchange{}, recorder.Response{})
	if e := s.next(); e.exchange(t).Seq != 3 {
		t.Errorf("behind the list comes %+v", e)
	}
}

// What is no place of this store, as after it was made anew, says so.
func TestEventsReset(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{}, recorder.Response{})
	for _, id := range []string{"nonsense", "1.3", "7.0", "0.99999999", "-1.0"} {
		if e := b.open("/devhook/v1/events", id).next(); e.name != "reset" || e.id == "" {
			t.Errorf("%q is answered with %+v", id, e)
		}
	}
	b.must(400, "GET", "/devhook/v1/events?filter=status:banana", "")
	b.must(400, "GET", "/devhook/v1/events?view=x", "")
}

// Who does not read holds up nobody, and no more follow than may.
func TestEventsAreBounded(t *testing.T) {
	b := newBench(t)
	addr := strings.TrimPrefix(b.url, "http://")
	for range maxStreams {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte("GET /devhook/v1/events HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil { // and no more
			t.Fatal(err)
		}
	}
	b.must(503, "GET", "/devhook/v1/events", "")
	started := time.Now()
	body := recorder.Body{Bytes: []byte(strings.Repeat("x", 200<<10))}
	for range 40 { // 8 MB for each, which no socket holds
		b.record(recorder.Exchange{Request: recorder.Request{Body: body}}, recorder.Response{})
	}
	if took := time.Since(started); took > 5*patience { // else each would wait for the slowest
		t.Errorf("recording takes %v while others do not read", took)
	}
	b.must(200, "GET", "/devhook/v1/exchanges?limit=1", "")
	started = time.Now()
	b.in.Close()
	if took := time.Since(started); took > slowest/2 {
		t.Errorf("closing takes %v while others do not read", took)
	}
}

// Close ends the streams, and nobody can open one then.
func TestCloseEndsStreams(t *testing.T) {
	b := newBench(t)
	s := b.follow("/devhook/v1/events", "")
	closed := make(chan struct{})
	go func() { b.in.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close does not return")
	}
	if line, err := s.r.ReadString('\n'); err == nil {
		t.Errorf("the stream goes on: %q", line)
	}
	b.must(503, "GET", "/devhook/v1/events", "")
	b.must(200, "GET", "/devhook/v1/status", "")
}

// Of a pin, and of what was removed, events have names of their own.
func TestEventsOfWhatIsKept(t *testing.T) {
	b := newBench(t)
	b.record(recorder.Exchange{}, recorder.Response{})
	s := b.follow("/devhook/v1/events", "")
	b.must(200, "PUT", "/devhook/v1/exchanges/1/pin", "")
	if e := s.next(); e.name != "pinned" || !strings.Contains(e.data, `"pinned":true`) {
		t.Errorf("after a pin comes %+v", e)
	}
	b.must(200, "DELETE", "/devhook/v1/exchanges/1/pin", "")
	if e := s.next(); e.name != "pinned" || strings.Contains(e.data, `"pinned"`) {
		t.Errorf("after that comes %+v", e)
	}
	b.must(200, "DELETE", "/devhook/v1/exchanges/1", "")
	if e := s.next(); e.name != "removed" || e.data != `{"v":1,"exchanges":1}` {
		t.Errorf("after a removal comes %+v", e)
	}
}
