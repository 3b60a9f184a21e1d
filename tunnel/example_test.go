package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"devhook/tunnel"
	"devhook/tunnel/ngroktest"
)

func ExampleLocal() {
	ln, err := tunnel.Local("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go http.Serve(ln, http.NotFoundHandler())

	res, err := http.Get(ln.URL().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println((<-ln.Events()).State, res.StatusCode)
	// Output: connected 404
}

func ExampleNgrok() {
	service := ngroktest.NewServer() // in place of ngrok's
	defer service.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cas, err := service.CertFile(dir)
	if err != nil {
		fmt.Println(err)
		return
	}

	ln, err := tunnel.Ngrok(context.Background(), tunnel.NgrokOptions{
		Authtoken:  ngroktest.Authtoken,
		URL:        "me.ngrok.app",
		ConnectURL: service.ConnectURL(),
		ConnectCAs: cas,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go http.Serve(ln, http.NotFoundHandler())

	service.DropSessions()
	for ev := range ln.Events() {
		fmt.Println(ev.State, ev.URL)
		if ev.State == tunnel.Reconnecting {
			break
		}
	}
	fmt.Println((<-ln.Events()).State)
	// Output:
	// connected https://me.ngrok.app
	// reconnecting https://me.ngrok.app
	// connected
}

func ExampleError() {
	_, err := tunnel.Ngrok(context.Background(), tunnel.NgrokOptions{})
	var e *tunnel.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code)
	}
	// Output: ERR_NGROK_4018
}

func ExampleFindAuthtoken() {
	home, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(home)
	dir := filepath.Join(home, ".ngrok2")
	_ = os.Mkdir(dir, 0o700)
	_ = os.WriteFile(filepath.Join(dir, "ngrok.yml"), []byte("authtoken: 2abc_def\n"), 0o600)

	token, source, err := tunnel.FindAuthtoken(func(name string) string {
		return map[string]string{"HOME": home, "USERPROFILE": home}[name]
	})
	fmt.Println(token, filepath.Base(source), err)
	// Output: 2abc_def ngrok.yml <nil>
}

func ExampleProxyFromEnvironment() {
	vars := map[string]string{"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "10.0.0.0/8"}
	getenv := func(name string) string { return vars[name] }
	fmt.Println(tunnel.ProxyFromEnvironment(getenv, ""))
	fmt.Printf("%q\n", tunnel.ProxyFromEnvironment(getenv, "10.1.2.3:443"))
	// Output:
	// http://proxy.example:3128
	// ""
}
