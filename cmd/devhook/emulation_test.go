package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"devhook/internal/register/tencenttest"
)

// A page in a browser cannot have an emulator send anything.
func TestNoPages(t *testing.T) {
	came := 0
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came++ }))
	defer app.Close()
	const command = "Live.CallbackAfterCreateRoom"
	far := tencenttest.New(tencenttest.Options{Set: tencenttest.Config{URL: app.URL, Commands: []string{command}}})
	srv := httptest.NewServer(noPages(firing(far, "command", func(string) {}, far.Fire)))
	defer srv.Close()
	for header, want := range map[string]int{"Origin": 403, "Sec-Fetch-Site": 403, "X-Other": 200} {
		req, err := http.NewRequest("POST", srv.URL+"/emulator/fire?command="+command, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, "same-origin")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", header, resp.StatusCode, want)
		}
	}
	if came != 1 {
		t.Errorf("%d came", came)
	}
}
