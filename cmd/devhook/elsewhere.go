package main

import (
	"cmp"
	"runtime"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/similar"
	"devhook/recorder"
	"devhook/verify"
)

// authtokenHint is for who looks for the command that ngrok's agent has for it.
var authtokenHint = config.Assign(runtime.GOOS, "NGROK_AUTHTOKEN", "…") + "; what ngrok config add-authtoken has written is found, too"

// What other tools call a command or a flag, and what that is here. It is told
// to who types it; nothing is done in its place.
var (
	commandElsewhere = map[string]string{
		"start": "up", "serve": "up", "run": "up", "forward": "up", "tunnel": "up", "proxy": "up", "relay": "up", "connect": "up",
		"ls": "list", "events": "list", "history": "list", "requests": "list", "deliveries": "list", "search": "list", "find": "list", "filter": "list", "filters": "list",
		"get": "show", "view": "show", "cat": "show", "inspect": "show", "open": "show", "describe": "show",
		"logs": "tail", "log": "tail", "watch": "tail", "follow": "tail", "stream": "tail",
		"resend": "replay", "retry": "replay", "redeliver": "replay", "retrigger": "replay", "repeat": "replay",
		"send": "trigger", "fire": "trigger", "simulate": "trigger", "mock": "trigger", "event": "trigger", "samples": "trigger", "fixtures": "trigger",
		"rm": "prune", "delete": "prune", "clean": "prune", "clear": "prune", "purge": "prune", "gc": "prune",
		"check": "verify", "validate": "verify", "compare": "diff", "info": "status", "ps": "status", "ping": "status",
		"login": "doctor", "auth": "doctor", "authtoken": "doctor", "diagnose": "doctor", "init": "config", "env": "config", "settings": "config",
		"tcp": "up", "tls": "up", "webhook": "up", "webhooks": "up", "ui": "status", "web": "status", "dashboard": "status", "inspector": "status",
		"sources": "providers", "integrations": "providers", "fuzz": "attack", "scan": "attack", "minimize": "shrink", "subscribe": "register",
	}
	hintElsewhere = map[string]string{"authtoken": authtokenHint} // of a command
	argElsewhere  = map[string]string{                            // of a command that takes none
		"config add-authtoken": authtokenHint,
		"config check":         "devhook doctor",
	}
	flagElsewhere = map[string][]string{ // the first that the command has, with what goes behind it
		"port": {"forward", "to", "listen"}, "p": {"forward", "to", "listen"}, "json": {"format"}, "target": {"forward", "to"}, "host": {"forward", "to"},
		"addr": {"listen", "to"}, "address": {"listen", "to"}, "t": {"to"}, "u": {"url", "to"}, "url": {"to"},
		"subdomain": {"url"}, "hostname": {"url"}, "domain": {"url"}, "token": {"authtoken", "secret"}, "key": {"secret"},
		"skip-verify": {"verify report"}, "no-verify": {"verify report"}, "insecure": {"verify report"}, "quiet": {"output quiet"}, "q": {"output quiet"}, "format": {"output", "json"},
		"limit": {"n"}, "last": {"n"}, "count": {"n", "repeat"}, "all": {"n", "filter"}, "number": {"n"},
		"failed": {"filter status:4xx,5xx"}, "since": {"filter since:1h"}, "data": {"body"}, "payload": {"body"}, "request": {"method"},
		"override": {"set"}, "add": {"set"}, "remove": {"unset"}, "times": {"repeat"}, "parallel": {"concurrency"}, "delay": {"rate"},
		"edit-body": {"edit"}, "save": {"save-as"}, "no-sign": {"sign never"}, "resign": {"sign always"}, "events": {"event"}, "assert": {"expect"}, "status": {"expect"},
		"days": {"older-than"}, "out": {"o"}, "output": {"o", "json"}, "file": {"o", "config"}, "dir": {"store"}, "d": {"body", "store"}, "X": {"method"}, "H": {"header"}, "n": {"repeat", "count"}, "debug": {"verbose"}, "v": {"verbose"},
		"web-addr": {"inspect"}, "inspect-addr": {"inspect"}, "path": {"forward"}, "local-path": {"forward"},
		"basic-auth": {"traffic-policy-file"}, "oauth": {"traffic-policy-file"}, "cidr-allow": {"traffic-policy-file"}, "cidr-deny": {"traffic-policy-file"},
	}
)

// nearCommands are the commands that a word may mean, the likeliest first, and what
// tells more of them.
func nearCommands(word string, known []string) (list []string, hint string) {
	if here := commandElsewhere[word]; here != "" {
		return []string{here}, cmp.Or(hintElsewhere[word], "devhook help "+here)
	}
	if _, err := config.ParseForward(word); err == nil { // devhook 3000
		return []string{"up"}, "devhook up --forward " + word
	}
	id, _, _ := strings.Cut(word, "/")
	if p, ok := verify.Lookup(id); ok {
		return []string{"providers", "trigger"}, "devhook providers " + p.ID + ", devhook trigger --list " + p.ID
	}
	return near(word, known), "devhook help lists the commands"
}

// nearFlags are the flags that a name may mean, the likeliest first.
func nearFlags(name string, known []string) []string {
	for _, here := range flagElsewhere[name] {
		if flag, _, _ := strings.Cut(here, " "); slices.Contains(known, flag) {
			return []string{here}
		}
	}
	if recorder.IsFilterWord(name+":") && slices.Contains(known, "filter") {
		return []string{"filter " + name + ":…"}
	}
	return near(name, known)
}

func near(word string, known []string) []string {
	if len(word) == 1 { // any other letter is as near
		known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return len(k) == 1 })
	}
	return similar.Near(word, known, 3)
}
