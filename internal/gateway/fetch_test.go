package gateway

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"devhook/recorder"
	"devhook/verify"
)

type nothing struct{}

func (nothing) Fetch(context.Context, string) ([]byte, error) { return nil, errors.New("no network") }

// Who names a key that cannot be had does not get by.
func TestKeyThatCannotBeHad(t *testing.T) {
	const body = `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:1:T","Message":"m","Timestamp":"2025-10-09T08:53:20.000Z",` +
		`"SignatureVersion":"2","Signature":"AAAA","SigningCertURL":"https://sns.us-east-1.amazonaws.com/x.pem"}`
	for _, tt := range []struct {
		route  Route
		status int
	}{
		{Route{Verify: Enforce, Provider: "sns"}, 503},
		{Route{Verify: Strict}, 503},
		{Route{Verify: Enforce}, 200},
		{Route{Verify: Report, Provider: "sns"}, 200},
	} {
		rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}))
		tt.route.Forward = rt.Default.Forward
		rt.Default = tt.route
		rt.Keys = map[string]verify.Keys{"sns": {Fetch: nothing{}}}
		r := newRig(t, rt, Options{})
		status, _ := r.post("/", body, "X-Amz-Sns-Message-Type", "Notification")
		ex := r.recorded(1)[0]
		if status != tt.status || ex.Verdict.Reason != verify.Unsupported || ex.Event != "Notification" || (ex.Outcome == recorder.Refused) != (status == 503) {
			t.Errorf("%s %s: %d, %+v", tt.route.Verify, tt.route.Provider, status, ex.Verdict)
		}
	}
}
