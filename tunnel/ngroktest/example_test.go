package ngroktest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"golang.ngrok.com/ngrok/v2"

	"devhook/tunnel/ngroktest"
)

func Example() {
	service := ngroktest.NewServer()
	defer service.Close()

	agent, err := ngrok.NewAgent(
		ngrok.WithAuthtoken(ngroktest.Authtoken),
		ngrok.WithAgentConnectURL(service.ConnectURL()),
		ngrok.WithAgentConnectCAs(service.CertPool()),
		ngrok.WithLogger(slog.New(slog.DiscardHandler)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer agent.Disconnect()
	ln, err := agent.Listen(context.Background(), ngrok.WithURL("https://me.ngrok.test"))
	if err != nil {
		fmt.Println(err)
		return
	}
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s asks %s for %s", r.Header.Get("X-Forwarded-For"), r.Host, r.URL)
	}))

	res, err := service.Client().Get("https://me.ngrok.test/hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	fmt.Println(string(body), err)
	// Output: 203.0.113.7 asks me.ngrok.test for /hello <nil>
}
