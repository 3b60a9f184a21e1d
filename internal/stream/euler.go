package stream

import (
	"encoding/json"
	"net/http"
	"net/url"

	"devhook/internal/jsonx"
)

// euler is the WebSocket of Euler Stream, which tells what happens in the live
// stream of a TikTok creator. Its frames are bundles of events. The source is
// the vendor's npm package @eulerstream/euler-websocket-sdk 0.0.6: the query,
// the bundles, and the close codes.
var euler = &platform{
	id: "euler", name: "Euler Stream", url: "wss://ws.eulerstream.com",
	env: "EULER_API_KEY", secret: "API key", creator: true,
	query: func(q url.Values, o Options) {
		q.Set("uniqueId", o.Creator)
		q.Set("apiKey", o.Secret)
		q.Set("features.bundleEvents", "true")
	},
	open: func(frame []byte, _ bool) (*string, []Event, string) {
		list, bundled := unbundle(frame)
		if !bundled {
			list = []json.RawMessage{frame}
		}
		var events []Event
		problem := ""
		for _, one := range list {
			kind, bad := eventType(one)
			if bad != "" {
				problem = bad
			}
			id, ok := text(one, "data", "common", "msgId")
			if !ok || id == "" {
				id = sum(one)
			}
			events = append(events, Event{Body: one, Type: kind, DeliveryID: id})
		}
		return nil, events, problem
	},
	refused: func(status int) verdict {
		switch status {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
			return verdict{next: stop, hint: eulerKeyHint}
		case http.StatusTooManyRequests:
			return verdict{next: rarely}
		}
		return verdict{}
	},
	closed: func(code int) verdict {
		if v, ok := eulerCodes[code]; ok {
			return v
		}
		return verdict{}
	},
}

const eulerKeyHint = "copy the API key again from eulerstream.com > Dashboard, and set EULER_API_KEY"

// eulerCodes are the close codes, by the enum of the SDK. The table in its
// README is older, and differs.
var eulerCodes = map[int]verdict{
	1000: {why: "a normal end", next: again},
	1011: {why: "an error of the service", next: again},
	4005: {why: "the live stream has ended", next: later},
	4006: {why: "the live stream sent nothing for a while", next: again},
	4400: {why: "it does not like the options", next: stop, hint: "check --creator"},
	4401: {why: "the API key is not valid", next: stop, hint: eulerKeyHint},
	4403: {why: "the API key may not listen to this creator", next: stop, hint: "see what your plan allows at eulerstream.com > Dashboard"},
	4404: {why: "the creator is not live", next: later},
	4429: {why: "too many connections of this API key", next: rarely},
	4500: {why: "TikTok closed the stream", next: again},
	4555: {why: "a connection lives for 8 hours at most", next: atOnce},
	4556: {why: "TikTok's stream could not be fetched", next: again},
	4557: {why: "the information on the room could not be had", next: again},
}

// unbundle returns the events of a bundle, {"timestamp":…,"messages":[…]}, each
// byte for byte as it stands there. bundled is false if frame is none.
func unbundle(frame []byte) (events []json.RawMessage, bundled bool) {
	if jsonx.TopKind(frame) != jsonx.Object {
		return nil, false
	}
	v, err := jsonx.Find(frame, jsonx.Path{"messages"})
	if err != nil || v.Kind() != jsonx.Array {
		return nil, false
	}
	if err := json.Unmarshal(v.Raw, &events); err != nil {
		return nil, false
	}
	return events, true
}
