package replay

import (
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

var came = time.Date(2026, 11, 17, 14, 2, 11, 482e6, time.UTC) // 1794924131

// What is a timestamp moves by the same time in each unit, and keeps its spelling;
// what is none stays.
func TestShiftTexts(t *testing.T) {
	m := Shift(10*24*time.Hour, came).(shift)
	for _, tt := range []struct{ name, text, want string }{
		{"created", "1794924131", "1795788131"},
		{"createTime", "1794924131482", "1795788131482"},
		{"ts_us", "1794924131482001", "1795788131482001"},
		{"at", "1794924131482001002", "1795788131482001002"},
		{"event_ts", "1794924131.000200", "1795788131.000200"},
		{"expires_at", "1810000000", "1810864000"}, // half a year on
		{"value", "1794924130", "1795788130"},
		{"value", "1810000000", "1810000000"}, // says nothing, and is far
		{"created", "1694924131", "1694924131"},
		{"user_id", "1794924131", "1794924131"},
		{"userID", "1794924131", "1794924131"},
		{"amount", "1794924131", "1794924131"},
		{"time_id", "1794924131", "1794924131"},
		{"X-Request-Timestamp", "1794924131", "1795788131"},
		{"created", "17949241310", "17949241310"},
		{"created", "-1794924131", "-1794924131"},
		{"created", "1.794924131e9", "1.794924131e9"},
		{"id", "2026-11-17T14:02:11Z", "2026-11-27T14:02:11Z"},
		{"x", "2026-11-17T14:02:11.482913+05:30", "2026-11-27T14:02:11.482913+05:30"},
		{"x", "2026-11-17 14:02:11 +0000", "2026-11-27 14:02:11 +0000"},
		{"x", "2026-11-17t14:02:11z", "2026-11-27t14:02:11z"},
		{"x", "2026-11-17T14:02:11", "2026-11-27T14:02:11"},
		{"x", "2026-11-17T14:02:11,5-08", "2026-11-27T14:02:11,5-08"},
		{"x", "1990-11-17T14:02:11Z", "1990-11-17T14:02:11Z"},
		{"x", "2026-11-17T14:02:11 is when", "2026-11-17T14:02:11 is when"},
		{"x", "2026-13-17T14:02:11Z", "2026-13-17T14:02:11Z"},
		{"x", "2026-11-17T14:02:11.Z", "2026-11-17T14:02:11.Z"},
		{"x", "2026-11-17T14:02:11+5", "2026-11-17T14:02:11+5"},
		{"x", "2026-11-17T14:02:11+08:3", "2026-11-17T14:02:11+08:3"},
		{"x", "2026-11-17T14:02:11+080000", "2026-11-17T14:02:11+080000"},
		{"x", "2026-11-17", "2026-11-17"},
		{"Date", "Tue, 17 Nov 2026 14:02:11 GMT", "Fri, 27 Nov 2026 14:02:11 GMT"},
		{"Date", "Tue, 17 Nov 2026 14:02:11 +0100", "Fri, 27 Nov 2026 14:02:11 +0100"},
		{"created_at", "Tue Nov 17 14:02:11 +0000 2026", "Fri Nov 27 14:02:11 +0000 2026"},
		{"Date", "Mon, 17 Nov 2026 14:02:11 GMT", "Mon, 17 Nov 2026 14:02:11 GMT"}, // was no Monday
	} {
		if got := m.text(tt.name, tt.text); got != tt.want {
			t.Errorf("%s %q became %q, want %q", tt.name, tt.text, got, tt.want)
		}
	}
}

// Timestamps are found wherever a request holds them, and no other byte changes.
func TestShift(t *testing.T) {
	replace := strings.NewReplacer("1794924131", "1795788131", "2026-11-17T", "2026-11-27T", "2026-11-17+14", "2026-11-27+14", "Tue%2C%2017", "Fri%2C%2027")
	for kind, body := range map[string]string{
		"application/json":                  "\ufeff{ \"a\\u0074\" : 1794924131,\"n\":[ 1.50, {\"created\":[1794924131]}],\"content\":\"{\\\"create_time\\\":1794924131482,\\/\\\"s\\\":\\\"2026-11-17T14:02:11Z\\\"}\" }",
		"application/x-www-form-urlencoded": "%74=1794924131&when=2026-11-17+14%3a02%3A11&d=Tue%2C%2017%20Nov%202026%2014%3A02%3A11%20GMT&payload=%7b%22event_ts%22:%221794924131.5%22%7D&x=%zz",
		boundaryType:                        "--b 1\r\nContent-Disposition: form-data; name=time\r\n\r\n1794924131\r\n--b 1\r\nContent-Disposition: form-data; name=j\r\n\r\n{\"t\":1794924131 }\r\n--b 1--\r\n",
		"text/plain":                        "created at none 17949241",
	} {
		req := formRequest(kind, strings.ReplaceAll(body, ",\\/", ","))
		body = string(req.Body.Bytes)
		req.URL += "?a&t=1794924131&id=1794924131x&y=%zz"
		req.Headers["Tiktok-Signature"] = []string{"t=1794924131,s=abc"}
		req.Headers["X-Time"] = []string{"1794924131", "x"}
		before := *req
		if err := Shift(10*24*time.Hour, came).Apply(req); err != nil {
			t.Fatal(err)
		}
		if got, want := string(req.Body.Bytes), replace.Replace(body); got != want {
			t.Errorf("%s:\n got %q\nwant %q", kind, got, want)
		}
		if want := "https://me.example/x?a&t=1795788131&id=1794924131x&y=%zz"; req.URL != want {
			t.Errorf("the URL is %s", req.URL)
		}
		if req.Headers.Get("Tiktok-Signature") != "t=1795788131,s=abc" || fmt.Sprint(req.Headers["X-Time"]) != "[1795788131 x]" {
			t.Errorf("headers %v", req.Headers)
		}
		if before.Headers.Get("X-Time") != "1794924131" || string(before.Body.Bytes) != body {
			t.Error("the source has changed")
		}
	}
}

// A token whose key is known is signed anew, and its times keep their distances.
func TestShiftToken(t *testing.T) {
	p, ok := verify.Lookup("livekit")
	if !ok {
		t.Fatal("no livekit")
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(strings.Repeat("k", 32))}, With: map[string]string{"api_key": "APIkey"}}
	src := &recorder.Exchange{Provider: "livekit", At: came, Request: *formRequest("application/webhook+json", `{"event":"room_started","createdAt":"1794924131"}`)}
	old, err := Plan{Source: src}.Build(Keys(p, keys), came)
	if err != nil {
		t.Fatal(err)
	}
	later := came.Add(10 * 24 * time.Hour)
	ex, err := Plan{Source: old, Mutations: []Mutation{Shift(10*24*time.Hour, came)}}.Build(Keys(p, keys), later)
	if err != nil {
		t.Fatal(err)
	}
	for name, ex := range map[string]*recorder.Exchange{"then": old, "now": ex} {
		m, err := ex.Request.Message()
		if err != nil {
			t.Fatal(err)
		}
		if v := p.Scheme.Verify(m, keys, later); (v.Status == verify.Valid) != (name == "now") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The same id is renewed to the same wherever it stands in the session, and no
// other text changes.
func TestFresh(t *testing.T) {
	webhook := func(header, body string) *recorder.Request {
		req := formRequest("application/json", body)
		req.Headers["X-Github-Delivery"] = []string{header}
		return req
	}
	a := webhook("3f2504e0-4f89-41d3-9a0c-0305e82c3301", `{"id":"evt_1AbCdEfGh","type":"x","n":12345678}`)
	b := webhook("7dc53df5-703e-49b3-8670-b1c468f47f1f", `{"event_id":7312345678901234567,"cause":"evt_1AbCdEfGh","text":"of evt_1AbCdEfGh","id":"obj_12345678"}`)
	f := &Fresh{Seed: 1}
	f.Note(a, "", "")
	f.Note(b, "", "")
	f.Note(webhook("short", `{"id":"7","type":"x"}`), "12345", "")
	apply := func(req *recorder.Request, round int) recorder.Request {
		made := *req
		for _, m := range f.Of(req, round) {
			again := mustParse(t, m.String())[0]
			if err := again.Apply(&made); err != nil {
				t.Fatal(err)
			}
		}
		return made
	}
	newA, newB := apply(a, 0), apply(b, 0)
	id := string(newA.Body.Bytes[7:20])
	if want := `{"id":"` + id + `","type":"x","n":12345678}`; string(newA.Body.Bytes) != want || id == "evt_1AbCdEfGh" || !strings.HasPrefix(id, "evt_") {
		t.Errorf("got %s", newA.Body.Bytes)
	}
	number := string(newB.Body.Bytes[12:31])
	if want := `{"event_id":` + number + `,"cause":"` + id + `","text":"of evt_1AbCdEfGh","id":"obj_12345678"}`; string(newB.Body.Bytes) != want || number[:3] != "731" || number == "7312345678901234567" {
		t.Errorf("got %s", newB.Body.Bytes)
	}
	uuid := newA.Headers.Get("X-Github-Delivery")
	if uuid == a.Headers.Get("X-Github-Delivery") || len(uuid) != 36 || uuid[14] != '4' || uuid[19] != '9' || strings.Trim(uuid, "0123456789abcdef-") != "" {
		t.Errorf("the delivery is %s", uuid)
	}
	// Ids of other forms keep them: a ULID its time and its alphabet, hexadecimal digits are
	// such in capitals too. A header that is there twice names no delivery.
	forms := &Fresh{Seed: 1}
	twice := http.Header{"X-Github-Delivery": {"72d3162e-cc78-11e3-81ab-4c9367dc0958", "72d3162e-cc78-11e3-81ab-4c9367dc0959"}}
	for _, id := range []string{"01KAZX3NDEKTSV4RRFFQ69G5FA", "5FA0C2B19D3E4F67"} {
		forms.Note(&recorder.Request{Headers: twice}, id, "")
	}
	for old, alphabet := range map[string]string{"01KAZX3NDEKTSV4RRFFQ69G5FA": "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "5FA0C2B19D3E4F67": "0123456789ABCDEF"} {
		if id := forms.assigned(0)[old]; id == old || len(id) != len(old) || strings.Trim(id, alphabet) != "" || len(id) == 26 && id[0] != '0' {
			t.Errorf("%s became %q", old, id)
		}
	}
	for _, n := range []int{minID - 1, minID, 200, 201} { // what is too short is a number of something, and what is too long no id
		bound := &Fresh{}
		bound.Note(&recorder.Request{Headers: http.Header{}}, strings.Repeat("7", n), "")
		if got, want := len(bound.assigned(0)), map[int]int{minID: 1, 200: 1}[n]; got != want {
			t.Errorf("of an id of %d bytes %d are renewed, want %d", n, got, want)
		}
	}
	if n := len(forms.assigned(0)); n != 2 {
		t.Errorf("%d ids are renewed, want 2", n)
	}
	if same := apply(a, 0); string(same.Body.Bytes) != string(newA.Body.Bytes) {
		t.Error("the same seed gives other ids")
	}
	if other := apply(a, 1); string(other.Body.Bytes) == string(newA.Body.Bytes) {
		t.Error("the next round has the same ids")
	}
	many := &Fresh{}
	for i := range 20_000 {
		many.Note(&recorder.Request{Headers: http.Header{}}, fmt.Sprintf("%08d", 10_000_000+i), "")
	}
	seen := map[string]bool{}
	for old, id := range many.assigned(0) {
		if _, taken := many.noted[id]; seen[id] || taken || len(id) != len(old) {
			t.Fatalf("%s became %s, which is another's", old, id)
		}
		seen[id] = true
	}
	if len(seen) != 20_000 {
		t.Errorf("%d of 20000 ids are renewed", len(seen))
	}
}

// A new id has the prefix, the length and the alphabet of the old one, and the name of a kind is none.
func TestFreshForms(t *testing.T) {
	f := &Fresh{Seed: 1}
	req := formRequest("application/json", `{"event_id":"order.created"}`)
	req.Headers["X-Nexus-Webhook-Id"] = []string{"rm:repository:component"}
	forms := []struct{ id, prefix, form string }{
		{"Ev08MFMKH6", "Ev", `Ev[0-9]{2}[A-Z]{5}[0-9]`},
		{"1785310104769", "17", `17[0-9]{11}`},
		{"ntf_01ghbkd0frb9k95cnhwd1bxpvk", "ntf_01", `ntf_01[0-9abcdefghjkmnpqrstvwxyz]{24}`},
		{"evt_01h04vsbhqc62t8hmd4z3b578c", "ntf_01", `evt_0[0-9][0-9abcdefghjkmnpqrstvwxyz]{24}`},
		{"EvX00000", "EvX00000", `[A-Z][a-z][A-Z][0-9]{5}`},
		{"wamid.HBgMNDkxNzA5", "", `wamid\.[A-Za-z0-9]{12}`},
		{"WH-COC11055RA711503B-4YM959094A144403T", "", `WH-[A-Z0-9]{17}-[A-Z0-9]{17}`},
		{"144115233406643804-1795945056-6674845737", "", `[0-9]{18}-[0-9]{10}-[0-9]{10}`},
		{"evt_751f613bd378", "", `evt_[0-9a-f]{12}`},
		{"abcdefab-11de-4b1e-9a52-2f4f5d3c9e10", "", `[a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}`},
		{"f5b03a7c-11de-4b1e-9a52-2f4f5d3c9e10", "", `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}`},
	}
	for range 2 { // what is noted again without a prefix keeps that which was known
		for _, row := range forms {
			f.Note(req, row.id, row.prefix)
			f.Note(formRequest("application/json", `{"event_id":"`+row.id+`"}`), "", "")
		}
	}
	for round := range 50 {
		for _, row := range forms {
			if id := f.assigned(round)[row.id]; id == row.id || !regexp.MustCompile("^"+row.form+"$").MatchString(id) {
				t.Errorf("%s became %q, want %s", row.id, id, row.form)
			}
		}
		if list := f.Of(req, round); len(list) != 0 {
			t.Errorf("names were renewed: %v", list)
		}
	}
}

// A stranger chooses how much of a body is moved and renewed: it takes room, and with it
// time, in proportion to its length.
func TestHostileTexts(t *testing.T) {
	const n = 2000
	repeat := func(text string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(text, "N", strconv.Itoa(1_000_000_000+i)))
		}
		return b.String()
	}
	part := "--b 1\r\nContent-Disposition: form-data; name=at\r\n\r\n1794924131\r\n"
	for _, row := range []struct{ kind, body, want string }{
		{"application/x-www-form-urlencoded", repeat("at=1794924131&eventId=evt_N&"), "at=1794927731&eventId=evt_"},
		{boundaryType, repeat(part) + "--b 1--\r\n", strings.ReplaceAll(part, "1794924131", "1794927731")},
		{"application/json", `{"a":1` + repeat(`,"event_idN":"evt_N"`) + "}", `"evt_1000000000"`},
	} {
		req := formRequest(row.kind, row.body)
		f := &Fresh{Seed: 1}
		f.Note(req, "", "")
		p := Plan{Source: &recorder.Exchange{Request: *req}, Sign: SignNever, Mutations: append(f.Of(req, 0), Shift(time.Hour, came))}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ex, err := p.Build(nil, came)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 200*uint64(len(row.body)) {
			t.Errorf("%s: %d bytes took %d", row.kind, len(row.body), took)
		}
		body := string(ex.Request.Body.Bytes)
		switch row.kind {
		case "application/json":
			if len(ex.Changes) != n+1 || strings.Contains(body, row.want) || len(body) != len(row.body) {
				t.Errorf("%s: %d changes, %.80s", row.kind, len(ex.Changes), body)
			}
		case boundaryType:
			if body != repeat(row.want)+"--b 1--\r\n" {
				t.Errorf("%s: %.200s", row.kind, body)
			}
		default:
			if strings.Count(body, row.want) != n {
				t.Errorf("%s: %.80s", row.kind, body)
			}
		}
	}
}

// Ids that are renewed in turn are each what it is then.
func TestRenewInTurn(t *testing.T) {
	changes := mustParse(t, "renew aaaaaaaa bbbbbbbb", "renew cccccccc dddddddd", "renew bbbbbbbb eeeeeeee", "renew aaaaaaaa ffffffff", "renew gggggggg aaaaaaaa")
	src := &recorder.Exchange{Request: *formRequest("application/json", `["aaaaaaaa","bbbbbbbb","cccccccc","gggggggg"]`)}
	ex, err := Plan{Source: src, Sign: SignNever, Mutations: changes}.Build(nil, came)
	if err != nil || string(ex.Request.Body.Bytes) != `["eeeeeeee","eeeeeeee","dddddddd","aaaaaaaa"]` || len(ex.Changes) != 5 {
		t.Errorf("got %s, %q, %v", ex.Request.Body.Bytes, ex.Changes, err)
	}
}

// Law: what is moved there and back is as it was, and nothing else changes in
// length.
func FuzzShift(f *testing.F) {
	f.Add("created_at", "1794924131482")
	f.Add("x", "2026-11-17T14:02:11.482-0730")
	f.Add("Date", "Tue, 17 Nov 2026 14:02:11 GMT")
	f.Fuzz(func(t *testing.T, name, text string) {
		there := Shift(3*time.Hour+time.Second, came).(shift)
		back := Shift(-3*time.Hour-time.Second, came.Add(3*time.Hour+time.Second)).(shift)
		moved := there.text(name, text)
		if moved != text && back.text(name, moved) != text {
			t.Fatalf("%s %q became %q, and then %q", name, text, moved, back.text(name, moved))
		}
		if moved == text && len(text) == 10 && isDigits(text) && kindOfName(name) == namesTime && strings.HasPrefix(text, "17949") {
			t.Fatalf("%s %q did not move", name, text)
		}
	})
}
