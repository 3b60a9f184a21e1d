package livesession

import "fmt"

// Totals is what really happened, which an app that counts right comes to.
type Totals struct {
	Events   int `json:"events"`
	Joins    int `json:"joins"`
	Comments int `json:"comments"`
	Likes    int `json:"likes"`
	Follows  int `json:"follows"`
	Streaks  int `json:"streaks"`
	LostEnds int `json:"lost_ends"` // streaks of which the event with repeatEnd 1 is missing
	Gifts    int `json:"gifts"`     // each of a streak counts
	Diamonds int `json:"diamonds"`
}

// Sum returns what happened in events, which may be the first of a session.
func Sum(events []Event) (t Totals) {
	for _, e := range events {
		t.add(e.adds)
	}
	return t
}

func (t *Totals) add(more Totals) {
	for i, n := range more.Named() {
		*t.at(i) += n.N
	}
}

// A Named is one of the totals, by the name that it has in JSON.
type Named struct {
	Name string
	N    int
}

var names = []string{"joins", "comments", "likes", "follows", "gifts", "diamonds", "streaks", "lost_ends", "events"}

// Named returns the totals in the order in which they are told.
func (t Totals) Named() []Named {
	list := make([]Named, len(names))
	for i, name := range names {
		list[i] = Named{name, *t.at(i)}
	}
	return list
}

func (t *Totals) at(i int) *int {
	return []*int{&t.Joins, &t.Comments, &t.Likes, &t.Follows, &t.Gifts, &t.Diamonds, &t.Streaks, &t.LostEnds, &t.Events}[i]
}

// A habit is a way to count that comes to something else than what happened.
type habit struct {
	of    string // the total
	about string
	count func(e Event) int
}

// habits are those that are known, the likely ones first.
var habits = []habit{
	{"gifts", "adds up the repeatCount of all events of a streak, and counts its first gifts again and again: the last repeatCount of a groupId is how many were given", func(e Event) int { return e.gift.count }},
	{"gifts", "waits for the event with repeatEnd 1, which does not come for each streak: when the next streak begins, or after a while, the last repeatCount is what counts", func(e Event) int { return e.ended(e.gift.count) }},
	{"gifts", "counts the gifts of a streak one by one, and at its repeatEnd 1 all of them again", func(e Event) int { return e.adds.Gifts + e.again(e.gift.count) }},
	{"gifts", "takes each event for one gift: the one with repeatEnd 1 brings no further gift", func(e Event) int { return min(e.gift.count, 1) }},
	{"gifts", "counts a streak as one gift: repeatCount says how many it is", func(e Event) int { return e.ended(1) }},
	{"diamonds", "adds up the repeatCount of all events of a streak, and counts its first gifts again and again", func(e Event) int { return e.gift.count * e.gift.diamonds }},
	{"diamonds", "waits for the event with repeatEnd 1, which does not come for each streak", func(e Event) int { return e.ended(e.gift.count * e.gift.diamonds) }},
	{"diamonds", "counts the gifts of a streak one by one, and at its repeatEnd 1 all of them again", func(e Event) int { return e.adds.Diamonds + e.again(e.gift.count*e.gift.diamonds) }},
	{"diamonds", "adds up the diamondCount of each event: the one with repeatEnd 1 brings no further gift", func(e Event) int { return e.gift.diamonds }},
	{"diamonds", "leaves out repeatCount: diamondCount is what one gift of a streak is worth", func(e Event) int { return e.ended(e.gift.diamonds) }},
	{"likes", "adds up totalLikeCount, which is the sum already: likeCount is what an event brings", func(e Event) int { return e.likes }},
	{"likes", "takes each event for one like: likeCount says how many it is", func(e Event) int { return min(e.adds.Likes, 1) }},
}

// ended returns n for the last event of a streak, or a gift that makes none; else 0.
func (e Event) ended(n int) int {
	if e.gift.end {
		return n
	}
	return 0
}

// again returns n for the last event of a streak only.
func (e Event) again(n int) int {
	if e.gift.end && e.adds.Gifts == 0 {
		return n
	}
	return 0
}

// Why says how an app may count that comes to got of the total of that name in events,
// as the end of a sentence on it; "" if there is no telling.
func Why(events []Event, name string, got int) string {
	for _, h := range habits {
		n := 0
		for _, e := range events {
			if h.of == name {
				n += h.count(e)
			}
		}
		if h.of == name && n == got {
			return h.about
		}
	}
	for _, want := range Sum(events).Named() {
		switch {
		case want.Name != name || want.N == 0:
		case got == 0:
			return "counts none of them"
		case got%want.N == 0:
			return fmt.Sprintf("counts each %d times", got/want.N)
		}
	}
	return ""
}
