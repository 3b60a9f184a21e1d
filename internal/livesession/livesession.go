// Package livesession makes up the events of a whole LIVE on TikTok, as the
// WebSocket of Euler Stream tells them: viewers who join, chat, like, follow and
// give gifts, in streaks, one of which never ends. It sends nothing.
//
// The shapes are those of the types in npm @eulerstream/euler-websocket-sdk 0.0.6,
// schema v2, in which 64-bit numbers are strings. What is in them is invented. The
// same [Options] give the same bytes on every machine: the random numbers are those
// of PCG, which math/rand/v2 promises not to change.
package livesession

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Options are what a session is made of.
type Options struct {
	Seed   uint64
	Start  time.Time
	Length time.Duration // at least a minute
}

// An Event is one message of the WebSocket.
type Event struct {
	At    time.Duration // after the start
	Type  string
	data  func() object
	n     int // its number
	sent  time.Time
	adds  Totals // what it adds to what happened
	gift  said
	likes int // totalLikeCount
}

// Body returns the message, in JSON. It is made anew by each call, as a long LIVE would
// fill the memory.
func (e Event) Body() []byte {
	data := e.data()
	if e.Type != "roomInfo" {
		data["common"] = object{
			"method": e.Type, "msgId": fmt.Sprintf("76023561910%08d", e.n), "roomId": room,
			"createTime": fmt.Sprint(e.sent.UnixMilli()), "isShowMsg": true,
		}
	}
	body, err := json.Marshal(object{"type": e.Type, "data": data}) // whose names are sorted
	if err != nil {
		panic(err) // all of it can be written
	}
	return body
}

type object = map[string]any

// said is what an event says of gifts.
type said struct {
	count, diamonds int // repeatCount, and what one gift is worth
	end             bool
}

// A gift is one that viewers can give; of type 1 are those that make streaks.
type gift struct {
	id, kind, diamonds int
	name               string
}

var gifts = []gift{{5655, 1, 1, "Rose"}, {5269, 1, 1, "TikTok"}, {5879, 1, 30, "Doughnut"}, {6369, 2, 29999, "Lion"}}

var comments = []string{"hello from the chat 👋", "first!", "主播好", "¿de dónde eres?", "play it again", "😂😂😂", "שלום", "what song is this?"}

type session struct {
	o      Options
	r      *rand.Rand
	events []Event
	totals Totals // so far
	streak int
}

// New returns the events of a session in their order.
func New(o Options) []Event {
	s := &session{o: o, r: rand.New(rand.NewPCG(o.Seed, o.Seed^0x9e3779b97f4a7c15))}
	s.add(0, "roomInfo", Totals{}, func() object { return object{"id": room, "title": "Morning news"} })
	last := o.Length - time.Second
	joined := 0
	for at := time.Second; at < last; at += time.Duration(300+s.r.IntN(1400)) * time.Millisecond {
		n := s.r.IntN(100)
		switch {
		case joined < 3 || n < 15 && joined < 400:
			joined++
			who := joined
			s.add(at, "WebcastMemberMessage", Totals{Joins: 1}, func() object { return object{"user": user(who), "action": 1, "memberCount": who} })
		case s.totals.Streaks == 0 || n < 22 && at+30*time.Second < last:
			s.give(at, 1+s.r.IntN(joined))
		case n < 50:
			who, comment := 1+s.r.IntN(joined), comments[s.r.IntN(len(comments))]
			s.add(at, "WebcastChatMessage", Totals{Comments: 1}, func() object {
				return object{"user": user(who), "comment": comment, "emotes": []any{}, "contentLanguage": "en"}
			})
		case n < 94:
			count, who, all := 1+s.r.IntN(15), 1+s.r.IntN(joined), s.totals.Likes
			all += count
			s.add(at, "WebcastLikeMessage", Totals{Likes: count}, func() object {
				return object{"user": user(who), "likeCount": count, "totalLikeCount": all}
			})
			s.events[len(s.events)-1].likes = all
		default:
			who, all := 1+s.r.IntN(joined), s.totals.Follows+1
			s.add(at, "WebcastSocialMessage", Totals{Follows: 1}, func() object {
				return object{"user": user(who), "action": "1", "followCount": all, "shareCount": 0, "shareType": "0"}
			})
		}
	}
	s.add(o.Length, "WebcastControlMessage", Totals{}, func() object { return object{"action": 3, "tips": ""} })
	return s.done()
}

const room = "7602356191083907865"

// user is the viewer of that number, the same in each session.
func user(n int) object {
	return object{
		"userId": fmt.Sprintf("68088559801%08d", n), "nickname": fmt.Sprintf("Viewer %d", n), "uniqueId": fmt.Sprintf("viewer.%d", n),
		"secUid": fmt.Sprintf("MS4wLjABAAAAexample%d", n), "profilePicture": object{"url": []string{"https://p16-sign.tiktokcdn-us.com/a.webp"}},
	}
}

// give adds a gift, or a streak of them: an event for each with the number so far,
// and one with repeatEnd 1. The first streak and some others have none.
func (s *session) give(at time.Duration, from int) {
	g := gifts[s.r.IntN(len(gifts))]
	if s.totals.Streaks == 0 {
		g = gifts[0]
	}
	s.streak++
	streak := s.streak
	say := func(at time.Duration, count int, end bool, adds Totals) {
		s.add(at, "WebcastGiftMessage", adds, func() object {
			repeatEnd := 0
			if end {
				repeatEnd = 1
			}
			return object{
				"giftId": g.id, "user": user(from), "repeatEnd": repeatEnd, "repeatCount": count, "comboCount": count, "groupCount": 1,
				"groupId": fmt.Sprint(s.o.Start.UnixMilli() + int64(streak)), "orderId": fmt.Sprintf("76023561910839%05d", streak),
				"giftDetails": object{"id": fmt.Sprint(g.id), "giftName": g.name, "diamondCount": g.diamonds, "giftType": g.kind, "combo": g.kind == 1, "describe": "sent " + g.name},
			}
		})
		s.events[len(s.events)-1].gift = said{count, g.diamonds, end}
	}
	one := Totals{Gifts: 1, Diamonds: g.diamonds}
	if g.kind != 1 {
		say(at, 1, true, one)
		return
	}
	n := 2 + s.r.IntN(9)
	ends := s.totals.Streaks > 0 && s.r.IntN(8) > 0
	for i := 1; i <= n; i++ {
		adds := one
		if i == 1 {
			adds.Streaks = 1
		}
		if i == n && !ends {
			adds.LostEnds = 1
		}
		say(at, i, false, adds)
		at += time.Duration(200+s.r.IntN(400)) * time.Millisecond
	}
	if ends {
		say(at, n, true, Totals{})
	}
}

func (s *session) add(at time.Duration, kind string, adds Totals, data func() object) {
	adds.Events = 1
	s.totals.add(adds)
	s.events = append(s.events, Event{At: at, Type: kind, data: data, adds: adds})
}

// done puts the events in order and gives them their numbers and times.
func (s *session) done() []Event {
	slices.SortStableFunc(s.events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	for n := range s.events {
		s.events[n].n, s.events[n].sent = n, s.o.Start.Add(s.events[n].At)
	}
	return s.events
}
