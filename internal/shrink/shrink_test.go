package shrink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// shrunk is what Body finds of a body for a condition on it.
func shrunk(t *testing.T, body string, holds func(string) bool) string {
	t.Helper()
	tries, asked := 0, map[string]bool{}
	small, done, err := Body([]byte(body), func(b []byte) (bool, error) {
		tries++
		text := string(b)
		if asked[text] {
			t.Errorf("%.80q was asked of twice", text)
		}
		asked[text] = true
		clear(b) // it is a slice of its own
		return holds(text), nil
	})
	if err != nil || !done || !holds(string(small)) || tries > 2000 {
		t.Errorf("%q after %d tries, %v %v", small, tries, done, err)
	}
	return string(small)
}

func TestBody(t *testing.T) {
	big := `{"id":"evt_1","items":[` + strings.Repeat(`{"sku":"a","n":1},`, 60) + `{"sku":"b\u00e9","n":12345,"price":null}],"user":{"name":"Ada"},"z":"{\"a\":1,\"b\":{\"gift\":true}}"}`
	has := func(f func(doc map[string]any) bool) func(string) bool {
		return func(body string) bool {
			var doc map[string]any
			return json.Unmarshal([]byte(body), &doc) == nil && f(doc)
		}
	}
	for name, row := range map[string]struct {
		body, want string
		holds      func(string) bool
	}{
		"anything":   {big, "", func(string) bool { return true }},
		"any object": {big, "{}", has(func(d map[string]any) bool { return d != nil })},
		"a member":   {big, `{"user":{}}`, has(func(d map[string]any) bool { _, ok := d["user"].(map[string]any); return ok })},
		"null in a list": {big, `{"items":[{"price":null}]}`, func(b string) bool {
			return json.Valid([]byte(b)) && strings.Contains(b, `"price":null`) && strings.Contains(b, "items")
		}},
		"two that are needed": {big, `{"id":"","user":{}}`, has(func(d map[string]any) bool { _, a := d["id"]; _, b := d["user"]; return a && b })},
		"letters of a text":   {`{"t":"a long text with a é in it"}`, `{"t":"é"}`, has(func(d map[string]any) bool { s, _ := d["t"].(string); return strings.Contains(s, "é") })},
		"in a string": {big, `{"z":"{\"b\":{\"gift\":true}}"}`, has(func(d map[string]any) bool {
			s, _ := d["z"].(string)
			return json.Valid([]byte(s)) && strings.Contains(s, `"gift":true`) && strings.Contains(s, `"b":{`)
		})},
		"no JSON": {"a=1&b=2&bad=%zz&c=" + strings.Repeat("3", 200), "%zz", func(b string) bool { return strings.Contains(b, "%zz") }},
		"one byte before another": {"xK1", "K", func(b string) bool {
			return strings.Contains(b, "K") && (!strings.Contains(b, "x") || strings.Contains(b, "1"))
		}},
		"white space": {"{ \"a\" : 1 }", `{"a":1}`, has(func(d map[string]any) bool { _, ok := d["a"]; return ok })},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shrunk(t, row.body, row.holds); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// It stops when told, and keeps what it has found.
func TestBounds(t *testing.T) {
	body := []byte(`{"a":[1,2,3,4,5,6,7,8],"b":"text"}`)
	n := 0
	small, done, err := Body(body, func(b []byte) (bool, error) {
		if n++; n > 5 {
			return true, ErrEnough
		}
		return bytes.Contains(b, []byte("8")), nil
	})
	if n != 6 || done || err != nil || len(small) >= len(body) {
		t.Errorf("%d %v %v %s", n, done, err, small)
	}
	bad := errors.New("gone")
	if small, done, err := Body(body, func([]byte) (bool, error) { return true, bad }); !errors.Is(err, bad) || done || !bytes.Equal(small, body) {
		t.Errorf("%v %v %s", err, done, small)
	}
}

// What is large is as many steps as what is small, and each as quick as its bytes are
// read: a list of 50,000, of which one counts.
func TestLarge(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"list":[`)
	for i := range 50_000 {
		fmt.Fprintf(&b, `{"i":%d,"s":"abcabcabc"},`, i)
	}
	b.WriteString(`"needle"]}`)
	got := shrunk(t, b.String(), func(body string) bool { return strings.Contains(body, `"needle"`) })
	if got != `{"list":["needle"]}` {
		t.Errorf("got %s", got)
	}
}
