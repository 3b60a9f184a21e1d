package stream

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
)

// tuniform is the Stream Alerts service of Tuniform: one creator a token, text
// frames of JSON from the server only, the first of which is a greeting. There
// are no ids, close codes or missed events sent again. The source is the page
// "Stream Alerts service" of its documentation, and for the pace of reconnecting
// its page on integration.
var tuniform = &platform{
	id: "tuniform", name: "Tuniform", url: "wss://stream-alerts.tuniform.tn/ws",
	env: "TUNIFORM_STREAM_TOKEN", secret: "stream token",
	check: func(secret string) string {
		if !tuniformToken.MatchString(secret) {
			return fmt.Sprintf("is 64 hex digits, and this one (%d characters) is not", len(secret))
		}
		return ""
	},
	query: func(q url.Values, o Options) { q.Set("token", o.Secret) },
	open: func(frame []byte, first bool) (*string, []Event, string) {
		kind, problem := eventType(frame)
		if kind == "CONNECTED" {
			who := "no Kick name"
			if name, ok := text(frame, "kick_username"); ok && name != "" {
				who = name
			}
			if id, ok := text(frame, "user_id"); ok {
				who += " (user " + id + ")"
			}
			return &who, nil, ""
		}
		if first {
			problem = "protocol error: the first frame is to be CONNECTED, and this came"
		}
		return nil, []Event{{Body: frame, Type: kind, DeliveryID: sum(frame)}}, problem
	},
	refused: func(status int) verdict {
		if status == http.StatusUnauthorized {
			return verdict{next: stop, hint: "copy the stream token again from Tuniform, and set TUNIFORM_STREAM_TOKEN"}
		}
		return verdict{}
	},
	closed: func(int) verdict { return verdict{} }, // none is documented
}

var tuniformToken = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
