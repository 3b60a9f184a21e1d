package inspector

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"devhook/recorder"
)

// A filterFault is what is wrong with a filter, and where: Length characters of it
// from Column on, which counts from 0.
type filterFault struct {
	Error  string `json:"error"`
	Hint   string `json:"hint,omitempty"`
	Column int    `json:"column"`
	Length int    `json:"length"`
}

func faultOf(text string, err error) *filterFault {
	f := &filterFault{Error: err.Error()}
	var at *recorder.FilterError
	if errors.As(err, &at) {
		f.Error, f.Hint = at.Text, at.Hint
		f.Column, f.Length = max(0, at.Column-1), utf8.RuneCountInString(at.Word)
		for i := range text { // the rest of the word, where the fault is inside it
			if start := utf8.RuneCountInString(text[:i]); strings.HasPrefix(text[i:], at.Word) && start <= f.Column && f.Column < start+f.Length {
				f.Length -= f.Column - start
				break
			}
		}
	}
	return f
}

// mostNotes is how many notes are shown, longestNote how many characters of one: they
// repeat what was written.
const mostNotes, longestNote = 3, 300

// notesOf tells where a filter may not mean what its writer did.
func notesOf(f recorder.Filter) []string {
	var notes []string
	for _, text := range f.Notes()[:min(mostNotes, len(f.Notes()))] {
		if letters := []rune(text); len(letters) > longestNote {
			text = string(letters[:longestNote]) + "…"
		}
		notes = append(notes, text)
	}
	return notes
}

// filterWords are what the keys of the filter can be completed with: their closed lists, and
// some of what is often meant.
var filterWords = func() map[string][]string {
	keys, words := recorder.FilterKeys()
	for _, key := range append(keys, "header.", "body.") {
		if _, closed := words[key]; !closed {
			words[key] = nil
		}
	}
	words["outcome"] = []string{ // the likely ones first
		string(recorder.Answered), string(recorder.Unreachable), string(recorder.Refused), string(recorder.Handled), string(recorder.Unrouted),
		string(recorder.Queued), string(recorder.Pending),
	}
	words["status"] = []string{"2xx", "3xx", "4xx", "5xx", "400..499"}
	words["method"] = []string{"POST", "GET", "PUT", "PATCH", "DELETE"}
	words["since"] = []string{"5m", "1h", "24h", "7d"}
	words["until"] = []string{"5m", "1h", "24h"}
	words["took"] = []string{">100ms", ">500ms", ">1s", ">10s"}
	words["size"] = []string{">10kb", ">100kb", ">1mb", "<1kb"}
	return words
}()

// recentWords is how many of the newest exchanges are looked at for words.
const recentWords = 500

// words answers the keys of the filter with what they can be completed with:
// closed lists, and what was seen lately.
func (in *Inspector) words(*http.Request) (any, error) {
	seen := map[string]map[string]bool{"provider": {}, "event": {}, "path": {}, "route": {}, "header.": {}}
	for ex, err := range in.o.Store.Query(recorder.Query{Newest: recentWords}) {
		if err != nil {
			continue
		}
		for key, value := range map[string]string{"provider": ex.Provider, "event": ex.Event, "path": recorder.PathOf(ex.Request.URL), "route": ex.Route} {
			if value != "" && len(value) <= 120 {
				seen[key][value] = true
			}
		}
		for name := range ex.Request.Headers {
			if len(name) <= 60 {
				seen["header."][strings.ToLower(name)+":"] = true
			}
		}
	}
	for _, p := range in.o.Catalog().Providers() {
		seen["provider"][p.ID] = true
	}
	all := maps.Clone(filterWords)
	for key, values := range seen {
		all[key] = slices.Sorted(maps.Keys(values))
	}
	return map[string]any{"words": all}, nil
}
