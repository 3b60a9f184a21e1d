package register

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/internal/register/eulertest"
	"devhook/recorder"
	"devhook/verify"
)

const (
	first  = "https://first.example/hooks"
	second = "https://second.example/hooks"
)

// emulator starts Euler's API.
func emulator(t *testing.T, o eulertest.Options) (*eulertest.Server, string) {
	t.Helper()
	if o.Key == "" {
		o.Key = "key-0123456789"
	}
	api := eulertest.New(o)
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return api, srv.URL
}

func storeIn(t *testing.T, dir string) *recorder.Store {
	t.Helper()
	s, err := recorder.Open(dir, recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func eulerOptions(store *recorder.Store, api string, creators ...string) Options {
	return Options{Store: store, Provider: euler, API: api, pause: noPause, Values: map[string][]string{
		"account": {"4242"}, "creator": creators, "key": {"key-0123456789"},
	}}
}

// noPause is a pause that takes no time.
func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// begin opens a registration whose pauses take no time.
func begin(t *testing.T, o Options) *Registration {
	t.Helper()
	o.pause = noPause
	r, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// state is what there is at the emulator, in a few words.
func state(s *eulertest.Server) string {
	var all []string
	for _, a := range s.Alerts() {
		var urls []string
		for _, target := range a.Targets {
			urls = append(urls, target.URL)
		}
		all = append(all, "@"+a.Username+fmt.Sprint(urls))
	}
	return strings.Join(all, " ")
}

func wantState(t *testing.T, s *eulertest.Server, want string) {
	t.Helper()
	if got := state(s); got != want {
		t.Errorf("there is %q, want %q", got, want)
	}
}

func ledgers(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, kind, "*"))
	must(t, err)
	return names
}

// kill has r end as a process that is killed does: its lock is free, and
// nothing else is done.
func kill(t *testing.T, r *Registration) {
	t.Helper()
	if r.held != nil {
		must(t, r.held.Leave())
	}
}

// What was made is taken back, what was there stays, and an alert that was there
// is used.
func TestRegister(t *testing.T) {
	for _, c := range []struct{ name, creator, during, after string }{
		{"an alert that is there", "@Ada", "@ada[https://own.example " + first + "]", "@ada[https://own.example]"},
		{"an alert that is not", "@bob", "@ada[https://own.example] @bob[" + first + "]", "@ada[https://own.example]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, at := emulator(t, eulertest.Options{PageSize: 1})
			api.Add("ada", "https://own.example")
			dir := t.TempDir()
			r := begin(t, eulerOptions(storeIn(t, dir), at, c.creator))
			must(t, r.Set(t.Context(), first))
			wantState(t, api, c.during)
			must(t, r.Set(t.Context(), first)) // nothing is to be done
			wantState(t, api, c.during)
			must(t, r.Set(t.Context(), second))
			wantState(t, api, strings.ReplaceAll(c.during, first, second))
			for _, name := range ledgers(t, dir) {
				text, err := os.ReadFile(name)
				must(t, err)
				info, err := os.Stat(name)
				must(t, err)
				if strings.Contains(string(text), "key-0123") || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
					t.Errorf("%s, %v:\n%s", name, info.Mode(), text)
				}
			}
			must(t, r.Close(t.Context()))
			wantState(t, api, c.after)
			if left := ledgers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// After a crash anywhere, what was made is found and taken back: by a cleanup,
// and by the next that registers. What is of others is not touched.
func TestCrash(t *testing.T) {
	// A crash is a call that was made and whose answer never came, or one that
	// was not made; the process ends there.
	for _, op := range []string{"PUT create", "PUT create target", "none"} {
		for _, made := range []bool{true, false} {
			for _, next := range []string{"cleanup", "register"} {
				t.Run(fmt.Sprint(op, " made ", made, " then ", next), func(t *testing.T) {
					crashed := false
					api, at := emulator(t, eulertest.Options{Fail: func(o string) (int, bool) {
						if o == op && !crashed {
							return 500, made
						}
						return 0, false
					}})
					api.Add("ada", "https://own.example")
					dir := t.TempDir()
					r := begin(t, eulerOptions(storeIn(t, dir), at, "ada", "bob"))
					ctx, cancel := context.WithCancel(t.Context())
					r.client.pause = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
					err := r.Set(ctx, first)
					if (err != nil) != (op != "none") {
						t.Fatal(err)
					}
					crashed = true
					kill(t, r)
					cancel()

					o := eulerOptions(storeIn(t, dir), at, "carl")
					if next == "cleanup" {
						n, err := Cleanup(t.Context(), o)
						must(t, err)
						if n != 1 {
							t.Errorf("%d were cleaned up", n)
						}
					} else {
						r := begin(t, o)
						must(t, r.Set(t.Context(), second))
						wantState(t, api, "@ada[https://own.example] @carl["+second+"]")
						must(t, r.Close(t.Context()))
					}
					wantState(t, api, "@ada[https://own.example]")
					if left := ledgers(t, dir); len(left) > 0 {
						t.Errorf("left: %v", left)
					}
				})
			}
		}
	}
}

// A provider that fails in the middle, with or without having done its work,
// gets no second alert or target.
func TestFailsInTheMiddle(t *testing.T) {
	for _, op := range []string{"PUT create", "PUT create target", "GET list", "GET list target", "DELETE delete", "DELETE delete target"} {
		for _, made := range []bool{true, false} {
			t.Run(fmt.Sprint(op, " made ", made), func(t *testing.T) {
				var mu sync.Mutex
				failures := 2
				api, at := emulator(t, eulertest.Options{Fail: func(o string) (int, bool) {
					mu.Lock()
					defer mu.Unlock()
					if o == op && failures > 0 {
						failures--
						return 503, made
					}
					return 0, false
				}})
				dir := t.TempDir()
				r := begin(t, eulerOptions(storeIn(t, dir), at, "ada"))
				must(t, r.Set(t.Context(), first))
				wantState(t, api, "@ada["+first+"]")
				must(t, r.Close(t.Context()))
				wantState(t, api, "")
				if left := ledgers(t, dir); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			})
		}
	}
}

// What is refused in the middle leaves what was made before it, until the end.
func TestRefusedInTheMiddle(t *testing.T) {
	for _, code := range []int{400, 500} {
		api, at := emulator(t, eulertest.Options{Fail: func(op string) (int, bool) {
			if op == "PUT create target" {
				return code, false
			}
			return 0, false
		}})
		dir := t.TempDir()
		r := begin(t, eulerOptions(storeIn(t, dir), at, "ada"))
		if err := r.Set(t.Context(), first); StatusOf(err) != code {
			t.Errorf("got %v", err)
		}
		wantState(t, api, "@ada[]")
		must(t, r.Close(t.Context()))
		wantState(t, api, "")
		if left := ledgers(t, dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// What cannot be taken back stays in the ledger for later.
func TestCannotBeTakenBack(t *testing.T) {
	down := false
	api, at := emulator(t, eulertest.Options{Fail: func(string) (int, bool) {
		if down {
			return 500, false
		}
		return 0, false
	}})
	dir := t.TempDir()
	store := storeIn(t, dir)
	r := begin(t, eulerOptions(store, at, "ada"))
	must(t, r.Set(t.Context(), first))
	down = true
	if err := r.Close(t.Context()); StatusOf(err) != 500 {
		t.Errorf("got %v", err)
	}
	list, err := List(store)
	must(t, err)
	if len(list) != 1 || list[0].Alive || len(list[0].Changes) != 2 {
		t.Errorf("there is %+v", list)
	}
	down = false
	_, err = Cleanup(t.Context(), eulerOptions(store, at))
	must(t, err)
	wantState(t, api, "")
}

// Two devhooks at once have their own targets at one alert, which ends with the
// last of them, whoever made it.
func TestTwoAtOnce(t *testing.T) {
	for _, endsFirst := range []int{0, 1} {
		t.Run(fmt.Sprint(endsFirst, " ends first"), func(t *testing.T) {
			api, at := emulator(t, eulertest.Options{})
			dir := t.TempDir()
			both := []*Registration{
				begin(t, eulerOptions(storeIn(t, dir), at, "ada")),
				begin(t, eulerOptions(storeIn(t, dir), at, "ada")),
			}
			must(t, both[0].Set(t.Context(), first))
			must(t, both[1].Set(t.Context(), second))
			wantState(t, api, "@ada["+first+" "+second+"]")
			n, err := Cleanup(t.Context(), eulerOptions(storeIn(t, dir), at))
			must(t, err)
			if n != 0 {
				t.Errorf("%d of the living were cleaned up", n)
			}
			must(t, both[endsFirst].Close(t.Context()))
			wantState(t, api, "@ada["+[]string{second, first}[endsFirst]+"]")
			must(t, both[1-endsFirst].Close(t.Context()))
			wantState(t, api, "")
			if left := ledgers(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// Two at once with one URL, as in two projects, delete their own targets only.
func TestSameURL(t *testing.T) {
	api, at := emulator(t, eulertest.Options{})
	api.Add("ada", first) // by hand
	one := begin(t, eulerOptions(storeIn(t, t.TempDir()), at, "ada"))
	two := begin(t, eulerOptions(storeIn(t, t.TempDir()), at, "ada"))
	must(t, one.Set(t.Context(), first))
	must(t, two.Set(t.Context(), first))
	wantState(t, api, "@ada["+first+" "+first+" "+first+"]")
	must(t, one.Close(t.Context()))
	for i, target := range api.Alerts()[0].Targets {
		if want := []string{"", two.ledger.Mark}[i]; eulerMark(target.Metadata) != want {
			t.Errorf("target %d: %s", i, target.Metadata)
		}
	}
	must(t, two.Close(t.Context()))
	wantState(t, api, "@ada["+first+"]")
}

// Another makes the alert at the same moment: it is used, and is the other's.
func TestMadeMeanwhile(t *testing.T) {
	var api *eulertest.Server
	var at string
	made := false
	api, at = emulator(t, eulertest.Options{Fail: func(op string) (int, bool) {
		if op == "PUT create" && !made {
			made = true
			api.Add("ada", "https://own.example")
		}
		return 0, false
	}})
	r := begin(t, eulerOptions(storeIn(t, t.TempDir()), at, "ada", "bob"))
	must(t, r.Set(t.Context(), first))
	wantState(t, api, "@ada[https://own.example "+first+"] @bob["+first+"]")
	must(t, r.Close(t.Context()))
	wantState(t, api, "@ada[https://own.example]")
}

// An alert that somebody else has begun to use is left, and forgotten.
func TestOthersUseIt(t *testing.T) {
	api, at := emulator(t, eulertest.Options{})
	dir := t.TempDir()
	var undone []UndoResult
	o := eulerOptions(storeIn(t, dir), at, "ada")
	o.Say = func(s Step) {
		if s.Undo.Result != "" {
			undone = append(undone, s.Undo.Result)
		}
	}
	r := begin(t, o)
	must(t, r.Set(t.Context(), first))
	api.AddTarget("ada", "https://own.example")
	must(t, r.Close(t.Context()))
	wantState(t, api, "@ada[https://own.example]")
	if !slices.Equal(undone, []UndoResult{Reverted, Left}) {
		t.Errorf("got %v", undone)
	}
	if left := ledgers(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What is to be kept stays, until a cleanup or until the same is registered
// again.
func TestKeep(t *testing.T) {
	api, at := emulator(t, eulertest.Options{})
	dir := t.TempDir()
	keep := func(creator, url string) {
		t.Helper()
		o := eulerOptions(storeIn(t, dir), at, creator)
		o.Keep = true
		r := begin(t, o)
		must(t, r.Set(t.Context(), url))
		must(t, r.Close(t.Context()))
	}
	keep("ada", first)
	keep("bob", first)
	wantState(t, api, "@ada["+first+"] @bob["+first+"]")
	keep("ada", second)
	wantState(t, api, "@bob["+first+"] @ada["+second+"]")
	n, err := Cleanup(t.Context(), eulerOptions(storeIn(t, dir), at))
	must(t, err)
	if n != 2 {
		t.Errorf("%d were cleaned up", n)
	}
	wantState(t, api, "")
}

// A ledger that others can write is not acted on, nor one of another API or
// with a hostile account.
func TestForeignLedger(t *testing.T) {
	api, at := emulator(t, eulertest.Options{})
	dir := t.TempDir()
	r := begin(t, eulerOptions(storeIn(t, dir), at, "ada"))
	must(t, r.Set(t.Context(), first))
	kill(t, r)
	name := ledgers(t, dir)[0]
	text, err := os.ReadFile(name)
	must(t, err)
	for _, c := range []struct {
		what, old, new string
		mode           os.FileMode
	}{
		{"others can read it", "", "", 0o644},
		{"another API", at, "https://elsewhere.example", 0o600},
		{"a path for an account", `"4242"`, `"4242/../1"`, 0o600},
		{"no JSON", `{`, `[`, 0o600},
		{"another version", `"v": 1`, `"v": 2`, 0o600},
	} {
		if c.mode != 0o600 && runtime.GOOS == "windows" { // whose files have no such mode
			continue
		}
		must(t, os.WriteFile(name, []byte(strings.ReplaceAll(string(text), c.old, c.new)), 0o600))
		if c.old == "" {
			must(t, os.WriteFile(name, text, 0o600))
		}
		must(t, os.Chmod(name, c.mode))
		Cleanup(t.Context(), eulerOptions(storeIn(t, dir), at)) // says what is wrong, or passes it over
		if got := state(api); got != "@ada["+first+"]" {
			t.Errorf("%s: there is %q", c.what, got)
		}
	}
}

func TestLimits(t *testing.T) {
	api, at := emulator(t, eulertest.Options{HTTPStatus: true})
	for i := range 5 {
		api.Add(fmt.Sprint("own", i))
	}
	dir := t.TempDir()
	r := begin(t, eulerOptions(storeIn(t, dir), at, "ada"))
	err := r.Set(t.Context(), first)
	if err == nil || !strings.Contains(err.Error(), "the free plan allows 5") {
		t.Errorf("got %v", err)
	}
	must(t, r.Close(t.Context()))
	if left := ledgers(t, dir); len(left) > 0 {
		t.Errorf("what was refused is in the ledger: %v", left)
	}
	r = begin(t, eulerOptions(storeIn(t, dir), at, "own3")) // has one
	must(t, r.Set(t.Context(), first))
	must(t, r.Close(t.Context()))
	wantState(t, api, "@own0[] @own1[] @own2[] @own3[] @own4[]")
}

func TestWrongKey(t *testing.T) {
	for _, status := range []bool{true, false} {
		_, at := emulator(t, eulertest.Options{Key: "another", HTTPStatus: status})
		r := begin(t, eulerOptions(storeIn(t, t.TempDir()), at, "ada"))
		err := r.Set(t.Context(), first)
		if StatusOf(err) != 401 || strings.Contains(err.Error(), "key-0123456789") {
			t.Errorf("got %v", err)
		}
	}
}

// The secret is asked for once, and handed over.
func TestFetchSecret(t *testing.T) {
	asked := 0
	_, at := emulator(t, eulertest.Options{Secret: "whs-1", Fail: func(op string) (int, bool) {
		if op == "GET me" {
			asked++
		}
		return 0, false
	}})
	dir := t.TempDir()
	o := eulerOptions(storeIn(t, dir), at, "ada")
	o.Values["fetch-secret"] = []string{"true"}
	var got []verify.Secret
	o.TakeSecret = func(s verify.Secret) { got = append(got, s) }
	r := begin(t, o)
	must(t, r.Set(t.Context(), first))
	must(t, r.Set(t.Context(), second))
	if asked != 1 || len(got) != 1 || got[0].Empty() {
		t.Errorf("asked %d times, got %d", asked, len(got))
	}
	must(t, r.Close(t.Context()))
}

func TestMissing(t *testing.T) {
	o := eulerOptions(nil, "", "ada")
	delete(o.Values, "key")
	_, err := Open(o)
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Param.Env != "EULER_API_KEY" {
		t.Errorf("got %v", err)
	}
	for name, value := range map[string]string{"account": "4242/..", "creator": "a b"} {
		o := eulerOptions(nil, "", "ada")
		o.Values[name] = []string{value}
		if _, err := Open(o); err == nil {
			t.Errorf("%s %q is taken", name, value)
		}
	}
}
