// Devhook is a local gateway for webhooks: it opens a public URL, verifies
// what comes in, records it and forwards it to an app.
package main

import "os"

func main() {
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	os.Exit(p.run(os.Args))
}
