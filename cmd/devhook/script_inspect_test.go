package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdInspector is the command
//
//	inspector FILE   set $INSPECT to the inspector that a ready line in FILE names, without the token; $PORT to its port
func cmdInspector(ts *testscript.TestScript, neg bool, args []string) {
	named := regexp.MustCompile(`"inspect":"([^"]*)"`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if m := named.FindSubmatch(text); err == nil && m != nil {
			u, err := url.Parse(string(m[1]))
			ts.Check(err)
			ts.Setenv("INSPECT", "http://"+u.Host)
			_, port, err := net.SplitHostPort(u.Host)
			ts.Check(err)
			ts.Setenv("PORT", port)
			return
		}
	}
	ts.Fatalf("%s names no inspector", args[0])
}

// cmdAsk is the command
//
//	ask [-host HOST] [-o FILE] [-until REGEXP] METHOD URL [JSON]   ask the inspector, until its answer fits; status and answer are stdout, or the answer is in FILE
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	var host, file string
	until := regexp.MustCompile("")
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-host":
			host = args[1]
		case "-o":
			file = args[1]
		case "-until":
			until = regexp.MustCompile("(?m)" + args[1])
		}
		args = args[2:]
	}
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: ask [-host HOST] [-o FILE] [-until REGEXP] METHOD URL [JSON]")
	}
	body := strings.Join(args[2:], "")
	end := time.Now().Add(patience)
	status, answer := askOnce(ts, args[0], args[1], host, body)
	for ; !until.Match(answer); status, answer = askOnce(ts, args[0], args[1], host, body) {
		if time.Now().After(end) {
			ts.Fatalf("%v: the answer does not fit %s:\n%s", args, until, answer)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if file != "" {
		ts.Check(os.WriteFile(ts.MkAbs(file), answer, 0o600))
		answer = nil
	}
	fmt.Fprintf(ts.Stdout(), "%d %s\n", status, answer)
}

func askOnce(ts *testscript.TestScript, method, url, host, body string) (status int, answer []byte) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	ts.Check(err)
	return resp.StatusCode, answer
}
