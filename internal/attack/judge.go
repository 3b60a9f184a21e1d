package attack

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"devhook/recorder"
)

// An Answer is what a handler did with one request.
type Answer struct {
	ID     string // of the recording
	Status int    // 0: there was none
	Detail string // why there was none
	Said   string // the beginning of it, in one line, if it is no 2xx
	Took   time.Duration
}

// Unknown is the number of effects where nobody counts them.
const Unknown = -1

// A Result is what became of one variant.
type Result struct {
	Variant Variant
	Shot    Shot
	Skipped string // why it was not sent, "" if it was
	Answers []Answer
	Effects int // how many there were, or [Unknown]
	// Fault is the id of what is wrong, "" for nothing; Detail says what was seen.
	Fault  string
	Detail string
	said   string // by the answer that is wrong, if it is no 2xx
	Note   string // what is worth knowing and no fault
}

// judge says what is wrong with what a handler did with a variant: one answer
// for each request of s, and effects of its own. acts says that it has acted on
// something right before, so that nothing done means something.
func judge(v Variant, s Shot, answers []Answer, effects int, acts bool) Result {
	r := Result{Variant: v, Shot: s, Answers: answers, Effects: effects, Note: s.Why}
	for i, a := range answers {
		r.judgeAnswer(i, a, acts)
	}
	r.judgeEffects(acts)
	return r
}

// find notes a fault with what was seen of it. The first that is found stays; an id of ""
// is none.
func (r *Result) find(id, format string, a ...any) {
	if r.Fault == "" && id != "" {
		r.Fault, r.Detail = id, fmt.Sprintf(format, a...)
	}
}

// judgeAnswer says what is wrong with the answer to the request i.
func (r *Result) judgeAnswer(i int, a Answer, acts bool) {
	v, s := r.Variant, r.Shot
	before := r.Fault
	switch {
	case v.decoy && i == 0 && a.Status > 0 && a.Status < 500: // other variants are about it
	case (a.Status == 0 || a.Status >= 500) && v.crashNote != "":
		r.Note = v.crashNote
	case a.Status == 0:
		r.find("no-answer", "%s", a.Detail)
	case a.Status >= 500:
		r.find(cmp.Or(v.crashed, crash), "answered %d", a.Status)
	case s.Want == Refuse && isAccepted(a.Status) && v.unseenBefore && acts && r.Effects == 0 && v.idleNote != "":
		r.Note = v.idleNote
	case s.Want == Refuse && isAccepted(a.Status) && v.unseenBefore && acts && r.Effects == 0:
		r.find(answersFirst, "answered %d to what has to be refused, and did not act on it", a.Status)
	case s.Want == Refuse && isAccepted(a.Status):
		r.find(v.accepted, "answered %d to what has to be refused", a.Status)
	case s.Want == Once && v.decoy && !isAccepted(a.Status):
		r.find(v.refused, "answered %d to what is right, after a forged one", a.Status)
	case s.Want == Once && !isAccepted(a.Status) && (i == 0 && !s.Together || s.Together && allRefused(r.Answers)):
		r.find("refuses-right", "answered %d to what is right", a.Status)
	case s.Want == Accept && !isAccepted(a.Status), s.Want == Once && !isAccepted(a.Status) && a.Status != 409:
		r.find(v.refused, "answered %d to what is right", a.Status)
	case s.Want == Survive && !isAccepted(a.Status) && v.refusedNote != "":
		r.Note = v.refusedNote
	case isAccepted(a.Status) && s.Patience > 0 && a.Took > s.Patience:
		r.find("too-slow", "answered after %s, and the provider waits %s", a.Took.Round(10*time.Millisecond), s.Patience)
	case s.Want == Survive && isAccepted(a.Status) && v.note != "":
		r.Note = v.note
	case v.Name == "event-unknown" && !isAccepted(a.Status):
		r.Note = "an unknown event is refused, so the provider sends it again or counts a failure"
	}
	if r.Fault != before {
		r.said = a.Said
	}
}

// judgeEffects says what is wrong with how often the handler has acted.
func (r *Result) judgeEffects(acts bool) {
	v, s, answers, effects := r.Variant, r.Shot, r.Answers, r.Effects
	switch {
	case effects == Unknown:
	case s.Want == Refuse && effects > 0:
		r.find("acts-first", "%d %s, though it was refused", effects, plural(effects, "effect"))
	case v.decoy && effects > 1 && isAccepted(answers[0].Status): // the first was one more to it
	case s.Want == Once && v.decoy && effects == 0 && acts:
		r.find(v.refused, "no effect of a webhook that came after a forged one")
	case s.Want == Once && effects > 1:
		r.find(v.accepted, "%d %s of one webhook", effects, plural(effects, "effect"))
	case r.Note != "" || effects >= len(answers):
	case s.Want == Once && effects == 0 && acts:
		r.Note = "had no effect, though it is another delivery: is it known by something else than its id?"
	case s.Want == Once && effects == 0:
		r.Note = "had no effect: nothing is known of repetitions"
	case s.Want == Accept && acts && r.Fault == "":
		r.Note = fmt.Sprintf("%d %s of %d %s: is one known by something else than its delivery id?", effects, plural(effects, "effect"), len(answers), plural(len(answers), "webhook"))
	}
}

// seen is what was seen, and what the handler said to it.
func (r Result) seen() string {
	if r.said == "" {
		return r.Detail
	}
	return r.Detail + ": " + r.said
}

func allRefused(answers []Answer) bool {
	return !slices.ContainsFunc(answers, func(a Answer) bool { return isAccepted(a.Status) })
}

func isAccepted(status int) bool { return status >= 200 && status < 300 }

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// A Finding is a fault that was found, and by which variants.
type Finding struct {
	Fault    Fault
	Variants []string
	Detail   string // what was seen first, and what the handler said to it
}

// Findings gathers the faults of results, the gravest first. What says nothing
// more beside a graver one is left out.
func Findings(results []Result) []Finding {
	by := map[string]*Finding{}
	all := refusesAll(results)
	early := slices.ContainsFunc(results, func(r Result) bool { return r.Fault == answersFirst })
	down := crashesAlike(results)
	spells := takesSpellings(results)
	for _, r := range results {
		if r.Fault == "" {
			continue
		}
		if all && r.Fault == r.Variant.refused {
			r.Fault = "refuses-right"
		}
		if spells && r.Fault == "parsed-json" && r.Fault == r.Variant.refused && !r.isASCII() {
			r.Fault = "decoded-text"
		}
		if down && r.Fault == r.Variant.crashed {
			r.Fault = crash
		}
		if early && r.Shot.Want == Refuse && r.Effects == 0 && r.Fault == r.Variant.accepted {
			r.Fault = answersFirst
		}
		f := by[r.Fault]
		if f == nil {
			f = &Finding{Fault: FaultOf(r.Fault), Detail: r.seen()}
			by[r.Fault] = f
		}
		f.Variants = append(f.Variants, r.Variant.Name)
	}
	var list []Finding
	for _, known := range faults {
		f := by[known.ID]
		if f == nil || slices.ContainsFunc(list, func(g Finding) bool { return slices.Contains(g.Fault.hides, known.ID) }) {
			continue
		}
		list = append(list, *f)
	}
	return list
}

// takesSpellings reports whether the handler takes JSON in two spellings, which none does that
// verifies what it writes itself. Both are ASCII: if it refuses what is not, it decodes.
func takesSpellings(results []Result) bool {
	takes := func(variant string) bool {
		return slices.ContainsFunc(results, func(r Result) bool {
			return r.Variant.Name == variant && r.Skipped == "" && !slices.ContainsFunc(r.Answers, func(a Answer) bool { return !isAccepted(a.Status) })
		})
	}
	return takes("json-ascii") && takes("json-python")
}

// isASCII reports whether all bodies that were sent are.
func (r Result) isASCII() bool {
	return !slices.ContainsFunc(r.Shot.Requests, func(req recorder.Request) bool {
		return slices.ContainsFunc(req.Body.Bytes, func(c byte) bool { return c >= utf8.RuneSelf })
	})
}

// crashesAlike reports whether what is right had the handler crash, and all that is wrong
// about a signature: then that one variant did says nothing about what is special in it.
func crashesAlike(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Variant.Name == control && r.Fault == crash }) &&
		!slices.ContainsFunc(results, func(r Result) bool {
			return r.Variant.crashed == "crash-signature" && slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Status < 500 })
		})
}

// refusesAll reports whether all that is right was refused: then that one variant
// was says nothing about what is special in it.
func refusesAll(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool {
		return (r.Shot.Want == Accept || r.Shot.Want == Once) && r.Skipped == "" && r.Fault != r.Variant.refused && r.Fault != "refuses-right"
	})
}
