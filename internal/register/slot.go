package register

import (
	"fmt"
	"strings"
)

// Some providers have room for one URL only, an app's or a topic's. Who sets it
// displaces what was there, so that is remembered and put back. In the Data of
// such a change, before is the URL that was there, "" for none.

// takeover is the flag that providers with room for one URL have.
var takeover = Param{Name: "takeover", About: "take the place of another URL, which is put back at the end", Kind: Flag}

// claim refuses to displace now, the URL of what, unless that was asked for. It
// returns what is to be put back at the end. mine is the change that this
// registration has made there, nil for none.
func (s Settings) claim(what, now, callback string, mine *Change) (before string, err error) {
	switch {
	case mine != nil && (now == "" || mine.Ours(now)):
		return mine.Data["before"], nil
	case strings.ContainsAny(now, "{}"): // which mean something in a Call
		return "", &Refusal{Text: fmt.Sprintf("%s has the URL %s, which devhook could not put back", what, quote(now)), Hint: "take it away there, and try again"}
	case now == "" || now == callback || s.Has(takeover.Name):
		return now, nil
	}
	r := &Refusal{
		Text: fmt.Sprintf("%s has room for one URL, and %s is there", what, quote(now)),
		Hint: "--takeover replaces it, and puts it back at the end; what a devhook has left that is gone, devhook register --cleanup takes back",
	}
	if s.Another(now) {
		r.Text += ", of another devhook"
	}
	return "", r
}

// release says what is to be done with a change, now that the URL there is now:
// if the Undo is zero, before is to be put back.
func (s Settings) release(ch Change, now string) Undo {
	switch {
	case ch.Ours(now):
		return Undo{}
	case now == ch.Data["before"] || now == "":
		return Undo{Result: Gone}
	case s.Another(now):
		return Undo{Later, "another devhook has its URL there"}
	}
	return Undo{Left, "it is " + quote(now) + " by now"}
}

// changeOf returns the change with the given key, nil if there is none.
func changeOf(done []Change, key string) *Change {
	for i := range done {
		if done[i].Key == key {
			return &done[i]
		}
	}
	return nil
}
