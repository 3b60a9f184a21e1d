package livesession

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var options = Options{Seed: 7, Start: time.Unix(1_780_000_000, 0), Length: 30 * time.Minute}

// What a careful app counts in the events is what the totals say: of a streak the
// highest repeatCount, also where its end never comes.
func TestTotals(t *testing.T) {
	events := New(options)
	want := Sum(events)
	got := Totals{Events: len(events)}
	type streak struct {
		count, diamonds int
		ended, combo    bool
	}
	streaks := map[string]streak{}
	last := time.Duration(0)
	for _, e := range events {
		var m struct {
			Type string
			Data struct {
				LikeCount, TotalLikeCount, RepeatCount, RepeatEnd int
				GroupID                                           string
				GiftDetails                                       struct{ DiamondCount, GiftType int }
			}
		}
		if err := json.Unmarshal(e.Body(), &m); err != nil || m.Type != e.Type || e.At < last {
			t.Fatalf("%s after %s: %v", e.Body(), last, err)
		}
		last = e.At
		switch d := m.Data; m.Type {
		case "WebcastMemberMessage":
			got.Joins++
		case "WebcastChatMessage":
			got.Comments++
		case "WebcastSocialMessage":
			got.Follows++
		case "WebcastLikeMessage":
			if got.Likes += d.LikeCount; got.Likes != d.TotalLikeCount {
				t.Errorf("%d likes, and the total says %d", got.Likes, d.TotalLikeCount)
			}
		case "WebcastGiftMessage":
			s := streaks[d.GroupID]
			s.count, s.diamonds, s.combo = max(s.count, d.RepeatCount), d.GiftDetails.DiamondCount, d.GiftDetails.GiftType == 1
			s.ended = s.ended || d.RepeatEnd == 1
			streaks[d.GroupID] = s
		}
	}
	for _, s := range streaks {
		got.Gifts += s.count
		got.Diamonds += s.count * s.diamonds
		if s.combo {
			got.Streaks++
		}
		if !s.ended {
			got.LostEnds++
		}
	}
	if got != want || want.LostEnds == 0 || want.Joins == 0 || want.Follows == 0 || want.Comments == 0 {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if events[0].Type != "roomInfo" || events[len(events)-1].Type != "WebcastControlMessage" {
		t.Errorf("it begins with %s and ends with %s", events[0].Type, events[len(events)-1].Type)
	}
}

// What is interrupted adds up to what happened until then, and each usual mistake is
// known by the number that it comes to.
func TestWhy(t *testing.T) {
	events := New(options)
	some := Sum(events[:len(events)/2])
	if all := Sum(events); some.Events != len(events)/2 || some.Gifts == 0 || some.Gifts >= all.Gifts {
		t.Errorf("half of %+v is %+v", all, some)
	}
	type gift struct {
		RepeatCount, RepeatEnd, LikeCount, TotalLikeCount int
		GiftDetails                                       struct {
			DiamondCount int
			Combo        bool
		}
	}
	var gifts []gift
	for _, e := range events {
		var m struct{ Data gift }
		if err := json.Unmarshal(e.Body(), &m); err != nil {
			t.Fatal(err)
		}
		gifts = append(gifts, m.Data)
	}
	for _, row := range []struct {
		total, why string
		count      func(g gift) int
	}{
		{"gifts", "adds up the repeatCount", func(g gift) int { return g.RepeatCount }},
		{"gifts", "waits for", func(g gift) int { return g.RepeatEnd * g.RepeatCount }},
		{"gifts", "one by one", func(g gift) int { return min(g.RepeatCount, 1) - g.RepeatEnd + g.RepeatEnd*g.RepeatCount }},
		{"gifts", "each event for one", func(g gift) int { return min(g.RepeatCount, 1) }},
		{"gifts", "a streak as one", func(g gift) int { return g.RepeatEnd }},
		{"diamonds", "adds up the repeatCount", func(g gift) int { return g.RepeatCount * g.GiftDetails.DiamondCount }},
		{"diamonds", "leaves out repeatCount", func(g gift) int { return g.RepeatEnd * g.GiftDetails.DiamondCount }},
		{"diamonds", "the diamondCount of each", func(g gift) int { return g.GiftDetails.DiamondCount }},
		{"likes", "totalLikeCount", func(g gift) int { return g.TotalLikeCount }},
		{"likes", "one like", func(g gift) int { return min(g.LikeCount, 1) }},
		{"likes", "each 3 times", func(g gift) int { return 3 * g.LikeCount }},
		{"likes", "none", func(gift) int { return 0 }},
	} {
		n := 0
		for _, g := range gifts {
			n += row.count(g)
		}
		if why := Why(events, row.total, n); !strings.Contains(why, row.why) {
			t.Errorf("%d %s: %q, want %q", n, row.total, why, row.why)
		}
	}
	if why := Why(events, "gifts", 1); why != "" {
		t.Errorf("one gift: %q", why)
	}
}

// The same options give the same bytes everywhere; another seed gives others.
func TestSameBytes(t *testing.T) {
	sum := func(o Options) string {
		h := sha256.New()
		events := New(o)
		for _, e := range events {
			fmt.Fprintf(h, "%d %s\n", e.At, e.Body())
		}
		return fmt.Sprintf("%x", h.Sum(nil))[:16]
	}
	other := options
	other.Seed++
	if first, second := sum(options), sum(options); first != second || first == sum(other) {
		t.Error("the bytes do not follow from the options")
	}
	if got := sum(options); got != "3a6c42414626eb47" {
		t.Errorf("the bytes of seed 7 are %s", got)
	}
}
