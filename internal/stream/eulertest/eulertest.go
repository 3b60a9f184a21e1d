// Package eulertest is the WebSocket of Euler Stream on this machine, as the
// vendor's SDK speaks to it: options in the query, events in bundles, what is
// wrong as a close code. What it sends is left to who starts it. Source: npm
// @eulerstream/euler-websocket-sdk 0.0.6.
package eulertest

import (
	"cmp"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"devhook/internal/stream/feed"
)

// Options are what a server is like.
type Options struct {
	Key     string // the API key that is valid; "" takes any
	Creator string // the one that is live; "" takes any
	// Live tells whether anybody is live; otherwise connections are closed with 4404. Nil: always.
	Live func() bool
	Code int // closes each connection with this code; 0: none
	Ping time.Duration
	Log  func(text string)
	Now  func() time.Time // nil: time.Now
}

// New returns the server. It is at every path.
func New(o Options) *feed.Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Ping = cmp.Or(o.Ping, 20*time.Second)
	bundle := func(bodies string) []byte {
		return fmt.Appendf(nil, `{"timestamp":%d,"messages":[%s]}`, o.Now().UnixMilli(), bodies)
	}
	return &feed.Server{
		Ping: o.Ping, Log: o.Log, Local: o.Key == "", // else the secret keeps strangers out
		Dismiss: func(r *http.Request) (int, string) {
			q := r.URL.Query()
			key := q.Get("apiKey") + q.Get("jwtKey")
			creator := strings.TrimPrefix(q.Get("uniqueId"), "@")
			switch {
			case o.Code != 0:
				return o.Code, ""
			case creator == "":
				return 4400, "uniqueId is missing"
			case q.Get("features.rawMessages") == "true" || q.Get("features.rawMessages") == "1":
				return 4400, "rawMessages is TikTok's protobuf, which is not emulated"
			case key == "" || o.Key != "" && key != o.Key:
				return 4401, "Invalid API key"
			case o.Live != nil && !o.Live() || o.Creator != "" && creator != strings.TrimPrefix(o.Creator, "@"):
				return 4404, "The creator is not live"
			}
			return 0, ""
		},
		Greet: func(r *http.Request) [][]byte {
			hello := []string{
				fmt.Sprintf(`{"type":"workerInfo","data":{"webSocketId":"ws_0123","schemaVersion":"v2","features":{"bundleEvents":%t}}}`, feed.Bundled(r)),
				`{"type":"tiktok.connect","data":{"agentId":"agent-1"}}`,
				`{"type":"roomInfo","data":{"id":"7602356191083907865","title":"Morning news"}}`,
			}
			if feed.Bundled(r) {
				return [][]byte{bundle(strings.Join(hello, ","))}
			}
			var frames [][]byte
			for _, h := range hello {
				frames = append(frames, []byte(h))
			}
			return frames
		},
		Wrap: func(r *http.Request, _ string, body []byte) []byte {
			if feed.Bundled(r) {
				return bundle(string(body))
			}
			return body
		},
	}
}

//go:embed testdata/*.json
var files embed.FS

// Samples returns sample events, composed of the SDK's types; with unknown, one
// of a type that does not exist. They happened at now. What is to tell one message
// from another is new in each round of a server, as an app takes what comes again for
// a repetition.
func Samples(unknown bool, now time.Time, round int) [][]byte {
	ms := strconv.FormatInt(now.UnixMilli(), 10)
	fresh := strings.NewReplacer("1780000000000", ms, idPrefix, fmt.Sprintf("%s%04d", ms, round%1e4))
	var list [][]byte
	for _, name := range []string{
		"WebcastChatMessage", "WebcastGiftMessage", "WebcastLikeMessage", "WebcastMemberMessage",
		"WebcastRoomUserSeqMessage", "WebcastSocialMessage", "WebcastSubNotifyMessage", "SyntheticJoinMessage",
	} {
		body, err := files.ReadFile("testdata/" + name + ".json")
		if err != nil {
			panic(err) // they are part of the program
		}
		list = append(list, []byte(fresh.Replace(string(body))))
	}
	if unknown {
		list = append(list, fmt.Appendf(nil, `{"type":"WebcastFutureMessage","data":{"common":{"msgId":"%s%04d99"}}}`, ms, round%1e4))
	}
	return list
}

// idPrefix is what the ids of the samples have in common, but for the last two digits.
const idPrefix = "76023561910839000"
