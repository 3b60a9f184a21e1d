// Serve is a handler of webhooks with a fault, to try devhook attack on:
//
//	go run ./internal/attack/testdata/handlers/serve -provider stripe -fault no-tolerance -listen 127.0.0.1:3000
//
// GET /effects prints on how many webhooks it has acted. What it verifies with is the
// secret that it prints.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"devhook/internal/attack/testdata/handlers"
)

func main() {
	provider := flag.String("provider", "stripe", "whose webhooks it takes")
	fault := flag.String("fault", "", "what is wrong with it, by the `NAME` that devhook attack has for it")
	listen := flag.String("listen", "127.0.0.1:3000", "where it listens")
	flag.Parse()
	s, ok := handlers.Senders[*provider]
	if !ok {
		log.Fatalf("there is no handler of %s", *provider)
	}
	h := handlers.New(s, *fault)
	http.HandleFunc("GET /effects", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, h.Effects()) })
	http.Handle("/", h)
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\nsample %s/%s, secret %s\n", ln.Addr(), *provider, s.Fixture, s.Secret)
	log.Fatal(http.Serve(ln, nil))
}
