package main

import (
	"os"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdWebService is the command
//
//	webservice FILE   wait until devhook has written to FILE (--log FILE) where its
//	                  inspector is, and set $INSPECT to its URL
func cmdWebService(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: webservice FILE")
	}
	line := regexp.MustCompile(`starting web service" addr=(\S+)`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if m := line.FindSubmatch(text); m != nil {
			ts.Setenv("INSPECT", "http://"+string(m[1]))
			return
		}
	}
	ts.Fatalf("%s does not tell where the inspector is", args[0])
}
