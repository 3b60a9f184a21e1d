package register

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// oneURL is a provider that has one callback, which is replaced and restored. Its
// API is at /callback: GET and PUT of {"url":…}.
var oneURL = Provider{
	ID: "one-url", API: "https://one-url.invalid",
	Open: func(_ Settings, c *Client) (Registrar, error) { return &oneCallback{c}, nil },
}

type oneCallback struct{ c *Client }

func (*oneCallback) Account() string { return "1" }

func (o *oneCallback) get(ctx context.Context) (string, error) {
	var a struct{ URL string }
	err := o.c.Do(ctx, Call{Method: http.MethodGet, Path: "/callback"}, &a)
	return a.URL, err
}

func (*oneCallback) put(url string) Call {
	return Call{Method: http.MethodPut, Path: "/callback", Body: map[string]string{"url": url}, Idempotent: true}
}

func (o *oneCallback) Plan(ctx context.Context, url string, done []Change) ([]Change, error) {
	now, err := o.get(ctx)
	if err != nil || now == url {
		return nil, err
	}
	before := now
	for _, d := range done {
		before = d.Data["before"]
	}
	return []Change{{
		Key: "callback", About: "replace " + now, URL: url, Data: map[string]string{"before": before}, Call: o.put(url),
	}}, nil
}

func (o *oneCallback) Apply(ctx context.Context, ch *Change, _ []Change) error {
	return o.c.Do(ctx, ch.Call, nil)
}

func (o *oneCallback) Revert(ctx context.Context, ch Change) (Undo, error) {
	now, err := o.get(ctx)
	switch {
	case err != nil:
		return Undo{}, err
	case now == ch.Data["before"]:
		return Undo{Result: Gone}, nil
	case !ch.Ours(now):
		return Undo{Left, "it is another by now"}, nil
	}
	return Undo{Result: Reverted}, o.c.Do(ctx, o.put(ch.Data["before"]), nil)
}

// What replaces a callback moves as one change, and restores what was there
// before the first, after an end in order and after a crash at any moment.
func TestReplace(t *testing.T) {
	const own, others = "https://own.example", "https://others.example"
	for _, c := range []struct {
		name    string
		crashAt int  // the PUT whose answer never comes; 0: none
		made    bool // it has done its work
		changed bool // somebody else changes the URL at last
		want    string
	}{
		{"in order", 0, false, false, own},
		{"a crash at the first", 1, true, false, own},
		{"a crash before the first", 1, false, false, own},
		{"a crash at the move", 2, true, false, own},
		{"a crash before the move", 2, false, false, own},
		{"changed by somebody else", 0, false, true, others},
		{"changed by somebody else after a crash", 2, true, true, others},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, puts, down := own, 0, false
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts++
					down = down || puts == c.crashAt
					var in struct{ URL string }
					if json.NewDecoder(r.Body).Decode(&in); !down || c.made && puts == c.crashAt {
						at = in.URL
					}
				}
				if down {
					w.WriteHeader(500)
				}
				json.NewEncoder(w).Encode(map[string]string{"url": at})
			}))
			t.Cleanup(srv.Close)
			dir := t.TempDir()
			o := Options{Store: storeIn(t, dir), Provider: oneURL, API: srv.URL, pause: noPause}
			r := begin(t, o)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r.client.pause = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
			for i, url := range []string{first, second} {
				if err := r.Set(ctx, url); (err != nil) != (c.crashAt != 0 && i+1 >= c.crashAt) {
					t.Fatal(i, err)
				}
			}
			if c.crashAt == 0 && at != second {
				t.Errorf("moved to %s", at)
			}
			down = false
			if c.changed {
				at = others
			}
			if c.crashAt == 0 {
				must(t, r.Close(t.Context()))
			} else {
				kill(t, r)
				n, err := Cleanup(t.Context(), o)
				must(t, err)
				if n != 1 {
					t.Errorf("%d were cleaned up", n)
				}
			}
			if at != c.want {
				t.Errorf("at last there is %s, want %s", at, c.want)
			}
			if left := ledgers(t, dir); len(left) > 0 {
				t.Error(fmt.Sprint("left: ", left))
			}
		})
	}
}
