// Devhook is a local gateway for webhooks: it opens a public URL, verifies
// what comes in, records it and forwards it to an app.
package main

import (
	"io"
	"log"
	"os"
)

func main() {
	log.SetOutput(io.Discard) // what libraries say there is of no use to the user
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	os.Exit(p.run(os.Args))
}
