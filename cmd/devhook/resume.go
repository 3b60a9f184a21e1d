package main

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"devhook/verify"
)

// notAgain are flags of which the command that goes on has values of its own.
var notAgain = []string{"skip", "upto", "seed", "shift-time"}

// resume returns the command that sends the rest. A secret that was given by value
// is asked for in it. Recordings have their numbers: what was last is so no more. args
// is the command with its flags, rest what it was given beside them.
func (s *sending) resume(args, rest []string) string {
	words := []string{"devhook", args[0]}
	for i, arg := range rest {
		if i < len(s.refs) && s.refs[i] != 0 {
			arg = strconv.FormatUint(s.refs[i], 10)
		}
		words = append(words, quoteShell(arg))
	}
	for i := 1; i < len(args); i++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch {
		case !strings.HasPrefix(args[i], "-") || args[i] == "-":
			words = append(words, quoteShell(args[i]))
		case slices.Contains(notAgain, name):
			if !hasValue {
				i++
			}
		case name == "secret":
			if !hasValue && i+1 < len(args) {
				i++
				value = args[i]
			}
			words = append(words, "--secret", quoteShell(hideSecret(value)))
		default:
			words = append(words, quoteShell(args[i]))
		}
	}
	words = append(words, "--skip", strconv.Itoa(s.plans.skip+s.sent+s.skipped))
	if s.many {
		words = append(words, "--upto", strconv.FormatUint(s.newest, 10))
	}
	if s.seeded != 0 {
		words = append(words, "--seed", strconv.FormatUint(s.seeded, 10))
	}
	if s.travel.moved {
		words = append(words, "--shift-time", "+"+s.travel.by.String())
		if s.travel.by < 0 {
			words[len(words)-1] = s.travel.by.String()
		}
	}
	return strings.Join(words, " ")
}

// hideSecret returns a reference to a secret as it was given, and of a value only
// whose it is.
func hideSecret(ref string) string {
	refers := func(s string) bool { return strings.HasPrefix(s, "env:") || strings.HasPrefix(s, "file:") || s == "-" }
	id, rest, ok := strings.Cut(ref, "=")
	if refers(ref) || ok && refers(rest) {
		return ref
	}
	if _, isProvider := verify.Lookup(id); ok && isProvider {
		return id + "=-"
	}
	return "-"
}

// quoteShell returns word as the user's shell reads it as one.
func quoteShell(word string) string { return quoteFor(runtime.GOOS, word) }

// quoteFor is quoteShell on a system. On Windows cmd.exe and PowerShell read alike what
// needs no more than quotes; for the rest, PowerShell.
func quoteFor(goos, word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"
	if goos != "windows" {
		if word != "" && strings.Trim(word, plain+"@,=+%") == "" {
			return word
		}
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	switch {
	case word != "" && strings.Trim(word, plain+`\`) == "":
		return word
	case !strings.ContainsAny(word, "\"$`%!") && !strings.HasSuffix(word, `\`):
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", "''") + "'"
}
